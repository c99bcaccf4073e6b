// SPDX-License-Identifier: Apache-2.0
// The reader behind wire.hpp for what its fast one refuses: follows the structure, takes what can be read, and names
// what cannot. One step of an envelope, {"result": ...}, is looked through. Slower, and linear in the size. Throws
// Error{bad_reply} where not even the structure can be followed. Pure: any thread.
#pragma once

#include "alli/wire.hpp"

namespace alli::tolerant {

ConversationPage read_conversation_page(std::string_view body, TimeUnit& unit, std::span<const std::string> variables);
Conversation read_conversation(std::string_view body, TimeUnit& unit);
std::vector<Chat> read_chat_page(std::string_view body, TimeUnit& unit);
Chat read_chat(std::string_view body, TimeUnit& unit);

} // namespace alli::tolerant

namespace alli {

[[noreturn]] void throw_unreadable(std::string_view what, std::string_view why);

/// Takes a member and one of the commas beside it out of an object's text. How many bytes went.
std::size_t take_member_out(std::string& raw, std::size_t at, std::size_t size);

/// First and last name, as far as sent.
std::string full_name(const std::string& first, const std::string& last);

} // namespace alli

// SPDX-License-Identifier: Apache-2.0
// Reads the service's JSON into our nouns. Raw texts are kept byte for byte, whatever they hold; a field that cannot be
// read is as if it had not been sent, and named (Conversation::unread). A thing without a readable id is kept under a
// name made of its bytes. Throws Error{bad_reply}, and takes nothing, only where a text's structure cannot be followed
// to its end (cut short, HTML) or what is asked for is not in it. Pure: any thread.
#pragma once

#include "alli/chat.hpp"
#include "alli/conversation.hpp"

#include <span>
#include <string>
#include <vector>

namespace alli {

struct ConversationPage {
    std::vector<Conversation> conversations;
    std::optional<std::string> cursor; // none on the last page
    bool cursor_lost = false;          // of a page that was mended: it may have had one
};

/// `unit` is worked out from the first time seen when it is unknown, and left as it is otherwise. `variables`: the
/// names that were asked for; an item's own are taken out of its raw text, unless there are others among them.
ConversationPage read_conversation_page(std::string body, TimeUnit& unit, std::span<const std::string> variables = {});
Conversation read_conversation(std::string body, TimeUnit& unit);
std::vector<Chat> read_chat_page(std::string body, TimeUnit& unit);
Chat read_chat(std::string body, TimeUnit& unit);

// What is left of a page whose structure breaks (mend.hpp), where it is plain enough; else they throw Error{bad_reply}.
/// Of a page of one: it has an id and a last chat time.
ConversationPage salvage_conversation_page(std::string_view body, TimeUnit& unit,
                                           std::span<const std::string> variables = {});
/// As many chats as were expected, and not none.
std::vector<Chat> salvage_chat_page(std::string_view body, TimeUnit& unit, std::size_t expected);

// What is held, once more: any raw text that they gave, also one that would be no answer by itself.
Conversation reread_item(const std::string& raw, TimeUnit& unit);
Chat reread_chat(const std::string& raw, TimeUnit& unit);

} // namespace alli

// SPDX-License-Identifier: Apache-2.0
// Reads the service's JSON into our nouns. The text is validated whole before anything of it is taken, so that a page
// cut short or of wrong types changes nothing. Throws Error{bad_reply} that says what was wrong and where. Pure: any
// thread.
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
};

/// `unit` is worked out from the first time seen when it is unknown, and left as it is otherwise. `variables`: the
/// names that were asked for; an item's own are taken out of its raw text, unless there are others among them.
ConversationPage read_conversation_page(std::string body, TimeUnit& unit, std::span<const std::string> variables = {});
Conversation read_conversation(std::string body, TimeUnit& unit);
std::vector<Chat> read_chat_page(std::string body, TimeUnit& unit);
Chat read_chat(std::string body, TimeUnit& unit);

} // namespace alli

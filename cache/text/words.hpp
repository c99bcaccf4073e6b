// SPDX-License-Identifier: Apache-2.0
// What a person would read, and search for, in a chat: the message (a Draft.js object reduced to the words of its
// blocks, Markdown without its marks) and what its citations say. Pure; works it out of the raw JSON each time, so that
// what was indexed can be removed again.
#pragma once

#include <string>
#include <string_view>

namespace alli::cache {

struct ChatWords {
    std::string text;
    std::string citations;

    bool operator==(const ChatWords&) const = default;
};

/// The indexed columns of a conversation.
struct ConversationWords {
    std::string title, user, memo;

    bool operator==(const ConversationWords&) const = default;
};

ChatWords words_of_chat(std::string_view raw_chat); // without Markdown's marks, which part words

ConversationWords words_of_conversation(std::string title, std::string user_name, std::string_view user_id,
                                        std::string memo);

/// The message of a chat as it was written, Draft.js reduced to its words.
std::string message_of_chat(std::string_view raw_chat);

/// A message as a person reads it: Draft.js blocks one a line, anything else as it is.
std::string readable(std::string_view message);

} // namespace alli::cache

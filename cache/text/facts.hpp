// SPDX-License-Identifier: Apache-2.0
// What searches and figures ask of a chat or a conversation beside its words: ratings, feedback, sources, state. Read
// off upstream's JSON, whatever it holds: a field of another type than the contract's says nothing. Pure.
#pragma once

#include "cache/text/words.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alli::cache {

struct ChatFacts {
    std::optional<bool> rating, agent_rating; // true is good
    bool feedback = false;                    // a reason was chosen, or a better answer suggested
    bool citations = false, steps = false;
    std::int64_t length = 0; // of the message as it is read, in characters
};
ChatFacts facts_of_chat(std::string_view raw_chat);

/// Both of what is kept of a chat beside its JSON, which is gone through once.
struct ChatContent {
    ChatWords words;
    ChatFacts facts;
};
ChatContent content_of_chat(std::string_view raw_chat);

/// Whether a chat's JSON, or what getChat told of it, lists steps.
bool has_steps(std::string_view raw_chat);

struct ConversationFacts {
    std::string state, assignee, channel; // empty: none
};
ConversationFacts facts_of_conversation(std::string_view raw_conversation);

/// Whether messages of this sender answer: everybody's but the user's.
bool answers(std::string_view sender);

} // namespace alli::cache

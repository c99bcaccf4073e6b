// SPDX-License-Identifier: Apache-2.0
// One conversation: upstream's JSON as it was sent but for the content of its `chats`, which are kept one by one, and
// beside it the fields that lists filter and sort by.
#pragma once

#include "alli/chat.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace alli {

struct Conversation {
    ConversationId id;
    std::string raw; // the JSON object, with `chats` emptied: ..."chats":[]...
    std::optional<std::size_t>
        chats_at;            // where in raw its chats belong: the offset of that ']'; none when it sent no array
    std::vector<Chat> chats; // the embedded ones, oldest first: the most recent of the conversation

    std::optional<std::string> title;
    std::optional<std::string> user_id;
    std::string user_name; // first and last name, as far as sent
    std::optional<std::string> app_id;
    std::string memo;
    std::vector<std::string> categories;
    std::optional<Instant> created_at;
    std::optional<Instant> last_chat_at;
    std::optional<std::int64_t> chat_count;
    bool is_end = false;

    /// The fields that could not be read, its chats' among them: they are as if nothing had been sent.
    std::vector<std::string_view> unread;
    /// lastChatTime was one of them: last_chat_at is worked out of its chats or its neighbours, where there are any.
    bool last_chat_guessed = false;
    /// Its item broke off in the page that showed it: raw is what came before, closed, with the last chat time.
    bool partial = false;

    /// The JSON object of the variables that were asked for with it, which raw is without; none: none were, or it came
    /// without.
    std::optional<std::string> variables;

    /// When it was asked for, by the steady clock: what was confirmed since is younger. None: not known.
    std::optional<std::chrono::steady_clock::time_point> asked_at;
};

} // namespace alli

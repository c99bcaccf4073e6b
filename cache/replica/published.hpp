// SPDX-License-Identifier: Apache-2.0
// What nodes of a cluster tell each other of a mirror: rows by key, as upstream wrote them. The leader's are read by
// cache/replica/unpublished.hpp, a follower's are applied by cache/replica/apply.hpp. Bytes are upstream's and may be
// anything: whoever stores them in text sees to that.
#pragma once

#include "alli/instant.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// A conversation without its chats, or the end of one.
struct PublishedConversation {
    std::string id;
    bool deleted = false;                 // then nothing below counts but `deleted_at`
    std::optional<Instant> deleted_at;    // upstream said then that it is gone; none: it is not kept any more
    std::string item;                     // JSON, `chats` emptied
    std::optional<std::int64_t> chats_at; // where in it they belong; none: upstream sent no array
    std::int64_t held = 0;                // ordinals 0 to held - 1; those from held on are gone
    std::optional<Instant> last_chat_at, created_at;   // as the mirror has them: they may be worked out of the chats
    std::optional<std::string> title, user_id, app_id; // for analysts; a follower reads its own off the item
    std::string user_name, state, categories;
    bool is_end = false;
    std::string variables; // extras.hpp
};

struct PublishedChat {
    std::string conversation;
    std::int64_t ordinal = 0; // 0 is the oldest
    std::string id, chat;     // its JSON
    std::string sender;       // from here on for analysts
    std::optional<Instant> sent_at;
    std::string message;                    // without markup
    std::string rating, agent_rating;       // good, bad or ''
    std::string feedback, suggested_answer; // as in v_feedback
    std::string detail;                     // extras.hpp; a follower's again
};

/// What the mirror says of itself, by name: coverage, progress, problems, horizon, cursor key and the like.
struct PublishedState {
    std::string name, value;
};

/// Rows of one snapshot. Conversations are whole: a chat's conversation stands in the same batch, or did before it.
struct PublishedRows {
    std::vector<PublishedConversation> conversations;
    std::vector<PublishedChat> chats;
    std::vector<PublishedState> state; // only with the last rows of a snapshot: it may not claim rows that come later

    std::size_t size() const noexcept { return conversations.size() + chats.size() + state.size(); }
};

} // namespace alli::cache

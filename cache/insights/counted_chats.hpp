// SPDX-License-Identifier: Apache-2.0
// The chats of a range with what figures count of them, read from their rows (cache/chats/packed_facts.hpp).
#pragma once

#include "cache/db/sqlite.hpp"

#include <functional>

namespace alli::cache {

struct CountedChat {
    std::int64_t pk, conversation;
    std::optional<Instant> sent_at;
    std::int64_t facts;
    bool has_question; // of an answer: the user's last message before it, in the order of the conversation
    std::int64_t question;
    std::optional<Instant> asked_at;
};
using TakeChat = std::function<void(const CountedChat&)>;

struct TimeRange {
    std::optional<Instant> from, to; // from is included, to is not

    bool is_all() const { return !from && !to; }
    /// What has no time is in the range of all times alone.
    bool contains(const std::optional<Instant>& when) const
    {
        if (!when) return is_all();
        return (!from || *when >= *from) && (!to || *when < *to);
    }
};

/// By conversation, in its order. Not those whose facts are not known yet.
void visit_chats(Reader& db, const TimeRange& range, const TakeChat& take);
/// Those that have no time.
void visit_timeless_chats(Reader& db, const TakeChat& take);

} // namespace alli::cache

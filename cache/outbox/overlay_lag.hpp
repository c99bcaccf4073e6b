// SPDX-License-Identifier: Apache-2.0
// The overlay while upstream's reads lag behind a delivered write: what such a read tells about the state now
// (cache/outbox/read_lag.hpp has the rules).
#pragma once

#include "cache/outbox/overlay_rows.hpp"
#include "cache/outbox/read_lag.hpp"

namespace alli::cache {

/// When upstream was asked; none: unknown, possibly before any write.
using AskedAt = std::optional<Clock::Steady>;
bool may_lag(const EditRow& edit, const AskedAt& asked_at); // false for one that waits
Delivered delivered_of(const EditRow& edit);

/// Upstream's state as far as a read reveals it.
struct SeenThrough {
    std::string raw;      // where a member lags behind a confirmed edit, the edit's value replaces it
    bool covered = false; // there were such members
    struct Change {
        std::int64_t entry; // the last write that set the member
        std::string name, value;
    };
    std::vector<Change> changes; // set by somebody else since
};
SeenThrough see_through_lag(std::string raw, const std::vector<EditRow>& edits, const std::string& chat,
                            const AskedAt& asked_at);
/// Stores the result: values set by others are valid from now on, and covered members need another read.
void note_seen(Writer& db, const ConversationId& id, const std::string& chat, const SeenThrough& seen,
               const std::vector<EditRow>& edits);
void note_covered(Writer& db, const ConversationId& id, const std::string& chat);

/// The writes that a read of this conversation, or of this chat, may lag behind when requested at `asked_at`.
struct Lagging {
    std::vector<Delivered> writes;
    Clock::Steady until{}; // when the last of these lags ends
};
Lagging load_lagging(Reader& db, const ConversationId& id, const std::optional<ChatId>& chat, Clock::Steady asked_at);

/// Conversations of which a read returned the state before a write whose lag is over now: upstream's state is unknown
/// until they are read again. Each is returned once a process.
bool has_covered(Reader& db, Clock::Steady now);
std::vector<ConversationId> take_covered(Writer& db, Clock::Steady now, int limit);

} // namespace alli::cache

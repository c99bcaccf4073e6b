// SPDX-License-Identifier: Apache-2.0
// The rows that the overlay is made of, read and written one by one. For the files of the overlay alone.
#pragma once

#include "cache/overlay.hpp"

namespace alli::cache {

/// Moments as the rows have them.
std::int64_t ticks(Clock::Steady when);
Clock::Steady from_ticks(std::int64_t ticks);

struct EditRow {
    std::int64_t entry = 0;
    std::optional<std::string> chat;
    bool removes = false;
    std::optional<std::int64_t> confirmed_at, lags_until; // ticks; none: it waits
    Patch patch;
    std::string before; // write_before(); empty: not known
};
std::vector<EditRow> load_edits(Connection& db, const ConversationId& id); // in the order in which they apply

/// `chat` empty: the conversation itself.
std::optional<std::string> find_upstream_raw(Connection& db, const ConversationId& id, const std::string& chat);
void put_upstream_raw(Writer& db, const ConversationId& id, const std::string& chat, const std::string& raw);
void drop_upstream_raw(Writer& db, const ConversationId& id, const std::string& chat);

/// `raw` with what waits for one chat (empty: for the conversation itself).
std::string with_waiting(std::string raw, const std::vector<EditRow>& edits, const std::string& chat);

/// When upstream was asked; none: nobody knows, it may have been before any write.
using AskedAt = std::optional<Clock::Steady>;
bool may_lag(const EditRow& edit, const AskedAt& asked_at); // false for one that waits
Delivered delivered_of(const EditRow& edit);

/// What upstream has, as far as a read of it tells.
struct SeenThrough {
    std::string raw;      // members that the read shows as they were before a confirmed edit are as the edit left them
    bool covered = false; // there were such
    struct Change {
        std::int64_t entry; // the last that set the member
        std::string name, value;
    };
    std::vector<Change> changes; // what somebody else set since
};
SeenThrough see_through_lag(std::string raw, const std::vector<EditRow>& edits, const std::string& chat,
                            const AskedAt& asked_at);
/// Notes what the read taught: what others set holds from now on, and what was covered wants another read.
void note_seen(Writer& db, const ConversationId& id, const std::string& chat, const SeenThrough& seen,
               const std::vector<EditRow>& edits);
void note_covered(Writer& db, const ConversationId& id, const std::string& chat);

bool removes(const std::vector<EditRow>& edits);
bool changes(const std::vector<EditRow>& edits, const std::string& chat);

/// In the unit that the mirror's times are in; under the ids that they are held with, which may be made up.
Conversation reread_conversation(Connection& db, const ConversationId& id, std::string raw);
Chat reread_chat(Connection& db, const ChatId& id, std::string raw);

/// Makes the mirror's rows of one conversation what upstream's copy and the edits make of it.
void show_effect(Writer& db, const ConversationId& id);
void show_effect_on_chat(Writer& db, const ConversationId& id, const std::string& chat);

} // namespace alli::cache

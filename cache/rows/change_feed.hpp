// SPDX-License-Identifier: Apache-2.0
// The change feed: which conversations changed, in commit order. Only the latest change of each conversation and kind
// is kept; its sequence number is higher than all before it and never reused (docs/feed.md). A reader resumes from a
// number unless a file was lost or restored since: then the feed restarts at a number taken from the clock.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"
#include "cache/rows/visibility.hpp"

#include <string>
#include <vector>

namespace alli::cache {

enum class ChangeKind { conversation, chats, deleted, outbox };
std::string_view name_of(ChangeKind kind) noexcept;

struct Change {
    std::int64_t seq = 0;
    ConversationId conversation; // empty: of writes to none, or to many
    std::string kind;
};

/// A deletion removes the conversation's other changes; a conversation that comes back removes its deletion.
void note_change(Writer& db, const ConversationId& id, ChangeKind kind);

/// For whoever adds the conversation's row, and for whoever is about to remove it.
void name_changes_by_row(Writer& db, std::int64_t pk, const ConversationId& id);
void name_changes_by_id(Writer& db, std::int64_t pk, const ConversationId& id);

/// Those after `since`, oldest first, at most `limit`.
std::vector<Change> load_changes(Reader& db, std::int64_t since, int limit);

/// Likewise, of visible conversations only; no deletions, because it is unknown whether they were visible. Where `seen`
/// is whole, as load_changes().
std::vector<Change> load_visible_changes(Reader& db, const Visibility& seen, std::int64_t since, int limit);
/// The number of the latest visible change; without any, the number that the feed began with.
std::int64_t last_visible_change(Reader& db, const Visibility& seen);

/// A reader may resume from a number from `first` to `last`; 0 is the beginning.
struct FeedBounds {
    std::int64_t first = 0, last = 0;
    bool hold(std::int64_t since) const noexcept { return since == 0 || (since >= first && since <= last); }
};
FeedBounds load_feed_bounds(Reader& db);

/// Identifies the file, as far as it can be told from a copy, and the boot of the system it was open on: a crash of the
/// process alone, within one boot, loses no commit.
struct FeedPlace {
    std::int64_t inode = 0;
    Instant booted_at;
};
FeedPlace feed_place(const std::string& path, Instant now);

/// Before open_feed(): whether the last process did not call close_feed().
bool was_left_open(Connection& db);
/// On opening the file. Restarts the feed where commits may have been lost or the file is another one.
void open_feed(Writer& db, FeedPlace place, Instant now);
/// The last commit before closing it.
void close_feed(Writer& db);
/// Every reader must start again: its state may be wrong in ways that no change describes.
void restart_feed(Writer& db, Instant now);

} // namespace alli::cache

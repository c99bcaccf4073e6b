// SPDX-License-Identifier: Apache-2.0
// The change feed: which conversations changed, in the order of the commits. Of each conversation and kind the latest
// change stands; its number is higher than all before it and never used twice (docs/feed.md). A number is a place to go
// on from, as long as no file was lost or put back since: then the feed begins anew, at a number from the clock.
#pragma once

#include "alli/ids.hpp"
#include "cache/sqlite.hpp"
#include "cache/visibility.hpp"

#include <string>
#include <vector>

namespace alli::cache {

enum class ChangeKind { conversation, chats, deleted, outbox };
std::string_view name_of(ChangeKind kind) noexcept;

struct Change {
    std::int64_t seq = 0;
    ConversationId conversation; // empty: of writes that belong to none, or to many
    std::string kind;
};

/// A deletion takes the conversation's other changes out, and a conversation that comes back its deletion.
void note_change(Writer& db, const ConversationId& id, ChangeKind kind);

/// Those after `since`, oldest first, at most `limit`.
std::vector<Change> load_changes(Reader& db, std::int64_t since, int limit);

/// Those of the conversations in view alone: no deletion, for nobody knows any more whether it was. `seen` is not
/// whole.
std::vector<Change> load_visible_changes(Reader& db, const Visibility& seen, std::int64_t since, int limit);
/// The number of the latest of them; where there is none, the one that the feed began with.
std::int64_t last_visible_change(Reader& db, const Visibility& seen);

/// Whoever read through a number from `first` to `last` may go on from it; 0 is the beginning.
struct FeedBounds {
    std::int64_t first = 0, last = 0;
    bool hold(std::int64_t since) const noexcept { return since == 0 || (since >= first && since <= last); }
};
FeedBounds load_feed_bounds(Reader& db);

/// Which file this is, as far as one can tell it from a copy, and the start of the system it was open on: within one
/// start nothing that was committed is lost with the process.
struct FeedPlace {
    std::int64_t inode = 0;
    Instant booted_at;
};
FeedPlace feed_place(const std::string& path, Instant now);

/// Before open_feed(): whether the last process did not close it in order.
bool was_left_open(Connection& db);
/// On opening the file. Begins the feed anew where commits may have been lost or the file is another one; else goes on.
void open_feed(Writer& db, FeedPlace place, Instant now);
/// The last commit before closing it.
void close_feed(Writer& db);
/// Every reader starts again: what it knows may be wrong in ways that no change says.
void restart_feed(Writer& db, Instant now);

} // namespace alli::cache

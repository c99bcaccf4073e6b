// SPDX-License-Identifier: Apache-2.0
// Which rows of mirror.db a leader has to publish: triggers note each in the commit that changes it, whatever statement
// does. They belong to the connection of a node of a cluster, so that nobody else pays for them.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

struct Note {
    std::int64_t kind = 0; // 0: state by its name; 1: a conversation by the number of its row or by its id
    Value key;
    std::optional<std::int64_t> from_ordinal; // its chats from there on
    std::int64_t times = 0;
};

/// For StoreOptions::on_open: from now on this connection notes what it changes.
void begin_notes(Writer& db);

/// Runs `work` without noting what it changes. Inside a write: where `work` throws, its rollback restores the notes.
template <class F>
void without_notes(Writer& db, F work);

/// Everything there is, as if it had just changed.
void note_all(Writer& db);

/// The state whose name nobody shares, likewise.
void note_state_besides(Writer& db, const std::set<std::string>& shared);

/// One conversation likewise; of one that is not held its end.
void note_whole(Writer& db, const ConversationId& id);

/// Conversations and state that are noted.
std::int64_t count_notes(Reader& db);
inline constexpr const char* load_notes_sql =
    "SELECT kind, key, typeof(key), from_ordinal, times FROM unpublished WHERE kind = ?2 ORDER BY key LIMIT ?1";
/// Conversations first.
std::vector<Note> load_notes(Reader& db, std::size_t most);
void drop_notes(Writer& db);

/// Removes those that were not noted again since they were read.
void drop_notes(Writer& db, std::span<const Note> notes);

/// A conversation that was purged here and that others may still have: for as long as their leader has not published
/// its end. Not among the notes of what changed here, until this node leads.
void note_purged(Writer& db, const ConversationId& id);
void note_end(Writer& db, const ConversationId& id);
void publish_purged(Writer& db);

/// The conversations that are noted; those whose row is gone by the note of their end.
std::vector<ConversationId> noted_conversations(Reader& db, std::span<const Note> notes);

/// The tables whose rows are noted; for the test that compares them with all there are.
std::vector<std::string_view> noted_tables();

namespace detail {
bool pause_notes(Writer& db); // whether there were any to pause
void resume_notes(Writer& db);
} // namespace detail

template <class F>
void without_notes(Writer& db, F work)
{
    const bool paused = detail::pause_notes(db);
    work();
    if (paused) detail::resume_notes(db);
}

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/unseen.hpp"

#include "cache/conversations.hpp"
#include "cache/db/meta.hpp"
#include "cache/open_files.hpp"
#include "cache/replica/notes.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/progress.hpp"

#include <algorithm>
#include <optional>

namespace alli::cache {
namespace {

constexpr std::size_t most_single = 500; // with more of them nothing is claimed between the first and the last

void uncover_each(Writer& db, const std::vector<Instant>& times)
{
    constexpr std::chrono::microseconds moment{1};
    if (times.empty()) return;
    if (times.size() > most_single) return uncover(db, {times.front(), times.back() + moment});
    for (const Instant time : times) uncover(db, {time, time + moment});
}

} // namespace

void begin_seeing(Writer& db)
{
    db.script("CREATE TEMP TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY) WITHOUT ROWID; DELETE FROM temp.seen");
}

void note_seen(Writer& db, const PublishedRows& rows)
{
    for (const PublishedConversation& one : rows.conversations)
        if (!one.deleted) db.run("INSERT OR IGNORE INTO temp.seen (id) VALUES (?1)", one.id);
}

std::vector<ConversationId> take_unseen(Writer& db)
{
    auto unseen = db.all<ConversationId>("SELECT id FROM conversation WHERE id NOT IN (SELECT id FROM temp.seen)");
    db.run("DELETE FROM temp.seen");
    return unseen;
}

void erase_unseen(Writer& db, std::span<const ConversationId> unseen)
{
    without_notes(db, [&] {
        for (const ConversationId& id : unseen)
            if (erase_conversation(db, id)) note_change(db, id, ChangeKind::deleted);
    });
}

void keep_held(Writer& db, PublishedRows& rows)
{
    std::erase_if(rows.conversations,
                  [&](const PublishedConversation& one) { return one.deleted && find_pk(db, {one.id}); });
}

bool keeps_unseen(Reader& db)
{
    return find_meta<std::int64_t>(db, cluster_keeps_name).has_value();
}

void put_keeps_unseen(Writer& db, bool keeps)
{
    if (keeps)
        put_meta(db, cluster_keeps_name, std::int64_t{1});
    else
        drop_meta(db, cluster_keeps_name);
}

void unclaim(Writer& db, const std::set<std::string>& conversations)
{
    std::vector<Instant> times;
    bool chatless = false;
    for (const std::string& id : conversations) {
        const auto held = find_held(db, {id});
        if (!held) continue;
        if (held->last_chat_at)
            times.push_back(*held->last_chat_at);
        else
            chatless = true;
    }
    std::sort(times.begin(), times.end());
    without_notes(db, [&] {
        uncover_each(db, times);
        Progress progress = load_progress(db);
        if (!chatless || !progress.chatless_at) return;
        progress.chatless_at.reset();
        save_progress(db, progress);
    });
}

} // namespace alli::cache

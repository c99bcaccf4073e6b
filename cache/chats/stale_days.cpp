// SPDX-License-Identifier: Apache-2.0
#include "cache/chats/stale_days.hpp"

#include "cache/db/chat_text_key.hpp"

namespace alli::cache {
namespace {

void mark_day(Writer& db, std::int64_t day)
{
    if (db.run("INSERT OR IGNORE INTO insight_stale (day) VALUES (?1)", day) > 0)
        db.run("DELETE FROM insight_day WHERE day = ?1", day);
}

} // namespace

void mark_stale(Writer& db, const std::optional<Instant>& when)
{
    if (when) mark_day(db, std::chrono::floor<std::chrono::days>(*when).time_since_epoch().count());
}

void mark_stale_chats(Writer& db, std::int64_t conversation, std::int64_t from_ordinal)
{
    const auto days = db.all<std::int64_t>(
        "SELECT DISTINCT (sent_at - ((sent_at % 86400000000 + 86400000000) % 86400000000)) / 86400000000"
        " FROM chat_row WHERE place >= ?1 AND place < ?2 AND sent_after IS NOT NULL",
        chat_text_key(conversation, from_ordinal), chat_text_key(conversation + 1, 0));
    for (const std::int64_t day : days) mark_day(db, day);
}

Standing standing_of(Reader& db, std::int64_t conversation)
{
    return db
        .one<Standing>("SELECT created_at, app_id, user_id,"
                       " (SELECT channel FROM conversation_fact WHERE conversation = ?1),"
                       " (SELECT group_concat(name, char(10)) FROM"
                       " (SELECT name FROM category WHERE conversation = ?1 ORDER BY name))"
                       " FROM conversation WHERE pk = ?1",
                       conversation)
        .value_or(Standing());
}

void mark_stale_standing(Writer& db, std::int64_t conversation, const Standing& before)
{
    const Standing now = standing_of(db, conversation);
    if (now == before) return;
    mark_stale(db, std::get<0>(before));
    mark_stale(db, std::get<0>(now));
    mark_stale_chats(db, conversation, 0);
    forget_user(db, std::get<2>(before));
}

void forget_user(Writer& db, const std::optional<std::string>& user)
{
    constexpr int users = 3; // InsightGroup::user
    if (user)
        db.run("DELETE FROM insight_key WHERE of_group = ?1 AND key = ?2"
               " AND NOT EXISTS (SELECT 1 FROM conversation WHERE user_id = ?2)",
               users, *user);
}

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/overlay_rows.hpp"

#include "alli/wire.hpp"
#include "cache/rows/progress.hpp"

#include <algorithm>

namespace alli::cache {

std::int64_t ticks(Clock::Steady when)
{
    return when.time_since_epoch().count();
}

Clock::Steady from_ticks(std::int64_t ticks)
{
    return Clock::Steady(Clock::Steady::duration(ticks));
}

std::vector<EditRow> load_edits(Connection& db, const ConversationId& id)
{
    std::vector<EditRow> edits;
    for (const Row row : db.query("SELECT entry, chat, patch, confirmed_at, lags_until, coalesce(before, '') FROM edit"
                                  " WHERE conversation = ?1 ORDER BY place",
                                  id.value)) {
        EditRow edit;
        edit.entry = row.integer(0);
        edit.chat = row.optional_text(1);
        edit.removes = row.is_null(2);
        if (!edit.removes) edit.patch = read_patch(row.text(2));
        edit.confirmed_at = row.optional_integer(3);
        edit.lags_until = row.optional_integer(4);
        edit.before = row.text(5);
        edits.push_back(std::move(edit));
    }
    return edits;
}

std::optional<std::string> find_upstream_raw(Connection& db, const ConversationId& id, const std::string& chat)
{
    return db.one<std::string>("SELECT raw FROM upstream_raw WHERE conversation = ?1 AND chat = ?2", id.value, chat);
}

void put_upstream_raw(Writer& db, const ConversationId& id, const std::string& chat, const std::string& raw)
{
    db.run("INSERT INTO upstream_raw (conversation, chat, raw) VALUES (?1, ?2, ?3)"
           " ON CONFLICT DO UPDATE SET raw = ?3 WHERE raw <> ?3",
           id.value, chat, raw);
}

void drop_upstream_raw(Writer& db, const ConversationId& id, const std::string& chat)
{
    db.run("DELETE FROM upstream_raw WHERE conversation = ?1 AND chat = ?2", id.value, chat);
}

std::string with_waiting(std::string raw, const std::vector<EditRow>& edits, const std::string& chat)
{
    for (const EditRow& edit : edits)
        if (!edit.removes && edit.chat.value_or("") == chat && !edit.confirmed_at) raw = with_patch(raw, edit.patch);
    return raw;
}

bool removes(const std::vector<EditRow>& edits)
{
    return std::any_of(edits.begin(), edits.end(), [](const EditRow& edit) { return edit.removes; });
}

bool changes(const std::vector<EditRow>& edits, const std::string& chat)
{
    return std::any_of(edits.begin(), edits.end(),
                       [&](const EditRow& edit) { return !edit.removes && edit.chat.value_or("") == chat; });
}

Conversation reread_conversation(Connection& db, const ConversationId& id, std::string raw)
{
    TimeUnit unit = load_progress(db).unit;
    Conversation read = reread_item(raw, unit);
    read.id = id;
    return read;
}

Chat reread_chat(Connection& db, const ChatId& id, std::string raw)
{
    TimeUnit unit = load_progress(db).unit;
    Chat read = reread_chat(raw, unit);
    read.id = id;
    return read;
}

} // namespace alli::cache

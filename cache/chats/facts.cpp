// SPDX-License-Identifier: Apache-2.0
#include "cache/chats/facts.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/chats/packed_facts.hpp"

#include <limits>

namespace alli::cache {
namespace {

constexpr int step_rows = 500;

std::optional<std::int64_t> find_bound(Reader& db, std::string_view kind)
{
    return db.one<std::int64_t>("SELECT bound FROM fact_bound WHERE kind = ?1", kind);
}

void set_bound(Writer& db, std::string_view kind, int rows, std::int64_t lowest)
{
    if (rows < step_rows)
        db.run("DELETE FROM fact_bound WHERE kind = ?1", kind);
    else
        db.run("UPDATE fact_bound SET bound = ?2 WHERE kind = ?1", kind, lowest);
}

bool extend_chats(Writer& db)
{
    const auto bound = find_bound(db, "chat");
    if (!bound) return false;
    int rows = 0;
    std::int64_t lowest = *bound;
    for (const Row row : db.query("SELECT pk, place, sender, facts IS NULL FROM chat_row WHERE pk < ?1"
                                  " ORDER BY pk DESC LIMIT ?2",
                                  *bound, step_rows)) {
        lowest = row.integer(0), ++rows;
        const auto text = row.integer(3) != 0 ? find_text_at(db, row.integer(1)) : std::nullopt;
        if (text)
            db.run("UPDATE chat_row SET facts = ?2 WHERE place = ?1", row.integer(1),
                   pack_facts(row.text(2), facts_of_chat(text->raw)));
    }
    db.run("UPDATE chat_row SET facts = facts | 128 WHERE pk IN (SELECT d.chat FROM chat_detail d WHERE d.chat >= ?1"
           " AND d.chat < ?2 AND json_valid(d.raw) AND json_array_length(d.raw, '$.intermediateSteps') > 0)",
           lowest, *bound);
    set_bound(db, "chat", rows, lowest);
    return true;
}

bool extend_conversations(Writer& db)
{
    const auto bound = find_bound(db, "conversation");
    if (!bound) return false;
    int rows = 0;
    std::int64_t lowest = *bound;
    for (const Row row :
         db.query("SELECT pk, raw FROM conversation WHERE pk < ?1 ORDER BY pk DESC LIMIT ?2", *bound, step_rows)) {
        lowest = row.integer(0), ++rows;
        put_conversation_facts(db, lowest, row.text(1));
    }
    set_bound(db, "conversation", rows, lowest);
    return true;
}

} // namespace

void put_conversation_facts(Writer& db, std::int64_t conversation, std::string_view raw_conversation)
{
    const ConversationFacts facts = facts_of_conversation(raw_conversation);
    db.run("INSERT OR REPLACE INTO conversation_fact (conversation, state, assignee, channel)"
           " VALUES (?1, ?2, ?3, ?4)",
           conversation, facts.state, facts.assignee, facts.channel);
}

void note_steps(Writer& db, std::int64_t chat, std::string_view raw_detail)
{
    if (has_steps(raw_detail)) db.run("UPDATE chat_row SET facts = facts | 128 WHERE pk = ?1", chat);
}

std::optional<std::int64_t> find_fact_bound(Reader& db)
{
    if (find_bound(db, "conversation")) return std::numeric_limits<std::int64_t>::max();
    return find_bound(db, "chat");
}

bool extend_facts(Writer& db)
{
    return extend_conversations(db) || extend_chats(db);
}

} // namespace alli::cache

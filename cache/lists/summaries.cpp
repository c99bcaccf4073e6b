// SPDX-License-Identifier: Apache-2.0
#include "cache/lists/summaries.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/rows/conversation_rows.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/progress.hpp"
#include "cache/text/words.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

Summary summary_of(const Row& row) // id, title, user_name, user_id, created_at, last_chat_at, held
{
    std::string user(row.text(2));
    if (user.empty()) user = std::string(row.text(3));
    return {std::string(row.text(0)), std::string(row.text(1)), std::move(user),
            row.optional_instant(4),  row.optional_instant(5),  row.integer(6)};
}

} // namespace

std::vector<Summary> list_summaries(Reader& db, int limit, int offset)
{
    return db.all(&summary_of,
                  "SELECT id, title, user_name, user_id, created_at, last_chat_at, held FROM conversation"
                  " ORDER BY last_chat_at DESC, id DESC LIMIT ?1 OFFSET ?2",
                  limit, offset);
}

// The unary plus keeps SQLite on the index of ids, which finds the few rows that are then sorted.
std::vector<Summary> list_summaries_with_prefix(Reader& db, const std::string& prefix, int limit)
{
    if (prefix.empty()) return list_summaries(db, limit);
    std::vector<Summary> found;
    for (const Row row :
         db.query("SELECT id, title, user_name, user_id, created_at, last_chat_at, held FROM conversation"
                  " WHERE id >= ?1 AND id < ?1 || char(0x10FFFF) ORDER BY +last_chat_at DESC, id DESC LIMIT ?2",
                  prefix, limit))
        found.push_back(summary_of(row));
    return found;
}

bool is_whole(Reader& db, const std::vector<Summary>& listed, int limit)
{
    if (is_complete(db)) return true;
    const auto floor = find_floor(db, load_progress(db), std::nullopt);
    if (!floor || std::ssize(listed) < limit) return false;
    return std::all_of(listed.begin(), listed.end(),
                       [&](const Summary& one) { return one.last_chat_at && *one.last_chat_at >= *floor; });
}

std::optional<Summary> find_summary(Reader& db, const ConversationId& id)
{
    return db.one(&summary_of,
                  "SELECT id, title, user_name, user_id, created_at, last_chat_at, held FROM conversation"
                  " WHERE id = ?1",
                  id.value);
}

std::vector<ReadableChat> read_chats(Reader& db, const ConversationId& id, std::int64_t first, std::int64_t limit)
{
    std::vector<ReadableChat> chats;
    const auto pk = find_pk(db, id);
    if (!pk) return chats;
    first = std::clamp<std::int64_t>(first, 0, chats_a_conversation);
    const std::int64_t end = first + std::clamp<std::int64_t>(limit, 0, chats_a_conversation - first);
    visit_texts(db, *pk, first, end, [&](const ChatTextView& text) {
        for (const Row row :
             db.query("SELECT sender, sent_at FROM chat_row WHERE place = ?1", chat_text_key(*pk, text.ordinal)))
            chats.push_back({std::string(text.id), std::string(row.text(0)), message_of_chat(text.raw),
                             row.optional_instant(1), std::string(text.raw)});
    });
    return chats;
}

std::vector<Keyed> list_keys(Reader& db, std::int64_t after, int limit)
{
    const auto read = [](const Row& row) { return Keyed{row.integer(0), row.get<ConversationId>(1)}; };
    return db.all(read, "SELECT pk, id FROM conversation WHERE pk > ?1 ORDER BY pk LIMIT ?2", after, limit);
}

std::vector<ConversationId> list_ids(Reader& db, const std::optional<ConversationId>& after, int limit)
{
    const auto read = [](const Row& row) { return row.get<ConversationId>(0); };
    if (!after) return db.all(read, "SELECT id FROM conversation ORDER BY id LIMIT ?1", limit);
    return db.all(read, "SELECT id FROM conversation WHERE id > ?1 ORDER BY id LIMIT ?2", after->value, limit);
}

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "cache/conversations.hpp"

#include "alli/page_sizes.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/outbox/overlay_ingest.hpp"
#include "cache/rows/conversation_json.hpp"
#include "cache/rows/suppression_list.hpp"

namespace alli::cache {
namespace {

constexpr std::size_t usual_bytes = 6 * 1024; // of a conversation with its last chats

std::optional<Held> find_hidden_held(Reader& db, const ConversationId& id)
{
    const auto ids = hidden_chat_ids(db, id, 0);
    if (ids.empty()) return std::nullopt;
    Held held;
    held.chats = std::ssize(ids);
    return held;
}

} // namespace

std::optional<Held> find_held(Reader& db, const ConversationId& id)
{
    Held held;
    const auto pk = find_pk(db, id);
    if (!pk) return is_hidden(db, id) ? find_hidden_held(db, id) : std::nullopt;
    std::tie(held.chats, held.last_chat_at) = db.require<std::tuple<std::int64_t, std::optional<Instant>>>(
        "SELECT held, last_chat_at FROM conversation WHERE pk = ?1", *pk);
    const auto last = db.one<std::tuple<int, std::optional<Instant>>>(
        "SELECT completed, sent_at FROM chat_row WHERE place = ?1 AND ?2 > 0", chat_text_key(*pk, held.chats - 1),
        held.chats);
    if (!last) return held;
    const auto [completed, sent_at] = *last;
    held.last_completed = completed != 0;
    if (completed == 2) held.maybe_since = sent_at;
    return held;
}

std::vector<ChatId> chat_ids_from(Reader& db, const ConversationId& id, std::int64_t ordinal)
{
    if (is_hidden(db, id)) return hidden_chat_ids(db, id, ordinal);
    std::vector<ChatId> ids;
    const auto take = [&](const ChatTextView& text) { ids.push_back({std::string(text.id)}); };
    if (const auto pk = find_pk(db, id)) visit_texts(db, *pk, ordinal, chats_a_conversation, take);
    return ids;
}

std::optional<std::string> find_item(Reader& db, const ConversationId& id)
{
    return db.one<std::string>("SELECT coalesce((SELECT raw FROM upstream_raw WHERE conversation = ?1 AND chat = ''),"
                               " raw) FROM conversation WHERE id = ?1",
                               id.value);
}

std::vector<ConversationId> ids_within(Reader& db, Span span)
{
    return db.all<ConversationId>("SELECT id FROM conversation WHERE last_chat_at >= ?1 AND last_chat_at < ?2",
                                  span.from, span.through);
}

std::int64_t count_within(Reader& db, Span span, std::int64_t most)
{
    return db.require<std::int64_t>("SELECT count(*) FROM (SELECT 1 FROM conversation"
                                    " WHERE last_chat_at >= ?1 AND last_chat_at < ?2 LIMIT ?3)",
                                    span.from, span.through, most);
}

std::vector<ConversationId> ids_without_chat(Reader& db)
{
    return db.all<ConversationId>("SELECT id FROM conversation WHERE last_chat_at IS NULL");
}

std::vector<GrowingChat> load_growing(Reader& db, Instant since)
{
    const auto read = [](const Row& row) {
        return GrowingChat{row.get<ConversationId>(0), row.integer(1), row.integer(2) != 0, row.optional_instant(3)};
    };
    return db.all(read,
                  "SELECT c.id, r.place & 0xffffff, r.place & 0xffffff = c.held - 1, c.last_chat_at"
                  " FROM chat_row r INDEXED BY chat_growing CROSS JOIN conversation c ON c.pk = r.place >> 24"
                  " WHERE r.completed = 0 AND (r.place & 0xffffff = c.held - 1 OR c.last_chat_at > ?1)",
                  since);
}

bool put_conversation(Writer& db, const Conversation& conversation)
{
    const KeptOut kept_out = find_kept_out(db, conversation);
    if (kept_out.suppressed) {
        note_suppressed(db, conversation);
        return false;
    }
    if (kept_out.too_old && !find_pk(db, conversation.id) && !is_hidden(db, conversation.id)) {
        note_purged_day(db, conversation.created_at);
        return false;
    }
    const Shown shown = overlay_conversation(db, conversation);
    if (shown.hidden) return false;
    return put_rows(db, shown.instead ? *shown.instead : conversation);
}

std::int64_t put_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal, std::span<const Chat> chats,
                       std::optional<std::chrono::steady_clock::time_point> asked_at)
{
    const auto pk = find_pk(db, id);
    if (!pk && is_hidden(db, id)) put_hidden_chats(db, id, first_ordinal, chats);
    if (!pk || chats.empty()) return 0;
    if (!changes_chats(db, id)) return put_chat_rows(db, *pk, id, first_ordinal, chats);
    return put_chat_rows(db, *pk, id, first_ordinal, overlay_chats(db, id, chats, asked_at));
}

bool cut_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal)
{
    cut_hidden_chats(db, id, first_ordinal);
    return cut_chat_rows(db, id, first_ordinal);
}

bool erase_conversation(Writer& db, const ConversationId& id)
{
    forget_upstream(db, id);
    return remove_rows(db, id);
}

std::optional<std::string> find_conversation(Reader& db, const ConversationId& id)
{
    const auto read = [&](const Row& row) {
        std::string json;
        json.reserve(usual_bytes);
        append_single(db, row, json);
        return json;
    };
    return db.one(read, "SELECT pk, raw, chats_at, held FROM conversation WHERE id = ?1", id.value);
}

std::optional<std::vector<std::string>> find_chats(Reader& db, const ConversationId& id, int page_no)
{
    const auto pk = find_pk(db, id);
    if (!pk) return std::nullopt;
    const std::int64_t first = (std::int64_t{page_no} - 1) * chats_a_page;
    std::vector<std::string> chats;
    visit_texts(db, *pk, first, first + chats_a_page, [&](const ChatTextView& text) { chats.emplace_back(text.raw); });
    return chats;
}

} // namespace alli::cache

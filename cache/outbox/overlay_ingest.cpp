// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/overlay_ingest.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/conversation_rows.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

bool has_edits(Connection& db, const ConversationId& id)
{
    return db.exists("SELECT 1 FROM edit WHERE conversation = ?1 LIMIT 1", id.value);
}

// A chat shows more than its row while nothing changes it (find_chat).
void note_shown(Writer& db, const ConversationId& id)
{
    if (const auto pk = find_pk(db, id)) db.change_set().conversation(*pk);
}

// What cannot lag behind this any more is in it. A chat that was covered has to come itself.
void drop_outdated(Writer& db, const Conversation& came)
{
    if (!came.asked_at) return;
    db.run("DELETE FROM edit WHERE conversation = ?1 AND lags_until < ?2 AND (chat IS NULL OR covered = 0)",
           came.id.value, ticks(*came.asked_at));
}

// Chats whose edits are gone show what upstream has again.
void release_chats(Writer& db, const ConversationId& id)
{
    for (const auto& chat :
         db.all<std::string>("SELECT chat FROM upstream_raw WHERE conversation = ?1 AND chat <> ''", id.value))
        show_effect_on_chat(db, id, chat);
}

void put_hidden_chat(Writer& db, const ConversationId& id, std::int64_t ordinal, std::string_view chat,
                     std::string_view raw)
{
    db.run("INSERT OR REPLACE INTO hidden_chat (conversation, ordinal, id, raw) VALUES (?1, ?2, ?3, ?4)", id.value,
           ordinal, chat, raw);
}

void hide(Writer& db, const ConversationId& id)
{
    if (const auto pk = find_pk(db, id))
        visit_texts(db, *pk,
                    [&](const ChatTextView& text) { put_hidden_chat(db, id, text.ordinal, text.id, text.raw); });
    // What is hidden is upstream's own copy of each chat.
    db.run("UPDATE hidden_chat SET raw = (SELECT u.raw FROM upstream_raw u WHERE u.conversation = ?1 AND u.chat = id)"
           " WHERE conversation = ?1 AND id IN (SELECT chat FROM upstream_raw WHERE conversation = ?1)",
           id.value);
    if (remove_rows(db, id)) note_change(db, id, ChangeKind::deleted);
}

void put_back(Writer& db, const ConversationId& id, Conversation shown)
{
    const auto read = [&](const Row& row) { return reread_chat(db, row.get<ChatId>(1), std::string(row.text(0))); };
    const auto chats =
        db.all(read, "SELECT raw, id FROM hidden_chat WHERE conversation = ?1 ORDER BY ordinal", id.value);
    db.run("DELETE FROM hidden_chat WHERE conversation = ?1", id.value);
    if (shown.last_chat_guessed)
        for (const Chat& chat : chats) shown.last_chat_at = std::max(shown.last_chat_at, chat.sent_at);
    put_rows(db, shown);
    const std::int64_t pk = find_pk(db, id).value();
    put_chat_rows(db, pk, id, 0, changes_chats(db, id) ? overlay_chats(db, id, chats, std::nullopt) : chats);
}

// None: as it came.
std::optional<Chat> overlay_chat(Writer& db, const ConversationId& id, const Chat& came, const AskedAt& asked_at)
{
    const std::string& chat = came.id.value;
    if (asked_at)
        db.run("DELETE FROM edit WHERE conversation = ?1 AND chat = ?2 AND lags_until < ?3", id.value, chat,
               ticks(*asked_at));
    const auto edits = load_edits(db, id);
    if (!changes(edits, chat)) {
        drop_upstream_raw(db, id, chat);
        if (edits.empty()) drop_upstream_raw(db, id, "");
        return std::nullopt;
    }
    const SeenThrough seen = see_through_lag(came.raw, edits, chat, asked_at);
    note_seen(db, id, chat, seen, edits);
    put_upstream_raw(db, id, chat, seen.raw);
    return reread_chat(db, came.id, with_waiting(seen.raw, edits, chat));
}

bool is_mirrored(Connection& db, const ConversationId& id)
{
    return db.exists("SELECT 1 FROM conversation WHERE id = ?1", id.value);
}

} // namespace

void show_effect(Writer& db, const ConversationId& id)
{
    note_shown(db, id);
    const auto edits = load_edits(db, id);
    const bool mirrored = is_mirrored(db, id);
    if (removes(edits)) {
        if (mirrored) hide(db, id);
        return;
    }
    const auto raw = find_upstream_raw(db, id, "");
    if (!raw) return; // not mirrored at all
    const Conversation shown = reread_conversation(db, id, with_waiting(*raw, edits, ""));
    if (mirrored)
        put_rows(db, shown);
    else
        put_back(db, id, shown);
    if (edits.empty()) drop_upstream_raw(db, id, "");
    release_chats(db, id);
}

void show_effect_on_chat(Writer& db, const ConversationId& id, const std::string& chat)
{
    const auto raw = find_upstream_raw(db, id, chat);
    if (!raw) return;
    const auto edits = load_edits(db, id);
    replace_chat_row(db, id, reread_chat(db, ChatId{chat}, with_waiting(*raw, edits, chat)));
    if (!changes(edits, chat)) drop_upstream_raw(db, id, chat);
}

Shown overlay_conversation(Writer& db, const Conversation& came)
{
    Shown shown;
    if (!has_edits(db, came.id)) return shown;
    note_shown(db, came.id);
    drop_outdated(db, came);
    const auto edits = load_edits(db, came.id);
    if (removes(edits)) {
        shown.hidden = true;
        // One that was confirmed since: what came is from before its end.
        for (const EditRow& edit : edits)
            if (edit.removes && edit.confirmed_at) {
                note_covered(db, came.id, "");
                return shown;
            }
    } else {
        release_chats(db, came.id);
        if (edits.empty()) {
            drop_upstream_raw(db, came.id, "");
            return shown;
        }
    }
    const SeenThrough seen = see_through_lag(came.raw, edits, "", came.asked_at);
    note_seen(db, came.id, "", seen, edits);
    put_upstream_raw(db, came.id, "", seen.raw);
    if (!shown.hidden) shown.instead = reread_conversation(db, came.id, with_waiting(seen.raw, edits, ""));
    return shown;
}

bool changes_chats(Writer& db, const ConversationId& id)
{
    return db.exists("SELECT 1 FROM edit WHERE conversation = ?1 AND chat IS NOT NULL LIMIT 1", id.value);
}

std::vector<Chat> overlay_chats(Writer& db, const ConversationId& id, std::span<const Chat> came,
                                const AskedAt& asked_at)
{
    std::vector<Chat> shown;
    for (const Chat& chat : came) shown.push_back(overlay_chat(db, id, chat, asked_at).value_or(chat));
    return shown;
}

bool shows_edit(Reader& db, const ConversationId& id, const ChatId& chat)
{
    return find_upstream_raw(db, id, chat.value).has_value();
}

bool is_hidden(Reader& db, const ConversationId& id)
{
    return db.exists("SELECT 1 FROM edit WHERE conversation = ?1 AND patch IS NULL LIMIT 1", id.value);
}

void put_hidden_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal, std::span<const Chat> chats)
{
    if (!find_upstream_raw(db, id, "")) return; // it is gone for good
    for (const Chat& chat : chats) put_hidden_chat(db, id, first_ordinal++, chat.id.value, chat.raw);
}

void cut_hidden_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal)
{
    db.run("DELETE FROM hidden_chat WHERE conversation = ?1 AND ordinal >= ?2", id.value, first_ordinal);
}

std::vector<ChatId> hidden_chat_ids(Reader& db, const ConversationId& id, std::int64_t first_ordinal)
{
    return db.all<ChatId>("SELECT id FROM hidden_chat WHERE conversation = ?1 AND ordinal >= ?2"
                          " ORDER BY ordinal",
                          id.value, first_ordinal);
}

void forget_upstream(Writer& db, const ConversationId& id)
{
    db.run("DELETE FROM upstream_raw WHERE conversation = ?1", id.value);
    db.run("DELETE FROM hidden_chat WHERE conversation = ?1", id.value);
}

} // namespace alli::cache

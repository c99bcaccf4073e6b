// SPDX-License-Identifier: Apache-2.0
#include "cache/conversations.hpp"

#include "cache/assemble.hpp"
#include "cache/changes.hpp"
#include "cache/ledger.hpp"
#include "cache/overlay.hpp"
#include "cache/text_place.hpp"

namespace alli::cache {
namespace {

ConversationWords words_of(const Conversation& conversation)
{
    std::string user = conversation.user_name;
    if (conversation.user_id) user += (user.empty() ? "" : "\n") + *conversation.user_id;
    return {conversation.title.value_or(""), std::move(user), conversation.memo};
}

std::optional<std::int64_t> offset_of(const Conversation& conversation)
{
    if (!conversation.chats_at) return std::nullopt;
    return static_cast<std::int64_t>(*conversation.chats_at);
}

void put_categories(Writer& db, std::int64_t pk, const Conversation& conversation)
{
    for (const std::string& name : conversation.categories)
        db.run("INSERT OR IGNORE INTO category (name, conversation, last_chat_at, id, created_at)"
               " VALUES (?1, ?2, ?3, ?4, ?5)",
               name, pk, conversation.last_chat_at, conversation.id.value, conversation.created_at);
}

void insert_conversation(Writer& db, const Conversation& c)
{
    db.run("INSERT INTO conversation (id, raw, chats_at, title, user_id, user_name, app_id, memo, created_at, "
           "last_chat_at,"
           " is_end, chat_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
           c.id.value, c.raw, offset_of(c), c.title, c.user_id, c.user_name, c.app_id, c.memo, c.created_at,
           c.last_chat_at, c.is_end, c.chat_count);
    const std::int64_t pk = db.last_rowid();
    db.run("DELETE FROM tombstone WHERE id = ?1", c.id.value);
    put_categories(db, pk, c);
    db.words().add_conversation(pk, words_of(c));
}

void update_conversation(Writer& db, std::int64_t pk, const ConversationWords& old, const Conversation& c)
{
    db.run("UPDATE conversation SET raw = ?2, chats_at = ?3, title = ?4, user_id = ?5, user_name = ?6, app_id = ?7, "
           "memo = ?8,"
           " created_at = ?9, last_chat_at = ?10, is_end = ?11, chat_count = ?12 WHERE pk = ?1",
           pk, c.raw, offset_of(c), c.title, c.user_id, c.user_name, c.app_id, c.memo, c.created_at, c.last_chat_at,
           c.is_end, c.chat_count);
    db.run("DELETE FROM category WHERE conversation = ?1", pk);
    put_categories(db, pk, c);
    ConversationWords words = words_of(c);
    if (words == old) return;
    db.words().remove_conversation(pk, old);
    db.words().add_conversation(pk, std::move(words));
}

int completion(const Chat& chat) // 0: its message grows; 1: done; 2: upstream does not say
{
    return chat.says_completed ? static_cast<int>(chat.completed) : 2;
}

// The rowid of a chat is the second it was sent in, or the next free number: near ones first, then in growing strides,
// for an import may have given a hundred thousand chats one time.
std::int64_t insert_chat(Writer& db, std::int64_t conversation, std::int64_t ordinal, const Chat& chat)
{
    using std::chrono::floor, std::chrono::seconds;
    std::int64_t pk = chat.sent_at ? floor<seconds>(*chat.sent_at).time_since_epoch().count() : 0;
    for (std::int64_t tries = 1;; ++tries) {
        if (db.run("INSERT INTO chat_row (pk, conversation, ordinal, id, sender, sent_at, completed)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (pk) DO NOTHING",
                   pk, conversation, ordinal, chat.id.value, chat.sender, chat.sent_at, completion(chat)) == 1)
            break;
        pk += tries < 32 ? 1 : tries;
    }
    db.run("INSERT INTO chat_text (place, raw) VALUES (?1, ?2)", text_place(conversation, ordinal), chat.raw);
    return pk;
}

bool cut(Writer& db, std::int64_t conversation, std::int64_t first_ordinal)
{
    for (const Row row :
         db.query("SELECT pk, raw FROM chat WHERE conversation = ?1 AND ordinal >= ?2", conversation, first_ordinal))
        db.words().remove_chat(row.integer(0), words_of_chat(row.text(1)));
    db.run("DELETE FROM chat_text WHERE place >= ?1 AND place < ?2", text_place(conversation, first_ordinal),
           text_place(conversation + 1, 0));
    return db.run("DELETE FROM chat_row WHERE conversation = ?1 AND ordinal >= ?2", conversation, first_ordinal) > 0;
}

struct Place { // what stands at an ordinal
    std::int64_t pk;
    std::string id, raw;
};

std::optional<Place> find_place(Writer& db, std::int64_t conversation, std::int64_t ordinal)
{
    for (const Row row :
         db.query("SELECT pk, id, raw FROM chat WHERE conversation = ?1 AND ordinal = ?2", conversation, ordinal))
        return Place{row.integer(0), std::string(row.text(1)), std::string(row.text(2))};
    return std::nullopt;
}

void replace_chat(Writer& db, const Place& old, const Chat& chat)
{
    db.run("UPDATE chat_row SET sender = ?2, sent_at = ?3, completed = ?4 WHERE pk = ?1", old.pk, chat.sender,
           chat.sent_at, completion(chat));
    db.run("UPDATE chat_text SET raw = ?2 WHERE place = (SELECT conversation << 24 | ordinal FROM chat_row"
           " WHERE pk = ?1)",
           old.pk, chat.raw);
    ChatWords before = words_of_chat(old.raw), after = words_of_chat(chat.raw);
    if (before == after) return;
    db.words().remove_chat(old.pk, std::move(before));
    db.words().add_chat(old.pk, std::move(after));
}

std::int64_t end_of_chats(Writer& db, std::int64_t conversation) // nothing stands from there on
{
    Rows rows = db.query("SELECT max(ordinal) + 1 FROM chat_row WHERE conversation = ?1", conversation);
    return rows.step() ? rows.row().optional_integer(0).value_or(0) : 0;
}

bool put_chat(Writer& db, std::int64_t conversation, std::int64_t ordinal, const Chat& chat, bool may_stand)
{
    const auto old = may_stand ? find_place(db, conversation, ordinal) : std::nullopt;
    if (old && old->id == chat.id.value) {
        if (old->raw == chat.raw) return false;
        replace_chat(db, *old, chat);
        return true;
    }
    if (old) cut(db, conversation, ordinal);
    db.words().add_chat(insert_chat(db, conversation, ordinal, chat), words_of_chat(chat.raw));
    return true;
}

void count_held(Writer& db, std::int64_t conversation)
{
    db.run("UPDATE conversation SET held = (SELECT count(*) FROM chat_row WHERE conversation = ?1),"
           " first_chat_at = (SELECT sent_at FROM chat_row WHERE conversation = ?1 AND ordinal = 0) WHERE pk = ?1",
           conversation);
}

} // namespace

std::optional<std::int64_t> find_pk(Connection& db, const ConversationId& id)
{
    for (const Row row : db.query("SELECT pk FROM conversation WHERE id = ?1", id.value)) return row.integer(0);
    return std::nullopt;
}

static std::optional<Held> hidden_held(Reader& db, const ConversationId& id)
{
    const auto ids = hidden_chat_ids(db, id, 0);
    if (ids.empty()) return std::nullopt;
    Held held;
    held.chats = std::ssize(ids);
    return held;
}

ConversationWords words_of_stored(const Row& row, int first)
{
    Conversation stored;
    stored.title = row.optional_text(first);
    stored.user_id = row.optional_text(first + 1);
    stored.user_name = std::string(row.text(first + 2));
    stored.memo = std::string(row.text(first + 3));
    return words_of(stored);
}

std::optional<Held> find_held(Reader& db, const ConversationId& id)
{
    Held held;
    const auto pk = find_pk(db, id);
    if (!pk && is_hidden(db, id)) return hidden_held(db, id);
    if (!pk) return std::nullopt;
    for (const Row row : db.query("SELECT held, last_chat_at FROM conversation WHERE pk = ?1", *pk)) {
        held.chats = row.integer(0);
        held.last_chat_at = row.optional_instant(1);
    }
    for (const Row row : db.query("SELECT completed, sent_at FROM chat_row WHERE conversation = ?1 AND ordinal = ?2",
                                  *pk, held.chats - 1)) {
        held.last_completed = row.integer(0) != 0;
        if (row.integer(0) == 2) held.maybe_since = row.optional_instant(1);
    }
    return held;
}

std::vector<ChatId> chat_ids_from(Reader& db, const ConversationId& id, std::int64_t ordinal)
{
    if (is_hidden(db, id)) return hidden_chat_ids(db, id, ordinal);
    std::vector<ChatId> ids;
    for (const Row row :
         db.query("SELECT id FROM chat_row WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1)"
                  " AND ordinal >= ?2 ORDER BY ordinal",
                  id.value, ordinal))
        ids.push_back(ChatId{std::string(row.text(0))});
    return ids;
}

std::optional<std::string> find_item(Reader& db, const ConversationId& id)
{
    for (const Row row :
         db.query("SELECT coalesce((SELECT raw FROM upstream_raw WHERE conversation = ?1 AND chat = ''), raw)"
                  " FROM conversation WHERE id = ?1",
                  id.value))
        return std::string(row.text(0));
    return std::nullopt;
}

std::vector<ConversationId> ids_within(Reader& db, Span span)
{
    std::vector<ConversationId> ids;
    for (const Row row : db.query("SELECT id FROM conversation WHERE last_chat_at >= ?1 AND last_chat_at < ?2",
                                  span.from, span.through))
        ids.push_back({std::string(row.text(0))});
    return ids;
}

std::vector<ConversationId> ids_without_chat(Reader& db)
{
    std::vector<ConversationId> ids;
    for (const Row row : db.query("SELECT id FROM conversation WHERE last_chat_at IS NULL"))
        ids.push_back({std::string(row.text(0))});
    return ids;
}

std::vector<Growing> load_growing(Reader& db)
{
    std::vector<Growing> growing;
    for (const Row row : db.query("SELECT c.id, c.held, c.last_chat_at FROM chat_row r JOIN conversation c"
                                  " ON c.pk = r.conversation WHERE r.completed = 0 AND r.ordinal = c.held - 1"))
        growing.push_back({{std::string(row.text(0))}, row.integer(1), row.optional_instant(2)});
    return growing;
}

bool put_conversation(Writer& db, const Conversation& conversation)
{
    if (keeps_out(db, conversation)) {
        note_kept_out(db, conversation);
        return false;
    }
    const Shown shown = overlay_conversation(db, conversation);
    if (shown.hidden) return false;
    return put_rows(db, shown.instead ? *shown.instead : conversation);
}

// Where nothing tells a time, the one that it is held with stands.
static Conversation with_time(Conversation conversation, std::optional<Instant> last_chat_at)
{
    conversation.last_chat_at = last_chat_at;
    return conversation;
}

bool put_rows(Writer& db, const Conversation& conversation)
{
    std::optional<std::int64_t> pk;
    ConversationWords old;
    std::optional<Instant> last_chat_at;
    for (const Row row : db.query("SELECT pk, raw, title, user_id, user_name, memo, last_chat_at FROM conversation"
                                  " WHERE id = ?1",
                                  conversation.id.value)) {
        if (row.text(1) == conversation.raw) return false;
        pk = row.integer(0);
        old = words_of_stored(row, 2);
        last_chat_at = row.optional_instant(6);
    }
    if (pk && conversation.last_chat_guessed && !conversation.last_chat_at)
        update_conversation(db, *pk, old, with_time(conversation, last_chat_at));
    else if (pk)
        update_conversation(db, *pk, old, conversation);
    else
        insert_conversation(db, conversation);
    note_change(db, conversation.id, ChangeKind::conversation);
    return true;
}

std::int64_t put_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal, std::span<const Chat> chats,
                       std::optional<std::chrono::steady_clock::time_point> asked_at)
{
    const auto pk = find_pk(db, id);
    if (!pk && is_hidden(db, id)) put_hidden_chats(db, id, first_ordinal, chats);
    if (!pk || chats.empty()) return 0;
    const bool edited = changes_chats(db, id);
    const std::int64_t end = end_of_chats(db, *pk);
    std::int64_t changed = 0;
    for (const Chat& chat : chats) {
        const auto instead = edited ? overlay_chat(db, id, chat, asked_at) : std::nullopt;
        changed += put_chat(db, *pk, first_ordinal, instead ? *instead : chat, first_ordinal < end) ? 1 : 0;
        ++first_ordinal;
    }
    if (changed == 0) return 0;
    count_held(db, *pk);
    note_change(db, id, ChangeKind::chats);
    return changed;
}

void replace_chat_row(Writer& db, const ConversationId& id, const Chat& chat)
{
    const auto pk = find_pk(db, id);
    if (!pk) return;
    std::optional<std::int64_t> ordinal;
    for (const Row row :
         db.query("SELECT ordinal FROM chat_row WHERE conversation = ?1 AND id = ?2", *pk, chat.id.value))
        ordinal = row.integer(0);
    if (ordinal && put_chat(db, *pk, *ordinal, chat, true)) note_change(db, id, ChangeKind::chats);
}

bool cut_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal)
{
    cut_hidden_chats(db, id, first_ordinal);
    const auto pk = find_pk(db, id);
    if (!pk || !cut(db, *pk, first_ordinal)) return false;
    count_held(db, *pk);
    note_change(db, id, ChangeKind::chats);
    return true;
}

bool erase_conversation(Writer& db, const ConversationId& id)
{
    forget_upstream(db, id);
    return remove_rows(db, id);
}

bool remove_rows(Writer& db, const ConversationId& id)
{
    const auto pk = find_pk(db, id);
    if (!pk) return false;
    cut(db, *pk, 0);
    for (const Row row : db.query("SELECT title, user_id, user_name, memo FROM conversation WHERE pk = ?1", *pk))
        db.words().remove_conversation(*pk, words_of_stored(row, 0));
    db.run("DELETE FROM category WHERE conversation = ?1", *pk);
    db.run("DELETE FROM problem WHERE key = 'fields ' || ?1", id.value); // unread_fields.hpp
    return db.run("DELETE FROM conversation WHERE pk = ?1", *pk) > 0;
}

std::optional<std::string> find_conversation(Reader& db, const ConversationId& id)
{
    for (const Row row : db.query("SELECT pk, raw, chats_at, held FROM conversation WHERE id = ?1", id.value)) {
        std::string json;
        append_single(db, row, json);
        return json;
    }
    return std::nullopt;
}

std::optional<std::vector<std::string>> find_chats(Reader& db, const ConversationId& id, int page_no)
{
    constexpr std::int64_t page_size = 100;
    const auto pk = find_pk(db, id);
    if (!pk) return std::nullopt;
    const std::int64_t first = (std::int64_t{page_no} - 1) * page_size;
    std::vector<std::string> chats;
    for (const Row row : db.query("SELECT raw FROM chat_text WHERE place >= ?1 AND place < ?2 ORDER BY place",
                                  text_place(*pk, first), text_place(*pk, first + page_size)))
        chats.emplace_back(row.text(0));
    return chats;
}

} // namespace alli::cache

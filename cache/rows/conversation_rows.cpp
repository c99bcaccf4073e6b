// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/conversation_rows.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/chats/facts.hpp"
#include "cache/chats/packed_facts.hpp"
#include "cache/chats/stale_days.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/db/index_batch.hpp"
#include "cache/rows/change_feed.hpp"

namespace alli::cache {
namespace {

ConversationWords words_of(const Conversation& c)
{
    return words_of_conversation(c.title.value_or(""), c.user_name, c.user_id.value_or(""), c.memo);
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
    db.run("INSERT INTO conversation (id, raw, chats_at, title, user_id, user_name, app_id, memo, created_at,"
           " last_chat_at, is_end, chat_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
           c.id.value, c.raw, offset_of(c), c.title, c.user_id, c.user_name, c.app_id, c.memo, c.created_at,
           c.last_chat_at, c.is_end, c.chat_count);
    const std::int64_t pk = db.last_rowid();
    db.run("DELETE FROM tombstone WHERE id = ?1", c.id.value);
    name_changes_by_row(db, pk, c.id);
    put_categories(db, pk, c);
    put_conversation_facts(db, pk, c.raw);
    mark_stale(db, c.created_at);
    db.words().add_conversation(pk, words_of(c));
}

void update_conversation(Writer& db, std::int64_t pk, const ConversationWords& old, const Conversation& c)
{
    const Standing before = standing_of(db, pk);
    db.run("UPDATE conversation SET raw = ?2, chats_at = ?3, title = ?4, user_id = ?5, user_name = ?6, app_id = ?7,"
           " memo = ?8, created_at = ?9, last_chat_at = ?10, is_end = ?11, chat_count = ?12 WHERE pk = ?1",
           pk, c.raw, offset_of(c), c.title, c.user_id, c.user_name, c.app_id, c.memo, c.created_at, c.last_chat_at,
           c.is_end, c.chat_count);
    db.run("DELETE FROM category WHERE conversation = ?1", pk);
    put_categories(db, pk, c);
    put_conversation_facts(db, pk, c.raw);
    mark_stale_standing(db, pk, before);
    ConversationWords words = words_of(c);
    if (words == old) return;
    db.words().remove_conversation(pk, old);
    db.words().add_conversation(pk, std::move(words));
}

int completion(const Chat& chat) // 0: its message grows; 1: done; 2: upstream does not say
{
    return chat.says_completed ? static_cast<int>(chat.completed) : 2;
}

// The far-th try behind the near ones: anywhere in a range that doubles, and where depends on the chat. A common
// sequence would have the n-th chat of a second go through the numbers of all those before it.
std::int64_t far_number(std::int64_t key, int far)
{
    std::uint64_t hash = static_cast<std::uint64_t>(key) * 0x9E37'79B9'7F4A'7C15U;
    hash = (hash ^ (hash >> 29) ^ static_cast<std::uint64_t>(far)) * 0xBF58'476D'1CE4'E5B9U;
    hash = (hash ^ (hash >> 32)) * 0x94D0'49BB'1331'11EBU;
    return static_cast<std::int64_t>((hash ^ (hash >> 31)) & ((std::uint64_t{1} << std::min(far + 5, 40)) - 1));
}

// The rowid of a chat is the second it was sent in, or a free number behind it: near ones first, then farther ones, for
// an import may have given a hundred thousand chats one time, and chats without a time all have the same.
std::int64_t insert_chat(Writer& db, std::int64_t key, const Chat& chat, std::int64_t facts)
{
    using std::chrono::floor, std::chrono::seconds;
    constexpr int near = 32;
    const std::int64_t second = chat.sent_at ? floor<seconds>(*chat.sent_at).time_since_epoch().count() : 0;
    for (int tries = 0;; ++tries) {
        const std::int64_t pk = second + (tries < near ? tries : near + far_number(key, tries - near));
        if (db.run("INSERT INTO chat_row (place, pk, sender_code, sent_after, completed, facts) VALUES"
                   " (?1, ?2, CASE ?3 WHEN 'USER' THEN 0 WHEN 'BOT' THEN 1 ELSE ?3 END, ?4 - ?2 * 1000000, ?5, ?6)"
                   " ON CONFLICT (pk) DO NOTHING",
                   key, pk, chat.sender, chat.sent_at, completion(chat), facts) == 1)
            return pk;
    }
}

// A text without a row is in no index.
std::optional<std::int64_t> find_chat_pk(Writer& db, std::int64_t key)
{
    return db.one<std::int64_t>("SELECT pk FROM chat_row WHERE place = ?1", key);
}

// `texts`: of that conversation, written so far.
bool cut(Writer& db, TextChanges& texts, std::int64_t conversation, std::int64_t first_ordinal)
{
    visit_texts(db, conversation, first_ordinal, chats_a_conversation, [&](const ChatTextView& text) {
        if (const auto pk = find_chat_pk(db, chat_text_key(conversation, text.ordinal)))
            db.words().remove_chat(*pk, words_of_chat(text.raw));
        db.words().flush_if_large(db);
    });
    texts.remove_from(first_ordinal);
    mark_stale_chats(db, conversation, first_ordinal);
    return db.run("DELETE FROM chat_row WHERE place >= ?1 AND place < ?2", chat_text_key(conversation, first_ordinal),
                  chat_text_key(conversation + 1, 0)) > 0;
}

bool cut(Writer& db, std::int64_t conversation, std::int64_t first_ordinal)
{
    TextChanges texts(db, conversation);
    return cut(db, texts, conversation, first_ordinal);
}

void replace_words(Writer& db, std::int64_t pk, const std::string& old, ChatWords after)
{
    ChatWords before = words_of_chat(old);
    if (before == after) return;
    db.words().remove_chat(pk, std::move(before));
    db.words().add_chat(pk, std::move(after));
}

std::int64_t end_of_chats(Writer& db, std::int64_t conversation) // no chat has this ordinal or a higher one
{
    const auto last = db.one<std::int64_t>("SELECT max(place) FROM chat_row WHERE place >= ?1 AND place < ?2",
                                           chat_text_key(conversation, 0), chat_text_key(conversation + 1, 0));
    return last ? ordinal_of_key(*last) + 1 : 0;
}

/// Puts one chat after the other into a conversation; finish() writes their texts.
class ChatInsertion {
  public:
    ChatInsertion(Writer& db, std::int64_t conversation)
        : db_(db), conversation_(conversation), end_(end_of_chats(db, conversation)), texts_(db, conversation, end_)
    {}

    /// True when something changed.
    bool put(std::int64_t ordinal, const Chat& chat)
    {
        const std::int64_t key = chat_text_key(conversation_, ordinal);
        const auto pk = ordinal < end_ ? find_chat_pk(db_, key) : std::nullopt;
        const ChatText* const old = pk ? texts_.find(ordinal) : nullptr;
        if (old && old->id == chat.id.value) {
            if (old->raw == chat.raw) return false;
            ChatContent content = content_of_chat(chat.raw);
            mark_stale_chats(db_, conversation_, ordinal); // answers behind it may be to it
            db_.run("UPDATE chat_row SET sender_code = CASE ?2 WHEN 'USER' THEN 0 WHEN 'BOT' THEN 1 ELSE ?2 END,"
                    " sent_after = ?3 - pk * 1000000, completed = ?4, facts = ?5 WHERE place = ?1",
                    key, chat.sender, chat.sent_at, completion(chat), pack_facts(chat.sender, content.facts));
            replace_words(db_, *pk, old->raw, std::move(content.words));
        } else {
            if (pk) cut_from(ordinal);
            ChatContent content = content_of_chat(chat.raw);
            const std::int64_t made = insert_chat(db_, key, chat, pack_facts(chat.sender, content.facts));
            db_.words().add_chat(made, std::move(content.words));
        }
        mark_day_of(chat);
        texts_.put({ordinal, chat.id.value, chat.raw});
        return true;
    }

    void finish() { texts_.write(); }

  private:
    void mark_day_of(const Chat& chat) // most are of the day of the one before
    {
        if (!chat.sent_at) return;
        const auto day = std::chrono::floor<std::chrono::days>(*chat.sent_at);
        if (marked_ != day) mark_stale(db_, chat.sent_at);
        marked_ = day;
    }
    void cut_from(std::int64_t ordinal)
    {
        texts_.write();
        cut(db_, texts_, conversation_, ordinal);
        end_ = ordinal;
    }

    Writer& db_;
    std::int64_t conversation_;
    std::int64_t end_;
    std::optional<std::chrono::sys_days> marked_;
    TextChanges texts_;
};

void count_held(Writer& db, std::int64_t conversation)
{
    db.run("UPDATE conversation SET held = (SELECT count(*) FROM chat_row WHERE place >= ?2 AND place < ?3),"
           " first_chat_at = (SELECT sent_at FROM chat_row WHERE place = ?2) WHERE pk = ?1",
           conversation, chat_text_key(conversation, 0), chat_text_key(conversation + 1, 0));
}

// A conversation whose time nothing tells keeps the time that it is held with.
Conversation with_time(Conversation conversation, std::optional<Instant> last_chat_at)
{
    conversation.last_chat_at = last_chat_at;
    return conversation;
}

} // namespace

std::optional<std::int64_t> find_pk(Connection& db, const ConversationId& id)
{
    return db.one<std::int64_t>("SELECT pk FROM conversation WHERE id = ?1", id.value);
}

bool put_rows(Writer& db, const Conversation& conversation)
{
    std::optional<std::int64_t> pk;
    ConversationWords old;
    std::optional<Instant> last_chat_at;
    for (const Row row : db.query("SELECT pk, raw, title, user_id, user_name, memo, last_chat_at FROM conversation"
                                  " WHERE id = ?1",
                                  conversation.id.value)) {
        last_chat_at = row.optional_instant(6);
        const bool same_time = conversation.last_chat_guessed || conversation.last_chat_at == last_chat_at;
        if (row.text(1) == conversation.raw && same_time) return false;
        pk = row.integer(0);
        old = words_of_stored(row, 2);
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

std::int64_t put_chat_rows(Writer& db, std::int64_t pk, const ConversationId& id, std::int64_t first_ordinal,
                           std::span<const Chat> chats)
{
    ChatInsertion insertion(db, pk);
    std::int64_t changed = 0;
    for (const Chat& chat : chats) changed += insertion.put(first_ordinal++, chat) ? 1 : 0;
    if (changed == 0) return 0;
    insertion.finish();
    count_held(db, pk);
    note_change(db, id, ChangeKind::chats);
    return changed;
}

void replace_chat_row(Writer& db, const ConversationId& id, const Chat& chat)
{
    const auto pk = find_pk(db, id);
    if (!pk) return;
    const auto held = find_text(db, *pk, chat.id.value);
    if (!held) return;
    ChatInsertion insertion(db, *pk);
    if (!insertion.put(held->ordinal, chat)) return;
    insertion.finish();
    note_change(db, id, ChangeKind::chats);
}

bool cut_chat_rows(Writer& db, const ConversationId& id, std::int64_t first_ordinal)
{
    const auto pk = find_pk(db, id);
    if (!pk || !cut(db, *pk, first_ordinal)) return false;
    count_held(db, *pk);
    note_change(db, id, ChangeKind::chats);
    return true;
}

bool remove_rows(Writer& db, const ConversationId& id)
{
    const auto pk = find_pk(db, id);
    if (!pk) return false;
    cut(db, *pk, 0);
    const Standing before = standing_of(db, *pk);
    const auto read = [](const Row& row) { return words_of_stored(row, 0); };
    auto words = db.one(read, "SELECT title, user_id, user_name, memo FROM conversation WHERE pk = ?1", *pk);
    db.words().remove_conversation(*pk, std::move(*words));
    db.run("DELETE FROM category WHERE conversation = ?1", *pk);
    db.run("DELETE FROM problem WHERE key = 'fields ' || ?1", id.value); // unread_fields.hpp
    name_changes_by_id(db, *pk, id);
    const bool removed = db.run("DELETE FROM conversation WHERE pk = ?1", *pk) > 0;
    mark_stale_standing(db, *pk, before);
    return removed;
}

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "cache/index.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace alli::cache {
namespace {

constexpr auto ascending = [](const auto& a, const auto& b) {
    return a.pk < b.pk;
}; // stable: a removal stays before its addition

std::string_view name_of(IndexKind kind)
{
    return kind == IndexKind::chat ? "chat" : "conversation";
}

void insert(Writer& db, std::int64_t pk, const ChatWords& words)
{
    db.run("INSERT INTO chat_words (rowid, text, citations) VALUES (?1, ?2, ?3)", pk, words.text, words.citations);
    db.run("INSERT INTO chat_letters (rowid, text, citations) VALUES (?1, ?2, ?3)", pk, words.text, words.citations);
}

void erase(Writer& db, std::int64_t pk, const ChatWords& words)
{
    db.run("INSERT INTO chat_words (chat_words, rowid, text, citations) VALUES ('delete', ?1, ?2, ?3)", pk, words.text,
           words.citations);
    db.run("INSERT INTO chat_letters (chat_letters, rowid, text, citations) VALUES ('delete', ?1, ?2, ?3)", pk,
           words.text, words.citations);
}

void insert(Writer& db, std::int64_t pk, const ConversationWords& words)
{
    db.run("INSERT INTO conversation_words (rowid, title, user, memo) VALUES (?1, ?2, ?3, ?4)", pk, words.title,
           words.user, words.memo);
}

void erase(Writer& db, std::int64_t pk, const ConversationWords& words)
{
    db.run("INSERT INTO conversation_words (conversation_words, rowid, title, user, memo)"
           " VALUES ('delete', ?1, ?2, ?3, ?4)",
           pk, words.title, words.user, words.memo);
}

/// Writes where a row's words belong while an index is being made, and where they always belong otherwise.
class Place {
  public:
    Place(Writer& db, IndexKind kind) : db_(db), kind_(name_of(kind)), bound_(load_index_state(db, kind).bound) {}

    template <class Words>
    void add(std::int64_t pk, const Words& words)
    {
        if (is_below(pk)) move(pk);
        insert(db_, pk, words);
    }

    template <class Words>
    void remove(std::int64_t pk, const Words& words)
    {
        if (is_below(pk) && !has_moved(pk))
            move(pk);
        else
            erase(db_, pk, words), note_removed();
    }

  private:
    void note_removed() // for scour_index()
    {
        if (!std::exchange(noted_, true))
            db_.run("UPDATE word_index SET removed = removed | 1 WHERE kind = ?1 AND removed & 1 = 0", kind_);
    }

    bool is_below(std::int64_t pk) const { return bound_ && pk < *bound_; }

    bool has_moved(std::int64_t pk)
    {
        Rows rows = db_.query("SELECT 1 FROM word_moved WHERE kind = ?1 AND pk = ?2", kind_, pk);
        return rows.step();
    }

    void move(std::int64_t pk) { db_.run("INSERT OR IGNORE INTO word_moved (kind, pk) VALUES (?1, ?2)", kind_, pk); }

    Writer& db_;
    std::string_view kind_;
    bool noted_ = false;
    std::optional<std::int64_t> bound_;
};

template <class Changes>
void write(Writer& db, IndexKind kind, Changes& changes)
{
    if (changes.empty()) return;
    std::stable_sort(changes.begin(), changes.end(), ascending);
    Place place(db, kind);
    for (const auto& [pk, add, words] : changes) {
        if (add)
            place.add(pk, words);
        else
            place.remove(pk, words);
    }
    changes.clear();
}

} // namespace

void IndexBatch::add_chat(std::int64_t pk, ChatWords words)
{
    chats_.push_back({pk, true, std::move(words)});
}

void IndexBatch::remove_chat(std::int64_t pk, ChatWords words)
{
    chats_.push_back({pk, false, std::move(words)});
}

void IndexBatch::add_conversation(std::int64_t pk, ConversationWords words)
{
    conversations_.push_back({pk, true, std::move(words)});
}

void IndexBatch::remove_conversation(std::int64_t pk, ConversationWords words)
{
    conversations_.push_back({pk, false, std::move(words)});
}

void IndexBatch::flush(Writer& db)
{
    if (!chats_.empty() || !conversations_.empty()) ++flushes_;
    write(db, IndexKind::chat, chats_);
    write(db, IndexKind::conversation, conversations_);
}

bool IndexBatch::forget_after(Mark mark) noexcept
{
    const bool nothing_before = mark.chats == 0 && mark.conversations == 0;
    if (flushes_ != mark.flushes && !nothing_before) return false;
    chats_.erase(chats_.begin() + static_cast<std::ptrdiff_t>(mark.chats), chats_.end());
    conversations_.erase(conversations_.begin() + static_cast<std::ptrdiff_t>(mark.conversations),
                         conversations_.end());
    return true;
}

void IndexBatch::clear() noexcept
{
    chats_.clear();
    conversations_.clear();
}

IndexState load_index_state(Reader& db, IndexKind kind)
{
    IndexState state;
    for (const Row row :
         db.query("SELECT bound, EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'old_' || kind || '_words')"
                  " FROM word_index WHERE kind = ?1",
                  name_of(kind))) {
        state.bound = row.optional_integer(0);
        state.has_old = row.integer(1) != 0;
    }
    return state;
}

} // namespace alli::cache

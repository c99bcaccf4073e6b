// SPDX-License-Identifier: Apache-2.0
#include "cache/db/index_batch.hpp"

#include <algorithm>
#include <utility>

namespace alli::cache {
namespace {

constexpr auto ascending = [](const auto& a, const auto& b) {
    return a.pk < b.pk;
}; // stable: a removal stays before its addition

void insert(Connection& db, std::int64_t pk, const ChatWords& words)
{
    db.run("INSERT INTO chat_words (rowid, text, citations) VALUES (?1, ?2, ?3)", pk, words.text, words.citations);
    db.run("INSERT INTO chat_letters (rowid, text, citations) VALUES (?1, ?2, ?3)", pk, words.text, words.citations);
}

void erase(Connection& db, std::int64_t pk, const ChatWords& words)
{
    db.run("INSERT INTO chat_words (chat_words, rowid, text, citations) VALUES ('delete', ?1, ?2, ?3)", pk, words.text,
           words.citations);
    db.run("INSERT INTO chat_letters (chat_letters, rowid, text, citations) VALUES ('delete', ?1, ?2, ?3)", pk,
           words.text, words.citations);
}

void insert(Connection& db, std::int64_t pk, const ConversationWords& words)
{
    db.run("INSERT INTO conversation_words (rowid, title, user, memo) VALUES (?1, ?2, ?3, ?4)", pk, words.title,
           words.user, words.memo);
}

void erase(Connection& db, std::int64_t pk, const ConversationWords& words)
{
    db.run("INSERT INTO conversation_words (conversation_words, rowid, title, user, memo)"
           " VALUES ('delete', ?1, ?2, ?3, ?4)",
           pk, words.title, words.user, words.memo);
}

std::size_t size_of(const ChatWords& words)
{
    return words.text.size() + words.citations.size() + sizeof(words);
}

/// The index of one kind of row. A row below the bound is left alone: the rebuild reads it when it gets there.
class Target {
  public:
    Target(Connection& db, IndexKind kind) : db_(db), kind_(kind), bound_(find_index_bound(db, kind)) {}

    template <class Words>
    void add(std::int64_t pk, const Words& words)
    {
        if (holds(pk)) insert(db_, pk, words);
    }

    template <class Words>
    void remove(std::int64_t pk, const Words& words)
    {
        if (!holds(pk)) return;
        erase(db_, pk, words);
        note_removed();
    }

  private:
    void note_removed() // for merge_deleted_terms()
    {
        if (!std::exchange(noted_, true))
            db_.run("UPDATE word_index SET removed = removed | 1 WHERE kind = ?1 AND removed & 1 = 0", name_of(kind_));
    }

    bool holds(std::int64_t pk) const { return !bound_ || pk >= *bound_; }

    Connection& db_;
    IndexKind kind_;
    bool noted_ = false;
    std::optional<std::int64_t> bound_;
};

template <class Changes>
void write(Connection& db, IndexKind kind, Changes& changes)
{
    if (changes.empty()) return;
    std::stable_sort(changes.begin(), changes.end(), ascending);
    Target target(db, kind);
    for (const auto& [pk, add, words] : changes) {
        if (add)
            target.add(pk, words);
        else
            target.remove(pk, words);
    }
    changes.clear();
}

} // namespace

std::string_view name_of(IndexKind kind) noexcept
{
    return kind == IndexKind::chat ? "chat" : "conversation";
}

std::optional<std::int64_t> find_index_bound(Reader& db, IndexKind kind)
{
    return db.one<std::int64_t>("SELECT bound FROM word_index WHERE kind = ?1", name_of(kind));
}

ConversationWords words_of_stored(const Row& row, int first)
{
    return words_of_conversation(std::string(row.text(first)), std::string(row.text(first + 2)), row.text(first + 1),
                                 std::string(row.text(first + 3)));
}

void IndexBatch::add_chat(std::int64_t pk, ChatWords words)
{
    bytes_ += size_of(words);
    chats_.push_back({pk, true, std::move(words)});
}

void IndexBatch::remove_chat(std::int64_t pk, ChatWords words)
{
    bytes_ += size_of(words);
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

void IndexBatch::flush(Connection& db)
{
    if (!chats_.empty() || !conversations_.empty()) ++flushes_;
    write(db, IndexKind::chat, chats_);
    write(db, IndexKind::conversation, conversations_);
    bytes_ = 0;
}

void IndexBatch::flush_if_large(Connection& db)
{
    constexpr std::size_t large = 8 << 20;
    if (bytes_ > large) flush(db);
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
    bytes_ = 0;
}

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "cache/index.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

constexpr auto ascending = [](const auto& a, const auto& b) {
    return a.pk < b.pk;
}; // stable: a removal stays before its addition

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
    std::stable_sort(chats_.begin(), chats_.end(), ascending);
    for (const auto& [pk, add, words] : chats_) {
        if (add)
            db.run("INSERT INTO chat_words (rowid, text, citations) VALUES (?1, ?2, ?3)", pk, words.text,
                   words.citations);
        else
            db.run("INSERT INTO chat_words (chat_words, rowid, text, citations) VALUES ('delete', ?1, ?2, ?3)", pk,
                   words.text, words.citations);
    }
    std::stable_sort(conversations_.begin(), conversations_.end(), ascending);
    for (const auto& [pk, add, words] : conversations_) {
        if (add)
            db.run("INSERT INTO conversation_words (rowid, title, user, memo) VALUES (?1, ?2, ?3, ?4)", pk, words.title,
                   words.user, words.memo);
        else
            db.run("INSERT INTO conversation_words (conversation_words, rowid, title, user, memo)"
                   " VALUES ('delete', ?1, ?2, ?3, ?4)",
                   pk, words.title, words.user, words.memo);
    }
    chats_.clear();
    conversations_.clear();
}

} // namespace alli::cache

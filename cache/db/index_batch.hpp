// SPDX-License-Identifier: Apache-2.0
// What one transaction changes in the search index: collected, and written at its end in ascending order of rowid. A
// smaller rowid than the one before makes FTS5 flush its pending terms, which costs two thirds of the speed, and so
// does the end of every savepoint.
#pragma once

#include "cache/db/sqlite.hpp"
#include "cache/text/words.hpp"

#include <vector>

namespace alli::cache {

enum class IndexKind { chat, conversation };

/// While the index is rebuilt only its rows from this key on are valid; none: it holds all rows of the kind.
std::optional<std::int64_t> find_index_bound(Reader& db, IndexKind kind);
std::string_view name_of(IndexKind kind) noexcept; // in the table word_index

/// The words of a row whose columns from `first` on are title, user_id, user_name, memo.
ConversationWords words_of_stored(const Row& row, int first);

class IndexBatch {
  public:
    void add_chat(std::int64_t pk, ChatWords words);
    void remove_chat(std::int64_t pk, ChatWords words); // exactly what was added once
    void add_conversation(std::int64_t pk, ConversationWords words);
    void remove_conversation(std::int64_t pk, ConversationWords words);

    void flush(Connection& db);
    /// Where so much was gathered that the words of many large rows would fill the memory.
    void flush_if_large(Connection& db);

    /// How much was gathered; to forget what came after, when that part of the transaction is undone.
    struct Mark {
        std::size_t chats, conversations;
        std::uint64_t flushes;
    };
    Mark mark() const noexcept { return {chats_.size(), conversations_.size(), flushes_}; }
    /// False: what came before was written since, and would be undone too.
    [[nodiscard]] bool forget_after(Mark mark) noexcept;
    void clear() noexcept;

  private:
    template <class Words>
    struct Change {
        std::int64_t pk;
        bool add;
        Words words;
    };
    std::vector<Change<ChatWords>> chats_;
    std::vector<Change<ConversationWords>> conversations_;
    std::uint64_t flushes_ = 0; // of something
    std::size_t bytes_ = 0;     // of the chats' words, roughly
};

} // namespace alli::cache

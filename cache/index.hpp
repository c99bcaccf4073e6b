// SPDX-License-Identifier: Apache-2.0
// The index of words: what a transaction changes in it is gathered and written at its end, in ascending order of rowid,
// for a smaller rowid than the one before makes FTS5 flush its pending terms, which costs two thirds of the speed, and
// so does the end of every savepoint. An index made by another version of the program is made anew in small steps,
// newest first, while the old one answers for what is not reached yet. Used inside one write, by its thread.
#pragma once

#include "cache/sqlite.hpp"
#include "cache/words.hpp"

#include <vector>

namespace alli::cache {

/// Grows with every change of what the words of a row, or the tokens of a text, are.
inline constexpr std::int64_t index_version = 5;

/// The indexed columns of a conversation.
struct ConversationWords {
    std::string title, user, memo;

    bool operator==(const ConversationWords&) const = default;
};

class IndexBatch {
  public:
    void add_chat(std::int64_t pk, ChatWords words);
    void remove_chat(std::int64_t pk, ChatWords words); // exactly what was added once
    void add_conversation(std::int64_t pk, ConversationWords words);
    void remove_conversation(std::int64_t pk, ConversationWords words);

    void flush(Writer& db);

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
};

enum class IndexKind { chat, conversation };

/// Which rows of a kind the index holds: from `bound` on. Below it the tables old_* answer where there are some, but
/// for the rows in word_moved, which changed since and are in the index already.
struct IndexState {
    std::optional<std::int64_t> bound; // none: all
    bool has_old = false;
};
IndexState load_index_state(Reader& db, IndexKind kind);

/// At the start of the program: another version sets the index aside, to be made anew. One transaction.
void check_index(Writer& db);

/// Makes another piece of the index, of a few milliseconds; false: nothing is left to do.
bool extend_index(Writer& db);

/// Drops the index, however damaged it is; extend_index() makes it anew from the rows.
void rebuild_index(Writer& db);

/// Merges another piece of the index, so that the terms of removed rows leave the file; false: they have left, as far
/// as they were removed before the first of these calls, or there were none. Goes on where a process before ended.
/// What the log holds of them is overwritten once it is checkpointed.
bool scour_index(Writer& db);

} // namespace alli::cache

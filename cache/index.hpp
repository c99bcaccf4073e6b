// SPDX-License-Identifier: Apache-2.0
// The index rows of one commit, gathered and written in ascending order of rowid: a smaller rowid than the one before
// makes FTS5 flush its pending terms, which costs two thirds of the speed. Used inside one write, by its thread.
#pragma once

#include "cache/sqlite.hpp"
#include "cache/words.hpp"

#include <vector>

namespace alli::cache {

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

    void flush(Writer& db); // the last call of every write that used the batch

  private:
    template <class Words>
    struct Change {
        std::int64_t pk;
        bool add;
        Words words;
    };
    std::vector<Change<ChatWords>> chats_;
    std::vector<Change<ConversationWords>> conversations_;
};

} // namespace alli::cache

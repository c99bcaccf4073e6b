// SPDX-License-Identifier: Apache-2.0
// Whether a query finds something in one conversation: what a search or a list by it would find, without a look at any
// other conversation. While an index is made anew, what only it could deny counts as found: nothing is passed by. For
// whoever goes through conversations in an order of its own. Used within one read, on its thread.
#pragma once

#include "cache/db/sqlite.hpp"
#include "cache/search/search_query.hpp"

#include <vector>

namespace alli::cache {

class ConversationMatch {
  public:
    /// Of `query` its words and filters count. What they mean is looked up once.
    ConversationMatch(Reader& db, const ParsedQuery& query);
    ConversationMatch(const ConversationMatch&) = delete;
    ConversationMatch& operator=(const ConversationMatch&) = delete;

    /// `conversation`: the key of a row.
    bool holds(std::int64_t conversation) const;

  private:
    using Names = std::vector<std::string>;

    bool is_chosen(std::int64_t conversation) const;
    bool has_user(std::int64_t conversation, std::string_view user_id) const;
    bool has_category(std::int64_t conversation) const;
    bool has_facts(std::int64_t conversation) const;
    bool has_matching_chat(std::int64_t conversation) const;
    bool has_matching_title(std::int64_t conversation) const;

    Reader& db_;
    Filters filters_;    // those of conversations
    ParsedQuery within_; // the rest, of a conversation that they leave
    bool asks_chats_;
    bool doubts_words_, doubts_facts_; // the index is being made anew
    Names apps_, categories_;          // as conversations bear them
    Names user_ids_, user_names_;
    Names states_, assignees_, channels_; // folded
};

} // namespace alli::cache

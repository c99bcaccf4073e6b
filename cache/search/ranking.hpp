// SPDX-License-Identifier: Apache-2.0
// Matches of a query in the order of the result: chats, and conversations whose title, user or memo matches. By time
// the order comes from the index and costs only what is read; by relevance the newest 50,000 matches are scored and
// sorted.
#pragma once

#include "cache/search/query_executor.hpp"
#include "cache/search/search_cursor.hpp"

namespace alli::cache {

struct Ranked {
    std::int64_t pk = 0;
    bool is_title = false; // pk is a conversation's
    double score = 0;
};

class Ranking {
  public:
    virtual ~Ranking() = default;
    virtual std::optional<Ranked> next() = 0;
    virtual void pass(const Ranked& ranked, SearchPosition& position) = 0; // the next page begins after it
};

std::unique_ptr<Ranking> rank_by_time(Reader& db, const ParsedQuery& parsed, const SearchPosition& from);
std::unique_ptr<Ranking> rank_by_relevance(Reader& db, const ParsedQuery& parsed, const SearchPosition& from);

} // namespace alli::cache

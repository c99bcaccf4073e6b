// SPDX-License-Identifier: Apache-2.0
// What matches a question, in the order it is shown: chats, and conversations whose title, user or memo matches. By
// time the order comes out of the index and costs what is read of it; by worth it is made of the newest 50,000 matches.
#pragma once

#include "cache/find.hpp"
#include "cache/search_cursor.hpp"

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
    virtual void pass(const Ranked& ranked, SearchPlace& place) = 0; // the next page begins after it
};

std::unique_ptr<Ranking> rank_by_time(Reader& db, const Question& question, const SearchPlace& from);
std::unique_ptr<Ranking> rank_by_worth(Reader& db, const Question& question, const SearchPlace& from);

} // namespace alli::cache

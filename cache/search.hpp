// SPDX-License-Identifier: Apache-2.0
// Full text over the mirrored chats and titles (FTS5). A query never fails: what does not parse is searched as words.
// May take long over a large mirror: use Store::read_long.
#pragma once

#include "alli/instant.hpp"
#include "cache/sqlite.hpp"

#include <string>
#include <vector>

namespace alli::cache {

enum class SearchSort { newest, relevance };

struct SearchQuery {
    std::string text;
    std::optional<std::string> user, app, category, sender;
    std::optional<Instant> after, before; // time of the chat
    SearchSort sort = SearchSort::newest;
    int limit = 20; // 1 to 1000
};

struct SearchHit {
    std::string conversation_id;
    std::optional<std::string> chat_id; // none for a hit in a title
    std::string title, sender, user;
    std::optional<Instant> sent_at;
    std::string snippet; // HTML-escaped text with <mark>
    double score = 0;    // higher is better; 0 when sorted by time
};

struct SearchResult {
    std::vector<SearchHit> hits;
    std::int64_t total = 0;  // up to 10,000
    bool total_exact = true; // false: more than that
};

SearchResult search(Reader& db, const SearchQuery& query);

} // namespace alli::cache

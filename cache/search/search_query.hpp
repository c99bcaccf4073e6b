// SPDX-License-Identifier: Apache-2.0
// A search and its result, as callers give and get them.
#pragma once

#include "alli/zone.hpp"
#include "cache/rows/visibility.hpp"
#include "cache/search/query_parser.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

enum class SearchSort { newest, relevance };

struct SearchQuery {
    std::string text;                                           // with filters of its own: user:mina after:2026-01-31
    std::optional<std::string> user, app, category, sender;     // beside those in the text
    std::optional<Instant> after, before;                       // time of the chat, exclusive
    std::vector<std::pair<std::string, std::string>> more = {}; // other filters, by name, with their values
    Zone zone;                                                  // whose days those in the text are
    std::optional<Instant> now = {};                            // for "yesterday" and its like; none: they are words
    SearchSort sort = SearchSort::newest;
    int limit = 20;                    // 1 to 1000
    int context = 0;                   // chats before and after each hit, 0 to 20
    bool grouped = false;              // the first hit of each conversation alone
    std::optional<std::string> cursor; // what the page before gave as `next`
    Visibility visible = {};           // what there is to be searched, whatever the query says
};

struct ContextChat {
    std::string id, sender, text;
    std::optional<Instant> sent_at;
};

struct SearchHit {
    std::string conversation_id;
    std::optional<std::string> chat_id; // none for a hit in a title, a user or a memo
    std::string title, sender, user;
    std::optional<Instant> sent_at;
    std::optional<bool> rating, agent_rating; // of a chat; true is good
    std::string snippet;                      // HTML-escaped text with <mark>
    double score = 0;                         // higher is better; 0 when sorted by time
    std::vector<ContextChat> before, after;   // oldest first
    std::int64_t in_conversation = 0;         // where grouped: chats of this conversation that match
};

/// How far down the index of words is whole; it is not while it is made anew.
struct IndexReach {
    bool complete = true;
    std::optional<Instant> from; // none: nowhere yet
};

struct SearchResult {
    std::vector<SearchHit> hits;
    std::int64_t total = 0;                    // up to 10,000, of hits; as of the first page
    bool total_exact = true;                   // false: more than that
    std::optional<std::int64_t> conversations; // that they are in; where grouped, on the first page
    std::vector<UnknownFilter> unknown_filters;
    std::optional<std::string> next; // a cursor; none on the last page
    IndexReach reach;
};

} // namespace alli::cache

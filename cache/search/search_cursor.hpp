// SPDX-License-Identifier: Apache-2.0
// Where a page of search results ended, as text: opaque to callers, bound to its query, nothing in it is secret. Pure.
#pragma once

#include "cache/search/search_query.hpp"

namespace alli::cache {

struct SearchPosition {
    std::int64_t total = -1; // as counted at the first page; -1: not yet
    std::int64_t newest = 0; // the newest chat at the first page: what came later is not shown, and age counts from it
    std::int64_t chat = 0;   // by time: chats below it; by relevance: the last row's key
    std::int64_t titled_at = 0; // by time: titles before it...
    std::string titled;         // ...or then, with an id below it
    double score = 0;           // by relevance: the last row's
    bool chat_was_last = false; // by relevance: whether that was a chat
};

std::string write_search_cursor(const SearchPosition& position, const SearchQuery& query);

/// Throws Error{usage} for one that was altered or belongs to another query.
SearchPosition read_search_cursor(std::string_view cursor, const SearchQuery& query);

} // namespace alli::cache

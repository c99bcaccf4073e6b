// SPDX-License-Identifier: Apache-2.0
#include "cache/search/matching_list.hpp"

#include "cache/search/filters.hpp"
#include "cache/search/query_executor.hpp"
#include "cache/search/search.hpp"

#include <algorithm>
#include <limits>
#include <unordered_set>

namespace alli::cache {
namespace {

constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

using Timed = std::pair<std::int64_t, std::int64_t>; // when, and a conversation's key

std::vector<std::int64_t> newest_first(std::vector<Timed> found)
{
    std::sort(found.begin(), found.end(), std::greater<>());
    std::vector<std::int64_t> keys;
    for (const auto& [when, pk] : found) keys.push_back(pk);
    return keys;
}

// No time comes last.
std::int64_t last_chat_of(Reader& db, std::int64_t conversation)
{
    return db.one<std::int64_t>("SELECT last_chat_at FROM conversation WHERE pk = ?1", conversation)
        .value_or(std::numeric_limits<std::int64_t>::min());
}

// A chat that matches stands for its conversation; of those without one the title may.
std::vector<std::int64_t> by_newest_match(Reader& db, const ParsedQuery& parsed, std::size_t most)
{
    constexpr std::int64_t micros = 1'000'000;
    std::vector<Timed> found;
    std::unordered_set<std::int64_t> seen;
    const auto chats = matching_chats(db, parsed);
    for (auto pk = chats->seek(highest); pk && found.size() < most; pk = chats->seek(*pk - 1)) {
        const auto conversation =
            db.one<std::int64_t>("SELECT place >> 24 FROM chat_row WHERE pk = ?1", *pk).value_or(-1);
        if (seen.insert(conversation).second) found.emplace_back(*pk * micros, conversation);
    }
    if (const auto titles = matching_conversations(db, parsed, 1))
        for (auto pk = titles->seek(highest); pk; pk = titles->seek(*pk - 1))
            if (seen.insert(*pk).second) found.emplace_back(last_chat_of(db, *pk), *pk);
    return newest_first(std::move(found));
}

std::vector<std::int64_t> by_last_chat(Reader& db, const Filters& filters)
{
    std::vector<Timed> found;
    const auto rows = filter_conversations(db, filters, match_rows(db, "conversation", 0));
    for (auto pk = rows->seek(highest); pk; pk = rows->seek(*pk - 1)) found.emplace_back(last_chat_of(db, *pk), *pk);
    return newest_first(std::move(found));
}

} // namespace

MatchingList list_matching(Reader& db, const SearchQuery& query, int limit, int offset)
{
    ParsedQuery parsed = parse_query(query);
    MatchingList list;
    list.unknown_filters = std::move(parsed.filters.unknown);
    for (UnknownFilter& one : find_unknown_names(db, parsed.filters)) list.unknown_filters.push_back(std::move(one));

    const auto first = static_cast<std::size_t>(offset), size = static_cast<std::size_t>(limit);
    const bool asks_chats =
        !parsed.clauses.empty() || parsed.filters.of_chats() || parsed.filters.after || parsed.filters.before;
    const auto keys = asks_chats ? by_newest_match(db, parsed, first + size + 1) : by_last_chat(db, parsed.filters);
    list.more = keys.size() > first + size;
    for (std::size_t at = first; at < std::min(keys.size(), first + size); ++at)
        list.ids.push_back({db.one<std::string>("SELECT id FROM conversation WHERE pk = ?1", keys[at]).value_or("")});
    return list;
}

} // namespace alli::cache

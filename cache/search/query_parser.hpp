// SPDX-License-Identifier: Apache-2.0
// Parser of search queries: words (all must match, with or without AND between them), "phrases", OR between two of
// them, -not, prefix*, and filters (user:, rating:, after:, ...). No input is an error: anything else
// is searched as words. Pure.
#pragma once

#include "alli/zone.hpp"
#include "cache/rows/visibility.hpp"
#include "cache/text/phrase.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// A set of ratings, as bits.
enum Rated : unsigned { rated_bad = 1, rated_good = 2, unrated = 4 };
/// What a chat has beside its message, as bits.
enum Has : unsigned { has_feedback = 1, has_citations = 2, has_steps_listed = 4 };

/// What was given as a filter and is none, with the values that would be.
struct UnknownFilter {
    std::string name, value;
    std::vector<std::string> valid; // empty: too many to list
    bool as_words = false;          // it was searched for as words

    bool operator==(const UnknownFilter&) const = default;
};

/// Values of one kind are alternatives, but all that a chat is to have; all kinds that are given must hold.
struct Filters {
    std::vector<std::string> users, apps, categories, senders, states, assignees, channels;
    std::optional<Instant> after, before;    // exclusive
    unsigned ratings = 0, agent_ratings = 0; // of Rated; 0: any. Unrated are answers alone.
    unsigned has = 0;                        // of Has
    std::vector<UnknownFilter> unknown = {};

    Visibility visible = {}; // must hold beside all of them

    bool empty() const; // no filter was given, whatever is visible
    bool of_chats() const { return !senders.empty() || ratings != 0 || agent_ratings != 0 || has != 0; }
    bool needs_facts() const; // of cache/chats/facts.hpp
};

struct Clause {
    bool negated = false;
    std::vector<Phrase> any;
};

struct ParsedQuery {
    std::vector<Clause> clauses; // all must hold
    Filters filters;

    bool empty() const { return clauses.empty() && filters.empty(); }
    std::vector<Phrase> wanted() const; // the phrases that are not negated: to be highlighted
};

/// Looks at the first 64 words and phrases (alternatives of an OR are each one), the first 64 names of each filter, and
/// the first 200 letters or words of each phrase. A day is one of `zone`; without `now` "yesterday" is none.
ParsedQuery parse_search_query(std::string_view text, const Zone& zone = {}, std::optional<Instant> now = {});

/// Adds a filter that was given beside the query. False: that is no value of it, and it is in `unknown`.
bool add_filter(Filters& filters, std::string_view name, std::string_view value, const Zone& zone,
                std::optional<Instant> now);

} // namespace alli::cache

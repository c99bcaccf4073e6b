// SPDX-License-Identifier: Apache-2.0
// Parser of search queries: words (all must match, with or without AND between them), "phrases", OR between two of
// them, -not, prefix*, and user: app: category: sender: after: before:. No input is an error: anything else is searched
// as words. Pure.
#pragma once

#include "alli/zone.hpp"
#include "cache/rows/visibility.hpp"
#include "cache/text/phrase.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// Values of one kind are alternatives; all kinds that are given must hold.
struct Filters {
    std::vector<std::string> users, apps, categories, senders;
    std::optional<Instant> after, before; // exclusive

    Visibility visible = {}; // must hold beside all of them

    bool empty() const; // no filter was given, whatever is visible
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

/// Looks at the first 64 words and phrases, the first 64 names of each filter, and the first 200 letters or words of
/// each phrase. A day is one of `zone`.
ParsedQuery parse_search_query(std::string_view text, const Zone& zone = {});

} // namespace alli::cache

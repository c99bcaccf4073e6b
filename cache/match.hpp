// SPDX-License-Identifier: Apache-2.0
// What a person typed into a search, read: words (all must match, with AND between them or not), "phrases", OR between
// two of them, -not, prefix*, and user: app: category: sender: after: before:. No text is an error: what is nothing of
// these is looked for as words. Pure.
#pragma once

#include "alli/zone.hpp"
#include "cache/phrase.hpp"
#include "cache/visibility.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// Of one kind any may hold, of all kinds one each must.
struct Filters {
    std::vector<std::string> users, apps, categories, senders;
    std::optional<Instant> after, before; // exclusive

    Visibility visible = {}; // must hold beside all of them

    bool empty() const; // nothing was asked for, whatever is in view
};

struct Clause {
    bool negated = false;
    std::vector<Phrase> any;
};

struct Question {
    std::vector<Clause> clauses; // all must hold
    Filters filters;

    bool empty() const { return clauses.empty() && filters.empty(); }
    std::vector<Phrase> wanted() const; // what is to be marked: the phrases that are not negated
};

/// Looks at the first 64 words and phrases, the first 64 names of each filter, and the first 200 letters or words of
/// each phrase. A day is one of `zone`.
Question read_question(std::string_view text, const Zone& zone = {});

} // namespace alli::cache

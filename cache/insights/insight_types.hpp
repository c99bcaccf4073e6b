// SPDX-License-Identifier: Apache-2.0
// What is asked of insights, and what they tell.
#pragma once

#include "alli/zone.hpp"
#include "cache/rows/visibility.hpp"
#include "cache/search/query_parser.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

enum class InsightGroup { day, app, category, user, channel }; // stored as numbers
inline constexpr std::size_t insight_groups = 5;

struct InsightQuery {
    std::optional<Instant> from, to;                  // from is included, to is not
    Zone zone;                                        // of the days
    std::optional<InsightGroup> by;                   // none: all groups
    std::vector<std::string> apps, users, categories; // as in a search
    Visibility visible = {};
};

struct Figures {
    std::int64_t conversations = 0, messages = 0;
    std::int64_t good = 0, bad = 0, unrated = 0, without_citations = 0; // of answers
    std::optional<double> median_length;                                // of answers, in characters
    std::optional<double> median_answer_seconds;                        // from the user's message before to the answer
};

struct InsightRow {
    InsightGroup by;
    std::string key, name; // a day as 2026-01-31; name: empty where it has none but its key
    Figures figures;
};

struct InsightWord {
    std::string word;
    std::int64_t bad = 0, all = 0; // questions that hold it: before badly rated answers, and of the sample
};

struct Insights {
    Figures totals;
    std::vector<InsightRow> rows; // days in order, of the others the greatest first
    std::vector<InsightWord> words;
    std::int64_t sampled_bad = 0, sampled_all = 0; // questions whose words were counted
    std::vector<UnknownFilter> unknown_filters;    // that no conversation has
    bool complete = true;                          // false: the facts of older rows are still being added
};

} // namespace alli::cache

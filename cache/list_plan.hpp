// SPDX-License-Identifier: Apache-2.0
// How the rows of a list are found: one statement over one index, chosen by what the filter names and how many rows
// that can be. Every statement of a list is built here: what else is to be looked through is added here.
#pragma once

#include "cache/list.hpp"

#include <string>
#include <vector>

namespace alli::cache {

/// Which part of a list a statement reads: rows that have the time of its order, or those that have none.
enum class Part { timed, timeless };

struct ListStatement {
    std::string sql; // rows of pk, time, id, in order; never more than its last value
    std::vector<Value> values;
};

/// `limit` rows behind `after`, up to `bound`, and in the order of last chat times not below `floor`.
ListStatement plan_list(Reader& db, const ListFilter& filter, Part part, const std::optional<ListKey>& after,
                        const std::optional<Instant>& bound, int limit,
                        const std::optional<Instant>& floor = std::nullopt);

/// Whether rows without the order's time can be in the list: none without a chat is in a window.
bool may_have_timeless(const ListFilter& filter);
/// And whether there are any such rows at all.
bool has_timeless(Reader& db, const ListFilter& filter);

/// The filter as it reads for whoever sees no more than `visible`. None: no row that is in view can match.
std::optional<ListFilter> within_view(const ListFilter& filter);

/// The greatest time of the order, of the rows in view.
std::optional<Instant> newest(Reader& db, Order order, const Visibility& visible);

bool is_descending(Order order) noexcept;

} // namespace alli::cache

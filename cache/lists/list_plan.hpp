// SPDX-License-Identifier: Apache-2.0
// Query plans of lists: one statement over one index, chosen by the filter and by how many rows it can match. Every
// statement of a list is built here.
#pragma once

#include "cache/rows/list_filter.hpp"

#include <string>
#include <vector>

namespace alli::cache {

/// The part of a list that a statement reads: rows that have the time of the order, or those that have none.
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

/// The filter combined with its `visible`. None: no visible row can match.
std::optional<ListFilter> within_view(const ListFilter& filter);

/// The greatest time of the order among the visible rows.
std::optional<Instant> newest(Reader& db, Order order, const Visibility& visible);

bool is_descending(Order order) noexcept;

} // namespace alli::cache

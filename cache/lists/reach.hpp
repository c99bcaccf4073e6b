// SPDX-License-Identifier: Apache-2.0
// How much of a list the mirror knows to be whole. In the order of last chat times, newest first, that is every row
// above the lower end of the coverage; a filter only leaves rows out. Other orders are known whole or not at all.
#pragma once

#include "cache/rows/list_filter.hpp"
#include "cache/rows/progress.hpp"

namespace alli::cache {

struct Reach {
    bool any = true;              // false: not even the first row is known
    std::optional<Instant> floor; // rows with a last chat time below it are not known; none: all are
    bool chatless = true;         // those without a chat are known
};

/// Of the rows behind `after`. `place`: where this list has those without a chat.
Reach find_reach(Reader& db, const Progress& progress, const ListFilter& filter, const std::optional<ListKey>& after,
                 ChatlessPlace place);

/// Where a list that begins now has those without a chat; `last` in the orders by creation.
ChatlessPlace find_chatless_place(Reader& db, Order order);

} // namespace alli::cache

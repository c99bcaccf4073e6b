// SPDX-License-Identifier: Apache-2.0
// The list of conversations out of the mirror: filters, orders, pages by key. Knows nothing of HTTP; windows are
// exclusive as the contract reads. Pages are stable while rows move: an upper bound is taken at the first page.
#pragma once

#include "alli/conversation.hpp"
#include "cache/rows/list_filter.hpp"

#include <span>
#include <string>
#include <vector>

namespace alli::cache {

/// Which rows count.
enum class Extent {
    held,   // all rows that are held, complete or not
    decided // those that upstream's response must have: no row is missing before or between them
};

struct ListPage {
    std::string body; // {"conversations":[ and the items with their chats put back; what closes it is the caller's
    std::optional<ListKey> next;              // none on the last page
    std::optional<Instant> variables_at = {}; // when the oldest of them was verified; none where none were asked for
    std::vector<ConversationId> lacking = {}; // their variables are not all known: they are without any in the page
    std::optional<Instant> oldest = {}, newest = {}; // of their last chats, where variables were asked for
    bool decided = true; // false: the page reaches into what is not known to be whole, and has no rows
};

/// `after`: what the page before returned as `next`; none for the first page. `variables`: those that each item names.
/// With Extent::decided a page newest chat first is there as soon as its rows lie in what is covered without a gap
/// (cache/lists/reach.hpp); it may then be followed by one that is empty.
ListPage list_conversations(Reader& db, const ListFilter& filter, int page_size, const std::optional<ListKey>& after,
                            std::span<const std::string> variables = {}, Extent extent = Extent::held);

} // namespace alli::cache

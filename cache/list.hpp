// SPDX-License-Identifier: Apache-2.0
// The list of conversations out of the mirror: filters, orders, pages by key. Knows nothing of HTTP; windows are
// exclusive as the contract reads. Pages are stable while rows move: an upper bound is taken at the first page.
#pragma once

#include "alli/conversation.hpp"
#include "cache/chatless.hpp"
#include "cache/sqlite.hpp"
#include "cache/visibility.hpp"

#include <span>
#include <string>
#include <vector>

namespace alli::cache {

enum class Order { last_chat_desc, last_chat_asc, created_desc, created_asc };

struct ListFilter {
    std::vector<std::string> user_ids; // any of them
    std::optional<std::string> app_id;
    std::optional<std::string> category_id;
    std::optional<std::string> category_also;  // the other value that its category has in rows: resolve_category()
    std::optional<Instant> started_at, end_at; // last chat time, exclusive
    std::optional<Instant> first_started_at, first_end_at; // first chat time, exclusive
    std::string search_term;                               // case folded; in the title or the user's name
    bool active_only = false;                              // isEnd is false
    Order order = Order::last_chat_desc;
    Visibility visible = {}; // beside the filters: the rows that there are for whoever asks
};

/// Where a page ends: the last row's place in the order, and what was taken at the first page.
struct ListKey {
    std::optional<Instant> when;  // none: among the conversations without a chat
    std::string id;               // of the rows of that time, those up to it are behind us; empty: none by their order
    std::optional<Instant> bound; // ascending orders show nothing beyond it
    ChatlessPlace chatless = ChatlessPlace::unknown; // where this list has those without a chat
    std::vector<std::uint64_t> shown = {};           // quick_hash of other ids of that time that are behind us
};

/// Which rows count.
enum class Extent {
    held,   // all that are held, whole or not
    decided // those that upstream's answer must have: no row is missing before or between them
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
/// (cache/reach.hpp); it may then be followed by one that is empty.
ListPage list_conversations(Reader& db, const ListFilter& filter, int page_size, const std::optional<ListKey>& after,
                            std::span<const std::string> variables = {}, Extent extent = Extent::held);

} // namespace alli::cache

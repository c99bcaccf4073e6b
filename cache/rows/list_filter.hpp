// SPDX-License-Identifier: Apache-2.0
// Which conversations a list shows, in which order, and where a page of it ends.
#pragma once

#include "alli/conversation.hpp"
#include "cache/rows/chatless.hpp"
#include "cache/rows/visibility.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

enum class Order { last_chat_desc, last_chat_asc, created_desc, created_asc };

/// A filter that is added here is also added to: proxy/request/list_query.cpp (read_list_query, is_slow),
/// proxy/reads/supported_parameters.cpp, proxy/reads/cursor.cpp (query_mark, which binds a cursor to its list),
/// cache/lists/list_plan.cpp (filtered, choose), where it bounds times cache/lists/reach.cpp, and sandbox/filter.cpp.
struct ListFilter {
    std::vector<std::string> user_ids; // any of them
    std::optional<std::string> app_id;
    std::optional<std::string> category_id;
    std::optional<std::string> category_also;  // the other value that rows hold for the category: resolve_category()
    std::optional<Instant> started_at, end_at; // last chat time, exclusive
    std::optional<Instant> first_started_at, first_end_at; // first chat time, exclusive
    std::string search_term;                               // case folded; in the title or the user's name
    bool active_only = false;                              // isEnd is false
    Order order = Order::last_chat_desc;
    Visibility visible = {}; // beside the filters: the rows that the caller may see
};

/// The end of a page: the last row's position in the order, and values fixed at the first page.
struct ListKey {
    std::optional<Instant> when;  // none: among the conversations without a chat
    std::string id;               // rows of that time up to this id were returned; empty: none by their order
    std::optional<Instant> bound; // ascending orders return nothing beyond it
    ChatlessPlace chatless = ChatlessPlace::unknown; // where this list has those without a chat
    std::vector<std::uint64_t> shown = {};           // quick_hash of other ids of that time that were returned
};

} // namespace alli::cache

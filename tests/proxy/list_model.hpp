// SPDX-License-Identifier: Apache-2.0
// An upstream's list of conversations, worked out anew for each request: filters, orders, either reading of a bound,
// those without a chat wherever they are put, and an order of its own among equal times.
#pragma once

#include "alli/quick_hash.hpp"
#include "cache/rows/chatless.hpp"
#include "proxy/request/list_query.hpp"
#include "tests/support/make.hpp"
#include "upstream/target.hpp"

#include <algorithm>

namespace alli::proxy {

struct ModelRow {
    std::string id;
    std::int64_t when = 0; // 0: it has no chat
    std::string user, app, category;
    bool ended = false;

    nlohmann::json item() const
    {
        nlohmann::json made{{"id", id}, {"title", "about " + id}, {"createdAt", when + 1}, {"isEnd", ended}};
        made["lastChatTime"] = when == 0 ? nlohmann::json() : nlohmann::json(when);
        made["user"] = {{"userId", user}};
        made["llmApp"] = {{"id", app}};
        made["categories"] = {category};
        made["chatCount"] = when == 0 ? 0 : 1;
        made["chats"] = nlohmann::json::array();
        if (when > 0) made["chats"].push_back(support::chat_json(id, 0, when, "hello"));
        return made;
    }
};

struct ListModel {
    std::vector<ModelRow> rows;
    cache::ChatlessPlaces places;
    bool inclusive = false;
    std::size_t most_rows = 50; // of a page, whatever is asked for
    std::uint64_t salt = 0;     // of the order among equal times

    using Rows = std::vector<const ModelRow*>;

    bool in_window(const ModelRow& row, const cache::ListFilter& filter) const
    {
        if (!filter.started_at && !filter.end_at) return true;
        const Instant when = support::at_second(row.when);
        const auto slack = std::chrono::microseconds(inclusive ? 1 : 0);
        return row.when > 0 && (!filter.started_at || when > *filter.started_at - slack) &&
               (!filter.end_at || when < *filter.end_at + slack);
    }

    bool matches(const ModelRow& row, const cache::ListFilter& filter) const
    {
        const auto& users = filter.user_ids;
        if (!users.empty() && std::find(users.begin(), users.end(), row.user) == users.end()) return false;
        if (filter.app_id && *filter.app_id != row.app) return false;
        if (filter.category_id && *filter.category_id != row.category) return false;
        if (filter.active_only && row.ended) return false;
        if (("about " + row.id).find(filter.search_term) == std::string::npos) return false;
        if (filter.first_started_at && support::at_second(row.when) <= *filter.first_started_at) return false;
        return in_window(row, filter);
    }

    /// The whole list.
    Rows list(const cache::ListFilter& filter) const
    {
        using cache::Order;
        const bool by_chat = filter.order == Order::last_chat_desc || filter.order == Order::last_chat_asc;
        const bool descending = filter.order == Order::last_chat_desc || filter.order == Order::created_desc;
        const auto place = descending ? places.newest_first : places.oldest_first;
        Rows chosen;
        for (const ModelRow& row : rows)
            if (matches(row, filter) && !(by_chat && row.when == 0 && place == cache::ChatlessPlace::nowhere))
                chosen.push_back(&row);
        const auto rank = [&](const ModelRow* row) {
            std::int64_t at = descending ? -row->when : row->when;
            if (by_chat && row->when == 0) at = place == cache::ChatlessPlace::first ? INT64_MIN : INT64_MAX;
            return std::pair(at, quick_hash(row->id + std::to_string(salt)));
        };
        std::sort(chosen.begin(), chosen.end(),
                  [&](const ModelRow* a, const ModelRow* b) { return rank(a) < rank(b); });
        return chosen;
    }

    /// A page, by a cursor that is a position.
    std::string page(const std::string& target) const
    {
        const Parameters parameters = read_query(split_target(target).query);
        const ListQuery query = read_list_query(parameters, TimeUnit::seconds);
        const Rows all = list(query.filter);
        const std::size_t from = query.cursor ? std::stoull(*query.cursor) : 0;
        const std::size_t end =
            std::min({all.size(), from + static_cast<std::size_t>(query.page_size), from + most_rows});
        nlohmann::json made{{"conversations", nlohmann::json::array()}, {"cursor", nullptr}};
        for (std::size_t at = from; at < end; ++at) made["conversations"].push_back(all[at]->item());
        if (end < all.size()) made["cursor"] = std::to_string(end);
        return made.dump();
    }
};

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
#include "cluster/latest.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <unordered_set>

namespace alli::cluster {
namespace {

template <class Row, class Key>
void keep_last_of_each(std::vector<Row>& rows, Key key)
{
    std::set<decltype(key(rows.front()))> seen;
    std::vector<Row> kept;
    for (auto row = rows.rbegin(); row != rows.rend(); ++row)
        if (seen.insert(key(*row)).second) kept.push_back(std::move(*row));
    std::reverse(kept.begin(), kept.end());
    rows = std::move(kept);
}

} // namespace

void keep_latest(cache::PublishedRows& rows)
{
    keep_last_of_each(rows.conversations, [](const auto& row) { return row.id; });
    keep_last_of_each(rows.chats, [](const auto& row) { return std::pair(row.conversation, row.ordinal); });
    keep_last_of_each(rows.state, [](const auto& row) { return row.name; });

    std::map<std::string, std::int64_t> held;
    for (cache::PublishedConversation& row : rows.conversations) {
        if (row.deleted) {
            cache::PublishedConversation gone;
            gone.id = row.id;
            gone.deleted = true;
            gone.deleted_at = row.deleted_at;
            row = std::move(gone);
        }
        held.emplace(row.id, row.held);
    }
    std::erase_if(rows.chats, [&](const cache::PublishedChat& chat) {
        const auto found = held.find(chat.conversation);
        return found != held.end() && chat.ordinal >= found->second;
    });
}

void add_ends(const std::vector<ConversationId>& ids, cache::PublishedRows& rows)
{
    std::unordered_set<std::string_view> there;
    for (const cache::PublishedConversation& one : rows.conversations) there.insert(one.id);
    std::vector<cache::PublishedConversation> ends;
    for (const ConversationId& id : ids) {
        if (there.contains(id.value)) continue;
        ends.emplace_back().id = id.value;
        ends.back().deleted = true;
    }
    std::move(ends.begin(), ends.end(), std::back_inserter(rows.conversations));
}

} // namespace alli::cluster

// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/insight_filter.hpp"

#include "cache/search/filters.hpp"
#include "cache/search/known_values.hpp"

#include <algorithm>
#include <limits>

namespace alli::cache {
namespace {

// Straight from the index: a look at their rows would take twenty times as long.
void append_conversations(Reader& db, std::vector<std::int64_t>& keys, const std::string& user)
{
    const auto rows = match_user_name(db, user);
    constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
    for (auto pk = rows->seek(highest); pk; pk = rows->seek(*pk - 1)) keys.push_back(*pk);
}

using Meant = std::vector<std::string> (*)(Reader&, const std::string&);

std::unordered_set<std::int64_t> find_numbers(Reader& db, GroupKeys& keys, InsightGroup group, Meant meant,
                                              const std::vector<std::string>& values)
{
    std::unordered_set<std::int64_t> numbers;
    for (const std::string& value : values)
        for (const std::string& key : meant(db, value)) numbers.insert(keys.number_of(group, key));
    return numbers;
}

} // namespace

InsightFilter::InsightFilter(Reader& db, GroupKeys& keys, const InsightQuery& query)
{
    if (!query.visible.app.empty()) shared_.push_back({keys.number_of(InsightGroup::app, query.visible.app)});
    if (!query.apps.empty()) shared_.push_back(find_numbers(db, keys, InsightGroup::app, &apps_meant, query.apps));
    if (!query.categories.empty())
        shared_.push_back(find_numbers(db, keys, InsightGroup::category, &categories_meant, query.categories));
    if (!query.users.empty()) users_ = find_users(db, keys, query);
    if (!query.visible.user.empty()) visible_user_ = keys.number_of(InsightGroup::user, query.visible.user);
}

// By id or, where no conversation in view has a user of that id, by name.
InsightFilter::Users InsightFilter::find_users(Reader& db, GroupKeys& keys, const InsightQuery& query)
{
    Users found;
    for (const std::string& user : query.users) {
        if (has_user_id(db, user, query.visible))
            found.numbers.insert(keys.number_of(InsightGroup::user, user));
        else
            append_conversations(db, found.conversations, user);
    }
    std::sort(found.conversations.begin(), found.conversations.end());
    return found;
}

bool InsightFilter::takes_shared(std::span<const Membership> groups) const
{
    return std::all_of(shared_.begin(), shared_.end(), [&](const Numbers& wanted) {
        return std::any_of(groups.begin(), groups.end(),
                           [&](const Membership& member) { return wanted.contains(member.number); });
    });
}

bool InsightFilter::takes(const RollupOwner& row) const
{
    if (visible_user_ && row.user != *visible_user_) return false;
    if (!users_ || users_->numbers.contains(row.user)) return true;
    return std::binary_search(users_->conversations.begin(), users_->conversations.end(), row.conversation);
}

} // namespace alli::cache

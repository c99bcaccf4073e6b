// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/insights.hpp"

#include "cache/chats/facts.hpp"
#include "cache/db/index_batch.hpp"
#include "cache/insights/group_names.hpp"
#include "cache/insights/tabulation.hpp"
#include "cache/search/filters.hpp"

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

constexpr std::array<std::string_view, insight_groups> group_names{"day", "app", "category", "user", "channel"};

std::string write_day(std::chrono::local_days day)
{
    return to_rfc3339(Instant{day.time_since_epoch()}).substr(0, 10);
}

void add_days(Insights& insights, const Tabulation& table, const InsightQuery& query)
{
    insights.totals = table.total().finish();
    if (query.by && *query.by != InsightGroup::day) return;
    for (const auto& [day, sum] : table.days())
        insights.rows.push_back({InsightGroup::day, write_day(day), "", sum.finish()});
}

void add_group(Insights& insights, const Tabulation& table, InsightGroup group, const GroupKeys& keys,
               const GroupNames& names)
{
    for (const std::int64_t number : table.numbers(group)) {
        std::string key = keys.key_of(number), name = names.name_of(group, key);
        insights.rows.push_back({group, std::move(key), std::move(name), table.sum_of(number).finish()});
    }
}

std::vector<UnknownFilter> find_unknown(Reader& db, const InsightQuery& query)
{
    Filters filters;
    filters.apps = query.apps, filters.users = query.users, filters.categories = query.categories;
    filters.visible = query.visible;
    return find_unknown_names(db, filters);
}

} // namespace

std::string_view name_of(InsightGroup group) noexcept
{
    return group_names[static_cast<std::size_t>(group)];
}

std::optional<InsightGroup> find_insight_group(std::string_view name) noexcept
{
    const auto found = std::find(group_names.begin(), group_names.end(), name);
    if (found == group_names.end()) return std::nullopt;
    return static_cast<InsightGroup>(found - group_names.begin());
}

Insights count_insights(Reader& db, const InsightQuery& query)
{
    const TimeRange range{query.from, query.to};
    GroupKeys keys(db);
    const InsightFilter filter(db, keys, query);
    Tabulation table(filter, query);
    table.add(load_rollups(db, keys, range));

    Insights insights;
    const bool by_words = !query.users.empty(); // a user may be meant by name
    insights.complete = !find_fact_bound(db) && !(by_words && find_index_bound(db, IndexKind::conversation));
    insights.unknown_filters = find_unknown(db, query);
    add_days(insights, table, query);
    const GroupNames names(db, query.visible);
    for (const InsightGroup group :
         {InsightGroup::app, InsightGroup::category, InsightGroup::user, InsightGroup::channel})
        add_group(insights, table, group, keys, names);
    const auto sample = table.questions().find(db, range);
    insights.words = count_words(db, sample.bad, sample.all);
    insights.sampled_bad = std::ssize(sample.bad), insights.sampled_all = std::ssize(sample.all);
    return insights;
}

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/insights.hpp"

#include "cache/chats/facts.hpp"
#include "cache/insights/group_names.hpp"
#include "cache/insights/insight_words.hpp"
#include "cache/insights/rollup_days.hpp"
#include "cache/search/filters.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

namespace alli::cache {
namespace {

constexpr std::array<std::string_view, insight_groups> group_names{"day", "app", "category", "user", "channel"};
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

/// The day of the zone that a time lies in; times that are near each other cost no look at the zone's rules.
class Days {
  public:
    explicit Days(const Zone& zone) : zone_(zone) {}

    std::chrono::local_days day_of(Instant when)
    {
        if (when >= begin_ && when < end_) return day_;
        const Instant local = when + zone_.offset_at(when);
        day_ = std::chrono::local_days{std::chrono::floor<std::chrono::days>(local).time_since_epoch()};
        begin_ = zone_.start_of(day_);
        end_ = zone_.start_of(day_ + std::chrono::days{1});
        return day_;
    }

  private:
    Zone zone_;
    std::chrono::local_days day_{};
    Instant begin_ = Instant::max(), end_ = Instant::min();
};

std::string write_day(std::chrono::local_days day)
{
    return to_rfc3339(Instant{day.time_since_epoch()}).substr(0, 10);
}

struct Sum {
    RollupCounts counts;
    Histogram lengths, waits;

    void add(const TallyView& tally)
    {
        counts.add(tally.counts);
        add_to(lengths, tally.lengths);
        add_to(waits, tally.waits);
    }
    void add(const Sum& more)
    {
        counts.add(more.counts);
        lengths.add(more.lengths);
        waits.add(more.waits);
    }
    Figures finish() const
    {
        Figures done{counts.conversations, counts.messages,          counts.good,  counts.bad,
                     counts.unrated,       counts.without_citations, std::nullopt, std::nullopt};
        done.median_length = lengths.median();
        if (const auto wait = waits.median()) done.median_answer_seconds = *wait / 1000;
        return done;
    }
};

// Ascending; none: all conversations.
std::optional<std::vector<std::int64_t>> find_chosen(Reader& db, const InsightQuery& query)
{
    Filters filters;
    filters.apps = query.apps, filters.users = query.users, filters.categories = query.categories;
    filters.visible = query.visible;
    if (filters.empty() && filters.visible.is_whole()) return std::nullopt;
    std::vector<std::int64_t> keys;
    const auto rows = filter_conversations(db, filters, match_rows(db, "conversation", 0));
    for (auto pk = rows->seek(highest); pk; pk = rows->seek(*pk - 1)) keys.push_back(*pk);
    std::reverse(keys.begin(), keys.end());
    return keys;
}

class Counter {
  public:
    Counter(Reader& db, const InsightQuery& query) : db_(db), query_(query), keys_(db), names_(db, query.visible)
    {
        const TimeRange range{query.from, query.to};
        if (const auto chosen = find_chosen(db, query))
            rollups_.push_back(count_rollup(db, keys_, range, &*chosen));
        else
            rollups_ = load_rollups(db, keys_, range);
    }

    Insights run()
    {
        Insights insights;
        insights.complete = !find_fact_bound(db_);
        add_days(insights);
        for (const InsightGroup group :
             {InsightGroup::app, InsightGroup::category, InsightGroup::user, InsightGroup::channel})
            if (!query_.by || *query_.by == group) add_group(insights.rows, group);
        KeySample questions, bad_questions;
        each([&](const Rollup& rollup) { rollup.questions(questions), rollup.bad_questions(bad_questions); });
        const auto bad = bad_questions.keys(), all = questions.keys();
        insights.words = count_words(db_, bad, all);
        insights.sampled_bad = std::ssize(bad), insights.sampled_all = std::ssize(all);
        return insights;
    }

  private:
    template <class Take>
    void each(const Take& take) const
    {
        for (const std::string& stored : rollups_) take(Rollup(stored));
    }

    void add_days(Insights& insights) const
    {
        Days days(query_.zone);
        std::map<std::chrono::local_days, Sum> by_day;
        Sum total;
        each([&](const Rollup& rollup) {
            rollup.quarters([&](Instant start, const TallyView& tally) { by_day[days.day_of(start)].add(tally); });
            total.add(rollup.timeless());
        });
        for (const auto& [day, sum] : by_day) {
            total.add(sum);
            if (!query_.by || *query_.by == InsightGroup::day)
                insights.rows.push_back({InsightGroup::day, write_day(day), "", sum.finish()});
        }
        insights.totals = total.finish();
    }

    // The groups with the most messages. Only of these the histograms are added up: of users there are very many.
    void add_group(std::vector<InsightRow>& rows, InsightGroup group) const
    {
        std::map<std::int64_t, Sum> shown;
        const std::vector<std::int64_t> numbers = find_greatest(group);
        for (const std::int64_t number : numbers) shown[number];
        each([&](const Rollup& rollup) {
            rollup.groups(group, [&](std::int64_t number, const TallyView& tally) {
                if (const auto found = shown.find(number); found != shown.end()) found->second.add(tally);
            });
        });
        for (const std::int64_t number : numbers) {
            std::string key = keys_.key_of(number), name = names_.name_of(group, key);
            rows.push_back({group, std::move(key), std::move(name), shown[number].finish()});
        }
    }

    std::vector<std::int64_t> find_greatest(InsightGroup group) const
    {
        constexpr std::size_t most = 200;
        std::unordered_map<std::int64_t, std::int64_t> messages;
        each([&](const Rollup& rollup) {
            rollup.groups(
                group, [&](std::int64_t number, const TallyView& tally) { messages[number] += tally.counts.messages; });
        });
        std::vector<std::pair<std::int64_t, std::int64_t>> order; // the greatest first
        for (const auto& [number, count] : messages) order.emplace_back(-count, number);
        std::sort(order.begin(), order.end());
        if (order.size() > most) order.resize(most);
        std::vector<std::int64_t> numbers;
        for (const auto& [count, number] : order) numbers.push_back(number);
        return numbers;
    }

    Reader& db_;
    const InsightQuery& query_;
    GroupKeys keys_;
    GroupNames names_;
    std::vector<std::string> rollups_;
};

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
    return Counter(db, query).run();
}

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/insights.hpp"

#include "cache/chats/facts.hpp"
#include "cache/chats/packed_facts.hpp"
#include "cache/insights/counted_chats.hpp"
#include "cache/insights/insight_groups.hpp"
#include "cache/insights/insight_words.hpp"
#include "cache/insights/tally.hpp"
#include "cache/search/filters.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

namespace alli::cache {
namespace {

constexpr std::array<std::string_view, 5> group_names{"day", "app", "category", "user", "channel"};
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

class Counter {
  public:
    Counter(Reader& db, const InsightQuery& query)
        : db_(db), query_(query), range_{query.from, query.to}, groups_(db, query), days_(query.zone),
          chosen_(find_chosen(db, query))
    {}

    Insights run()
    {
        count_conversations();
        count_chats();
        Insights insights;
        insights.totals = totals_.finish();
        insights.complete = !find_fact_bound(db_);
        append_days(insights.rows);
        for (const InsightGroup group :
             {InsightGroup::app, InsightGroup::category, InsightGroup::user, InsightGroup::channel})
            append_group(insights.rows, group);
        const auto bad = bad_questions_.keys(), all = questions_.keys();
        insights.words = count_words(db_, bad, all);
        insights.sampled_bad = std::ssize(bad), insights.sampled_all = std::ssize(all);
        return insights;
    }

  private:
    // Ascending; none: all conversations.
    static std::optional<std::vector<std::int64_t>> find_chosen(Reader& db, const InsightQuery& query)
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

    bool counts(std::int64_t conversation) const
    {
        return !chosen_ || std::binary_search(chosen_->begin(), chosen_->end(), conversation);
    }

    // Calls `add` with the totals and each group that a row of the conversation and of that time is in.
    template <class Add>
    void each_tally(std::int64_t conversation, const std::optional<Instant>& when, const Add& add)
    {
        add(totals_);
        if (when && (!query_.by || *query_.by == InsightGroup::day)) add(by_day_[days_.day_of(*when)]);
        groups_.each(conversation, [&](InsightGroup group, std::size_t number) {
            auto& tallies = by_group_[static_cast<std::size_t>(group)];
            if (tallies.size() <= number) tallies.resize(number + 1);
            add(tallies[number]);
        });
    }

    void count_conversations()
    {
        for (const Row row : db_.query("SELECT pk, created_at FROM conversation INDEXED BY conversation_by_creation")) {
            const auto created_at = row.optional_instant(1);
            if (!range_.contains(created_at) || !counts(row.integer(0))) continue;
            each_tally(row.integer(0), created_at, [](Tally& tally) { ++tally.figures.conversations; });
        }
    }

    void count_chats()
    {
        visit_chats(db_, range_, [&](const CountedChat& chat) {
            if (counts(chat.conversation)) count_chat(chat);
        });
    }

    void count_chat(const CountedChat& chat)
    {
        if (!is_answer(chat)) questions_.add(chat.pk);
        if (chat.has_question && rating_in(chat.facts) == false) bad_questions_.add(chat.question);
        each_tally(chat.conversation, chat.sent_at, [&](Tally& tally) { tally.add(chat); });
    }

    void append_days(std::vector<InsightRow>& rows) const
    {
        for (const auto& [day, tally] : by_day_)
            rows.push_back({InsightGroup::day, write_day(day), "", tally.finish()});
    }

    void append_group(std::vector<InsightRow>& rows, InsightGroup group) const
    {
        constexpr std::size_t most = 200;
        const auto& tallies = by_group_[static_cast<std::size_t>(group)];
        std::vector<std::size_t> numbers;
        for (std::size_t number = 0; number < tallies.size(); ++number)
            if (tallies[number].figures.messages + tallies[number].figures.conversations > 0) numbers.push_back(number);
        std::stable_sort(numbers.begin(), numbers.end(), [&](std::size_t a, std::size_t b) {
            return tallies[a].figures.messages > tallies[b].figures.messages;
        });
        if (numbers.size() > most) numbers.resize(most);
        for (const std::size_t number : numbers)
            rows.push_back(
                {group, groups_.key_of(group, number), groups_.name_of(db_, group, number), tallies[number].finish()});
    }

    Reader& db_;
    const InsightQuery& query_;
    TimeRange range_;
    InsightGroups groups_;
    Days days_;
    std::optional<std::vector<std::int64_t>> chosen_;
    Tally totals_;
    std::map<std::chrono::local_days, Tally> by_day_;
    std::array<std::vector<Tally>, group_names.size()> by_group_;
    KeySample questions_, bad_questions_;
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

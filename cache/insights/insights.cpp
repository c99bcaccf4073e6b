// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/insights.hpp"

#include "cache/chats/facts.hpp"
#include "cache/insights/histogram.hpp"
#include "cache/insights/insight_groups.hpp"
#include "cache/insights/insight_words.hpp"
#include "cache/search/filters.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

namespace alli::cache {
namespace {

using std::chrono::microseconds, std::chrono::seconds;

constexpr std::array<std::string_view, 5> group_names{"day", "app", "category", "user", "channel"};
constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

struct Tally {
    Figures figures;
    Histogram lengths, waits; // characters; milliseconds

    Figures finish() const
    {
        Figures done = figures;
        done.median_length = lengths.median();
        if (const auto wait = waits.median()) done.median_answer_seconds = *wait / 1000;
        return done;
    }
};

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

struct ChatFact {
    std::int64_t pk, conversation;
    std::optional<Instant> sent_at;
    bool answer;
    std::optional<std::int64_t> rating;
    bool citations;
    std::int64_t length;
};

ChatFact read_fact(const Row& row)
{
    return {row.integer(0),          row.integer(1),      row.optional_instant(2), row.integer(3) != 0,
            row.optional_integer(4), row.integer(5) != 0, row.integer(6)};
}

class Counter {
  public:
    Counter(Reader& db, const InsightQuery& query)
        : db_(db), query_(query), groups_(db, query), days_(query.zone), chosen_(find_chosen(db, query))
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
    struct Question {
        std::int64_t pk;
        std::optional<Instant> sent_at;
    };

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

    bool in_range(const std::optional<Instant>& when) const
    {
        if (!when) return !query_.from && !query_.to;
        return (!query_.from || *when >= *query_.from) && (!query_.to || *when < *query_.to);
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
            if (!in_range(created_at) || !counts(row.integer(0))) continue;
            each_tally(row.integer(0), created_at, [](Tally& tally) { ++tally.figures.conversations; });
        }
    }

    // A chat's key is about the second it was sent in (cache/rows/conversation_rows.cpp), unless its time changed or
    // very many share it. The day before the range has the questions that its first answers are to.
    void count_chats()
    {
        constexpr std::int64_t day = 86'400;
        const auto second = [](Instant when) { return std::chrono::floor<seconds>(when).time_since_epoch().count(); };
        const bool moved = db_.exists("SELECT 1 FROM chat_fact INDEXED BY chat_fact_moved"
                                      " WHERE chat < sent_at / 1000000 OR chat > sent_at / 1000000 + 3600 LIMIT 1");
        const std::int64_t low = query_.from && !moved ? second(*query_.from) - day : lowest;
        const std::int64_t high = query_.to && !moved ? second(*query_.to) + 3601 : highest;
        for (const Row row : db_.query("SELECT chat, conversation, sent_at, answer, rating, citations, length"
                                       " FROM chat_fact WHERE chat >= ?1 AND chat <= ?2 ORDER BY chat",
                                       low, high)) {
            const ChatFact chat = read_fact(row);
            if (counts(chat.conversation)) count_chat(chat);
        }
    }

    void count_chat(const ChatFact& chat)
    {
        std::optional<Question> question;
        if (chat.answer)
            question = find_question(chat.conversation);
        else
            last_question_[chat.conversation] = {chat.pk, chat.sent_at};
        if (!in_range(chat.sent_at)) return;
        if (!chat.answer) questions_.add(chat.pk);
        if (question && chat.rating == 0) bad_questions_.add(question->pk);
        each_tally(chat.conversation, chat.sent_at, [&](Tally& tally) { add(tally, chat, question); });
    }

    std::optional<Question> find_question(std::int64_t conversation) const
    {
        const auto found = last_question_.find(conversation);
        return found == last_question_.end() ? std::nullopt : std::optional(found->second);
    }

    static void add(Tally& tally, const ChatFact& chat, const std::optional<Question>& question)
    {
        Figures& figures = tally.figures;
        ++figures.messages;
        if (chat.rating) ++(*chat.rating != 0 ? figures.good : figures.bad);
        if (!chat.answer) return;
        if (!chat.rating) ++figures.unrated;
        if (!chat.citations) ++figures.without_citations;
        tally.lengths.add(static_cast<double>(chat.length));
        if (question && question->sent_at && chat.sent_at && *chat.sent_at >= *question->sent_at)
            tally.waits.add(std::chrono::duration<double, std::milli>(*chat.sent_at - *question->sent_at).count());
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
    InsightGroups groups_;
    Days days_;
    std::optional<std::vector<std::int64_t>> chosen_;
    Tally totals_;
    std::map<std::chrono::local_days, Tally> by_day_;
    std::array<std::vector<Tally>, group_names.size()> by_group_;
    std::unordered_map<std::int64_t, Question> last_question_;
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

// SPDX-License-Identifier: Apache-2.0
// Insights against a count of the conversations as they were put, by the plainest code there is.
#include "cache/insights/histogram.hpp"
#include "cache/insights/insights_json.hpp"
#include "cache/insights/rating_counts.hpp"
#include "cache/insights/rollup_days.hpp"
#include "cache/upkeep/purge.hpp"
#include "tests/cache/fixture.hpp"

#include <spdlog/fmt/fmt.h>

#include <map>
#include <random>
#include <set>

namespace alli::cache {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t start = 1'760'000'000; // seconds; a day in October 2025

struct Model {
    json conversation;       // as upstream sends it
    std::vector<json> chats; // likewise
    std::int64_t created = 0;
};

struct Count {
    std::int64_t conversations = 0, messages = 0, good = 0, bad = 0, unrated = 0, without_citations = 0;
    std::vector<double> lengths, waits;
};

class Insight : public CacheTest {
  protected:
    void put(const Model& model)
    {
        TimeUnit unit = TimeUnit::seconds;
        std::vector<Chat> chats;
        for (const json& chat : model.chats) chats.push_back(read_chat(chat.dump(), unit));
        const Conversation conversation = read_conversation(model.conversation.dump(), unit);
        write([&](Writer& db) {
            put_conversation(db, conversation);
            put_chats(db, conversation.id, 0, chats);
        });
    }

    Model make(int n)
    {
        const std::string id = "c" + std::to_string(n);
        Model model;
        model.created = start + below(20 * 86'400);
        std::int64_t at = model.created;
        const int count = static_cast<int>(below(9));
        for (int i = 0; i < count; ++i) {
            json chat = support::chat_json(id, i, at += 1 + below(400), std::string(below(90), 'x'));
            if (i % 2 == 1) {
                if (below(3) == 0) chat["rating"] = below(2) == 0;
                if (below(3) == 0) chat["citations"] = {{{"title", "t"}}};
            }
            model.chats.push_back(chat);
        }
        json& c = model.conversation;
        c = {{"id", id}, {"title", id}, {"createdAt", model.created}, {"chats", json::array()}};
        c["lastChatTime"] = count > 0 ? json(at) : json(nullptr);
        c["user"] = {{"userId", "u" + std::to_string(below(5))}};
        if (below(6) > 0) c["llmApp"] = {{"id", "a" + std::to_string(below(3))}, {"name", "App"}};
        if (below(2) == 0) c["channel"] = below(2) == 0 ? "WEB" : "KAKAO";
        c["categories"] = json::array();
        for (const char* name : {"x", "y"})
            if (below(3) == 0) c["categories"].push_back(name);
        return model;
    }

    /// Ratings, texts, the app, the user and categories change, the last chat goes or another one comes.
    void edit(Model& model)
    {
        const Model other = make(7);
        for (const char* name : {"user", "llmApp", "channel", "categories"}) {
            model.conversation.erase(name);
            if (other.conversation.contains(name)) model.conversation[name] = other.conversation[name];
        }
        for (json& chat : model.chats) {
            chat["message"] = std::string(static_cast<std::size_t>(below(90)), 'y');
            if (chat["sender"] != "USER") chat["rating"] = below(2) == 0;
        }
        if (model.chats.empty()) return;
        if (below(2) == 0) return model.chats.pop_back();
        const std::int64_t last = model.chats.back()["timestamp"];
        const int count = static_cast<int>(model.chats.size());
        model.chats.push_back(support::chat_json(model.conversation["id"], count, last + 30, "more"));
    }

    /// Keeps the figures of so many days; false: all are kept.
    bool extend(int days = 1)
    {
        bool more = true;
        for (; more && days > 0; --days) write([&](Writer& db) { more = extend_rollups(db); });
        return more;
    }

    void add(int n)
    {
        Model model = make(n);
        put(model);
        models_["c" + std::to_string(n)] = std::move(model);
    }

    Model& any_model()
    {
        auto at = models_.begin();
        std::advance(at, below(std::ssize(models_)));
        return at->second;
    }

    void put_again(const Model& model)
    {
        put(model);
        write([&](Writer& db) { cut_chats(db, {model.conversation["id"]}, std::ssize(model.chats)); });
    }

    /// Some chats take place at another time, some were sent by somebody else.
    void move(Model& model)
    {
        for (json& chat : model.chats) {
            if (below(3) == 0) chat["timestamp"] = start + below(20 * 86'400);
            if (below(5) == 0) chat["sender"] = below(2) == 0 ? "USER" : "AGENT";
        }
    }

    void change_something(int n)
    {
        const std::int64_t what = below(12);
        if (what < 5 || models_.size() < 5) return add(n);
        Model& model = any_model();
        const std::string id = model.conversation["id"];
        if (what < 8) return edit(model), put_again(model);
        if (what < 10) return move(model), put_again(model);
        if (what == 10) return write([&](Writer& db) { erase_conversation(db, {id}); }), void(models_.erase(id));
        PurgeOptions wish;
        wish.conversation = ConversationId{id};
        sync_wait(purge(*store_, wish, {}));
        models_.erase(id);
    }

    std::int64_t below(std::int64_t end) { return static_cast<std::int64_t>(random_()) % end; }

    Insights count(InsightQuery query = {})
    {
        return store_->read([&](Reader& db) { return count_insights(db, query); });
    }

    /// The keys of the groups that a conversation is in, and of a time's day in Seoul.
    static std::vector<std::pair<std::string, std::string>> groups_of(const Model& model, std::int64_t seconds)
    {
        const json& c = model.conversation;
        const Instant local = support::at_second(seconds + 9 * 3600);
        std::vector<std::pair<std::string, std::string>> groups{
            {"", ""}, {"day", to_rfc3339(local).substr(0, 10)}, {"user", c["user"]["userId"]}};
        if (c.contains("llmApp")) groups.emplace_back("app", c["llmApp"]["id"]);
        if (c.contains("channel")) groups.emplace_back("channel", c["channel"]);
        for (const json& name : c["categories"]) groups.emplace_back("category", name);
        return groups;
    }

    using Counts = std::map<std::pair<std::string, std::string>, Count>;

    template <class Wanted>
    Counts brute(std::int64_t from, std::int64_t to, const Wanted& wanted) const
    {
        Counts counts;
        for (const auto& [id, model] : models_) {
            if (!wanted(model.conversation)) continue;
            if (model.created >= from && model.created < to)
                for (const auto& group : groups_of(model, model.created)) ++counts[group].conversations;
            std::optional<std::int64_t> asked;
            for (const json& chat : model.chats) {
                const std::int64_t at = chat["timestamp"];
                const bool answer = chat["sender"] != "USER";
                if (!answer) asked = at;
                if (at < from || at >= to) continue;
                for (const auto& group : groups_of(model, at))
                    add(counts[group], chat, answer, asked && at >= *asked ? std::optional(at - *asked) : std::nullopt);
            }
        }
        return counts;
    }

    static void add(Count& count, const json& chat, bool answer, std::optional<std::int64_t> wait)
    {
        ++count.messages;
        const bool rated = chat.contains("rating");
        if (rated) ++(chat["rating"] == true ? count.good : count.bad);
        if (!answer) return;
        if (!rated) ++count.unrated;
        if (!chat.contains("citations")) ++count.without_citations;
        count.lengths.push_back(static_cast<double>(chat["message"].get<std::string>().size()));
        if (wait) count.waits.push_back(static_cast<double>(*wait));
    }

    static void expect_median(const std::optional<double>& median, std::vector<double> values, const std::string& where)
    {
        ASSERT_EQ(median.has_value(), !values.empty()) << where;
        if (values.empty()) return;
        std::sort(values.begin(), values.end());
        const double exact = values[(values.size() - 1) / 2];
        EXPECT_NEAR(*median, exact, exact * 0.05 + 0.5) << where;
    }

    static void expect_same(const Figures& figures, const Count& exact, const std::string& where)
    {
        EXPECT_EQ(figures.conversations, exact.conversations) << where;
        EXPECT_EQ(figures.messages, exact.messages) << where;
        EXPECT_EQ(figures.good, exact.good) << where;
        EXPECT_EQ(figures.bad, exact.bad) << where;
        EXPECT_EQ(figures.unrated, exact.unrated) << where;
        EXPECT_EQ(figures.without_citations, exact.without_citations) << where;
        expect_median(figures.median_length, exact.lengths, where);
        expect_median(figures.median_answer_seconds, exact.waits, where);
    }

    template <class Wanted>
    void expect_exact(InsightQuery query, const Wanted& wanted)
    {
        const auto seconds = [](const std::optional<Instant>& when, std::int64_t fallback) {
            return when ? std::chrono::floor<std::chrono::seconds>(*when).time_since_epoch().count() : fallback;
        };
        query.zone = Zone::load("Asia/Seoul");
        Counts exact = brute(seconds(query.from, 0), seconds(query.to, INT64_MAX), wanted);
        const Insights found = count(query);
        expect_same(found.totals, exact[{"", ""}], "totals");
        exact.erase({"", ""});
        for (const InsightRow& row : found.rows) {
            const std::pair<std::string, std::string> key{name_of(row.by), row.key};
            ASSERT_TRUE(exact.contains(key)) << key.first << ' ' << key.second;
            expect_same(row.figures, exact[key], key.first + ' ' + key.second);
            exact.erase(key);
        }
        EXPECT_THAT(exact, IsEmpty()) << "groups that are missing";
    }

    void expect_all_exact()
    {
        const auto any = [](const json&) { return true; };
        expect_exact({}, any);
        InsightQuery range;
        range.from = support::at_second(start + 5 * 86'400 + 77);
        range.to = support::at_second(start + 9 * 86'400);
        expect_exact(range, any);
        InsightQuery filtered = range;
        filtered.apps = {"a1"};
        filtered.users = {"u1", "u2"};
        const auto chosen = [](const json& c) {
            return c.contains("llmApp") && c["llmApp"]["id"] == "a1" &&
                   (c["user"]["userId"] == "u1" || c["user"]["userId"] == "u2");
        };
        expect_exact(filtered, chosen);
        InsightQuery narrowed;
        narrowed.visible.app = "a2";
        expect_exact(narrowed, [](const json& c) { return c.contains("llmApp") && c["llmApp"]["id"] == "a2"; });
    }

    std::mt19937 random_{26};
    std::map<std::string, Model> models_;
};

TEST_F(Insight, EqualsACountByHandAlsoAfterEditsAndDeletions)
{
    for (int n = 0; n < 150; ++n) {
        Model model = make(n);
        put(model);
        models_["c" + std::to_string(n)] = std::move(model);
    }
    expect_all_exact();

    for (int n = 0; n < 150; n += 3) {
        Model& model = models_["c" + std::to_string(n)];
        edit(model);
        put(model);
        write([&](Writer& db) { cut_chats(db, {model.conversation["id"]}, std::ssize(model.chats)); });
    }
    for (int n = 1; n < 150; n += 10) {
        write([&](Writer& db) { erase_conversation(db, {"c" + std::to_string(n)}); });
        models_.erase("c" + std::to_string(n));
    }
    expect_all_exact();
    reopen();
    expect_all_exact();
}

// Days are kept and go out of date as a backfill fills them and rows change: the figures are those of the rows at every
// moment. ALLI_INSIGHT_SEED is another seed.
TEST_F(Insight, EqualsACountByHandWhateverIsKeptOfDays)
{
    const char* const wanted = std::getenv("ALLI_INSIGHT_SEED");
    const auto seed = static_cast<unsigned>(wanted ? std::atoi(wanted) : 28);
    SCOPED_TRACE(fmt::format("ALLI_INSIGHT_SEED={}", seed));
    random_.seed(seed);
    for (int round = 0; round < 120 && !HasFailure(); ++round) {
        SCOPED_TRACE(fmt::format("round {}", round));
        const std::int64_t changes = 1 + below(4);
        for (int n = 0; n < changes; ++n) change_something(round * 10 + n);
        if (below(3) > 0) extend(static_cast<int>(below(25)));
        if (below(20) == 0) reopen();
        if (round % 5 == 4) expect_all_exact();
    }
    EXPECT_FALSE(extend(1000));
    expect_all_exact();
}

TEST_F(Insight, CountsChatsWithoutATimeWhereNoTimeIsAskedFor)
{
    add(1);
    json untimed = support::chat_json("c2", 0, start, "q");
    untimed.erase("timestamp");
    Model model;
    model.conversation = {{"id", "c2"}, {"createdAt", nullptr}, {"lastChatTime", start}, {"chats", json::array()}};
    model.chats = {untimed};
    const std::int64_t before = count().totals.messages;
    put(model);
    for (int step = 0; step < 2; ++step) {
        EXPECT_EQ(count().totals.messages, before + 1);
        EXPECT_EQ(count().totals.conversations, 2);
        InsightQuery since;
        since.from = support::at_second(0);
        EXPECT_EQ(count(since).totals.messages, before);
        EXPECT_FALSE(extend(1000));
    }
}

TEST_F(Insight, KeepsNothingOfAUserWhoIsGone)
{
    Model model = make(1);
    model.conversation["user"]["userId"] = "somebody";
    put(model);
    const auto known = [&] {
        return store_->read([](Reader& db) { return db.exists("SELECT 1 FROM insight_key WHERE key = 'somebody'"); });
    };
    extend(1000);
    EXPECT_TRUE(known());
    write([](Writer& db) { erase_conversation(db, {"c1"}); });
    EXPECT_FALSE(known());
    model.conversation["user"]["userId"] = "somebody";
    put(model);
    extend(1000);
    model.conversation["user"]["userId"] = "another";
    put(model);
    EXPECT_FALSE(known());
}

TEST_F(Insight, KeepsDaysThatNothingChanges)
{
    add(1), add(2), add(3);
    EXPECT_FALSE(extend(1000));
    const auto stale = [&] {
        return store_->read([](Reader& db) { return db.require<int>("SELECT count(*) FROM insight_stale"); });
    };
    EXPECT_EQ(stale(), 0);
    put(models_["c1"]); // the same again
    models_["c2"].conversation["title"] = "another";
    put(models_["c2"]);
    EXPECT_EQ(stale(), 0);
    Model late;
    late.conversation = {{"id", "c9"}, {"createdAt", start}, {"lastChatTime", start}, {"chats", json::array()}};
    late.chats = {support::chat_json("c9", 0, start, "q"), support::chat_json("c9", 1, start + 5 * 86'400, "a")};
    put(late);
    EXPECT_EQ(stale(), 2);
}

TEST_F(Insight, ShowsOneGroupWhereItIsAskedFor)
{
    put(make(1)), put(make(2));
    InsightQuery query;
    query.by = InsightGroup::user;
    for (const InsightRow& row : count(query).rows) EXPECT_EQ(row.by, InsightGroup::user);
}

TEST_F(Insight, CountsAChatWhoseTimeChangedOnItsNewDay)
{
    Model model;
    model.conversation = {{"id", "c1"}, {"createdAt", start}, {"lastChatTime", start}, {"chats", json::array()}};
    model.chats = {support::chat_json("c1", 0, start, "q")};
    put(model);
    model.chats[0]["timestamp"] = start + 10 * 86'400;
    put(model);
    InsightQuery query;
    query.from = support::at_second(start + 9 * 86'400);
    EXPECT_EQ(count(query).totals.messages, 1);
    query.to = query.from;
    query.from.reset();
    EXPECT_EQ(count(query).totals.messages, 0);
}

TEST_F(Insight, SaysNothingOfAnEmptyMirror)
{
    const Insights none = count();
    EXPECT_EQ(none.totals.messages, 0);
    EXPECT_EQ(none.totals.median_length, std::nullopt);
    EXPECT_THAT(none.rows, IsEmpty());
    const json body = json::parse(insights_json({}, none, {}));
    EXPECT_EQ(body["totals"]["medianLength"], nullptr);
    EXPECT_EQ(body["coverage"]["complete"], false);
}

TEST_F(Insight, FindsTheWordsOfBadlyAnsweredQuestions)
{
    for (int n = 0; n < 40; ++n) {
        const std::string id = "w" + std::to_string(n);
        const bool bad = n % 4 == 0;
        Model model;
        model.conversation = {
            {"id", id}, {"createdAt", start}, {"lastChatTime", start + n * 10 + 1}, {"chats", json::array()}};
        model.chats = {
            support::chat_json(id, 0, start + n * 10, bad ? "환불 요청 refund 温泉の予約" : "배송 문의 shipping"),
            support::chat_json(id, 1, start + n * 10 + 1, "answer")};
        if (bad) model.chats[1]["rating"] = false;
        put(model);
    }
    const Insights insights = count();
    EXPECT_EQ(insights.sampled_bad, 10);
    EXPECT_EQ(insights.sampled_all, 40);
    std::map<std::string, InsightWord> words;
    for (const InsightWord& word : insights.words) words[word.word] = word;
    for (const char* word : {"환불", "refund", "温泉", "予約"}) {
        EXPECT_EQ(words[word].bad, 10) << word;
        EXPECT_EQ(words[word].all, 10) << word;
    }
    EXPECT_FALSE(words.contains("shipping"));
    EXPECT_FALSE(words.contains("の"));
}

TEST_F(Insight, CountsRatingsOfConversationsForLists)
{
    Model model = make(1);
    model.chats = {support::chat_json("c1", 0, start, "q"), support::chat_json("c1", 1, start + 1, "a"),
                   support::chat_json("c1", 2, start + 2, "b")};
    model.chats[1]["rating"] = false, model.chats[2]["rating"] = true;
    put(model);
    const std::vector<ConversationId> ids{{"c1"}, {"c2"}};
    const auto counts = store_->read([&](Reader& db) { return count_ratings(db, ids); });
    ASSERT_EQ(counts.size(), 1U);
    EXPECT_EQ(counts[0].good, 1);
    EXPECT_EQ(counts[0].bad, 1);
}

TEST(InsightHistogram, TellsMediansWithinFivePercent)
{
    std::mt19937 random(7);
    for (const double most : {5.0, 40.0, 900.0, 1e6}) {
        Histogram histogram;
        std::vector<double> values;
        for (int n = 0; n < 1001; ++n) {
            values.push_back(std::floor(std::pow(static_cast<double>(random() % 10'000) / 10'000, 2) * most));
            histogram.add(values.back());
        }
        std::sort(values.begin(), values.end());
        EXPECT_NEAR(*histogram.median(), values[500], values[500] * 0.05 + 0.5) << most;
    }
    EXPECT_EQ(Histogram().median(), std::nullopt);
}

} // namespace
} // namespace alli::cache

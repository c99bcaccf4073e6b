// SPDX-License-Identifier: Apache-2.0
// What insights say of few conversations; of many: insights_figures_test.cpp.
#include "cache/insights/histogram.hpp"
#include "cache/insights/insights_json.hpp"
#include "cache/insights/number_map.hpp"
#include "cache/insights/rating_counts.hpp"
#include "cache/search/index.hpp"
#include "tests/cache/insights_model.hpp"

namespace alli::cache {
namespace {

using nlohmann::json;
using testing::IsEmpty;

using Insight = InsightTest;
constexpr std::int64_t start = insight_start;

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

TEST_F(Insight, OfAUserAreAPartWhileTheIndexOfWordsIsMadeAnew)
{
    Model model = make(1);
    model.conversation["user"] = {{"userId", "u1"}, {"firstName", "Mina"}};
    put(model);
    extend(1000);
    InsightQuery of_mina;
    of_mina.users = {"Mina"};
    EXPECT_TRUE(count(of_mina).complete);
    write([](Writer& db) { rebuild_index(db); });
    EXPECT_FALSE(count(of_mina).complete);
    EXPECT_TRUE(count().complete) << "no word of it is asked for";
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

TEST(InsightNumbers, TakeRoomForWhatWasSeenHoweverGreatItIs)
{
    NumberMap<std::int64_t> sums;
    EXPECT_EQ(sums.find(7), 0);
    EXPECT_EQ(sums.bytes(), 0U);
    constexpr std::int64_t million = 1'000'000, seen = 1000;
    for (std::int64_t turn = 0; turn < 2; ++turn)
        for (std::int64_t n = 1; n <= seen; ++n) sums.at(n * million) += n, sums.at(-n) += 1;
    EXPECT_EQ(sums.size(), 2 * seen);
    EXPECT_LE(sums.bytes(), 16U * 4 * 2 * seen); // at least a third of the places are taken
    EXPECT_EQ(sums.find(3 * million), 6);
    EXPECT_EQ(sums.find(-3), 2);
    EXPECT_EQ(sums.find(3), 0);
    EXPECT_EQ(sums.find(-seen - 1), 0);
    std::int64_t numbers = 0, sum = 0;
    sums.visit([&](std::int64_t, std::int64_t of) { ++numbers, sum += of; });
    EXPECT_EQ(numbers, 2 * seen);
    EXPECT_EQ(sum, seen * (seen + 1) + 2 * seen);
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

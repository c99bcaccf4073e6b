// SPDX-License-Identifier: Apache-2.0
// Insights of any range, zone, group and choice of conversations against a count of the conversations as they were put,
// by the plainest code there is (tests/cache/insights_model.hpp).
#include "cache/upkeep/retention.hpp"
#include "tests/cache/insights_model.hpp"

#include <filesystem>

namespace alli::cache {
namespace {

using nlohmann::json;
using testing::SizeIs;

using Insight = InsightTest;

TEST_F(Insight, EqualsACountByHandAlsoAfterEditsAndDeletions)
{
    for (int n = 0; n < 150; ++n) add(n);
    expect_all_exact();

    for (int n = 0; n < 150; n += 3) {
        Model& model = models_["c" + std::to_string(n)];
        edit(model);
        put_again(model);
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
// moment, whichever conversations are chosen. ALLI_INSIGHT_SEED is another seed.
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
    expect_all_exact(100);
}

// Real dialogues in three languages, as a backfill brings them: the figures are right at every moment of it, and after
// edits, deletions and a purge.
TEST_F(Insight, EqualsACountByHandOfTheDialogues)
{
    const std::string path = std::string(ALLI_SOURCE) + "/../shared/data/dialogues.jsonl.gz";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no real dialogues here";
    const auto dialogues = sandbox::read_corpus(path);
    for (std::size_t n = 0; n < dialogues.size() && !HasFailure(); n += 4) {
        put_dialogue(static_cast<int>(n), dialogues[n]);
        if (n % 80 == 0) extend(2);
        if (n % 1'000 == 0) expect_all_exact(3);
    }
    EXPECT_FALSE(extend(1000));
    expect_all_exact();
    for (int n = 0; n < 200; ++n) change_something(1'000'000 + n);
    expect_all_exact();
}

TEST_F(Insight, EqualsACountByHandOfWhatRetentionLeaves)
{
    for (int n = 0; n < 120; ++n) add(n);
    EXPECT_FALSE(extend(1000));
    const std::int64_t horizon = insight_start + 8 * 86'400;
    sync_wait(apply_retention(*store_, support::at_second(horizon), std::chrono::hours(24), [] { return false; }));
    std::erase_if(models_, [&](const auto& one) {
        const json& c = one.second.conversation;
        const Seconds last = seconds_in(c, "lastChatTime"), at = last ? last : seconds_in(c, "createdAt");
        return at && *at < horizon;
    });
    ASSERT_GT(models_.size(), 40U);
    expect_all_exact(30);
    EXPECT_FALSE(extend(1000));
    expect_all_exact(30);
}

// A range that begins or ends within a day needs no count of that day.
TEST_F(Insight, CutsKeptDaysByQuartersOfAnHour)
{
    for (int n = 0; n < 60; ++n) add(n);
    EXPECT_FALSE(extend(1000));
    for (int n = 0; n < 60; ++n) {
        InsightQuery query;
        query.from = Instant(std::chrono::floor<Quarter>(std::chrono::seconds(insight_start + below(10 * 86'400))));
        query.to = *query.from + std::chrono::minutes(15 * below(300));
        expect_exact(query);
    }
}

TEST_F(Insight, ShowsTheUsersWithTheMostMessages)
{
    for (int n = 0; n < 230; ++n) {
        Model model = make(n);
        const std::string id = model.conversation["id"];
        model.conversation["user"]["userId"] = fmt::format("user{:03}", n);
        model.chats.clear();
        for (int i = 0; i < n / 20; ++i) model.chats.push_back(support::chat_json(id, i, insight_start + i, "text"));
        put(model);
    }
    EXPECT_FALSE(extend(1000));
    InsightQuery query;
    query.by = InsightGroup::user;
    const Insights found = count(query);
    ASSERT_THAT(found.rows, SizeIs(200));
    for (std::size_t n = 1; n < found.rows.size(); ++n)
        EXPECT_GE(found.rows[n - 1].figures.messages, found.rows[n].figures.messages);
    EXPECT_EQ(found.rows.front().figures.messages, 11);
    EXPECT_EQ(found.rows.back().figures.messages, 1);
}

TEST_F(Insight, SamplesQuestionsOfLongConversations)
{
    Model model;
    model.conversation = {{"id", "long"}, {"createdAt", insight_start}, {"lastChatTime", insight_start + 20'000}};
    model.conversation["chats"] = json::array();
    for (int n = 0; n < 14'000; ++n) {
        model.chats.push_back(support::chat_json("long", n, insight_start + n, n % 2 == 0 ? "환불 refund" : "answer"));
        if (n % 2 == 1) model.chats.back()["rating"] = false;
    }
    put(model);
    EXPECT_FALSE(extend(1000));
    const Insights found = count();
    EXPECT_EQ(found.sampled_all, 250);
    EXPECT_EQ(found.sampled_bad, 250);
    ASSERT_FALSE(found.words.empty());
    EXPECT_EQ(found.words.front().bad, 250);
}

} // namespace
} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/response_cache.hpp"

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

CachedResponse of(std::size_t size, char letter = 'x')
{
    return make_cached_response(std::string(size, letter), std::nullopt);
}

const cache::InvalidationVersions unchanged{};
constexpr std::nullopt_t never = std::nullopt;

void change(cache::InvalidationVersions& latest, std::int64_t conversation, std::uint64_t commit)
{
    cache::ChangeSet change_set;
    change_set.row("conversation", conversation);
    latest.publish(change_set, commit);
}

CachedResponse of_conversation(std::int64_t pk)
{
    CachedResponse answer = of(10);
    answer.row = pk;
    return answer;
}

TEST(ResponseCache, AreGoodUntilACommitChangesWhatTheyTell)
{
    cache::InvalidationVersions latest;
    CacheBudget budget(100'000);
    ResponseCache answers(budget);
    answers.put("/list", 7, of(10));
    answers.put("/a", 7, of_conversation(1));
    answers.put("/b", 7, of_conversation(2));
    change(latest, 2, 7);
    ASSERT_TRUE(answers.find("/list", latest, never)) << "put together after that commit";
    EXPECT_EQ(answers.find("/list", latest, never)->body.view(), "xxxxxxxxxx");
    EXPECT_FALSE(answers.find("/c", latest, never));
    change(latest, 2, 8);
    EXPECT_FALSE(answers.find("/list", latest, never));
    EXPECT_FALSE(answers.find("/b", latest, never));
    EXPECT_TRUE(answers.find("/a", latest, never));
    change(latest, 1, 9);
    EXPECT_FALSE(answers.find("/a", latest, never));
    EXPECT_EQ(answers.bytes(), 0U) << "what is out of date is not kept";
}

TEST(ResponseCache, AreAsOldAsTheMirrorIsNow)
{
    const auto at = [](int seconds) { return Instant{std::chrono::seconds(seconds)}; };
    CacheBudget budget(100'000);
    ResponseCache answers(budget);
    answers.put("/a", 1, make_cached_response("a", at(10)));
    EXPECT_EQ(answers.find("/a", unchanged, at(20))->verified_at, at(20));
    EXPECT_EQ(make_cached_response("b", at(10), at(5)).verified_at, at(5)) << "a part of it no poll verifies";
    EXPECT_EQ(make_cached_response("b", at(10), at(15)).verified_at, at(10));
}

TEST(ResponseCache, ReplaceTheOneOfTheSameTarget)
{
    CacheBudget budget(100'000);
    ResponseCache answers(budget);
    answers.put("/a", 1, of(10, 'x'));
    answers.put("/a", 2, of(20, 'y'));
    EXPECT_EQ(answers.find("/a", unchanged, never)->body.size(), 20U);
    EXPECT_LT(answers.bytes(), 400U);
}

TEST(ResponseCache, LetTheLeastUsedGoWhenTheyGrowTooBig)
{
    const auto find = [](ResponseCache& answers, const char* target) { return answers.find(target, unchanged, never); };
    CacheBudget budget(10'000);
    ResponseCache answers(budget);
    for (const char* target : {"/a", "/b", "/c", "/d"}) answers.put(target, 1, of(2000));
    EXPECT_TRUE(find(answers, "/a"));
    answers.put("/e", 1, of(2000));
    EXPECT_TRUE(find(answers, "/a")) << "used since";
    EXPECT_FALSE(find(answers, "/b"));
    EXPECT_LE(answers.bytes(), 10'000U);
    answers.put("/big", 1, of(9000));
    EXPECT_FALSE(find(answers, "/big")) << "it would push out all others";
    EXPECT_TRUE(find(answers, "/e"));
}

TEST(ResponseCache, KeepWhatIsLargerThanALoopsShareWhileThereIsRoom)
{
    CacheBudget budget(100'000, 64);
    ResponseCache first(budget), second(budget);
    first.put("/a", 1, of(20'000));
    EXPECT_TRUE(first.find("/a", unchanged, never));
    EXPECT_EQ(budget.used(), first.bytes());
    second.put("/b", 1, of(24'000));
    EXPECT_TRUE(second.find("/b", unchanged, never));
}

TEST(ResponseCache, NeverTakeMoreThanTheBudgetTogetherAndGiveUpWhatOthersLack)
{
    CacheBudget budget(10'000, 4);
    ResponseCache greedy(budget), modest(budget);
    modest.put("/small", 1, of(400));
    for (int n = 0; n < 20; ++n) greedy.put("/" + std::to_string(n), 1, of(500));
    EXPECT_LE(budget.used(), budget.most());
    modest.put("/a", 1, of(1500));
    EXPECT_FALSE(modest.find("/a", unchanged, never)) << "there is no room yet";
    EXPECT_TRUE(modest.find("/small", unchanged, never)) << "nobody gives up anything of his share";
    EXPECT_LE(budget.used(), budget.most());
    greedy.trim_to_share(); // as its loop does now and then
    EXPECT_LE(greedy.bytes(), budget.share());
    EXPECT_TRUE(greedy.find("/19", unchanged, never)) << "the latest stay";
    modest.put("/a", 1, of(1500));
    EXPECT_TRUE(modest.find("/a", unchanged, never));
    greedy.put("/more", 1, of(500));
    greedy.trim_to_share();
    EXPECT_TRUE(greedy.find("/more", unchanged, never)) << "nobody called since";
}

TEST(ResponseCache, GiveBackWhatTheyTook)
{
    CacheBudget budget(10'000);
    {
        ResponseCache answers(budget);
        answers.put("/a", 1, of(1000));
        answers.put("/a", 2, of(500));
        EXPECT_EQ(budget.used(), answers.bytes());
    }
    EXPECT_EQ(budget.used(), 0U);
}

TEST(ResponseCache, TellBodiesApartByTheirTags)
{
    EXPECT_EQ(of(10).tag, of(10).tag);
    EXPECT_NE(of(10).tag, of(11).tag);
    EXPECT_NE(of(10, 'x').tag, of(10, 'y').tag);
    EXPECT_EQ(of(1).tag.front(), '"');
}

TEST(ResponseCache, MoveALongBodyToAFileWhenItIsAskedForAgain)
{
    CacheBudget budget(1'000'000);
    ResponseCache answers(budget);
    answers.put("/short", 1, of(65'535));
    answers.put("/long", 1, of(100'001));
    const std::size_t before = answers.bytes();
    EXPECT_EQ(answers.find("/short", unchanged, never)->body.extent(), nullptr);
    const CachedResponse* found = answers.find("/long", unchanged, never);
    ASSERT_TRUE(found->body.extent());
    EXPECT_EQ(found->body.text(), std::string(100'001, 'x'));
    const auto* extent = found->body.extent();
    EXPECT_EQ(answers.find("/long", unchanged, never)->body.extent(), extent) << "once";
    EXPECT_EQ(answers.bytes(), before) << "the pages were counted from the start";
    EXPECT_GE(before, 100'001U / 4096 * 4096 + 4096 + 65'535);
}

} // namespace
} // namespace alli::proxy

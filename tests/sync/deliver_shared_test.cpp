// SPDX-License-Identifier: Apache-2.0
// A deliverer that is one of several machines': each step is taken in what they share first, and nothing is sent, or
// told, that was not granted there.
#include "tests/sync/deliver_fixture.hpp"

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::EntryState;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

class SharedDelivery : public DeliverTest {
  protected:
    SharedDelivery()
    {
        begin_ = [this](Beginning beginning) { return grant(std::move(beginning)); };
        settle_ = [this](std::int64_t id, cache::Outcome outcome) { return note(id, std::move(outcome)); };
    }

    Task<bool> grant(Beginning beginning)
    {
        steps.push_back("begin " + std::to_string(beginning.id) + " " + state(beginning.id));
        if (takes.count() > 0) co_await clock_.sleep(std::exchange(takes, slow ? takes : 0ms));
        while (lost) co_await clock_.sleep(1h);
        co_return grants;
    }
    Task<bool> note(std::int64_t id, cache::Outcome outcome)
    {
        steps.push_back("settle " + std::to_string(id) + " " + std::string(name_of(outcome.state)) + " " + state(id));
        while (lost) co_await clock_.sleep(1h);
        co_return stands;
    }
    std::string state(std::int64_t id) { return std::string(name_of(entry(id).state)); }

    std::vector<std::string> steps; // what was asked, and what the outbox here said then
    bool grants = true, stands = true, lost = false, slow = false;
    std::chrono::milliseconds takes{0};
};

TEST_F(SharedDelivery, TakesEachStepThereFirst)
{
    const auto offered = title("a", "new");
    EXPECT_TRUE(offered->reply);
    EXPECT_THAT(steps, ElementsAre("begin 1 pending", "settle 1 delivered sending"));
    EXPECT_EQ(state(1), "delivered");
    EXPECT_EQ(upstream_.applied.size(), 1U);
}

TEST_F(SharedDelivery, SendsNothingThatIsNotGranted)
{
    grants = false;
    title("a", "new");
    EXPECT_THAT(upstream_.applied, IsEmpty());
    EXPECT_EQ(state(1), "pending");
    EXPECT_EQ(entry(1).attempts, 0);
}

TEST_F(SharedDelivery, BeginsAnewWhatWasGrantedTooLongAgo)
{
    takes = 201ms;
    title("a", "new");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(steps, ElementsAre("begin 1 pending", "begin 1 sending", "settle 1 delivered sending"));
    EXPECT_EQ(entry(1).attempts, 1);
    EXPECT_EQ(upstream_.applied.size(), 1U);
}

TEST_F(SharedDelivery, WaitsWhereNoGrantIsEverRecent)
{
    takes = 300ms;
    slow = true;
    title("a", "new");
    ASSERT_TRUE(until([&] { return !steps.empty() && steps.back().starts_with("settle"); }));
    EXPECT_THAT(upstream_.applied, IsEmpty());
    EXPECT_EQ(steps.back(), "settle 1 pending sending");
    slow = false;
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.applied.size(), 1U);
}

TEST_F(SharedDelivery, TellsNobodyWhatIsNotWrittenDownThere)
{
    stands = false;
    const auto offered = title("a", "new");
    EXPECT_FALSE(offered->reply);
    EXPECT_EQ(state(1), "sending");
}

TEST_F(SharedDelivery, EndsInOrderWhenItMayNotDeliverAnyMore)
{
    lost = true;
    const auto offered = title("a", "new");
    EXPECT_THAT(upstream_.applied, IsEmpty());
    EXPECT_FALSE(offered->done);
    stop();
    EXPECT_FALSE(running_);
}

TEST_F(SharedDelivery, LeavesInDoubtWhatItMayNotSettleAnyMore)
{
    upstream_.after = [this](const upstream::Request& request) { lost = lost || request.method == "PUT"; };
    title("a", "new");
    EXPECT_EQ(upstream_.applied.size(), 1U);
    EXPECT_THAT(steps, ElementsAre("begin 1 pending", "settle 1 delivered sending"));
    EXPECT_EQ(state(1), "sending");
    stop();
    EXPECT_TRUE(entry(1).in_doubt);
}

TEST_F(SharedDelivery, FailsLateStopsThereFirst)
{
    upstream_.away = true;
    offer(write_of(EditKind::stop, "a", ""));
    clock_.advance(61s);
    ASSERT_TRUE(until([&] { return state(1) == "failed"; }));
    EXPECT_EQ(steps.back(), "settle 1 failed pending");
}

} // namespace
} // namespace alli::sync

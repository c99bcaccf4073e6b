// SPDX-License-Identifier: Apache-2.0
// What is fetched after the end of a run, and when whoever waits for it is told: not before all of the answer is held,
// whatever upstream's reads show meanwhile.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

class AfterTheEnd : public Settled {
  protected:
    struct Told {
        std::uint64_t fence;
        bool whole;
        std::chrono::nanoseconds at; // since it was asked for
        bool operator==(const Told&) const = default;
    };

    AfterTheEnd() { options_.read_lag = 10s; }

    /// Asks for it while a poll is under way, and runs for a while; `live` sees each step, with the time since then.
    void settle(std::optional<std::int64_t> before, std::function<void(std::chrono::nanoseconds)> live,
                std::chrono::seconds lasts = 25s)
    {
        Engine* running = nullptr;
        std::optional<std::chrono::nanoseconds> since;
        model_.before = [&](const upstream::Request&) -> std::optional<upstream::Reply> {
            if (!running || since) return std::nullopt;
            since = clock_.passed();
            model_.targets.clear();
            running->settle({"c5"}, 7, before);
            return std::nullopt;
        };
        auto done = [&](Engine& engine) {
            if (!running)
                engine.on_fetched([&](const ConversationId&, std::uint64_t fence, bool whole) {
                    told_.push_back({fence, whole, clock_.passed() - *since});
                });
            running = &engine;
            if (!since) return false;
            live(clock_.passed() - *since);
            return clock_.passed() - *since > lasts;
        };
        run_until(done, 100'000);
        model_.before = {};
    }
    std::size_t asked() const
    {
        return static_cast<std::size_t>(
            std::count_if(model_.targets.begin(), model_.targets.end(),
                          [](const auto& one) { return one.find("/c5") != std::string::npos; }));
    }
    void answer(bool completed)
    {
        model_.add("c5", model_.now, 1);
        model_.conversations["c5"].chats.back()["completed"] = completed;
        model_.conversations["c5"].chats.back()["sender"] = "BOT";
    }
    std::int64_t held()
    {
        return store_->read([](cache::Reader& db) { return cache::find_held(db, {"c5"}); })->chats;
    }

    std::vector<Told> told_;
};

TEST_F(AfterTheEnd, WhoWaitsIsToldAtOnceWhereTheAnswerIsThere)
{
    const auto before = held();
    answer(true);
    settle(before, [](auto) {});
    ASSERT_EQ(told_.size(), 1u);
    EXPECT_EQ(told_[0].fence, 7u);
    EXPECT_TRUE(told_[0].whole);
    EXPECT_LT(told_[0].at, 100ms);
    EXPECT_LE(asked(), 2u);
}

TEST_F(AfterTheEnd, ACopyFromBeforeDoesNotEndTheWaitForAsLongAsReadsMayLag)
{
    const auto before = held();
    bool there = false;
    settle(before, [&](auto time) {
        if (time < 4s || there) return;
        there = true;
        answer(true);
    });
    ASSERT_EQ(told_.size(), 1u) << "not of what was from before";
    EXPECT_TRUE(told_[0].whole);
    EXPECT_GE(told_[0].at, 4s);
    EXPECT_LE(told_[0].at, 6s) << "somebody waits";
    EXPECT_LE(asked(), 20u);
}

TEST_F(AfterTheEnd, ACopyThatStillGrowsDoesNotEndItEither)
{
    const auto before = held();
    answer(false);
    bool there = false;
    settle(before, [&](auto time) {
        if (time < 3s || there) return;
        there = true;
        model_.conversations["c5"].chats.back()["completed"] = true;
    });
    ASSERT_EQ(told_.size(), 1u);
    EXPECT_TRUE(told_[0].whole);
    EXPECT_GE(told_[0].at, 3s);
    EXPECT_LE(told_[0].at, 5s);
}

TEST_F(AfterTheEnd, NorDoesOneWhoseAnswerGrowsBeforeTheLast)
{
    const auto before = held();
    answer(false);
    answer(true); // to what somebody else has asked
    settle(before, [](auto) {});
    ASSERT_FALSE(told_.empty());
    for (const Told& told : told_) EXPECT_FALSE(told.whole);
}

TEST_F(AfterTheEnd, NorDoesOneThatEndsWithTheQuestion)
{
    const auto before = held();
    model_.add("c5", model_.now, 1);
    model_.conversations["c5"].chats.back()["completed"] = true;
    model_.conversations["c5"].chats.back()["sender"] = "USER";
    bool there = false;
    settle(before, [&](auto time) {
        if (time < 2s || there) return;
        there = true;
        answer(true);
    });
    ASSERT_EQ(told_.size(), 1u);
    EXPECT_GE(told_[0].at, 2s);
}

TEST_F(AfterTheEnd, ANewConversationIsWaitedForAndOneThatIsGoneIsNot)
{
    const auto entry = model_.conversations["c5"];
    model_.conversations.erase("c5");
    settle(
        5, [](auto) {}, 1s);
    ASSERT_EQ(told_.size(), 1u) << "it was there before: it is gone";
    EXPECT_TRUE(told_[0].whole);
    told_.clear();

    bool there = false;
    settle(0, [&](auto time) {
        if (time < 4s || there) return;
        there = true;
        model_.conversations["c5"] = entry;
        answer(true);
    });
    ASSERT_EQ(told_.size(), 1u);
    EXPECT_TRUE(told_[0].whole);
    EXPECT_GE(told_[0].at, 4s);
}

TEST_F(AfterTheEnd, AfterTheLagNobodyWaitsForWhatDoesNotCome)
{
    answer(false);
    settle(
        0, [](auto) {}, 60s);
    ASSERT_FALSE(told_.empty());
    EXPECT_FALSE(told_[0].whole) << "upstream has to be asked";
    EXPECT_GE(told_[0].at, 10s);
    EXPECT_LE(told_[0].at, 12s);
    told_.clear();

    model_.conversations["c5"].chats.back()["completed"] = true;
    const auto all = held();
    settle(
        all, [](auto) {}, 60s); // a run that left nothing
    ASSERT_EQ(told_.size(), 1u);
    EXPECT_TRUE(told_[0].whole);
    EXPECT_GE(told_[0].at, 10s);
    EXPECT_LE(told_[0].at, 12s);
}

TEST_F(AfterTheEnd, OfAChangeThatIsNoRunTheFirstFetchWillDo)
{
    answer(true);
    settle(std::nullopt, [](auto) {});
    ASSERT_EQ(told_.size(), 1u);
    EXPECT_TRUE(told_[0].whole);
    EXPECT_LT(told_[0].at, 100ms);
}

} // namespace
} // namespace alli::sync

// SPDX-License-Identifier: Apache-2.0
// An upstream that answers, but not with anything that can be read: how soon it is asked again, and what is said of it.
#include "sync/jobs.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

class CaptivePortal : public EngineTest {
  protected:
    CaptivePortal()
    {
        model_.before = [this](const upstream::Request&) -> std::optional<upstream::Reply> {
            asked_ = clock_.passed();
            if (!shut_) return std::nullopt;
            upstream::Reply page;
            page.status = 200;
            page.body = "<html>Log in to the hotel's network</html>";
            return page;
        };
    }

    /// The engine behind it for so long; then it opens, `at_the_end` happens, and how long it takes until `done`.
    std::chrono::nanoseconds stay(std::chrono::nanoseconds time, std::function<void(Engine&)> at_the_end,
                                  std::function<bool(Engine&)> done)
    {
        shut_ = true;
        std::chrono::nanoseconds opened{0};
        const auto ends = clock_.passed() + time;
        auto look = [&](Engine& engine) {
            if (shut_ && clock_.passed() >= ends && clock_.passed() - asked_ >= quiet_) {
                shut_ = false;
                opened = clock_.passed();
                seen_ = *engine.state();
                at_the_end(engine);
            }
            return !shut_ && done(engine);
        };
        run_until(look, 200'000);
        return clock_.passed() - opened;
    }

    static bool has_polled(Engine& engine) { return engine.state()->passes > 0; }
    static void nothing(Engine&) {}

    bool shut_ = false;
    State seen_;                        // when it opened
    std::chrono::nanoseconds asked_{0}; // when anything was asked last
    std::chrono::nanoseconds quiet_{0}; // it opens when nothing was for so long
};

TEST_F(CaptivePortal, HoldsUpPollsNoLongerThanAnInterval)
{
    fill(3);
    pass();
    EXPECT_LE(stay(2h, nothing, has_polled), options_.interval + 30s) << "one that is under way has tries to make";
}

TEST_F(CaptivePortal, IsNotTakenForAHealthyUpstream)
{
    fill(3);
    pass();
    stay(2h, nothing, has_polled);
    EXPECT_FALSE(seen_.reachable);
    EXPECT_THAT(seen_.error, testing::HasSubstr("list"));
    EXPECT_TRUE(seen_.failing_since);
}

TEST_F(CaptivePortal, IsNotTakenForAHealthyUpstreamBeforeAnythingWasRead)
{
    fill(3);
    stay(
        2h, [](Engine& engine) { engine.insist(); }, has_polled);
    EXPECT_FALSE(seen_.reachable);
    EXPECT_FALSE(seen_.error.empty());
}

TEST_F(CaptivePortal, IsLookedBehindAtOnceWhenAPersonInsists)
{
    fill(3);
    auto insist = [](Engine& engine) { engine.insist(); };
    auto complete = [](Engine& engine) { return engine.state()->backfill_done; };
    EXPECT_LE(stay(8h, insist, complete), 30s);
    expect_mirror_equals_model();
}

TEST_F(CaptivePortal, IsLookedBehindSoonerWhereSomebodyReads)
{
    fill(3);
    pass();
    options_.interval = 20min;
    quiet_ = 5s;
    auto wake = [](Engine& engine) { engine.wake(); };
    EXPECT_LE(stay(2h, wake, has_polled), 45s);
}

TEST(Jobs, AreHastenedToAShortPauseAfterTheLastTry)
{
    Job job{"a poll failed"};
    job.failed_at = Clock::Steady(100s);
    job.not_before = Clock::Steady(1'000s);
    Jobs::hasten(job);
    EXPECT_EQ(job.not_before, Clock::Steady(115s)) << "at once, an upstream in trouble would hear of each reader";
    job.not_before = Clock::Steady(110s);
    Jobs::hasten(job);
    EXPECT_EQ(job.not_before, Clock::Steady(110s));
}

} // namespace
} // namespace alli::sync

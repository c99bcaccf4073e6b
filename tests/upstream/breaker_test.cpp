// SPDX-License-Identifier: Apache-2.0
#include "upstream/breaker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;
using Asker = Breaker::Asker;
using Pass = Breaker::Pass;
using State = Breaker::State;
using testing::HasSubstr;

struct BreakerTest : testing::Test {
    void fail(int times, bool probe = false)
    {
        for (int i = 0; i < times; ++i)
            breaker.failed(now, Fault::unreachable, "cannot reach backend: no connection", probe);
    }
    Pass ask(Asker asker = Asker::sync) { return breaker.ask(now, asker); }
    void open()
    {
        fail(5);
        ASSERT_EQ(breaker.state(), State::open);
    }
    std::chrono::nanoseconds pause() const { return breaker.due() - now; }

    SeededRandom random{7};
    Breaker breaker{random, Breaker::Options()};
    Clock::Steady now{1h};
};

TEST_F(BreakerTest, OpensAtFiveFailuresInARow)
{
    fail(4);
    EXPECT_EQ(ask(), Pass::go);
    breaker.answered();
    fail(4);
    EXPECT_EQ(ask(), Pass::go);
    fail(1);
    EXPECT_EQ(breaker.state(), State::open);
    EXPECT_EQ(ask(), Pass::refused);
    EXPECT_EQ(breaker.times_opened(), 1u);
}

TEST_F(BreakerTest, LetsOneProbeThroughAndClosesWhenItIsAnswered)
{
    open();
    now = breaker.due() - 1ns;
    EXPECT_EQ(ask(), Pass::refused);
    now += 1ns;
    EXPECT_EQ(ask(), Pass::probe);
    EXPECT_EQ(breaker.state(), State::half_open);
    EXPECT_EQ(ask(), Pass::refused);
    breaker.answered();
    EXPECT_EQ(ask(), Pass::go);
    fail(4);
    EXPECT_EQ(ask(), Pass::go) << "counting begins anew";
}

TEST_F(BreakerTest, PausesGrowFromFiveSecondsToTwentyFiveWithJitter)
{
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        SeededRandom own(seed);
        Breaker each(own, Breaker::Options());
        for (int i = 0; i < 5; ++i) each.failed(now, Fault::unreachable, "", false);
        auto ceiling = 10s;
        for (int round = 0; round < 60; ++round) {
            EXPECT_GE(each.due() - now, 5s);
            EXPECT_LE(each.due() - now, std::min<std::chrono::seconds>(ceiling, 25s));
            now = each.due();
            EXPECT_EQ(each.ask(now, Asker::sync), Pass::probe);
            each.failed(now, Fault::unreachable, "", true);
            ceiling = std::min(ceiling * 2, std::chrono::seconds(1000));
        }
    }
}

TEST_F(BreakerTest, LatePausesAreSpreadWide)
{
    open();
    auto least = std::chrono::nanoseconds::max(), most = std::chrono::nanoseconds::zero();
    for (int round = 0; round < 100; ++round) {
        now = breaker.due();
        ASSERT_EQ(ask(), Pass::probe);
        fail(1, true);
        if (round < 10) continue;
        least = std::min(least, pause());
        most = std::max(most, pause());
    }
    EXPECT_LT(least, 8s);
    EXPECT_GT(most, 22s);
}

TEST_F(BreakerTest, FailuresOfEarlierRequestsDoNotLengthenThePause)
{
    open();
    const auto due = breaker.due();
    fail(20);
    EXPECT_EQ(breaker.due(), due);
    EXPECT_EQ(breaker.times_opened(), 1u);
    now = due;
    EXPECT_EQ(ask(), Pass::probe);
    fail(20);
    EXPECT_EQ(breaker.state(), State::half_open) << "only the probe decides";
}

TEST_F(BreakerTest, AnAnswerToAnEarlierRequestClosesIt)
{
    open();
    breaker.answered();
    EXPECT_EQ(ask(), Pass::go);
}

TEST_F(BreakerTest, AProbeThatIsGivenUpMakesRoomForAnother)
{
    open();
    now = breaker.due();
    EXPECT_EQ(ask(), Pass::probe);
    breaker.probe_lost(now);
    EXPECT_EQ(ask(), Pass::probe);
}

TEST_F(BreakerTest, AnAppIsTheProbeOnceASecondAtMost)
{
    open();
    int probes = 0;
    for (int tenths = 0; tenths < 100; ++tenths, now += 100ms) {
        if (ask(Asker::app) != Pass::probe) continue;
        ++probes;
        fail(1, true);
    }
    EXPECT_GE(probes, 8);
    EXPECT_LE(probes, 10);
}

TEST_F(BreakerTest, AnAppWaitsTwiceAsLongAsTheLastProbeTook)
{
    open();
    now += 1s;
    ASSERT_EQ(ask(Asker::app), Pass::probe);
    now += 5s; // its timeout
    fail(1, true);
    now += 9s;
    EXPECT_EQ(ask(Asker::app), Pass::refused);
    now += 1s;
    EXPECT_EQ(ask(Asker::app), Pass::probe);
}

TEST_F(BreakerTest, IsHastenedToASecondAfterTheLastProbe)
{
    open();
    breaker.hasten(now);
    EXPECT_EQ(pause(), 1s);
    now += 1s;
    ASSERT_EQ(ask(), Pass::probe);
    fail(1, true);
    now += 3s;
    breaker.hasten(now);
    EXPECT_EQ(ask(), Pass::probe);
}

TEST_F(BreakerTest, DeliveryKeepsItsOwnPausesButIsOneProbeAtATime)
{
    open();
    for (int i = 0; i < 20; ++i) {
        now += 100ms;
        EXPECT_EQ(ask(), Pass::refused);
        EXPECT_EQ(ask(Asker::delivery), Pass::probe);
        EXPECT_EQ(ask(Asker::delivery), Pass::refused) << "one at a time";
        fail(1, true);
    }
    EXPECT_EQ(ask(Asker::delivery), Pass::probe);
    breaker.answered();
    EXPECT_EQ(ask(Asker::app), Pass::go) << "what delivery finds out is true for all";
}

TEST_F(BreakerTest, APersonsWishMakesTheNextOneTheProbeWhoeverItIs)
{
    open();
    breaker.wake(now);
    EXPECT_EQ(ask(Asker::app), Pass::probe);
    fail(1, true);
    EXPECT_EQ(ask(Asker::app), Pass::refused) << "one wish, one probe";
}

TEST_F(BreakerTest, SaysWhatFailedAndWhenItIsTriedAgain)
{
    open();
    now = breaker.due() - 4s;
    const Error error = breaker.refusal(now);
    EXPECT_EQ(error.fault(), Fault::unreachable);
    EXPECT_STREQ(error.what(), "cannot reach backend: no connection (it failed several times in a row and is tried "
                               "again in 4 s)");
    EXPECT_THAT(error.hint(), HasSubstr("sync"));
    now = breaker.due();
    ask();
    EXPECT_THAT(breaker.refusal(now).what(), HasSubstr("being tried again"));
}

} // namespace

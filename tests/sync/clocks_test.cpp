// SPDX-License-Identifier: Apache-2.0
// Clocks that are off: a gateway's that stamps the Date, two gateways', ours. The earlier of two counts, whatever the
// data say; as long as one of them is right, nothing is missed, and a person is told.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using std::chrono::seconds;

struct Off {
    std::vector<std::int64_t> gateways; // their clocks less the data's, in turn
    std::int64_t ours = 0;
};

class OffClocks : public EngineTest, public testing::WithParamInterface<Off> {
  protected:
    static constexpr std::int64_t origin = 2'000'000'000;

    OffClocks()
    {
        options_.clock_tolerance = std::chrono::minutes(1);
        clock_.set_now(support::at_second(origin));
        model_.before = [this](const upstream::Request&) -> std::optional<upstream::Reply> {
            model_.now = data_now() + (gateways_.empty() ? 0 : gateways_[turn_++ % gateways_.size()]);
            return std::nullopt;
        };
    }

    std::int64_t data_now() const { return origin + std::chrono::floor<seconds>(clock_.passed()).count(); }

    const cache::Problem* clock_problem()
    {
        found_ = problems();
        for (const cache::Problem& it : found_)
            if (it.key == "clock") return &it;
        return nullptr;
    }

    std::vector<std::int64_t> gateways_;
    std::size_t turn_ = 0;
    std::vector<cache::Problem> found_;
};

TEST_P(OffClocks, HideNothingNew)
{
    fill(5);
    gateways_ = GetParam().gateways;
    clock_.set_now(support::at_second(data_now() + GetParam().ours));
    pass();
    for (int n = 0; n < 40; ++n) {
        clock_.advance(seconds(37));
        const std::string id = "new" + std::to_string(n);
        model_.add(id, data_now() - 1, 2);
        clock_.advance(seconds(1));
        pass();
        ASSERT_TRUE(holds(id)) << n;
        const auto progress = store_->read([](cache::Reader& db) { return cache::load_progress(db); });
        EXPECT_LE(*progress.boundary, support::at_second(data_now())) << n;
    }
    EXPECT_TRUE(complete());
    expect_mirror_equals_model();
    // Of two gateways the last that answered this process decides.
    const bool off = GetParam().ours != 0 ||
                     (!gateways_.empty() && std::find(gateways_.begin(), gateways_.end(), 0) == gateways_.end());
    if (!off) return;
    ASSERT_TRUE(clock_problem());
    EXPECT_THAT(clock_problem()->what, testing::AllOf(testing::HasSubstr("Date says"), testing::HasSubstr("clock")));
}

INSTANTIATE_TEST_SUITE_P(Clocks, OffClocks,
                         testing::Values(Off{{}, 0}, Off{{600}, 0}, Off{{86'400}, 0}, Off{{-600}, 0}, Off{{-86'400}, 0},
                                         Off{{}, 600}, Off{{}, 86'400}, Off{{}, -600}, Off{{}, -86'400},
                                         Off{{600, 0}, 0}, Off{{0, -600}, 0}, Off{{86'400, 0, -900}, 0},
                                         Off{{86'400, 600}, 0}, Off{{-86'400, -600}, 0}, Off{{-600}, 86'400},
                                         Off{{600, -600}, 0}, Off{{600}, -600}));

// Ours, set while it runs: ahead, back, and right again.
TEST_F(OffClocks, OursThatIsSetHidesNothingNew)
{
    fill(5);
    pass();
    const std::vector<std::int64_t> offs{0, 3'600, -3'600, 86'400, 0, -86'400, 0};
    for (std::size_t n = 0; n < offs.size() * 4; ++n) {
        clock_.advance(seconds(37));
        clock_.set_now(support::at_second(data_now() + offs[n / 4]));
        const std::string id = "new" + std::to_string(n);
        model_.add(id, data_now() - 1, 1);
        pass();
        ASSERT_TRUE(holds(id)) << n;
    }
    expect_mirror_equals_model();
}

// The service's data may bear any time: polls go on from when they were sent, not from what they showed. A little ahead
// is the worst: it looks like a boundary, and of the overlap, in which chats may become visible late, half is gone.
TEST_F(OffClocks, AConversationFromTheFutureHidesNothingThatComesLate)
{
    fill(5);
    pass();
    for (const std::int64_t ahead : {250, 86'400}) {
        model_.add("ahead" + std::to_string(ahead), data_now() + ahead, 1);
        pass();
        clock_.advance(seconds(37));
        const std::string id = "late" + std::to_string(ahead);
        model_.add(id, data_now() - 500, 1); // it was not visible until now
        pass();
        ASSERT_TRUE(holds(id)) << ahead;
    }
    const auto progress = store_->read([](cache::Reader& db) { return cache::load_progress(db); });
    EXPECT_LE(*progress.boundary, support::at_second(data_now()));
    expect_mirror_equals_model();
}

TEST_F(OffClocks, OneThatIsRightAgainIsNoProblemAfterAWhile)
{
    fill(5);
    gateways_ = {600, 0, 0, 0};
    run_for(std::chrono::minutes(9));
    ASSERT_TRUE(clock_problem()) << "though another gateway answered since";
    EXPECT_THAT(clock_problem()->what, testing::HasSubstr("10 min ahead"));
    gateways_ = {0};
    run_for(std::chrono::minutes(12));
    EXPECT_FALSE(clock_problem());
}

TEST_F(OffClocks, OursFromBeforeTheProgramWasBuiltIsNotHeeded)
{
    upstream::RateLimiter pace(clock_, {0, 4});
    upstream::Client::Options options{"key", unit_};
    options.built_at = support::at_second(origin - 1'000);
    upstream::Client client(model_, pace, clock_, options);
    asio::io_context loop;
    std::optional<upstream::Listed> listed;
    const auto ask = [&] {
        std::function<Task<>()> work = [&]() -> Task<> {
            upstream::ListQuery query;
            listed = co_await client.list_conversations(query, upstream::Priority::increment);
        };
        asio::co_spawn(loop, work(), asio::detached);
        support::run_until_idle(loop);
        loop.restart();
    };
    clock_.set_now(support::at_second(0)); // a machine without a battery
    ask();
    EXPECT_EQ(listed->asked_at, support::at_second(data_now()));
    EXPECT_FALSE(listed->clocks.ours_is_heeded);
    clock_.set_now(support::at_second(origin - 999));
    ask();
    EXPECT_EQ(listed->asked_at, support::at_second(origin - 999)) << "the earlier one counts";
}

} // namespace
} // namespace alli::sync

// SPDX-License-Identifier: Apache-2.0
// What a node tells the others of runs and asks of the leader, over the model of what is shared.
#include "daemon/node/refresh_requests.hpp"
#include "daemon/node/run_notes.hpp"
#include "tests/support/model_truth.hpp"
#include "tests/support/pass_time.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <gmock/gmock.h>

namespace simulation {
namespace {

using namespace alli;
using namespace std::chrono_literals;
using cluster::RunState;
using testing::ElementsAre;
using testing::IsEmpty;

class RunNotes : public testing::Test {
  protected:
    void SetUp() override
    {
        asio::co_spawn(loop_, notes_.run(), asio::bind_cancellation_slot(cancel_notes_.slot(), asio::detached));
        asio::co_spawn(loop_, requests_.run(), asio::bind_cancellation_slot(cancel_requests_.slot(), asio::detached));
    }

    void TearDown() override
    {
        cancel_notes_.emit(asio::cancellation_type::terminal);
        cancel_requests_.emit(asio::cancellation_type::terminal);
        pass(1s);
    }

    daemon::RunBarrier barrier()
    {
        return {
            .running = [this](const ConversationId& id) { told_.push_back(id.value + " running"); },
            .ended = [this](const ConversationId& id) -> std::uint64_t {
                told_.push_back(id.value + " ended");
                return ++fences_;
            },
            .settled = [this](const ConversationId& id,
                              std::uint64_t fence) { told_.push_back(fmt::format("{} settled {}", id.value, fence)); },
            .is_fetched = [this](const ConversationId&, std::uint64_t) { return fetched_; }};
    }

    void pass(std::chrono::milliseconds time) { support::pass_time(loop_, clock_, time); }
    RunState state_of(const std::string& id) { return database_.contents.runs.at(id).state; }
    std::int64_t number_of(const std::string& id) { return database_.contents.runs.at(id).number; }

    support::FakeClock clock_;
    support::ModelDatabase database_{clock_, 1};
    boost::asio::io_context loop_;
    support::ModelTruth truth_{loop_.get_executor(), database_, clock_, {"one", "holder"}, 2};
    std::vector<std::string> told_;
    std::uint64_t fences_ = 100;
    std::optional<bool> fetched_ = false;
    daemon::RunNotes notes_{loop_, truth_, clock_, "one", barrier()};
    daemon::RefreshRequests requests_{loop_, truth_, clock_};
    asio::cancellation_signal cancel_notes_, cancel_requests_;
};

TEST_F(RunNotes, AreToldInTheirOrderHoweverLongTheDatabaseIsAway)
{
    truth_.link.cut = true;
    notes_.note({"a"}, RunState::running, 0);
    notes_.note({"a"}, RunState::ended, 1);
    const std::uint64_t last = notes_.note({"b"}, RunState::running, 0);
    pass(30s);
    EXPECT_FALSE(notes_.find_told(last - 2));
    truth_.link.cut = false;
    pass(10s);
    EXPECT_EQ(state_of("a"), RunState::ended);
    EXPECT_EQ(state_of("b"), RunState::running);
    EXPECT_LT(number_of("a"), number_of("b"));
    EXPECT_EQ(notes_.find_told(last), number_of("b"));
    EXPECT_THAT(told_, IsEmpty()) << "its own barrier knew before";
}

TEST_F(RunNotes, WhatAnotherNodeTellsOfHoldsUntilItIsSettled)
{
    notes_.hear({"a", "two", RunState::running, 5});
    notes_.hear({"a", "two", RunState::ended, 6});
    notes_.hear({"a", "two", RunState::ended, 6}); // rounds overlap
    EXPECT_THAT(told_, ElementsAre("a running", "a ended"));
    EXPECT_FALSE(notes_.has_fetched({"a", "two", RunState::ended, 6}));
    fetched_ = true;
    EXPECT_TRUE(notes_.has_fetched({"a", "two", RunState::ended, 6}));
    EXPECT_FALSE(notes_.has_fetched({"a", "two", RunState::ended, 7})) << "a later one, of which it did not hear";
    notes_.hear({"a", "two", RunState::settled, 8});
    notes_.hear({"unknown", "two", RunState::settled, 9});
    EXPECT_THAT(told_, ElementsAre("a running", "a ended", "a settled 101"));
}

TEST_F(RunNotes, WhatTheBarrierForgotIsAskedForAgain)
{
    notes_.hear({"a", "two", RunState::ended, 6});
    fetched_.reset();
    EXPECT_FALSE(notes_.has_fetched({"a", "two", RunState::ended, 6}));
    EXPECT_FALSE(notes_.has_fetched({"a", "two", RunState::ended, 6}));
    EXPECT_THAT(told_, ElementsAre("a ended", "a ended")) << "not each time that it is looked at";
    pass(10s);
    EXPECT_FALSE(notes_.has_fetched({"a", "two", RunState::ended, 6}));
    EXPECT_EQ(told_.size(), 3U);
    fetched_ = true;
    EXPECT_TRUE(notes_.has_fetched({"a", "two", RunState::ended, 6}));
}

// No engine ran here when it ended.
TEST_F(RunNotes, WhatWasOnItsWayWhenThisNodeBeganToLeadIsAskedForHere)
{
    truth_.link.cut = true;
    notes_.note({"a"}, RunState::ended, 7);
    pass(3s);
    notes_.begin_leading();
    truth_.link.cut = false;
    pass(3s);
    fetched_ = true; // of the fence that there was
    EXPECT_FALSE(notes_.has_fetched({"a", "one", RunState::ended, number_of("a")}));
    EXPECT_THAT(told_, ElementsAre("a ended"));
    EXPECT_TRUE(notes_.has_fetched({"a", "one", RunState::ended, number_of("a")}));
}

TEST_F(RunNotes, WhatHappenedHereIsSettledByItsOwnRowAlone)
{
    notes_.note({"a"}, RunState::ended, 7);
    pass(1s);
    const std::int64_t first = number_of("a");
    notes_.hear({"a", "one", RunState::ended, first}); // it knows
    EXPECT_TRUE(notes_.has_fetched({"a", "one", RunState::ended, first}) == fetched_.value());
    truth_.link.cut = true;
    notes_.note({"a"}, RunState::ended, 9);
    support::run_until_idle(loop_);
    notes_.hear({"a", "one", RunState::settled, first + 1}); // of the first, while the second is on its way
    EXPECT_THAT(told_, IsEmpty());
    truth_.link.cut = false;
    pass(10s);
    notes_.hear({"a", "one", RunState::settled, first}); // of a round that was read before
    EXPECT_THAT(told_, IsEmpty());
    notes_.hear({"a", "one", RunState::settled, number_of("a") + 1});
    EXPECT_THAT(told_, ElementsAre("a settled 9"));
}

TEST_F(RunNotes, RowsOfTheProcessBeforeAreHeardAsThoseOfAnother)
{
    notes_.hear({"a", "one", RunState::running, 5});
    EXPECT_THAT(told_, ElementsAre("a running"));
}

TEST_F(RunNotes, OneThatBeginsToLeadFetchesWhatItWasToldOfBefore)
{
    notes_.hear({"a", "two", RunState::ended, 6});
    notes_.begin_leading();
    notes_.hear({"a", "two", RunState::ended, 6});
    EXPECT_THAT(told_, ElementsAre("a ended", "a ended"));
}

TEST_F(RunNotes, TheLeaderIsAskedForAConversationRarely)
{
    for (int n = 0; n < 100; ++n) requests_.ask("a");
    requests_.ask("*");
    pass(1s);
    EXPECT_THAT(database_.contents.refreshes, ElementsAre(testing::Key("*"), testing::Key("a")));
    database_.contents.refreshes.clear();
    requests_.ask("a");
    requests_.ask("*");
    pass(3s);
    EXPECT_THAT(database_.contents.refreshes, IsEmpty());
    requests_.ask("a");
    requests_.ask("*");
    pass(1s);
    EXPECT_THAT(database_.contents.refreshes, ElementsAre(testing::Key("*")));
    pass(10s);
    requests_.ask("a");
    pass(1s);
    EXPECT_TRUE(database_.contents.refreshes.contains("a"));
}

TEST_F(RunNotes, NoMoreIsAskedForThanSomeAtATimeAndAllOnceTheDatabaseIsBack)
{
    truth_.link.cut = true;
    for (int n = 0; n < 3'000; ++n) requests_.ask("id " + std::to_string(n));
    pass(30s);
    EXPECT_THAT(database_.contents.refreshes, IsEmpty());
    truth_.link.cut = false;
    pass(20s);
    EXPECT_EQ(database_.contents.refreshes.size(), daemon::RefreshRequests::most);
}

} // namespace
} // namespace simulation

// SPDX-License-Identifier: Apache-2.0
// A leader stands down in time whatever its store does: a write that has begun cannot be canceled.
#include "alli/sync_wait.hpp"
#include "tests/simulation/cluster/machine.hpp"

#include <future>

namespace simulation {
namespace {

/// A write that waits on the committing thread until it may go on; what is written after it waits behind it.
class Blockade {
  public:
    Blockade(asio::io_context& loop, cache::Store& store)
    {
        const auto job = [free = free_.get_future().share()](cache::Writer&) { free.wait(); };
        asio::co_spawn(loop, store.write(job), [this](std::exception_ptr) { is_over = true; });
    }
    void lift() { free_.set_value(); }

    bool is_over = false;

  private:
    std::promise<void> free_;
};

class StandingDown : public testing::Test {
  protected:
    // The store's threads take their time, which the clock does not know of.
    template <class F>
    bool pass_until(F done)
    {
        for (int n = 0; n < 20'000 && !done(); ++n) {
            support::pass_time(loop_, clock_, 5ms);
            loop_.restart();
            loop_.run_one_for(1ms);
        }
        return done();
    }

    bool is_published()
    {
        return a_.store.read([](cache::Reader& db) { return cache::count_notes(db); }) == 0;
    }

    void put(const std::string& id)
    {
        const Conversation made = support::make_conversation(id, 100);
        bool written = false;
        const auto job = [made](cache::Writer& db) { cache::put_conversation(db, made); };
        asio::co_spawn(loop_, a_.store.write(job), [&written](std::exception_ptr) { written = true; });
        while (!written) {
            loop_.restart();
            loop_.run_one();
        }
    }

    void TearDown() override
    {
        a_.node.stop();
        EXPECT_TRUE(pass_until([this] { return a_.ended; }));
    }

    support::FakeClock clock_;
    support::ModelDatabase database_{clock_, 1};
    boost::asio::io_context loop_;
    Machine a_{0, database_, clock_, loop_, true};
    cluster::NodeOptions defaults_;
};

TEST_F(StandingDown, DoesNotWaitForAWriteThatTakesLongerThanTheLease)
{
    a_.run();
    ASSERT_TRUE(pass_until([this] { return a_.leads && is_published(); }));
    put("one");
    Blockade blockade(loop_, a_.store); // behind it waits the mark that `one` is published
    ASSERT_TRUE(pass_until([this] { return database_.contents.conversations.contains("one"); }));
    a_.truth.link.cut = true;
    ASSERT_TRUE(a_.deadline);
    const Clock::Steady ended_at = *a_.deadline;
    while (a_.leads && clock_.steady() < ended_at) support::pass_time(loop_, clock_, 1ms);
    EXPECT_FALSE(a_.leads);
    EXPECT_FALSE(a_.deadline) << "nobody ends a process that sends nothing any more";
    EXPECT_EQ(a_.node.status()->role, cluster::Role::follower);
    support::pass_time(loop_, clock_, 2 * defaults_.lease);
    EXPECT_FALSE(a_.deadline);
    EXPECT_FALSE(a_.leads);
    EXPECT_FALSE(blockade.is_over);
    blockade.lift();
    a_.truth.link.cut = false;
    EXPECT_TRUE(pass_until([this] { return a_.leads; })) << "again";
}

TEST_F(StandingDown, DoesNotWaitForAWriteWhereItIsToldTo)
{
    a_.run();
    ASSERT_TRUE(pass_until([this] { return a_.leads && is_published(); }));
    put("one");
    Blockade blockade(loop_, a_.store);
    ASSERT_TRUE(pass_until([this] { return database_.contents.conversations.contains("one"); }));
    a_.node.step_down();
    support::pass_time(loop_, clock_, 1ms);
    EXPECT_FALSE(a_.leads);
    EXPECT_FALSE(a_.deadline);
    blockade.lift();
}

TEST_F(StandingDown, DoesNotWaitForAHeartbeatWhoseAnswerThenChangesNothing)
{
    a_.run();
    ASSERT_TRUE(pass_until([this] { return a_.leads && is_published(); }));
    a_.truth.stubborn = true;
    a_.truth.link.delay = 2 * defaults_.lease;
    ASSERT_TRUE(pass_until([this] { return !a_.deadline; }));
    EXPECT_FALSE(a_.leads);
    bool campaigns = false, armed = false;
    a_.truth.before_campaign = [&] { campaigns = true; };
    while (!campaigns) { // it comes back meanwhile
        support::pass_time(loop_, clock_, 5ms);
        armed = armed || a_.deadline;
    }
    EXPECT_FALSE(armed);
    a_.truth.link.delay = 20ms;
}

TEST_F(StandingDown, NothingBeginsWhereTheLeaseIsLostBeforeItsFirstWriteIsDone)
{
    std::unique_ptr<Blockade> blockade;
    a_.truth.before_campaign = [&] { blockade = std::make_unique<Blockade>(loop_, a_.store); };
    a_.run();
    ASSERT_TRUE(pass_until([&] { return blockade && a_.deadline; }));
    a_.truth.link.cut = true;
    support::pass_time(loop_, clock_, 2 * defaults_.lease);
    EXPECT_FALSE(a_.deadline);
    blockade->lift();
    EXPECT_TRUE(pass_until([&] { return blockade->is_over; }));
    support::pass_time(loop_, clock_, 2 * defaults_.lease);
    EXPECT_TRUE(a_.at_begin.empty() && !a_.leads && !a_.began) << "it began without the lease";
    a_.truth.link.cut = false;
    EXPECT_TRUE(pass_until([this] { return a_.leads; }));
}

// The loop was held up: the end of the lease and that of the write are both there when it goes on.
TEST_F(StandingDown, NothingBeginsWhereTheLeaseRanOutAndNothingHasNoticedYet)
{
    std::unique_ptr<Blockade> blockade;
    a_.truth.before_campaign = [&] { blockade = std::make_unique<Blockade>(loop_, a_.store); };
    a_.run();
    ASSERT_TRUE(pass_until([&] { return blockade && a_.deadline; }));
    support::pass_time(loop_, clock_, 500ms); // to its first write, which waits
    ASSERT_FALSE(a_.began);
    blockade->lift();
    sync_wait(a_.store.write([](cache::Writer&) {})); // what was before it is done
    clock_.advance(defaults_.lease);
    support::pass_time(loop_, clock_, 1ms);
    EXPECT_FALSE(a_.began);
    EXPECT_TRUE(pass_until([this] { return a_.leads; }));
}

} // namespace
} // namespace simulation

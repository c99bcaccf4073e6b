// SPDX-License-Identifier: Apache-2.0
// What any node adds for all: purges, runs, refreshes.
#include "cache/outbox/fifos.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/upkeep/purge.hpp"
#include "tests/simulation/cluster/machine.hpp"

namespace simulation {
namespace {

using cluster::RunState;

class Asked : public testing::Test {
  protected:
    void SetUp() override
    {
        for (const char* const id : {"one", "two", "three"}) a_.put(id, 100, id);
        a_.claim(200);
        a_.run();
        pass(6s);
        b_.run();
        pass(2s);
        ASSERT_TRUE(a_.leads);
        ASSERT_EQ(b_.dump(), a_.dump());
    }

    void TearDown() override
    {
        for (Machine* const machine : {&a_, &b_}) machine->node.stop();
        pass(10s);
    }

    void pass(std::chrono::milliseconds time) { support::pass_time(loop_, clock_, time); }

    void purge(Machine& machine, const std::string& id)
    {
        cache::PurgeOptions wish;
        wish.conversation = ConversationId{id};
        bool done = false;
        asio::co_spawn(loop_, cache::purge(machine.store, wish, {}), [&](std::exception_ptr why, const auto&) {
            EXPECT_FALSE(why);
            done = true;
        });
        support::run_until_idle(loop_);
        EXPECT_TRUE(done);
    }

    /// As its engine would: a title that upstream has.
    void deliver(Machine& machine, const std::string& id)
    {
        const auto put = [&](cache::Writer& db) {
            cache::NewEntry entry;
            entry.kind = cache::EditKind::title;
            entry.conversation = ConversationId{id};
            entry.body = R"({"title":"another"})";
            entry.upstream_key = "key of " + id;
            const std::int64_t number = cache::accept(db, entry).id;
            cache::Outcome outcome;
            outcome.state = cache::EntryState::delivered;
            cache::settle(db, number, outcome, machine.clock.now());
        };
        start(machine.store.write_outbox(put));
        support::run_until_idle(loop_);
    }

    template <class T>
    void start(Task<T> task)
    {
        asio::co_spawn(loop_, std::move(task), [](std::exception_ptr why, auto&&...) { EXPECT_FALSE(why); });
    }

    void expect_gone(const std::string& id)
    {
        EXPECT_FALSE(a_.dump().contains(id));
        EXPECT_FALSE(b_.dump().contains(id));
        EXPECT_TRUE(database_.contents.conversations.at(id).row.deleted);
        for (Machine* const machine : {&a_, &b_}) {
            EXPECT_TRUE(machine->node.status()->trouble.empty()) << machine->node.status()->trouble;
            for (const auto& read :
                 {machine->store.read([&](cache::Reader& db) { return cache::is_purged(db, {id}); }),
                  machine->store.read_outbox([&](cache::Reader& db) { return cache::is_purged(db, {id}); })})
                EXPECT_TRUE(read);
            EXPECT_EQ(machine->store.read([&](cache::Reader& db) {
                return db.require<std::int64_t>("SELECT count(*) FROM change WHERE conversation = ?1", id);
            }),
                      0)
                << "its id is named";
        }
    }

    support::FakeClock clock_;
    support::ModelDatabase database_{clock_, 1};
    boost::asio::io_context loop_;
    Machine a_{0, database_, clock_, loop_}, b_{1, database_, clock_, loop_};
};

TEST_F(Asked, WhatALeaderPurgedIsPurgedAtAFollower)
{
    purge(a_, "one");
    pass(2s);
    expect_gone("one");
    EXPECT_EQ(b_.dump(), a_.dump());
    EXPECT_EQ(b_.erased, 1);
    EXPECT_EQ(a_.erased, 0) << "its own purge sees to it";
}

TEST_F(Asked, WhatAFollowerPurgedIsPurgedAtItsLeader)
{
    purge(b_, "one");
    pass(2s);
    expect_gone("one");
    EXPECT_EQ(b_.dump(), a_.dump());
    a_.put("one", 300, "upstream has it"); // as its engine would
    pass(2s);
    expect_gone("one");
}

TEST_F(Asked, WhatWasPurgedHereStaysAwayThoughItsLeaderPublishesIt)
{
    b_.truth.link.cut = true;
    purge(b_, "one");
    a_.put("one", 300, "changed");
    bool came_back = false;
    b_.store.watch([&] { came_back = came_back || b_.dump().contains("one"); });
    b_.truth.link.cut = false;
    pass(6s);
    b_.store.watch({});
    EXPECT_FALSE(came_back);
    expect_gone("one");
}

TEST_F(Asked, APurgeThatALeaderCouldNotPublishIsTheNextOnesAsWell)
{
    a_.truth.link.cut = true;
    purge(a_, "one");
    pass(10s);
    ASSERT_TRUE(b_.leads);
    b_.put("one", 300, "changed");
    pass(1s);
    a_.truth.link.cut = false;
    pass(5s);
    expect_gone("one");
}

TEST_F(Asked, TwoThatPurgeBeforeTheyHearOfEachOtherAgree)
{
    b_.truth.link.cut = true;
    purge(a_, "one");
    purge(b_, "two");
    pass(1s);
    b_.truth.link.cut = false;
    pass(6s);
    expect_gone("one");
    expect_gone("two");
    EXPECT_TRUE(a_.dump().contains("three"));
    EXPECT_EQ(b_.dump(), a_.dump());
}

TEST_F(Asked, ADatabaseThatWasPutBackHearsOfPurgesAgain)
{
    const support::ModelDatabase::Contents earlier = database_.contents;
    purge(b_, "one");
    pass(2s);
    expect_gone("one");
    database_.contents = earlier;
    pass(15s);
    expect_gone("one");
}

TEST_F(Asked, APurgeIsHeardThoughTheLeaderPublishedPastIt)
{
    purge(b_, "one");
    for (int n = 0; n < 20; ++n) {
        a_.put("three", 100, "changed " + std::to_string(n));
        pass(30ms);
    }
    a_.node.stop();
    pass(5s);
    EXPECT_TRUE(b_.leads);
    EXPECT_FALSE(b_.dump().contains("one"));
    EXPECT_TRUE(database_.contents.conversations.at("one").row.deleted);
}

TEST_F(Asked, ARunIsToldToAllAndSettledOnceWhatItsLeaderFetchedIsHere)
{
    std::vector<std::string> fetched;
    a_.on_run = [&](const cluster::Run& run) {
        if (run.state == RunState::ended) fetched.push_back(run.conversation);
    };
    start(b_.truth.note_run("one", RunState::running));
    pass(2s);
    EXPECT_EQ(a_.runs.at("one"), RunState::running);
    EXPECT_EQ(b_.runs.at("one"), RunState::running);
    EXPECT_TRUE(fetched.empty());
    bool settled_early = false;
    b_.on_run = [&](const cluster::Run& run) {
        if (run.state == RunState::settled)
            settled_early = b_.dump().at("one").find("after the run") == std::string::npos;
    };
    start(b_.truth.note_run("one", RunState::ended));
    pass(2s);
    EXPECT_THAT(fetched, testing::ElementsAre("one"));
    EXPECT_EQ(b_.runs.at("one"), RunState::ended) << "what it left is not here";
    a_.put("one", 400, "after the run");
    a_.fetched_runs.insert("one");
    pass(2s);
    EXPECT_EQ(a_.runs.at("one"), RunState::settled);
    EXPECT_EQ(b_.runs.at("one"), RunState::settled);
    EXPECT_FALSE(settled_early);
}

TEST_F(Asked, ARunOfWhichNobodySaysHowItEndedIsTakenForEnded)
{
    start(b_.truth.note_run("one", RunState::running));
    a_.fetched_runs.insert("one");
    pass(9min);
    EXPECT_EQ(b_.runs.at("one"), RunState::running);
    pass(2min);
    EXPECT_EQ(b_.runs.at("one"), RunState::settled);
}

// All in one round: a node that was cut off meanwhile.
TEST_F(Asked, ARunIsSettledBehindTheRowsOfItsRound)
{
    a_.on_run = [&](const cluster::Run& run) {
        if (run.state != RunState::ended || !a_.fetched_runs.insert(run.conversation).second) return;
        a_.put(run.conversation, 400, "after the run");
    };
    bool told = false, settled_early = false;
    b_.on_run = [&](const cluster::Run& run) {
        if (run.state != RunState::settled) return;
        told = true;
        settled_early = settled_early || b_.dump().at("one").find("after the run") == std::string::npos;
    };
    b_.truth.link.cut = true;
    start(a_.truth.note_run("one", RunState::ended));
    pass(2s);
    ASSERT_EQ(a_.runs.at("one"), RunState::settled);
    b_.truth.link.cut = false;
    pass(10s);
    EXPECT_TRUE(told);
    EXPECT_FALSE(settled_early);
}

TEST_F(Asked, ARunIsNotSettledWhileWhatWasFetchedCannotBePublished)
{
    int fetched = 0;
    a_.on_run = [&](const cluster::Run& run) {
        if (run.state != RunState::ended || !a_.fetched_runs.insert(run.conversation).second) return;
        a_.put(run.conversation, 400, "after the run");
        a_.truth.refuses = Fault::settings;
        ++fetched;
    };
    start(b_.truth.note_run("one", RunState::ended));
    pass(3s);
    ASSERT_GT(fetched, 0);
    EXPECT_EQ(database_.contents.runs.at("one").state, RunState::ended);
    EXPECT_EQ(b_.runs.at("one"), RunState::ended);
    a_.truth.refuses.reset();
    pass(3s);
    EXPECT_EQ(b_.runs.at("one"), RunState::settled);
    EXPECT_THAT(b_.dump().at("one"), testing::HasSubstr("after the run"));
}

TEST_F(Asked, WhatCannotBeFetchedIsTriedAgainAndByTheNextLeader)
{
    int tries = 0;
    a_.fetch = [&](const auto&) {
        ++tries;
        throw Error(Fault::unreachable, "", "upstream is away");
    };
    std::vector<std::string> fetched;
    b_.fetch = [&](const std::vector<std::string>& ids) { fetched.insert(fetched.end(), ids.begin(), ids.end()); };
    start(b_.truth.ask_refresh({"*", "two"}));
    pass(5s);
    EXPECT_GT(tries, 1);
    EXPECT_TRUE(fetched.empty());
    EXPECT_EQ(database_.contents.refreshes.size(), 2U);
    a_.node.stop();
    pass(5s);
    EXPECT_THAT(fetched, testing::ElementsAre("two", "*"));
    pass(10s);
    EXPECT_TRUE(database_.contents.refreshes.empty());
}

TEST_F(Asked, AListThatNoPollBringsHoldsUpNoConversation)
{
    a_.fetch = [](const std::vector<std::string>& ids) {
        if (ids.front() == "*") throw Error(Fault::unavailable, "", "no poll succeeds");
    };
    std::vector<std::string> all{"*"};
    for (int n = 0; n < 50; ++n) all.push_back(std::to_string(n));
    start(b_.truth.ask_refresh(all));
    pass(30s);
    EXPECT_EQ(database_.contents.refreshes.size(), 1U);
}

TEST_F(Asked, WhatTheLeaderBeforeDeliveredIsFetchedAtOnceAndOnceMoreWhenNoReadCanLagBehindIt)
{
    deliver(a_, "two");
    std::vector<std::string> fetched;
    b_.fetch = [&](const std::vector<std::string>& ids) { fetched.insert(fetched.end(), ids.begin(), ids.end()); };
    a_.node.stop();
    pass(2s);
    ASSERT_TRUE(b_.leads);
    EXPECT_THAT(fetched, testing::ElementsAre("two"));
    EXPECT_EQ(database_.contents.refreshes.size(), 1U) << "what was fetched may be from before the write";
    b_.node.stop(); // the row is there for the next one
    pass(1s);
    EXPECT_EQ(database_.contents.refreshes.size(), 1U);
}

TEST_F(Asked, ALeaderThatWasCutOffAsksWhenItHearsOfTheOtherOne)
{
    a_.truth.link.cut = true;
    deliver(a_, "two");
    std::vector<std::string> fetched;
    b_.fetch = [&](const std::vector<std::string>& ids) { fetched.insert(fetched.end(), ids.begin(), ids.end()); };
    pass(20s);
    ASSERT_TRUE(b_.leads);
    EXPECT_TRUE(fetched.empty());
    a_.truth.link.cut = false;
    pass(5s);
    EXPECT_THAT(fetched, testing::ElementsAre("two"));
    EXPECT_TRUE(database_.contents.refreshes.empty());
}

TEST_F(Asked, AProcessAsksForWhatTheOneBeforeItDelivered)
{
    deliver(b_, "three");
    deliver(b_, "two");
    cluster::NodeOptions options;
    cluster::UnseenWrites found(b_.truth, b_.store, options);
    b_.truth.link.cut = true;
    bool refused = false;
    asio::co_spawn(loop_, found.ask(), [&](std::exception_ptr why) { refused = why != nullptr; });
    pass(60s);
    ASSERT_TRUE(refused);
    b_.truth.link.cut = false;
    a_.truth.link.cut = true; // who would see to it at once
    start(found.ask());
    pass(1s);
    EXPECT_THAT(database_.contents.refreshes,
                testing::UnorderedElementsAre(testing::Key("two"), testing::Key("three")));
    database_.contents.refreshes.clear();
    start(found.ask());
    pass(1s);
    EXPECT_TRUE(database_.contents.refreshes.empty()) << "once";
}

TEST_F(Asked, AFetchThatHangsHoldsUpNothingElse)
{
    a_.fetch_hangs = true;
    start(b_.truth.ask_refresh({"two"}));
    pass(3s);
    a_.put("one", 300, "published");
    purge(b_, "three");
    pass(3s);
    EXPECT_TRUE(a_.leads);
    EXPECT_THAT(b_.dump().at("one"), testing::HasSubstr("published"));
    expect_gone("three");
    a_.node.stop();
    pass(3s);
    EXPECT_TRUE(a_.ended);
    EXPECT_FALSE(a_.failure);
    EXPECT_TRUE(b_.leads);
}

TEST_F(Asked, MuchThatIsAskedForIsServedPartByPart)
{
    std::vector<std::string> many;
    for (int n = 0; n < 50; ++n) many.push_back("id " + std::to_string(n));
    std::size_t most = 0;
    int served = 0;
    a_.fetch = [&](const std::vector<std::string>& ids) {
        most = std::max(most, ids.size());
        ++served;
    };
    pass(10s);
    start(b_.truth.ask_refresh(many));
    pass(5s);
    EXPECT_TRUE(database_.contents.refreshes.empty());
    EXPECT_LE(most, 20U);
    EXPECT_EQ(served, 3);
}

} // namespace
} // namespace simulation

// SPDX-License-Identifier: Apache-2.0
// A database that was put back to an earlier state: numbers are given once, and what it lost is kept until a leader
// says what upstream has.
#include "cache/rows/change_feed.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/suppression_list.hpp"
#include "tests/simulation/cluster/cluster_loops.hpp"

#include <algorithm>

namespace simulation {
namespace {

class PutBack : public ClusterLoops {
  protected:
    /// Both have "one"; what is published from here on is lost.
    void SetUp() override
    {
        a_.put("one", 100, "title");
        a_.claim(200);
        a_.run();
        pass(6s);
        b_.run();
        pass(2s);
        backup_ = shared_;
    }

    /// A process over the same files.
    void start_again(Machine& machine, bool may_lead)
    {
        cluster::NodeOptions options;
        options.may_lead = may_lead;
        again_ = std::make_unique<cluster::Node>(loop_.get_executor(), machine.truth, machine.store, clock_, options,
                                                 machine.hooks());
        asio::co_spawn(loop_, again_->run(), [](std::exception_ptr) {});
    }
    void TearDown() override
    {
        if (again_) again_->stop();
        ClusterLoops::TearDown();
    }

    void lose_the_rest()
    {
        known_ = shared_.last;
        shared_ = backup_;
    }

    static bool tells_of_a_deletion(Machine& at)
    {
        const auto changes = at.store.read([](cache::Reader& db) { return cache::load_changes(db, 0, 1'000); });
        return std::any_of(changes.begin(), changes.end(), [](const auto& one) { return one.kind == "deleted"; });
    }

    bool claims_time_of(Machine& at, std::int64_t second) const
    {
        const Instant time = support::at_second(second);
        return at.store.read(
            [&](cache::Reader& db) { return cache::is_covered(db, time, time + std::chrono::microseconds(1)); });
    }

    support::ModelDatabase::Contents backup_;
    std::int64_t known_ = 0; // the last number before it was lost
    std::unique_ptr<cluster::Node> again_;
};

TEST_F(PutBack, NumbersGoOnAboveAllThatWereGivenAndAreGivenOnce)
{
    for (int n = 0; n < 20; ++n) {
        a_.put("one", 100, "changed " + std::to_string(n));
        pass(100ms);
    }
    shared_.last += 5'000'000; // they were ahead of the clock
    shared_.trail[shared_.last] = "a nonce";
    pass(1s);
    const std::int64_t followed = b_.node.status()->position;
    ASSERT_GT(followed, backup_.last + 5'000'000);
    lose_the_rest();
    pass(10s);
    const auto given = [this](std::int64_t number) { return number > backup_.last && number <= known_; };
    for (const auto& [number, nonce] : shared_.trail) EXPECT_FALSE(given(number)) << number;
    EXPECT_GT(b_.node.status()->position, followed);
    EXPECT_GT(shared_.last, known_);
}

TEST_F(PutBack, ATakeoverLiftsTheNumbersThoughNobodyIsLeftWhoKnowsThoseThatWereGiven)
{
    a_.put("two", 100, "title");
    pass(2s);
    a_.node.stop(), b_.node.stop();
    pass(2s);
    lose_the_rest();
    pass(60s);
    Machine c{2, database_, clock_, loop_};
    c.run();
    pass(10s);
    EXPECT_TRUE(c.leads);
    EXPECT_GT(shared_.last, known_);
    EXPECT_GE(shared_.last, (clock_.now() - 20s).time_since_epoch().count());
    c.node.stop();
    pass(2s);
}

TEST_F(PutBack, ANodeThatOnlyReadsLiftsTheNumbersAboveItsOwnWhenItStarts)
{
    a_.put("two", 100, "title");
    pass(2s);
    a_.node.stop(), b_.node.stop();
    pass(2s);
    shared_.last += 60'000'000; // above the clock
    shared_.trail[shared_.last] = "a nonce";
    b_.write([this](cache::Writer& db) { cache::put_position(db, {shared_.store, shared_.last, "a nonce"}); });
    lose_the_rest();
    start_again(b_, false);
    pass(3s);
    EXPECT_GT(shared_.last, known_);
}

TEST_F(PutBack, WhatItLostIsKeptClaimedByNobodyAndPublishedOnceUpstreamHasConfirmedIt)
{
    a_.put("two", 150, "title");
    pass(2s);
    ASSERT_TRUE(b_.dump().contains("two"));
    bool confirmed = false;
    const auto fetch = [&](const std::vector<std::string>& ids) {
        if (!confirmed) throw Error(Fault::unreachable, "", "upstream is away");
        EXPECT_THAT(ids, testing::ElementsAre("two"));
    };
    a_.fetch = b_.fetch = fetch;
    lose_the_rest();
    pass(60s);
    for (Machine* const node : {&a_, &b_}) {
        EXPECT_TRUE(node->dump().contains("two"));
        EXPECT_TRUE(claims_time_of(*node, 100));
        EXPECT_FALSE(claims_time_of(*node, 150)) << "only what was put back is claimed";
        EXPECT_FALSE(tells_of_a_deletion(*node));
    }
    EXPECT_FALSE(shared_.conversations.contains("two"));
    confirmed = true;
    pass(60s);
    EXPECT_TRUE(shared_.conversations.contains("two"));
    EXPECT_EQ(shared_.chats.count({"two", 0}), 1U) << "with what it consists of";
    EXPECT_EQ(a_.dump(), b_.dump());
}

TEST_F(PutBack, StateOfWhichItHasNothingIsSharedAgain)
{
    backup_.state.erase("purged_day");
    a_.write([](cache::Writer& db) { cache::note_purged_day(db, support::at_second(100)); });
    pass(2s);
    ASSERT_NE(shared_.state.at("purged_day").row.value, "");
    lose_the_rest();
    pass(60s);
    ASSERT_TRUE(shared_.state.contains("purged_day"));
    const auto days = [](Machine& at) { return at.store.read(&cache::load_purged_days).days; };
    EXPECT_EQ(days(a_).size(), 1U);
    EXPECT_EQ(days(a_), days(b_));
}

TEST_F(PutBack, WhatIsKeptIsClaimedByNobodyAfterAStartEither)
{
    a_.put("two", 150, "title");
    pass(2s);
    a_.fetch = b_.fetch = [](const auto&) { throw Error(Fault::unreachable, "", "upstream is away"); };
    lose_the_rest();
    pass(40s);
    b_.node.stop();
    pass(2s);
    start_again(b_, false);
    pass(40s);
    ASSERT_TRUE(a_.leads);
    a_.claim(201); // which is published anew
    pass(2s);
    EXPECT_TRUE(b_.dump().contains("two"));
    EXPECT_TRUE(claims_time_of(b_, 100));
    EXPECT_FALSE(claims_time_of(b_, 150));
}

TEST_F(PutBack, WhatALeaderHadConfirmedAndCouldNotPublishIsKeptStill)
{
    a_.put("two", 150, "title");
    pass(2s);
    a_.truth.refused_id = b_.truth.refused_id = "two";
    lose_the_rest();
    pass(60s);
    ASSERT_GT(a_.truth.refused + b_.truth.refused, 0);
    (a_.leads ? a_ : b_).node.step_down();
    pass(30s);
    for (Machine* const node : {&a_, &b_}) {
        EXPECT_TRUE(node->dump().contains("two"));
        EXPECT_FALSE(tells_of_a_deletion(*node));
    }
}

TEST_F(PutBack, WhatUpstreamHasNoMoreGoesFromAllNodesOnceItsLeaderHasSeenThat)
{
    a_.put("two", 150, "title");
    pass(2s);
    const auto find_gone = [](Machine& at) {
        return [&at](const std::vector<std::string>& ids) {
            for (const std::string& id : ids) at.write([&](cache::Writer& db) { cache::erase_conversation(db, {id}); });
        };
    };
    a_.fetch = find_gone(a_), b_.fetch = find_gone(b_);
    lose_the_rest();
    pass(60s);
    for (Machine* const node : {&a_, &b_}) EXPECT_FALSE(node->dump().contains("two"));
    EXPECT_TRUE(shared_.conversations.at("two").row.deleted);
    EXPECT_EQ(a_.dump(), b_.dump());
}

TEST_F(PutBack, WhatItsLeaderCouldNotReadEndsNowhere)
{
    a_.put("two", 150, "title");
    pass(2s);
    a_.node.stop(), b_.node.stop();
    pass(2s);
    lose_the_rest();
    Machine c{2, database_, clock_, loop_}; // which has not got it
    bool readable = false;
    c.fetch = [&](const std::vector<std::string>& ids) {
        if (readable) return c.put("two", 150, "title");
        const cache::Problem problem{"it cannot be read", "", clock_.now(), 1};
        c.write([&](cache::Writer& db) { cache::put_problem(db, cache::problem_key({ids.front()}), problem); });
    };
    c.run();
    pass(20s);
    ASSERT_TRUE(c.leads);
    start_again(b_, false);
    pass(60s);
    EXPECT_TRUE(b_.dump().contains("two"));
    EXPECT_FALSE(tells_of_a_deletion(b_));
    EXPECT_FALSE(shared_.conversations.contains("two"));
    readable = true;
    pass(60s);
    EXPECT_TRUE(shared_.conversations.contains("two"));
    EXPECT_EQ(c.dump(), b_.dump());
    again_->stop(), c.node.stop();
    pass(2s);
}

TEST_F(PutBack, AnIdThatNoIndexHoldsKeepsNobodyFromItsWork)
{
    a_.put("two", 150, "title");
    a_.put("three", 151, "title");
    pass(2s);
    a_.truth.refused_request = b_.truth.refused_request = "*two";
    lose_the_rest();
    pass(60s);
    EXPECT_TRUE(a_.leads || b_.leads);
    EXPECT_TRUE(shared_.conversations.contains("three"));
    for (Machine* const node : {&a_, &b_}) EXPECT_TRUE(node->dump().contains("two"));
}

TEST_F(PutBack, WhatEndedThereAndIsHereAgainDoesNotEndAnew)
{
    a_.write([](cache::Writer& db) { cache::erase_conversation(db, {"one"}); });
    pass(2s);
    backup_ = shared_;
    ASSERT_TRUE(backup_.conversations.at("one").row.deleted);
    a_.put("one", 100, "again");
    pass(2s);
    lose_the_rest();
    pass(60s);
    for (Machine* const node : {&a_, &b_}) EXPECT_TRUE(node->dump().contains("one"));
    EXPECT_FALSE(shared_.conversations.at("one").row.deleted);
}

TEST_F(PutBack, AProcessThatEndsAmidReadingItAgainKeepsWhatTheNextOneFindsMissing)
{
    a_.put("two", 150, "title");
    pass(2s);
    a_.node.stop();
    pass(8s);
    ASSERT_TRUE(b_.leads);
    for (int commits = 1; commits <= 12; ++commits) {
        SCOPED_TRACE(commits);
        Machine c{1 + commits, database_, clock_, loop_};
        c.run();
        pass(3s);
        ASSERT_EQ(c.dump().size(), b_.dump().size());
        c.put("only here", 160, "title");
        c.write([](cache::Writer& db) { cache::drop_notes(db); });
        shared_.trail[c.node.status()->position] = "another";
        const auto meanwhile = [&] { pass(5s); };
        const auto look = [&] {
            EXPECT_TRUE(c.dump().contains("only here"));
            EXPECT_FALSE(tells_of_a_deletion(c));
        };
        end_at_commit(c, commits, meanwhile, look);
    }
}

} // namespace
} // namespace simulation

// SPDX-License-Identifier: Apache-2.0
// What a node does, step by step: joining, rounds, taking the lease and losing it.
#include "cache/rows/progress.hpp"
#include "tests/simulation/cluster/cluster_loops.hpp"

namespace simulation {
namespace {

TEST_F(ClusterLoops, TheFirstNodePublishesTheMirrorThatItHasAndAnotherFollows)
{
    a_.put("one", 100, "first");
    a_.claim(200);
    a_.run();
    pass(6s);
    ASSERT_TRUE(a_.leads);
    b_.put("stale", 50, "of an earlier life");
    b_.claim(60);
    b_.run();
    pass(3s);
    EXPECT_FALSE(b_.leads);
    EXPECT_EQ(b_.dump(), a_.dump());
    EXPECT_EQ(b_.claims(), 1U);
    a_.put("two", 150, "second");
    pass(1500ms);
    EXPECT_EQ(b_.dump(), a_.dump());
    EXPECT_EQ(b_.node.status()->leader, "node 0");
    EXPECT_EQ(b_.node.status()->role, cluster::Role::follower);
    EXPECT_EQ(a_.node.status()->role, cluster::Role::leader);
}

TEST_F(ClusterLoops, AStopInOrderHandsOverAtOnceWithAllThatWasWritten)
{
    a_.run();
    pass(6s);
    b_.run();
    pass(2s);
    a_.put("last words", 100, "title");
    const auto wanted = a_.dump();
    a_.node.stop();
    pass(1500ms);
    EXPECT_TRUE(a_.ended);
    EXPECT_FALSE(a_.failure);
    EXPECT_TRUE(b_.leads);
    EXPECT_EQ(b_.dump(), wanted);
}

TEST_F(ClusterLoops, ALeaderThatIsCutOffStandsDownBeforeAnotherLeads)
{
    a_.run();
    pass(6s);
    b_.run();
    pass(2s);
    ASSERT_TRUE(a_.leads);
    a_.truth.link.cut = true;
    bool both = false;
    std::optional<std::chrono::nanoseconds> led;
    const auto cut = clock_.passed();
    for (int n = 0; n < 1'000 && !b_.leads; ++n) {
        pass(10ms);
        both = both || (a_.leads && b_.leads);
        EXPECT_TRUE(!a_.leads || *a_.deadline > clock_.steady()) << "it would have been ended";
    }
    EXPECT_TRUE(b_.leads);
    EXPECT_FALSE(both);
    EXPECT_FALSE(a_.ended) << "it follows";
    EXPECT_LE(clock_.passed() - cut, 6s);
    EXPECT_FALSE(a_.node.status()->database_reachable);
    a_.truth.link.cut = false;
    pass(3s);
    EXPECT_EQ(a_.node.status()->role, cluster::Role::follower);
    EXPECT_TRUE(a_.node.status()->trouble.empty());
}

TEST_F(ClusterLoops, ThatNothingCanBePublishedIsSaidUntilSomethingIs)
{
    a_.run();
    pass(6s);
    ASSERT_TRUE(a_.leads);
    a_.truth.refuses = Fault::settings;
    a_.put("one", 100, "title");
    for (int n = 0; n < 10; ++n) { // heartbeats go on meanwhile
        pass(500ms);
        EXPECT_THAT(a_.node.status()->trouble, testing::HasSubstr("a row does not fit"));
        EXPECT_TRUE(a_.node.status()->database_reachable);
    }
    EXPECT_TRUE(a_.leads);
    a_.truth.refuses.reset();
    pass(1s);
    EXPECT_TRUE(a_.node.status()->trouble.empty());
    EXPECT_TRUE(shared_.conversations.contains("one"));
}

TEST_F(ClusterLoops, ALeaderWhoseStoreGaveUpEndsInOrder)
{
    a_.run();
    pass(6s);
    ASSERT_TRUE(a_.leads);
    a_.truth.refuses = Fault::io;
    a_.put("one", 100, "title");
    pass(3s);
    EXPECT_TRUE(a_.ended);
    EXPECT_TRUE(a_.failure);
    EXPECT_FALSE(a_.leads);
}

TEST_F(ClusterLoops, ANodeKeepsRunningForAsLongAsTheDatabaseIsAwayAndLeadsAgain)
{
    a_.run();
    pass(6s);
    ASSERT_TRUE(a_.leads);
    a_.truth.link.cut = true;
    pass(10min);
    EXPECT_FALSE(a_.ended);
    EXPECT_FALSE(a_.leads);
    EXPECT_FALSE(a_.deadline) << "nobody ends a process that stood down";
    a_.truth.link.cut = false;
    pass(8s); // 3 s until a call that was cut off has failed, and a lease
    EXPECT_TRUE(a_.leads);
}

TEST_F(ClusterLoops, WhatALeaderDidNotPublishIsReadAgainWhereAnotherLeads)
{
    publish_one_and_cut_off();
    a_.put("one", 100, "never published");
    a_.put("two", 100, "neither");
    a_.claim(300);
    pass(10s);
    ASSERT_TRUE(b_.leads);
    a_.truth.link.cut = false;
    pass(3s);
    EXPECT_EQ(a_.dump(), b_.dump());
    EXPECT_THAT(a_.dump().at("one"), testing::HasSubstr("|published|"));
    const auto through = [](Machine& machine) {
        return machine.store.read([](cache::Reader& db) { return cache::load_coverage(db); }).at(0).through;
    };
    EXPECT_EQ(through(a_), support::at_second(200));
    EXPECT_EQ(through(b_), support::at_second(200));
}

TEST_F(ClusterLoops, NothingIsPublishedOverADatabaseThatWasPutBack)
{
    a_.put("one", 100, "title");
    a_.claim(200);
    a_.run();
    pass(6s);
    const support::ModelDatabase::Contents earlier = shared_;
    a_.put("two", 100, "title");
    pass(1s);
    ASSERT_GT(shared_.last, earlier.last);
    shared_ = earlier;
    a_.put("three", 100, "title");
    pass(25ms); // it tries to
    EXPECT_FALSE(shared_.conversations.contains("three"));
    pass(10s);
    EXPECT_TRUE(a_.leads) << "again, from what was put back";
    EXPECT_TRUE(a_.dump().contains("two")) << "put_back_test.cpp";
}

TEST_F(ClusterLoops, ARoundThatBreaksOffAfterAnyCommitIsReadAgain)
{
    a_.put("one", 100, "title");
    a_.claim(200);
    a_.run();
    pass(6s);
    for (int commits = 1; commits <= 4; ++commits) {
        SCOPED_TRACE(commits);
        Machine c{1 + commits, database_, clock_, loop_};
        c.run();
        pass(3s);
        ASSERT_EQ(c.dump(), a_.dump());
        const auto meanwhile = [&] {
            a_.put("one", 100, "changed " + std::to_string(commits));
            a_.put("more " + std::to_string(commits), 100, "new");
            a_.claim(200 + commits);
            pass(3s);
        };
        const auto look = [&] {
            EXPECT_EQ(c.dump(), a_.dump());
            EXPECT_EQ(c.claims(), a_.claims());
        };
        end_at_commit(c, commits, meanwhile, look);
    }
}

TEST_F(ClusterLoops, ANodeThatComesBackPublishesNothingThatIsThere)
{
    a_.put("one", 100, "title");
    a_.claim(200);
    a_.run();
    pass(6s);
    a_.node.stop();
    pass(2s);
    const std::int64_t last = shared_.last;
    cluster::Node again{loop_.get_executor(), a_.truth, a_.store, clock_, {}, a_.hooks()};
    asio::co_spawn(loop_, again.run(), [](std::exception_ptr) {});
    pass(3s);
    EXPECT_TRUE(a_.leads);
    for (const auto& [id, held] : shared_.conversations) EXPECT_LE(held.seq, last);
    for (const auto& [key, held] : shared_.chats) EXPECT_LE(held.seq, last);
    for (const auto& [name, held] : shared_.state) EXPECT_LE(held.seq, last);
    pass(10s);
    EXPECT_EQ(shared_.nodes.at("node 0").row.doing, "leader");
    again.stop();
    pass(2s);
}

// The last leader may have published after the candidate's last round.
TEST_F(ClusterLoops, TheEngineBeginsWithAllThatWasPublishedBeforeTheTakeover)
{
    a_.put("one", 100, "title");
    a_.claim(200);
    a_.run();
    pass(6s);
    b_.run();
    pass(2s);
    a_.node.stop();
    b_.truth.before_campaign = [this] {
        auto& late = shared_.conversations.at("one");
        late.row.deleted = true;
        late.seq = database_.number(1) + 1;
        shared_.chats.clear();
    };
    pass(3s);
    ASSERT_TRUE(b_.leads);
    EXPECT_FALSE(b_.at_begin.contains("one"));
}

TEST_F(ClusterLoops, ANodeThatJoinsClaimsNothingWithRowsThatMayBeOlderThanItsClaim)
{
    a_.put("one", 100, "older");
    a_.claim(200);
    a_.run();
    pass(6s);
    b_.put("one", 100, "younger");
    b_.claim(500);
    const auto look = [this] {
        const auto covered = b_.store.read([](cache::Reader& db) { return cache::load_coverage(db); });
        const bool own = !covered.empty() && covered.front().through == support::at_second(500);
        EXPECT_TRUE(!own || b_.dump().at("one").find("younger") != std::string::npos);
    };
    b_.store.watch(look);
    b_.run();
    pass(3s);
    b_.store.watch({});
    EXPECT_EQ(b_.dump(), a_.dump());
}

// The leader goes on believing in a lease of half a minute.
TEST_F(ClusterLoops, OneConversationThatTheDatabaseRefusesHoldsUpNoOther)
{
    a_.truth.refused_id = "bad";
    for (int n = 0; n < 40; ++n) a_.put(fmt::format("{}{}", n < 20 ? "a" : "c", n), 100, "title");
    a_.put("bad", 100, "title");
    a_.claim(200);
    a_.run();
    pass(8s);
    ASSERT_TRUE(a_.leads);
    EXPECT_EQ(shared_.conversations.size(), 40U);
    EXPECT_TRUE(shared_.state.contains("coverage"));
    ASSERT_EQ(a_.node.status()->problems.size(), 1U);
    EXPECT_THAT(a_.node.status()->problems[0].what, testing::HasSubstr("conversation bad cannot be published"));
    a_.put("later", 100, "title");
    pass(1s);
    EXPECT_TRUE(shared_.conversations.contains("later"));
    const int tries = a_.truth.refused;
    for (int n = 0; n < 20; ++n) {
        a_.put("bad", 100, "changed " + std::to_string(n));
        pass(1s);
    }
    EXPECT_LE(a_.truth.refused - tries, 60) << "who changes all the time is not tried all the time";
    pass(6s);
    a_.truth.refused_id.clear();
    pass(2s);
    EXPECT_FALSE(shared_.conversations.contains("bad"));
    pass(61s);
    EXPECT_TRUE(shared_.conversations.contains("bad"));
    EXPECT_TRUE(a_.node.status()->problems.empty());
}

TEST_F(ClusterLoops, AConversationThatTheDatabaseRefusedIsTriedAgainWhenItChanges)
{
    a_.put("one", 100, "title");
    a_.put("refused", 100, "title");
    a_.claim(200);
    a_.truth.refused_id = "refused";
    a_.run();
    pass(8s);
    ASSERT_TRUE(shared_.conversations.contains("one"));
    ASSERT_EQ(a_.node.status()->problems.size(), 1U);
    for (int n = 0; n < 30; ++n) {
        a_.put("refused", 100, "changed " + std::to_string(n));
        a_.put("one", 100, "changed " + std::to_string(n));
        pass(300ms);
    }
    EXPECT_EQ(a_.node.status()->problems.size(), 1U) << "the same one";
    EXPECT_NE(shared_.conversations.at("one").row.item.find("changed 29"), std::string::npos);
    pass(6s);
    a_.truth.refused_id.clear();
    pass(2s);
    EXPECT_FALSE(shared_.conversations.contains("refused")) << "it is as it was, and a minute is not over";
    a_.put("refused", 100, "mended");
    pass(6s);
    EXPECT_TRUE(shared_.conversations.contains("refused"));
    EXPECT_TRUE(a_.node.status()->problems.empty());
}

TEST_F(ClusterLoops, WhereTheDatabaseRefusesAllOfThemNothingIsTakenForPublished)
{
    a_.run();
    pass(6s);
    ASSERT_TRUE(a_.leads);
    const std::string claimed = shared_.state.at("coverage").row.value;
    a_.truth.refuses = Fault::refused;
    for (int n = 0; n < 30; ++n) a_.put(fmt::format("c{}", n), 100, "title");
    a_.claim(200);
    pass(60s);
    EXPECT_THAT(a_.node.status()->trouble, testing::HasSubstr("a row does not fit"));
    EXPECT_TRUE(a_.leads);
    EXPECT_EQ(shared_.state.at("coverage").row.value, claimed);
}

// As while a leader backfills: each round is longer than one may be.
TEST_F(ClusterLoops, ANodeJoinsHoweverMuchChangesMeanwhile)
{
    cluster::NodeOptions small;
    small.most_rows = 10;
    small.batch = 5;
    a_.claim(200);
    for (int n = 0; n < 30; ++n) a_.put(fmt::format("old {}", n), 100, "title");
    a_.run();
    pass(6s);
    Machine c{2, database_, clock_, loop_, false, small};
    c.truth.link.delay = 300ms;
    c.run();
    for (int n = 0; n < 60; ++n) {
        a_.put(fmt::format("new {}", n), 100, "title");
        a_.put(fmt::format("old {}", n % 30), 100, fmt::format("title {}", n));
        a_.claim(201 + n);
        pass(100ms);
        EXPECT_TRUE(c.claims() == 0 || !c.node.status()->leader.empty());
    }
    pass(10s);
    EXPECT_EQ(c.node.status()->role, cluster::Role::follower);
    EXPECT_EQ(c.dump(), a_.dump());
    EXPECT_EQ(c.claims(), 1U);
    c.node.stop();
    pass(2s);
}

// The database vanishes when it has told what a former leader has to undo.
TEST_F(ClusterLoops, AFormerLeaderKeepsWhatItClaimsUntilItHasTheRoundThatReplacesIt)
{
    publish_one_and_cut_off();
    a_.put("one", 100, "never published");
    pass(10s);
    ASSERT_TRUE(b_.leads);
    a_.truth.dies_at_read = true;
    a_.truth.link.cut = false;
    pass(3s);
    EXPECT_EQ(a_.claims(), 1U);
    EXPECT_TRUE(a_.store.read([](cache::Reader& db) { return cache::find_position(db); }));
    a_.truth.dies_at_read = false;
    pass(3s);
    EXPECT_EQ(a_.dump(), b_.dump());
}

TEST_F(ClusterLoops, AFollowerKnowsTheDatabasesTimeAndItIsNeverSetBack)
{
    a_.run();
    pass(6s);
    b_.run();
    pass(2s);
    const auto time = [this] {
        const auto status = b_.node.status();
        const auto since = std::chrono::floor<std::chrono::microseconds>(clock_.steady() - status->asked_at);
        return status->database_now.value_or(Instant{}) + since;
    };
    const Instant before = clock_.now();
    EXPECT_GE(time(), before);
    EXPECT_LE(time(), before + 100ms);
    clock_.set_now(before - 1h); // the database's: another one took over
    pass(2s);
    EXPECT_GE(time(), before + 2s);
    EXPECT_LE(time(), before + 2100ms);
    clock_.set_now(before + 1h);
    pass(2s);
    EXPECT_GE(time(), before + 1h);
}

// The process ended between the commits of its two files.
TEST_F(ClusterLoops, ANodeWithPurgesOfItsOwnDoesNotJoinAndSaysSo)
{
    a_.write([](cache::Writer& db) {
        cache::put_suppression_list(db, {"the cluster's key", 1, {}, {"hash"}});
        cache::put_suppression_version(db, 1);
    });
    a_.claim(200);
    a_.run();
    pass(6s);
    asio::co_spawn(loop_, b_.store.write_outbox([](cache::Writer& db) {
        cache::put_suppression_list(db, {"its own key", 1, {}, {"another"}});
    }),
                   [](std::exception_ptr why) { EXPECT_FALSE(why); });
    b_.run();
    pass(6s);
    EXPECT_EQ(b_.node.status()->role, cluster::Role::apart);
    EXPECT_THAT(b_.node.status()->trouble, testing::HasSubstr("purged"));
    EXPECT_FALSE(b_.leads);
}

} // namespace
} // namespace simulation

// SPDX-License-Identifier: Apache-2.0
// What a node does while it leads and when it leads no more: leases, resigning, its own writes.
#include "cache/rows/progress.hpp"
#include "tests/simulation/cluster/cluster_loops.hpp"

namespace simulation {
namespace {

TEST_F(ClusterLoops, ACandidateWaitsForTheLongerOfTwoLeases)
{
    cluster::NodeOptions longer;
    longer.lease = 30s;
    Machine c{2, database_, clock_, loop_, false, longer};
    c.run();
    pass(35s);
    ASSERT_TRUE(c.leads);
    b_.run();
    pass(2s);
    ASSERT_EQ(b_.node.status()->problems.size(), 1U);
    EXPECT_THAT(b_.node.status()->problems[0].what, testing::HasSubstr("4000 ms at this node and 30000 ms at the"));
    c.truth.link.cut = true;
    for (int n = 0; n < 500 && !b_.leads; ++n) {
        pass(100ms);
        EXPECT_FALSE(b_.leads && c.leads) << n;
    }
    EXPECT_TRUE(b_.leads);
    EXPECT_TRUE(b_.node.status()->problems.empty());
    c.truth.link.cut = false;
    pass(5s);
    EXPECT_EQ(c.node.status()->problems.size(), 1U);
    c.node.stop();
    pass(5s);
}

TEST_F(ClusterLoops, WhatNoTryWillMendEndsTheNodeWhoeverThrowsIt)
{
    a_.run();
    pass(6s);
    ASSERT_TRUE(a_.leads);
    a_.truth.foreign = true;
    a_.put("one", 100, "title");
    pass(3s);
    EXPECT_FALSE(a_.leads);
    EXPECT_TRUE(a_.ended);
    EXPECT_TRUE(a_.failure);
}

TEST_F(ClusterLoops, ALeaderThatCannotPublishTheRestResignsAllTheSame)
{
    a_.run();
    pass(6s);
    ASSERT_TRUE(a_.leads);
    b_.run();
    pass(2s);
    a_.truth.refuses = Fault::refused;
    a_.put("one", 100, "title");
    a_.node.stop();
    pass(1500ms);
    EXPECT_TRUE(b_.leads) << "at once";
    b_.truth.refuses = Fault::io; // its store gave up
    b_.put("two", 100, "title");
    b_.node.stop();
    pass(1500ms);
    EXPECT_EQ(shared_.leader, "");
}

TEST_F(ClusterLoops, AWrongPasswordIsTriedLessAndLessOften)
{
    a_.truth.bars = Fault::key_rejected;
    a_.run();
    pass(10min);
    EXPECT_LE(a_.truth.asked, 40);
    EXPECT_GE(a_.truth.asked, 15);
    a_.truth.bars.reset();
    pass(40s);
    EXPECT_TRUE(a_.leads);
}

TEST_F(ClusterLoops, WritesThatWaitedWhileAnotherLedWaitForAPerson)
{
    const auto accept = [](Machine& at, const std::string& id, cache::EditKind kind) {
        cache::NewEntry entry;
        entry.kind = kind;
        entry.conversation = ConversationId{id};
        entry.method = "PUT";
        entry.path = "/x";
        entry.upstream_key = id + std::string(cache::name_of(kind));
        asio::co_spawn(at.loop, at.store.write_outbox([entry](cache::Writer& db) { cache::accept(db, entry); }),
                       [](std::exception_ptr why) { EXPECT_FALSE(why); });
        support::run_until_idle(at.loop);
    };
    const auto counts = [](Machine& at) { return at.store.read_outbox(&cache::count_entries); };
    accept(a_, "before", cache::EditKind::title); // the machine was alone until now
    a_.run();
    pass(6s);
    ASSERT_TRUE(a_.leads);
    accept(a_, "one", cache::EditKind::feedback);
    accept(a_, "one", cache::EditKind::stop);
    a_.node.step_down();
    pass(20s);
    ASSERT_TRUE(a_.leads) << "again";
    EXPECT_EQ(counts(a_).conflicts, 0) << "nobody else led";
    b_.run();
    pass(2s);
    a_.node.step_down();
    pass(3s);
    ASSERT_TRUE(b_.leads);
    accept(b_, "one", cache::EditKind::feedback);
    pass(8s); // who stepped down stays so for a while
    b_.node.step_down();
    pass(3s);
    ASSERT_TRUE(a_.leads);
    EXPECT_EQ(counts(a_).conflicts, 2);
    EXPECT_EQ(counts(a_).pending, 1) << "the stop";
    const auto held = a_.store.read_outbox([](cache::Reader& db) { return cache::find_entry(db, 2); });
    EXPECT_THAT(held->last_error.value_or(""), testing::HasSubstr("another machine led"));
    accept(a_, "two", cache::EditKind::title);
    a_.node.step_down();
    b_.node.stop();
    pass(20s);
    ASSERT_TRUE(a_.leads);
    EXPECT_EQ(counts(a_).conflicts, 2) << "as before";
}

TEST_F(ClusterLoops, StepsDownForAnother)
{
    a_.run();
    pass(6s);
    b_.run();
    pass(2s);
    a_.node.step_down();
    pass(2s);
    EXPECT_FALSE(a_.leads);
    EXPECT_TRUE(b_.leads);
}

TEST_F(ClusterLoops, WhatANodeDeliveredWhileItLedHidesNothingThatAnotherPublishes)
{
    a_.write([](cache::Writer& db) {
        cache::Progress progress;
        progress.unit = TimeUnit::seconds;
        cache::save_progress(db, progress);
    });
    for (const char* const id : {"title", "rating", "bulk", "gone"}) a_.put(id, 100, "before");
    a_.claim(200);
    a_.run();
    pass(6s);
    ASSERT_TRUE(a_.leads);
    deliver(a_, 1, cache::EditKind::title, "title", R"({"title":"of A"})");
    deliver(a_, 2, cache::EditKind::feedback, "rating", R"({"rating":"GOOD"})");
    deliver(a_, 3, cache::EditKind::bulk_update, "", R"({"conversationIds":["bulk"],"title":"of A"})");
    deliver(a_, 4, cache::EditKind::remove, "gone", "");
    b_.run();
    pass(3s);
    EXPECT_EQ(b_.dump(), a_.dump());
    EXPECT_THAT(a_.dump().at("title"), testing::HasSubstr("|of A|"));
    a_.node.step_down();
    pass(3s);
    ASSERT_TRUE(b_.leads);
    for (const char* const id : {"title", "rating", "bulk"}) b_.put(id, 100, "of B");
    b_.put("gone", 100, "it was made anew");
    pass(2s);
    EXPECT_EQ(a_.dump(), b_.dump());
    EXPECT_THAT(a_.dump().at("title"), testing::HasSubstr("|of B|"));
    EXPECT_FALSE(a_.store.read([](cache::Reader& db) { return cache::has_confirmed(db); }));
}

TEST_F(ClusterLoops, AWriteThatIsNotInTheOutboxAnyMoreHidesNothingAtAFollower)
{
    a_.put("one", 100, "before");
    a_.claim(200);
    a_.run();
    pass(6s);
    b_.run();
    pass(3s);
    b_.node.stop();
    pass(2s);
    cache::Entry entry;
    entry.id = entry.place = 7;
    entry.kind = cache::EditKind::title;
    entry.conversation = ConversationId{"one"};
    entry.body = R"({"title":"of B"})";
    b_.write([&](cache::Writer& db) { cache::show_edit(db, entry); });
    ASSERT_NE(b_.dump(), a_.dump());
    cluster::Node again{loop_.get_executor(), b_.truth, b_.store, clock_, {}, {}};
    asio::co_spawn(loop_, again.run(), [](std::exception_ptr) {});
    pass(3s);
    EXPECT_EQ(b_.dump(), a_.dump());
    again.stop();
    pass(2s);
}

} // namespace
} // namespace simulation

// SPDX-License-Identifier: Apache-2.0
// Whose turn it is: an entry is in one worker's hands alone, is marked as being sent when its request goes out and not
// before, and what became too old while it waited for that is looked at again.
#include "cache/restored_writes.hpp"
#include "tests/sync/deliver_fixture.hpp"

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::EntryState;
using testing::SizeIs;
using namespace std::chrono_literals;

using DeliverTurns = DeliverTest;

TEST_F(DeliverTurns, StopThatExpiresBehindAWriteGivesThatToNoOther)
{
    upstream_.takes = 200s;
    const auto offered = offer(write_of(EditKind::title, "a", R"({"title":"new"})"), 1s);
    ASSERT_THAT(upstream_.requests, SizeIs(1));
    upstream_.takes = 0s;
    upstream_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.method == "GET") throw Error(Fault::unreachable, "", "a read that hangs, too");
        return std::nullopt;
    };
    offer(write_of(EditKind::stop, "a", ""), 0s);
    const std::int64_t stop = last_;
    ASSERT_TRUE(until([&] { return entry(stop).state == EntryState::failed; }));
    until([&] { return clock_.passed() > 150s; });
    EXPECT_EQ(entry(1).state, EntryState::sending);
    EXPECT_EQ(upstream_.count("PUT"), 1U);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(1).state, EntryState::delivered);
    EXPECT_THAT(upstream_.applied, SizeIs(1));
}

// As after a restore: a person has to decide, and all others go on meanwhile.
TEST_F(DeliverTurns, BulkUpdateInConflictHoldsUpNobody)
{
    upstream_.away = true;
    offer(write_of(EditKind::bulk_update, "", R"({"conversationIds":["a"],"conversationInfo":{"title":"bulk"}})"));
    title("b", "waits");
    stop();
    upstream_.away = false;
    run(store_->write_outbox([](cache::Writer& db) { cache::hold_back(db, "from a backup"); }));
    start();
    EXPECT_TRUE(title("c", "new")->reply);
    EXPECT_EQ(run(deliverer_->retry(1)).outcome, cache::OperatorResult::done);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(1).state, EntryState::delivered);
    EXPECT_EQ(upstream_.conversations["a"]["title"], "bulk");
    EXPECT_EQ(counts().conflicts, 1) << "the title of b";
}

// The backup's own copy is not what it was sent over since, if it was.
TEST_F(DeliverTurns, BulkUpdateOfABackupIsSentWhereItsValueIsNotThere)
{
    upstream_.away = true;
    offer(write_of(EditKind::bulk_update, "", R"({"conversationIds":["a"],"conversationInfo":{"title":"bulk"}})"));
    stop();
    upstream_.away = false;
    upstream_.conversations["a"]["title"] = "somebody's, since";
    run(store_->write_outbox([](cache::Writer& db) { cache::hold_restored(db, "from a backup"); }));
    start();
    run(deliverer_->retry(1));
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.conversations["a"]["title"], "bulk");
    EXPECT_THAT(upstream_.applied, SizeIs(1));
}

TEST_F(DeliverTurns, DeliveredOnesOfADayAgoGoHoweverManyThereAre)
{
    run(store_->write_outbox([this](cache::Writer& db) {
        cache::Outcome outcome;
        outcome.state = EntryState::delivered;
        for (int n = 0; n < 2'500; ++n) {
            const auto accepted = cache::accept(db, write_of(EditKind::title, "a", R"({"title":"x"})"));
            cache::settle(db, accepted.id, outcome, clock_.now() - 25h);
        }
    }));
    until([&] { return clock_.passed() > 65s; });
    EXPECT_EQ(counts().delivered, 0);
}

class Paced : public DeliverTest {
  protected:
    /// Upstream asked a poll to wait.
    void pause(const std::string& seconds)
    {
        upstream_.before = [seconds](const upstream::Request&) {
            return std::optional(WritableUpstream::says(429, "{}", seconds));
        };
        EXPECT_THROW(run(client_.list_conversations({}, upstream::Priority::increment)), Error);
        upstream_.before = nullptr;
    }
};

TEST_F(Paced, WhatWaitsForAPermitIsNotBeingSent)
{
    pause("100");
    offer(write_of(EditKind::title, "a", R"({"title":"new"})"), 1s);
    until([&] { return clock_.passed() > 50s; });
    EXPECT_EQ(entry(1).state, EntryState::pending);
    EXPECT_EQ(run(deliverer_->discard(1)), cache::OperatorResult::done);
    until([&] { return clock_.passed() > 150s; });
    EXPECT_EQ(upstream_.count("PUT"), 0U);
    EXPECT_TRUE(title("a", "next")->reply);
}

TEST_F(Paced, WhatSomebodyChangedWhileItWaitedForAPermitIsAConflict)
{
    pause("100");
    offer(write_of(EditKind::title, "a", R"({"title":"new"})"), 1s);
    until([&] { return clock_.passed() > 50s; });
    upstream_.conversations["a"]["title"] = "a colleague's";
    until([&] { return counts().conflicts > 0 || all_settled(); });
    EXPECT_EQ(entry(1).state, EntryState::conflict);
    EXPECT_EQ(upstream_.conversations["a"]["title"], "a colleague's");
}

TEST_F(Paced, KillsWhileItWaitsForAPermitAreNoCrashesOfIt)
{
    pause("100");
    offer(write_of(EditKind::title, "a", R"({"title":"new"})"), 1s);
    for (int n = 0; n < 3; ++n) {
        until([&] { return false; }, 3);
        EXPECT_EQ(entry(1).state, EntryState::pending);
        die_and_start_again();
    }
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(1).state, EntryState::delivered) << entry(1).last_error.value_or("");
}

// However slow the budget is: it goes out in the end.
TEST_F(Paced, BudgetThatLetsOneThroughEachMinuteStillDelivers)
{
    upstream::RateLimiter slow(clock_, {1.0 / 60, 16});
    upstream::Client client(upstream_, slow, clock_, {"key", TimeUnit::seconds, "/count"});
    stop();
    Deliverer deliverer(client, *store_, clock_, random_, options_, {});
    bool ended = false;
    asio::cancellation_signal cancel;
    for (const char* id : {"a", "b", "c"}) accept(write_of(EditKind::title, id, R"({"title":"new"})"));
    asio::co_spawn(loop_, deliverer.run(),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { ended = true; }));
    support::run_until_idle(loop_);
    EXPECT_TRUE(until([&] { return all_settled(); }, 20'000));
    EXPECT_EQ(counts().delivered, 3);
    cancel.emit(asio::cancellation_type::terminal);
    support::run_until_idle(loop_);
    EXPECT_TRUE(ended);
}

TEST_F(DeliverTurns, RemembersADoubtUntilItsEndWhateverIsAnsweredBetween)
{
    upstream_.before = [&, n = 0](const upstream::Request& request) mutable -> std::optional<upstream::Reply> {
        if (request.method != "DELETE") return std::nullopt;
        if (++n == 1) throw Error(Fault::unreachable, "", "reset"); // and it is still under way
        if (n > 2) return std::nullopt;
        upstream_.conversations.erase("a"); // there it is
        return WritableUpstream::says(503);
    };
    offer(write_of(EditKind::remove, "a", ""));
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::delivered) << entry(last_).last_error.value_or("");
}

} // namespace
} // namespace alli::sync

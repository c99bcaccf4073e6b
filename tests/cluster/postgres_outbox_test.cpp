// SPDX-License-Identifier: Apache-2.0
// What is PostgreSQL's alone of the shared outbox: standbys that do not answer, commits that are cut off, locks,
// rights.
#include "cluster/postgres/outbox.hpp"
#include "tests/cluster/postgres_nodes.hpp"
#include "tests/cluster/writes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace cluster_tests {
namespace {

using namespace std::chrono_literals;
using alli::cache::Acceptance;
using testing::IsEmpty;

class PostgresOutboxes : public PostgresNodes {
  protected:
    ~PostgresOutboxes() override
    {
        if (has_standby) set_standby("");
    }
    static Accepted accept(Truth& truth, const std::string& key)
    {
        return sync_wait(truth.outbox().accept(title_of("a", key), {}));
    }
    /// A standby that has to confirm each commit, and is not there; '': none has to.
    void set_standby(const std::string& name)
    {
        has_standby = !name.empty();
        postgres().run_sql("ALTER SYSTEM SET synchronous_standby_names = '" + name + "'");
        postgres().run_sql("SELECT pg_reload_conf()");
    }
    /// Breaks such waits off for as long as it lives, whatever becomes of the test.
    class Breaking {
      public:
        explicit Breaking(const PostgresOutboxes& test, std::string how = "pg_cancel_backend")
            : breaking_(std::async(std::launch::async, [this, &test, how = std::move(how)] {
                  while (!done_) test.break_waits_off(how);
              }))
        {}
        ~Breaking()
        {
            done_ = true;
            breaking_.wait();
        }
        Breaking(const Breaking&) = delete;
        Breaking& operator=(const Breaking&) = delete;

      private:
        std::atomic<bool> done_{false};
        std::future<void> breaking_;
    };
    /// As a person does who breaks such a wait off: each that there is.
    std::string break_waits_off(const std::string& how = "pg_cancel_backend") const
    {
        return postgres().run_sql("SELECT count(" + how + "(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    }

    bool has_standby = false;
};

/// Accepts until one is not: the server reads its settings anew a moment later. Returns the key of that one.
std::string accept_until_refused(const std::function<Fault(const std::string&)>& accept)
{
    const auto deadline = std::chrono::steady_clock::now() + 15s;
    for (int n = 0; std::chrono::steady_clock::now() < deadline; ++n) {
        const std::string key = "key" + std::to_string(n);
        try {
            const Fault fault = accept(key);
            EXPECT_EQ(fault, Fault::unreachable);
            return key;
        } catch (const std::runtime_error&) { // it succeeded
        }
    }
    throw std::runtime_error("it goes on succeeding");
}

TEST_F(PostgresOutboxes, AWaitForAStandbyThatSomebodyBreaksOffIsNoAcknowledgement)
{
    const auto truth = node("one", 30s);
    const std::int64_t epoch = lead(*truth);
    for (const std::string how : {"pg_cancel_backend", "pg_terminate_backend"}) {
        const SharedWrite waits = accept(*truth, "waits").write;
        const auto begin = [&] { return sync_wait(truth->outbox().begin(epoch, known(waits), std::nullopt)).value(); };
        set_standby("absent");
        std::string key;
        {
            const Breaking breaking(*this, how);
            key = accept_until_refused([&](const std::string& one) { return fault_of([&] { accept(*truth, one); }); });
            // Found is not durable either: it is the same commit that waits.
            EXPECT_EQ(fault_of([&] { accept(*truth, key); }), Fault::unreachable);
            EXPECT_EQ(fault_of(begin), Fault::unreachable) << "else another primary lets it be sent twice";
        }
        EXPECT_EQ(sql("SELECT count(*) FROM entry WHERE convert_from(upstream_key, 'UTF8') = '" + key + "'"), "1")
            << "the server has it";
        set_standby("");
        break_waits_off();
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        std::optional<Accepted> accepted;
        while (!accepted && std::chrono::steady_clock::now() < deadline) {
            try {
                accepted = accept(*truth, key);
            } catch (const Error&) {
            }
        }
        ASSERT_TRUE(accepted);
        EXPECT_EQ(accepted->kind, Acceptance::Kind::fresh);
        EXPECT_EQ(begin().entry.attempts, 1);
        sql("DELETE FROM entry; UPDATE head SET open_writes = 0, open_bytes = 0");
    }
}

TEST_F(PostgresOutboxes, AStandbyThatDoesNotAnswerIsNotWaitedForForever)
{
    const auto truth = node("one", 300ms);
    set_standby("absent");
    accept_until_refused([&](const std::string& one) { return fault_of([&] { accept(*truth, one); }); });
    EXPECT_GE(std::stoi(break_waits_off()), 1) << "it waits still, by itself";
}

TEST_F(PostgresOutboxes, NoSettingOfARoleMakesACommitThatIsNotDurableAnAcknowledgement)
{
    const std::string role = schema + "_lax";
    postgres().run_sql(fmt::format("CREATE ROLE {0} LOGIN SUPERUSER; ALTER ROLE {0} SET synchronous_commit = off;"
                                   "ALTER ROLE {0} SET client_min_messages = error",
                                   role));
    const auto truth = node("one", 30s, role);
    set_standby("absent");
    const Breaking breaking(*this);
    accept_until_refused([&](const std::string& one) { return fault_of([&] { accept(*truth, one); }); });
}

TEST_F(PostgresOutboxes, AnAcceptanceWhoseConnectionIsCutIsFoundAgain)
{
    const auto truth = node("one", 30s);
    support::Process holder({"/usr/bin/psql", "-XqtA", "-d", postgres().url(), "-c",
                             fmt::format("BEGIN; UPDATE {}.head SET last = last + 1", schema), "-c", "SELECT 'held'",
                             "-c", "SELECT pg_sleep(60)"},
                            {{"PATH", "/usr/bin"}});
    holder.wait_for_line("held");
    auto waiting = std::async(std::launch::async, [&] { return fault_of([&] { accept(*truth, "key"); }); });
    const std::string ours = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                             " WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE head%'";
    while (sql(ours) == "0" && waiting.wait_for(0s) != std::future_status::ready) {
    }
    EXPECT_EQ(waiting.get(), Fault::unreachable);
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%'"
        " AND pid <> pg_backend_pid()");
    holder.wait();
    const Accepted first = accept(*truth, "key"), again = accept(*truth, "key");
    EXPECT_EQ(again.write.entry.id, first.write.entry.id);
    EXPECT_EQ(sql("SELECT count(*), sum(open_writes) FROM entry, head"), "1|1");
}

TEST_F(PostgresOutboxes, WritesOfManyNodesAreInTheOrderOfTheirCommitsSoThatAReaderMissesNone)
{
    constexpr int writers = 3, each = 50;
    const auto reader = node("reader");
    Position position = sync_wait(reader->head()).last;
    std::vector<std::future<void>> done;
    for (int writer = 0; writer < writers; ++writer)
        done.push_back(std::async(std::launch::async, [this, writer] {
            const auto truth = node("writer" + std::to_string(writer));
            for (int n = 0; n < each; ++n) accept(*truth, fmt::format("{} {}", writer, n));
        }));
    std::vector<std::int64_t> seen;
    const auto deadline = std::chrono::steady_clock::now() + 50s;
    while (seen.size() < std::size_t{writers * each} && std::chrono::steady_clock::now() < deadline) {
        const WriteChanges heard = sync_wait(reader->outbox().changes(position, 7));
        ASSERT_EQ(heard.continuity, Continuity::same);
        for (const SharedWrite& write : heard.writes) seen.push_back(write.entry.id);
        position = heard.upto;
    }
    for (auto& one : done) one.get();
    EXPECT_EQ(seen.size(), std::size_t{writers * each});
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

// The takeover holds the row while the old leader's transaction waits for it.
TEST_F(PostgresOutboxes, ATakeoverThatIsCommittedWhileTheOldLeaderBeginsFencesItOff)
{
    const auto old = node("old");
    const std::int64_t epoch = lead(*old);
    const SharedWrite waits = accept(*old, "key").write;
    support::Process takeover({"/usr/bin/psql", "-XqtA", "-d", postgres().url(), "-c",
                               fmt::format("BEGIN; UPDATE {0}.head SET epoch = epoch + 1, holder = 'new'", schema),
                               "-c", "SELECT 'held'; SELECT pg_sleep(0.2)", "-c", "COMMIT"},
                              {{"PATH", "/usr/bin"}});
    takeover.wait_for_line("held");
    EXPECT_THROW(sync_wait(old->outbox().begin(epoch, known(waits), std::nullopt)), NotLeader);
    EXPECT_EQ(takeover.wait(), 0);
    EXPECT_EQ(sql("SELECT state, attempts FROM entry"), "pending|0");
}

TEST_F(PostgresOutboxes, WhatIsOpenIsCountedAsItIs)
{
    const auto truth = node("one");
    const std::int64_t epoch = lead(*truth);
    SharedOutbox& outbox = truth->outbox();
    for (int n = 0; n < 6; ++n) accept(*truth, std::to_string(n));
    const auto all = sync_wait(outbox.read_all(0, 10)).writes;
    const auto settle = [&](std::size_t at, EntryState state) {
        sync_wait(outbox.settle(epoch, known(all[at]), outcome(state)));
    };
    settle(0, EntryState::delivered);
    settle(0, EntryState::delivered); // its answer was lost
    settle(1, EntryState::failed);
    settle(2, EntryState::conflict);
    for (int n = 0; n < 2; ++n) sync_wait(outbox.discard(all[3].entry.id));
    sync_wait(outbox.retry(all[1].entry.id));
    EXPECT_EQ(sql("SELECT open_writes, open_bytes FROM head"),
              sql("SELECT count(*), sum(octet_length(body)) FROM entry WHERE state <> 'delivered' AND NOT discarded"));
    sync_wait(outbox.forget(epoch, 0s));
    sync_wait(outbox.recover(epoch));
    EXPECT_EQ(sql("SELECT open_writes FROM head"), "4");
}

Task<> begin_all(Truth& truth, std::int64_t epoch, std::vector<SharedWrite> writes, std::vector<std::string>& states)
{
    const asio::any_io_executor loop = co_await asio::this_coro::executor;
    std::vector<std::future<std::optional<SharedWrite>>> all;
    for (const SharedWrite& one : writes)
        all.push_back(asio::co_spawn(loop, truth.outbox().begin(epoch, known(one), std::nullopt), asio::use_future));
    for (auto& one : all) {
        while (one.wait_for(0s) != std::future_status::ready) co_await asio::post(loop, asio::use_awaitable);
        const auto row = one.get();
        states.push_back(row ? row->entry.upstream_key + " " + std::string(name_of(row->entry.state)) : "none");
    }
}

TEST_F(PostgresOutboxes, WhatIsBegunTogetherIsOneTransactionWithAnAnswerForEach)
{
    const auto truth = node("one");
    const std::int64_t epoch = lead(*truth);
    for (int n = 0; n < 12; ++n) accept(*truth, "u" + std::to_string(n));
    auto all = sync_wait(truth->outbox().read_all(0, 20)).writes;
    sync_wait(truth->outbox().settle(epoch, known(all[3]), outcome(EntryState::failed)));
    all[5].entry.id = 1;
    std::vector<std::string> states, expected;
    for (int n = 0; n < 12; ++n) expected.push_back("u" + std::to_string(n) + " sending");
    expected[3] = "u3 failed", expected[5] = "none";
    const std::string before = sql("SELECT last FROM head");
    sync_wait(begin_all(*truth, epoch, all, states));
    EXPECT_EQ(states, expected);
    EXPECT_LE(sql("SELECT last - " + before + " FROM head"), "3") << "commits, of which each waits for a disk";
}

TEST_F(PostgresOutboxes, WhatIsSettledIsKeptForItsTimeHoweverShortTheTrailIs)
{
    const auto truth = node("one");
    const std::int64_t epoch = lead(*truth);
    accept(*truth, "u1");
    const SharedWrite taken = sync_wait(truth->outbox().read_all(0, 10)).writes[0];
    sync_wait(truth->outbox().settle(epoch, known(taken), outcome(EntryState::delivered)));
    sync_wait(truth->publish(epoch, whole("a", 2)));
    sql("DELETE FROM trail WHERE seq < (SELECT last FROM head)");
    EXPECT_EQ(sync_wait(truth->outbox().forget(epoch, 1h)), 0);
    sql("UPDATE entry SET settled_us = settled_us - 3601 * 1000000::bigint");
    EXPECT_EQ(sync_wait(truth->outbox().forget(epoch, 1h)), 1);
}

TEST_F(PostgresOutboxes, LongBodiesComeInPartsToo)
{
    const auto truth = node("one");
    const Position start = sync_wait(truth->head()).last;
    for (int n = 0; n < 3; ++n) {
        NewWrite write = title_of("a", std::to_string(n));
        write.entry.body.assign(std::size_t{9} << 20, 'x');
        sync_wait(truth->outbox().accept(write, {}));
    }
    EXPECT_EQ(sync_wait(truth->outbox().read_all(0, 10)).writes.size(), 1U);
    WriteChanges part = sync_wait(truth->outbox().changes(start, 10));
    EXPECT_EQ(part.writes.size(), 1U);
    EXPECT_LT(part.upto.number, part.last.number);
    part = sync_wait(truth->outbox().changes(part.upto, 10));
    EXPECT_EQ(part.continuity, Continuity::same);
    EXPECT_EQ(part.writes.size(), 1U);
}

TEST_F(PostgresOutboxes, TheRoleOfTheDaemonsMayUseItAndAnalystsMayNot)
{
    const std::string daemon = schema + "_daemon", analyst = schema + "_analyst";
    postgres().run_sql("CREATE ROLE " + daemon + " LOGIN; CREATE ROLE " + analyst + " LOGIN");
    schema += "b";
    const InitReport report = on_session<InitReport>(session_options(schema), [&](Session& session) {
        return init_cluster(session, {daemon, ""});
    });
    postgres().run_sql("GRANT " + report.reader + " TO " + analyst);
    const auto truth = node("one", 10s, daemon);
    const std::int64_t epoch = lead(*truth);
    SharedOutbox& outbox = truth->outbox();
    const SharedWrite write = accept(*truth, "key").write;
    sync_wait(outbox.settle(epoch, known(write), outcome(EntryState::delivered)));
    EXPECT_EQ(sync_wait(outbox.forget(epoch, 0s)), 1);
    EXPECT_THROW(postgres().run_sql("SET ROLE " + analyst + "; SELECT count(*) FROM " + schema + ".entry"),
                 std::runtime_error);
}

} // namespace
} // namespace cluster_tests

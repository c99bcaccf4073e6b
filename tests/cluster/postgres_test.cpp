// SPDX-License-Identifier: Apache-2.0
// What is PostgreSQL's alone: locks between two leaders, connections that end, servers that stop, rights, views.
#include "alli/clock.hpp"
#include "cluster/postgres/inspect.hpp"
#include "cluster/postgres/publish.hpp"
#include "tests/cluster/postgres_nodes.hpp"
#include "tests/cluster/rows.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace cluster_tests {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Postgres : public PostgresNodes {
  protected:
    std::string say_number(std::string_view what) { return sql(fmt::format("SELECT count(*) FROM {}", what)); }
};

// The takeover holds the row while the old leader's transaction waits for it.
TEST_F(Postgres, ATakeoverThatIsCommittedWhileTheOldLeaderWaitsFencesItOff)
{
    const auto old = node("old");
    const std::int64_t epoch = lead(*old);
    support::Process takeover({"/usr/bin/psql", "-XqtA", "-d", postgres().url(), "-c",
                               fmt::format("BEGIN; UPDATE {0}.head SET epoch = epoch + 1, holder = 'new'", schema),
                               "-c", "SELECT 'held'; SELECT pg_sleep(0.2)", "-c", "COMMIT"},
                              {{"PATH", "/usr/bin"}});
    takeover.wait_for_line("held");
    EXPECT_THROW(sync_wait(old->publish(epoch, whole("a", 2))), NotLeader);
    EXPECT_EQ(takeover.wait(), 0);
    EXPECT_EQ(say_number("conversation"), "0");
    EXPECT_EQ(say_number("trail"), "1");
}

TEST_F(Postgres, ALeaderThatIsFrozenAmidATransactionDoesNotHoldUpATakeover)
{
    support::Process frozen({"/usr/bin/psql", "-XqtA", "-d", postgres().url(), "-c",
                             fmt::format("BEGIN; UPDATE {}.head SET last = last + 1", schema), "-c", "SELECT 'held'",
                             "-c", "SELECT pg_sleep(60)"},
                            {{"PATH", "/usr/bin"}});
    frozen.wait_for_line("held");
    const auto truth = node("one");
    const Head head = sync_wait(truth->head());
    EXPECT_EQ(fault_of([&] { sync_wait(truth->campaign(head.epoch, head.beat)); }), Fault::unreachable);
    EXPECT_NE(frozen.wait(), 0);
    EXPECT_EQ(sync_wait(truth->campaign(head.epoch, head.beat)), head.epoch + 1);
}

TEST_F(Postgres, NumbersAreInTheOrderOfCommitsSoThatAReaderMissesNothing)
{
    constexpr int writers = 3, each = 60;
    const auto reader = node("reader");
    Position position = sync_wait(reader->head()).last;
    std::vector<std::future<void>> done;
    for (int writer = 0; writer < writers; ++writer)
        done.push_back(std::async(std::launch::async, [this, writer] {
            const auto truth = node("writer" + std::to_string(writer));
            for (int n = 0; n < each; ++n) {
                const std::vector<Suppressed> row{{std::to_string(writer), std::to_string(n)}};
                sync_wait(truth->suppress(row));
            }
        }));
    std::size_t seen = 0;
    const auto deadline = std::chrono::steady_clock::now() + 50s;
    while (seen < writers * each && std::chrono::steady_clock::now() < deadline) {
        const Round round = sync_wait(reader->read(position, 10'000));
        ASSERT_EQ(round.continuity, Continuity::same);
        seen += round.suppressed.size();
        position = round.head.last;
    }
    for (auto& one : done) one.get();
    EXPECT_EQ(seen, std::size_t{writers * each});
}

TEST_F(Postgres, AfterItsConnectionsWereEndedANodeGoesOn)
{
    const auto truth = node("one");
    const std::int64_t epoch = lead(*truth);
    sync_wait(truth->publish(epoch, whole("a", 1)));
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'alli-mirror'");
    EXPECT_EQ(fault_of([&] { sync_wait(truth->publish(epoch, whole("a", 2))); }), Fault::unreachable);
    sync_wait(truth->publish(epoch, whole("a", 2)));
    EXPECT_EQ(sync_wait(truth->read_all("", 10)).rows.chats.size(), 2U);
}

TEST_F(Postgres, AServerThatStoppedIsAwayAndComesBack)
{
    const auto truth = node("one", 2s);
    const std::int64_t epoch = lead(*truth);
    postgres().stop();
    EXPECT_EQ(fault_of([&] { sync_wait(truth->head()); }), Fault::unreachable);
    EXPECT_EQ(fault_of([&] { sync_wait(truth->head()); }), Fault::unreachable);
    postgres().start();
    EXPECT_EQ(sync_wait(truth->head()).epoch, epoch);
}

TEST_F(Postgres, AServerThatDoesNotAnswerIsAwayInTime)
{
    const auto truth = node("one", 300ms);
    sync_wait(truth->head());
    postgres().freeze();
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(fault_of([&] { sync_wait(truth->head()); }), Fault::unreachable);
    EXPECT_EQ(fault_of([&] { sync_wait(truth->head()); }), Fault::unreachable); // connecting
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    postgres().thaw();
    const auto patient = node("two");
    EXPECT_EQ(sync_wait(patient->head()).leader, "");
}

TEST_F(Postgres, ACallMayLastForAsLongAsSomethingMoves)
{
    SessionOptions options = session_options(schema);
    options.patience = 2s;
    const auto rows = on_session<std::size_t>(options, [](Session& session) -> Task<std::size_t> {
        std::vector<Query> slow;
        for (int n = 0; n < 4; ++n) slow.push_back({"SELECT repeat('x', 100000) FROM pg_sleep(0.7)"});
        const std::vector<Result> results = co_await session.run(std::move(slow));
        co_return results.size();
    });
    EXPECT_EQ(rows, 4U);
}

Task<> cancel_calls(Truth& truth)
{
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int n = 0; n < 300; ++n) {
        timer.expires_after(n % 30 * 100us); // before the call arrives, amid it, as its answer comes
        co_await (truth.head() || timer.async_wait(asio::use_awaitable));
    }
}

TEST_F(Postgres, ACallMayBeCanceledFromItsCallersLoopAtAnyMoment)
{
    const auto truth = node("one");
    const std::int64_t epoch = lead(*truth);
    sync_wait(cancel_calls(*truth));
    EXPECT_EQ(sync_wait(truth->head()).epoch, epoch);
}

TEST_F(Postgres, ANameThatIsLookedUpForLongHoldsUpItsOwnConnectionAlone)
{
    std::promise<void> begun, free;
    std::atomic<int> calls{0};
    PostgresOptions options;
    options.url = "postgresql://postgres@db.example/postgres";
    options.schema = schema;
    options.self = {"one", "one"};
    options.look_up = [&, wait = free.get_future().share()](const std::string& host) -> std::vector<std::string> {
        EXPECT_EQ(host, "db.example");
        if (calls++ == 0) {
            begun.set_value();
            wait.wait();
        }
        throw Error(Fault::unreachable, "", "no such name");
    };
    PostgresTruth truth(options);
    auto rows = std::async(std::launch::async, [&] { return fault_of([&] { sync_wait(truth.read({}, 10)); }); });
    begun.get_future().wait();
    EXPECT_EQ(fault_of([&] { sync_wait(truth.head()); }), Fault::unreachable) << "the lease's connection";
    EXPECT_EQ(rows.wait_for(0s), std::future_status::timeout);
    free.set_value();
    EXPECT_EQ(rows.get(), Fault::unreachable);
}

TEST_F(Postgres, ACallThatIsOnItsWayEndsWithTheNode)
{
    auto truth = node("one");
    auto waiting = std::async(std::launch::async, [&] { sync_wait(truth->wait_news(600s)); });
    while (sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%" + schema + "%'") == "0") {
    }
    truth.reset();
    EXPECT_ANY_THROW(waiting.get());
}

TEST_F(Postgres, APositionOlderThanTheTrailIsForgotten)
{
    const auto truth = node("one");
    const std::int64_t epoch = lead(*truth);
    const Position first = sync_wait(truth->publish(epoch, whole("a", 1)));
    sync_wait(truth->publish(epoch, whole("a", 1)));
    sql("DELETE FROM trail WHERE seq < (SELECT max(seq) FROM trail)");
    EXPECT_EQ(sync_wait(truth->read(first, 10)).continuity, Continuity::forgotten);
}

TEST_F(Postgres, WhatNoRoundNeedsAnyMoreIsForgotten)
{
    const auto truth = node("one");
    const std::int64_t epoch = lead(*truth);
    PublishedRows ends = whole("kept", 0);
    for (const char* const id : {"dropped", "deleted long ago", "deleted lately"}) {
        ends.conversations.push_back(conversation(id));
        ends.conversations.back().deleted = true;
    }
    ends.conversations[2].deleted_at = Instant(1s);
    ends.conversations[3].deleted_at = SystemClock().now();
    sync_wait(truth->publish(epoch, ends));
    for (const char* const id : {"settled", "runs"}) sync_wait(truth->note_run(id, RunState::ended));
    const Round heard = sync_wait(truth->hear({}));
    sync_wait(truth->settle(epoch, {heard.runs[0]}, {}));
    sync_wait(truth->publish(epoch, whole("next", 0)));
    sql("DELETE FROM trail WHERE seq < (SELECT max(seq) FROM trail)");
    on_session<Position>(session_options(schema), [&](Session& session) {
        const Publisher by{{"one", "one-process"}, epoch, {}};
        return publish_rows(session, by, {}, "00 is when it looks");
    });
    EXPECT_EQ(sql("SELECT id FROM conversation ORDER BY id"), "deleted lately\nkept\nnext");
    EXPECT_EQ(sql("SELECT conversation FROM run"), "runs");
}

TEST_F(Postgres, ABackupThatWasPutBackIsNoticedEvenWhereItsNumbersCaughtUp)
{
    const auto truth = node("one");
    const std::int64_t epoch = lead(*truth);
    sql("CREATE TABLE old_head AS TABLE head; CREATE TABLE old_trail AS TABLE trail");
    const Position lost = sync_wait(truth->publish(epoch, whole("a", 1)));
    sql("UPDATE head SET last = (SELECT last FROM old_head); DELETE FROM trail; INSERT INTO trail TABLE old_trail");
    EXPECT_EQ(sync_wait(truth->beat(epoch, lost)).continuity, Continuity::other);
    const Position again = sync_wait(truth->publish(epoch, whole("b", 1)));
    EXPECT_EQ(again.number, lost.number);
    EXPECT_EQ(sync_wait(truth->read(lost, 10)).continuity, Continuity::other);
}

TEST_F(Postgres, WhileADumpIsPutBackIntoEmptyTablesEachCallFailsAndThenGoesOn)
{
    const auto truth = node("one");
    const std::int64_t epoch = lead(*truth);
    const Position before = sync_wait(truth->head()).last;
    sync_wait(truth->read(before, 10)); // over a connection that lasts
    sql("CREATE TABLE dump AS TABLE head; DELETE FROM head");
    EXPECT_EQ(fault_of([&] { sync_wait(truth->head()); }), Fault::unreachable);
    EXPECT_THROW(sync_wait(truth->read(before, 10)), Error);
    EXPECT_EQ(fault_of([&] { sync_wait(truth->hear(before)); }), Fault::unreachable);
    EXPECT_EQ(fault_of([&] { sync_wait(truth->lift(before.number)); }), Fault::unreachable);
    EXPECT_EQ(fault_of([&] { sync_wait(truth->campaign(epoch, 1)); }), Fault::unreachable);
    EXPECT_EQ(fault_of([&] { sync_wait(truth->note_run("a", RunState::running)); }), Fault::unreachable);
    EXPECT_FALSE(sync_wait(truth->beat(epoch, before)).ours);
    EXPECT_THROW(sync_wait(truth->publish(epoch, whole("a", 1))), Error);
    sql("INSERT INTO head TABLE dump");
    EXPECT_EQ(sync_wait(truth->head()).last, before);
    EXPECT_NO_THROW(sync_wait(truth->publish(epoch, whole("a", 1))));
}

TEST_F(Postgres, InitRefusesWhatIsInUseOrNotUtf8)
{
    const auto init = [](const SessionOptions& options) {
        on_session<InitReport>(options, [](Session& session) { return init_cluster(session, {}); });
    };
    EXPECT_EQ(fault_of([&] { init(session_options(schema)); }), Fault::refused);
    postgres().run_sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    SessionOptions latin = session_options("other");
    latin.targets = read_url(postgres().url("postgres", "latin"), "");
    EXPECT_EQ(fault_of([&] { init(latin); }), Fault::settings);
    EXPECT_EQ(postgres().run_sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'other%'", "latin"), "0");
}

TEST_F(Postgres, WithoutTablesItSaysWhichCommandMakesThem)
{
    schema = "nothing_here";
    const auto truth = node("one");
    try {
        sync_wait(truth->head());
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::settings);
        EXPECT_THAT(error.hint(), HasSubstr("cluster init"));
    }
}

TEST_F(Postgres, TablesOfAnotherVersionAreNotUsed)
{
    sql("UPDATE head SET version = 0");
    EXPECT_EQ(fault_of([&] { sync_wait(node("one")->head()); }), Fault::settings);
    sql("UPDATE head SET version = 9, write_from = 9");
    const auto older = node("two");
    const Head head = sync_wait(older->head());
    EXPECT_EQ(fault_of([&] { sync_wait(older->campaign(head.epoch, head.beat)); }), Fault::settings);
    EXPECT_EQ(sync_wait(older->head()).epoch, 0);
    sql("UPDATE head SET read_from = 9");
    EXPECT_EQ(fault_of([&] { sync_wait(node("three")->head()); }), Fault::settings);
}

TEST_F(Postgres, TablesOfAnOlderVersionAreBroughtToThisOneOnceHoweverManyTryIt)
{
    sql("ALTER TABLE head DROP COLUMN lease_ms, DROP COLUMN led_by, DROP COLUMN led_epoch, DROP COLUMN led_from,"
        " DROP COLUMN open_writes, DROP COLUMN open_bytes;"
        "DROP TABLE entry; ALTER TABLE trail DROP COLUMN at; UPDATE head SET version = 2, write_from = 1");
    EXPECT_EQ(fault_of([&] { sync_wait(node("one")->head()); }), Fault::settings);
    std::vector<std::future<std::int64_t>> all;
    for (int n = 0; n < 3; ++n)
        all.push_back(std::async(std::launch::async, [this] {
            try {
                return on_session<std::int64_t>(session_options(schema), &migrate_cluster);
            } catch (const ServerError& error) {
                EXPECT_EQ(error.state(), "22012") << error.what(); // another one was faster
                return std::int64_t{2};
            }
        }));
    for (auto& one : all) EXPECT_THAT(one.get(), testing::AnyOf(2, 5));
    EXPECT_EQ(sql("SELECT version, write_from FROM head"), "5|5") << "those that share no writes do not lead";
    const auto truth = node("one");
    EXPECT_EQ(lead(*truth), 1);
}

TEST_F(Postgres, TheRoleOfTheDaemonsMayDoWhatTheyNeedAndAnalystsReadTheViewsAlone)
{
    const std::string daemon = schema + "_daemon", analyst = schema + "_analyst";
    postgres().run_sql("CREATE ROLE " + daemon + " LOGIN; CREATE ROLE " + analyst + " LOGIN");
    schema += "b";
    const InitReport report = on_session<InitReport>(session_options(schema), [&](Session& session) {
        return init_cluster(session, {daemon, ""});
    });
    EXPECT_EQ(report.reader, schema + "_read");
    EXPECT_TRUE(report.made_reader);
    postgres().run_sql("GRANT " + report.reader + " TO " + analyst);

    const auto truth = node("one", 10s, daemon);
    const std::int64_t epoch = lead(*truth);
    sync_wait(truth->publish(epoch, whole("a", 2)));
    sync_wait(truth->suppress({{"k", "h"}}));
    sync_wait(truth->announce({}));
    EXPECT_TRUE(sync_wait(truth->beat(epoch, {})).ours);

    const auto as_analyst = [&](const std::string& text) {
        return postgres().run_sql("SET ROLE " + analyst + ";" + text);
    };
    EXPECT_EQ(as_analyst("SELECT count(*) FROM " + schema + "_read.chat"), "2");
    EXPECT_THROW(as_analyst("SELECT count(*) FROM " + schema + ".chat"), std::runtime_error);
    EXPECT_THROW(as_analyst("DELETE FROM " + schema + "_read.chat"), std::runtime_error);
    EXPECT_EQ(fault_of([&] { sync_wait(node("two", 10s, analyst)->head()); }), Fault::settings);
}

TEST_F(Postgres, WhatAPersonShouldKnowOfTheDatabaseIsFound)
{
    const auto inspect = [&](const std::string& user) {
        return on_session<DatabaseReport>(session_options(schema, user), inspect_database);
    };
    const DatabaseReport report = inspect("postgres");
    EXPECT_GE(std::stoi(report.version), 13);
    EXPECT_TRUE(report.is_original);
    EXPECT_FALSE(report.is_encrypted) << "a Unix socket";
    EXPECT_FALSE(report.is_synchronous);
    EXPECT_THAT(report.missing_rights, testing::IsEmpty());

    const std::string reader = schema + "_reader";
    postgres().run_sql(fmt::format("CREATE ROLE {1} LOGIN; GRANT USAGE ON SCHEMA {0} TO {1};"
                                   "GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO {1}",
                                   schema, reader));
    EXPECT_THAT(inspect(reader).missing_rights, testing::Contains("UPDATE on head"));
    sql("UPDATE head SET system_id = '1'");
    EXPECT_FALSE(inspect("postgres").is_original);
}

// One row that an operator cannot read would break every SELECT.
TEST_F(Postgres, NoRowThatUpstreamCouldSendBreaksAView)
{
    const auto truth = node("one");
    const std::int64_t epoch = lead(*truth);
    PublishedRows rows = whole("a", 0);
    for (const std::string& odd :
         {std::string(R"({"message":NaN})"), std::string(R"({"message":"\u0000"})"),
          std::string(R"({"message":"\ud800"})"), std::string("{\"message\":\"\xff\"}"),
          std::string("{\"message\":\"\0\"}", 15), std::string(R"({"message":1e400})"),
          std::string(R"({"message":-0})"), std::string(R"({"a":1,"a":2})"),
          std::string(R"({"message":)") + std::string(100'000, '[') + std::string(100'000, ']') + "}"}) {
        rows.chats.push_back(chat("a", rows.conversations[0].held++));
        rows.chats.back().chat = odd;
    }
    rows.chats[0].sent_at = Instant::min();
    rows.chats[1].sent_at = Instant::max();
    rows.chats[2].rating = "good";
    rows.conversations[0].created_at = Instant::max();
    sync_wait(truth->publish(epoch, rows));
    sync_wait(truth->publish(epoch, whole("b", 1)));
    const std::string read = schema + "_read.";
    EXPECT_EQ(sql("SELECT count(raw ->> 'message') FROM " + read + "chat"), "2"); // -0 and b's
    EXPECT_EQ(sql("SELECT count(*), count(time) FROM " + read + "chat"), "10|9");
    EXPECT_EQ(sql("SELECT raw ->> 'id', chats FROM " + read + "conversation ORDER BY 1"), "a|9\nb|1");
    EXPECT_EQ(sql("SELECT chat_id, rating FROM " + read + "feedback"), "c2|good");
    EXPECT_EQ(sql("SELECT conversations, messages, good, bad FROM " + read + "daily WHERE day = '2026-01-31'"),
              "1|8|1|0");
    EXPECT_EQ(sql("SET timezone TO 'Asia/Seoul'; SELECT time FROM " + read + "chat WHERE conversation_id = 'b'"),
              "2026-01-31 18:30:00.123456+09");
}

TEST_F(Postgres, AWrongPasswordIsSaidAsOne)
{
    postgres().run_sql(
        "SET password_encryption TO 'scram-sha-256'; CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'right'");
    postgres().set_rules("local all guarded scram-sha-256\nlocal all all trust\n");
    const auto connect = [&](const std::string& password, const std::string& beside = "") {
        PostgresOptions options;
        options.url = postgres().url("guarded");
        options.url.insert(options.url.find('@') + 1, beside);
        options.password = password;
        options.schema = schema;
        options.self = {"one", "one"};
        return sync_wait(PostgresTruth(options).head()).epoch;
    };
    const auto refuses = [&](const std::string& password) {
        try {
            connect(password);
            return false;
        } catch (const Error& error) {
            return error.fault() == Fault::key_rejected;
        }
    };
    const auto deadline = std::chrono::steady_clock::now() + 20s; // the rules are read a moment later
    while (!refuses("") && std::chrono::steady_clock::now() < deadline) {
    }
    EXPECT_TRUE(refuses(""));
    EXPECT_EQ(fault_of([&] { connect("wrong"); }), Fault::key_rejected);
    EXPECT_EQ(connect("right"), 0);
    EXPECT_EQ(connect("right", "127.0.0.1:1,"), 0);
    EXPECT_EQ(fault_of([&] { connect("wrong", "127.0.0.1:1,"); }), Fault::unreachable)
        << "the host that is away may be the one that takes it: a standby may have other rules";
    try {
        connect("wrong-secret", "127.0.0.1:1,");
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("127.0.0.1"), HasSubstr("password")));
    }
    try {
        connect("wrong-secret");
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::Not(HasSubstr("wrong-secret")));
    }
}

} // namespace
} // namespace cluster_tests

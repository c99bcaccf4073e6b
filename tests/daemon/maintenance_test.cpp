// SPDX-License-Identifier: Apache-2.0
// Long work that fails by what no row of ours throws: it ends, says so, and the next one begins.
#include "daemon/service/maintenance.hpp"

#include "alli/error.hpp"
#include "alli/sync_wait.hpp"
#include "cache/conversations.hpp"
#include "cache/upkeep/backup.hpp"
#include "daemon/node/background_maintenance.hpp"
#include "tests/daemon/home.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <new>

namespace alli::daemon {
namespace {

using testing::HasSubstr;

/// Failures as they come from the libraries, and from nobody knows where.
std::vector<std::function<void()>> foreign_failures()
{
    return {
        [] { throw std::filesystem::filesystem_error("cannot copy", std::make_error_code(std::errc::io_error)); },
        [] { throw std::bad_alloc(); },
        [] { Json::parse("{").at("x"); },
        [] { throw std::runtime_error("something"); },
        [] { throw 7; },
        [] { throw Error(Fault::refused, "do that", "one of ours"); },
    };
}

class MaintenanceTest : public testing::Test {
  protected:
    Maintenance make(std::function<void()> failing)
    {
        MaintenanceTools tools{store_, {}};
        tools.hooks.stopping = [failing = std::move(failing)] {
            failing();
            return false;
        };
        return {std::move(tools), [this](Task<> task) { asio::co_spawn(loop_, std::move(task), asio::detached); }};
    }
    Json run(Maintenance& maintenance, const std::string& task)
    {
        maintenance.start(R"({"task":")" + task + "\"}");
        EXPECT_EQ(Json::parse(*maintenance.state())["state"], "running");
        loop_.restart();
        loop_.run();
        return Json::parse(*maintenance.state());
    }

    support::TempDir dir_;
    cache::Store store_{{dir_ / "mirror.db", "http://127.0.0.1:1", false}};
    asio::io_context loop_;
};

TEST_F(MaintenanceTest, TheUpkeepOfTheFilesCleansUpBehindAPurgeThatWasCutShort)
{
    const auto note = [](cache::Writer& db) { cache::note_remains(db, support::at_second(5)); };
    sync_wait(store_.write(note));
    const std::atomic<bool> stopping{false};
    asio::cancellation_signal cancel;
    asio::co_spawn(loop_, tend_files(store_, stopping), asio::bind_cancellation_slot(cancel.slot(), asio::detached));
    loop_.poll(); // to its pause
    EXPECT_FALSE(cache::has_remains(store_));
    cancel.emit(asio::cancellation_type::terminal);
    loop_.run();
}

TEST_F(MaintenanceTest, EndsWithAnyFailureAndTakesTheNextTask)
{
    for (const auto& failing : foreign_failures()) {
        bool fails = true;
        Maintenance maintenance = make([&] {
            if (fails) failing();
        });
        const Json failed = run(maintenance, "backup");
        EXPECT_EQ(failed["state"], "failed");
        EXPECT_FALSE(failed["error"].get<std::string>().empty());
        EXPECT_FALSE(failed["hint"].get<std::string>().empty());
        fails = false;
        EXPECT_EQ(run(maintenance, "backup")["state"], "done") << failed.dump();
    }
}

TEST_F(MaintenanceTest, TellsOfATaskByItsIdWhenAnotherFollowed)
{
    Maintenance maintenance = make([] {});
    const std::string id = run(maintenance, "verify")["id"];
    EXPECT_EQ(run(maintenance, "backup")["task"], "backup");
    const Json told = Json::parse(maintenance.state(id).value());
    EXPECT_EQ(told["task"], "verify");
    EXPECT_TRUE(told["result"].contains("findings"));
    EXPECT_EQ(maintenance.state("1"), std::nullopt) << "of an earlier process";
}

TEST_F(MaintenanceTest, TakesANoteBesideATaskThatRuns)
{
    Maintenance maintenance = make([] {});
    const std::string verify = Json::parse(maintenance.start(R"({"task":"verify"})"))["id"];
    EXPECT_THROW(maintenance.start(R"({"task":"backup"})"), Error) << "one at a time";
    const std::string note =
        Json::parse(maintenance.start(R"({"task":"note_backup","madeAt":"2026-01-31T02:00:00Z"})"))["id"];
    loop_.run();
    for (const std::string& id : {verify, note}) EXPECT_EQ(Json::parse(maintenance.state(id).value())["state"], "done");
    EXPECT_TRUE(store_.read_outbox([](cache::Reader& db) { return cache::find_last_backup(db); }));
}

TEST_F(MaintenanceTest, RefusesAMisspeltMemberInsteadOfErasingMoreThanWasMeant)
{
    Maintenance maintenance = make([] {});
    const auto hint_of = [&](const std::string& request) {
        try {
            maintenance.start(request);
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::usage);
            EXPECT_THAT(error.what(), HasSubstr("there is a member that")) << request;
            return error.hint();
        }
        return "it began: " + request;
    };
    EXPECT_EQ(hint_of(R"({"task":"purge","user":"kim","dry_run":true})"), "did you mean dryRun?");
    EXPECT_EQ(hint_of(R"({"task":"purge","user":"kim","dryrun":true})"), "did you mean dryRun?");
    EXPECT_EQ(hint_of(R"({"task":"purge","before":"2025-01-01","application":"Sales"})"), "");
    EXPECT_EQ(hint_of(R"({"task":"retention","keep":"30d","dryrun":true})"), "did you mean dryRun?");
    EXPECT_EQ(hint_of(R"({"task":"verify","repairs":true})"), "did you mean repair?");
    EXPECT_EQ(hint_of(R"({"task":"restore","from":"x"})"), "") << "it has none";
    EXPECT_EQ(Json::parse(*maintenance.state())["state"], "idle");
    EXPECT_EQ(Json::parse(maintenance.start(R"({"task":"purge","user":"kim","dryRun":true})"))["state"], "running");
}

TEST_F(MaintenanceTest, IsNotBusyWithWhatCouldNotBegin)
{
    bool refuses = true;
    Maintenance maintenance(MaintenanceTools{store_, {}}, [&](Task<> task) {
        if (refuses) throw std::bad_alloc();
        asio::co_spawn(loop_, std::move(task), asio::detached);
    });
    EXPECT_THROW(maintenance.start(R"({"task":"verify"})"), std::bad_alloc);
    EXPECT_EQ(Json::parse(*maintenance.state())["state"], "failed");
    refuses = false;
    EXPECT_EQ(run(maintenance, "verify")["state"], "done");
}

// A command of the night that meets a check is not to fail for it.
TEST(MaintenanceCommand, WaitsForTheEndOfAnotherTask)
{
    Home home;
    std::filesystem::create_directories(std::filesystem::path(home.mirror()).parent_path());
    const cache::Store owned({home.mirror(), "http://127.0.0.1:1", false}); // this process is its daemon
    int asked = 0;
    upstream_test::ScriptedServer daemon([&](const upstream_test::Heard& heard) {
        if (heard.method == "POST" && ++asked < 3)
            return upstream_test::answer(409, R"({"status":409,"detail":"another task is under way"})");
        return upstream_test::answer(200, R"({"id":"7","task":"verify","state":"done","result":{"damaged":false,)"
                                          R"("repaired":false,"restart":false,"findings":[]}})");
    });
    home.environment["ALLI_API_KEY"] = "k";
    home.environment["ALLI_MIRROR_UPSTREAM_URL"] = "http://127.0.0.1:1";
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = daemon.url().substr(std::string_view("http://").size());
    const support::Finished finished = home.run({"verify"});
    EXPECT_EQ(finished.code, 0) << finished.errors;
    EXPECT_EQ(asked, 3);
    EXPECT_THAT(finished.errors, HasSubstr("another task is under way: waiting for its end"));
}

Task<> take_turn(int number, const std::vector<std::function<void()>>& failing, asio::cancellation_signal& end)
{
    if (number < static_cast<int>(failing.size())) failing[static_cast<std::size_t>(number)]();
    if (number == static_cast<int>(failing.size()) + 2) end.emit(asio::cancellation_type::terminal);
    co_return;
}

TEST(Upkeep, GoesOnAfterAnyFailureUntilItIsCancelled)
{
    asio::io_context loop;
    asio::cancellation_signal end;
    const auto failing = foreign_failures();
    int turns = 0;
    bool ended = false;
    std::function<Task<>()> work = [&] { return take_turn(turns++, failing, end); };
    constexpr Pauses pauses{std::chrono::milliseconds(0), std::chrono::milliseconds(0)};
    asio::co_spawn(loop, repeat(work, pauses),
                   asio::bind_cancellation_slot(end.slot(), [&](std::exception_ptr) { ended = true; }));
    loop.run_for(std::chrono::seconds(20));
    EXPECT_TRUE(ended);
    EXPECT_EQ(turns, static_cast<int>(failing.size()) + 3);
}

} // namespace
} // namespace alli::daemon

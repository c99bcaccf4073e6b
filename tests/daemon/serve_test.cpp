// SPDX-License-Identifier: Apache-2.0
// `serve` through the real program: it answers from the mirror, says how it is, survives what upstream does, ends
// cleanly.
#include "daemon/service/daemon_probe.hpp"
#include "tests/daemon/daemon.hpp"
#include "tests/daemon/notify_socket.hpp"
#include "tests/proxy/raw_client.hpp"
#include "tests/support/http_client.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

static bool is_complete(const json& status)
{
    return status["mirror"]["complete"] == true && status["upstream"]["error"] == nullptr;
}

TEST(Serve, MirrorsAndAnswersAndEndsCleanly)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    Daemon daemon(home, {"serve"});
    const json status = daemon.wait_for(&is_complete);
    EXPECT_EQ(status["mirror"]["conversations"], 12);
    EXPECT_EQ(status["upstream"]["reachable"], true);
    EXPECT_EQ(status["upstream"]["keyAccepted"], true);
    EXPECT_EQ(status["upstream"]["error"], nullptr);

    const auto list = daemon.get("/webapi/v2/conversations?pageSize=50");
    EXPECT_EQ(list.status, 200);
    EXPECT_THAT(std::string(list.header("Cache-Status")), HasSubstr("hit"));
    EXPECT_EQ(json::parse(list.body)["conversations"].size(), 12U);
    EXPECT_EQ(daemon.stop(), 0);
    std::error_code none; // all that was logged is in the file itself
    EXPECT_TRUE(!std::filesystem::exists(home.mirror() + "-wal") ||
                std::filesystem::file_size(home.mirror() + "-wal", none) == 0);
}

TEST(Serve, GoesOnFromACursorThatItGaveBeforeARestart)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    const std::string list = "/webapi/v2/conversations?pageSize=5";
    std::string cursor, expected;
    {
        Daemon daemon(home, {"serve"});
        daemon.wait_until_complete();
        cursor = json::parse(daemon.get(list).body).at("cursor");
        expected = daemon.get(list + "&cursor=" + cursor).body;
        EXPECT_EQ(daemon.stop(), 0);
    }
    Daemon daemon(home, {"serve"});
    const auto next = daemon.get(list + "&cursor=" + cursor);
    EXPECT_EQ(next.status, 200) << next.body;
    EXPECT_EQ(next.body, expected);
    EXPECT_EQ(json::parse(expected)["conversations"].size(), 5U);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Serve, RelaysOverTheEnginesLoop)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    Daemon daemon(home, {"serve"});
    const auto running = daemon.get("/webapi/conversations/nobody/running");
    EXPECT_EQ(running.status, 404) << running.body;
    EXPECT_GT(upstream.request_count("*"), 0U);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Serve, GoesOnWithARejectedKeyAndSaysSo)
{
    sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream, "wrong-key-7");
    Daemon daemon(home, {"serve"});
    daemon.key = "wrong-key-7";
    const json status = daemon.wait_for([](const json& now) { return now["upstream"]["keyAccepted"] == false; });
    EXPECT_EQ(status["upstream"]["reachable"], true);
    ASSERT_FALSE(status["problems"].empty());
    EXPECT_NE(status["problems"][0]["hint"], "");

    upstream.set_api_key("wrong-key-7"); // the pause after a rejection ends by itself
    EXPECT_EQ(daemon.wait_for(&is_complete)["upstream"]["keyAccepted"], true);
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_THAT(daemon.process.errors(), Not(HasSubstr("wrong-key-7")));
}

TEST(Serve, GoesOnWithoutUpstreamAndSaysSo)
{
    sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    ASSERT_EQ(home.run({"sync"}).code, 0);
    upstream.stop();
    Daemon daemon(home, {"serve"});
    const json status = daemon.wait_for([](const json& now) { return now["upstream"]["error"] != nullptr; });
    EXPECT_EQ(status["upstream"]["reachable"], false);
    const auto list = daemon.get("/webapi/v2/conversations");
    EXPECT_EQ(list.status, 200);
    EXPECT_THAT(std::string(list.header("Cache-Status")), HasSubstr("detail=offline"));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Serve, GoesOnWhenAWebPageAnswersAndSaysSo)
{
    const upstream_test::ScriptedServer portal([](const upstream_test::Heard&) {
        return upstream_test::answer(200, "<!doctype html><title>Welcome</title>", "Content-Type: text/html\r\n");
    });
    Home home;
    home.environment["ALLI_MIRROR_UPSTREAM_URL"] = portal.url();
    home.environment["ALLI_API_KEY"] = "sandbox";
    Daemon daemon(home, {"serve"});
    const json status = daemon.wait_for([](const json& now) { return !now["problems"].empty(); });
    EXPECT_THAT(status["problems"].dump(), HasSubstr("HTML"));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Serve, SaysSoWhenThePortIsTaken)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    const sandbox::Sandbox other(small_sandbox());
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:" + std::to_string(other.port());
    const support::Finished finished = home.run({"serve"});
    EXPECT_EQ(finished.code, 1);
    EXPECT_THAT(finished.errors,
                HasSubstr("somebody else listens there: process " + std::to_string(::getpid()) + " ("));
    EXPECT_THAT(finished.errors, HasSubstr("proxy.listen"));
}

TEST(Serve, KeepsTheKeyToItself)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    home.environment["ALLI_MIRROR_LOG_LEVEL"] = "debug";
    Daemon daemon(home, {"serve"});
    std::ifstream environment("/proc/" + std::to_string(daemon.process.pid()) + "/environ");
    const std::string seen{std::istreambuf_iterator<char>(environment), {}};
    EXPECT_THAT(seen, Not(HasSubstr("ALLI_API_KEY=sandbox")));
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_THAT(daemon.process.errors(), Not(HasSubstr("sandbox\n")));
}

TEST(Serve, AnswersStatusOverItsSocket)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
    Daemon daemon(home, {"serve"});
    daemon.wait_for(&is_complete);
    const json status = json::parse(home.run({"status", "--json"}).output);
    EXPECT_EQ(status["daemon"]["running"], true);
    EXPECT_EQ(status["daemon"]["answered"], true);
    EXPECT_EQ(status["daemon"]["pid"], daemon.process.pid());
    EXPECT_EQ(status["upstream"]["reachable"], true);
    EXPECT_THAT(home.run({"status"}).output, HasSubstr("reachable, key accepted"));
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_THAT(home.run({"status"}).output, HasSubstr("no daemon runs"));
}

TEST(Serve, BringsASandboxAlongThatCommandsFind)
{
    const Home home;
    Daemon daemon(home, {"serve", "--sandbox", "--conversations", "200"});
    daemon.wait_for(&is_complete);
    EXPECT_THAT(daemon.process.wait_for_line("curl"), HasSubstr("API-KEY: sandbox"));

    for (const char* word : {"football", "여행"}) {
        const json found = json::parse(home.run({"search", word, "--json"}).output);
        EXPECT_GT(found["total"].get<int>(), 0) << word;
        EXPECT_EQ(found["coverage"]["complete"], true);
    }
    EXPECT_EQ(json::parse(home.run({"list", "--json"}).output)["conversations"].size(), 20U);
    EXPECT_THAT(home.run({"status"}).output, HasSubstr("the sandbox's mirror"));
    EXPECT_THAT(home.run({"serve", "--sandbox"}).errors, HasSubstr("in use by process"));
    EXPECT_EQ(daemon.stop(), 0);

    Daemon again(home, {"serve", "--sandbox", "--conversations", "3", "--seed", "9"});
    again.wait_for(&is_complete);
    EXPECT_EQ(json::parse(home.run({"list", "--json"}).output)["conversations"].size(), 3U);
    EXPECT_EQ(again.stop(), 0);
}

TEST(Serve, EndsAtOnceWhenItIsToldToRightAfterItsStart)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    for (int n = 0; n < 5; ++n) {
        Daemon daemon(home, {"serve"});
        const auto told = std::chrono::steady_clock::now();
        EXPECT_EQ(daemon.stop(), 0);
        EXPECT_LT(std::chrono::steady_clock::now() - told, 3s) << "it waited for what never comes";
    }
}

TEST(Serve, TellsTheServiceManagerHowItIs)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    const NotifySocket manager(home.path("notify.sock"));
    home.environment["NOTIFY_SOCKET"] = home.path("notify.sock");
    home.environment["WATCHDOG_USEC"] = "200000";
    Daemon daemon(home, {"serve"});
    EXPECT_THAT(manager.next(), testing::StartsWith("READY=1"));
    EXPECT_EQ(manager.next(), "WATCHDOG=1");
    EXPECT_EQ(manager.next(), "WATCHDOG=1");
    EXPECT_EQ(daemon.stop(), 0);
    std::string last = manager.next();
    while (last == "WATCHDOG=1") last = manager.next();
    EXPECT_EQ(last, "STOPPING=1");
}

class Reload : public testing::Test {
  protected:
    Reload()
    {
        home_.use(upstream_);
        home_.environment["NOTIFY_SOCKET"] = home_.path("notify.sock");
        home_.write("tokens", "token-one\n");
        write("");
        daemon_.emplace(home_, std::vector<std::string>{"--config", home_.path("config.toml"), "serve"});
        EXPECT_THAT(manager_.next(), testing::StartsWith("READY=1"));
    }

    void write(const std::string& more) const
    {
        home_.write("config.toml", "[proxy]\ntokens_file = \"" + home_.path("tokens") + "\"\n" + more);
    }

    void reload()
    {
        daemon_->process.send(SIGHUP);
        EXPECT_THAT(manager_.next(), testing::StartsWith("RELOADING=1\nMONOTONIC_USEC="));
        EXPECT_THAT(manager_.next(), testing::StartsWith("READY=1"));
    }

    int status_with(const std::string& token) const
    {
        return support::http(daemon_->port, "GET", "/mirror/v1/status", {{"API-KEY", token}}).status;
    }

    std::string finish()
    {
        EXPECT_EQ(daemon_->stop(), 0);
        return daemon_->process.errors();
    }

    const sandbox::Sandbox upstream_{small_sandbox()};
    Home home_;
    const NotifySocket manager_{home_.path("notify.sock")};
    std::optional<Daemon> daemon_;
};

TEST_F(Reload, BringsTheTokens)
{
    EXPECT_EQ(status_with("token-one"), 200);
    home_.write("tokens", "token-two\ntoken-three\n");
    EXPECT_EQ(status_with("token-two"), 401);
    reload();
    EXPECT_EQ(status_with("token-two"), 200);
    EXPECT_EQ(status_with("token-three"), 200);
    EXPECT_EQ(status_with("token-one"), 401) << "who was taken off the list is out at once";
    EXPECT_EQ(status_with("sandbox"), 200) << "the key itself stays";
    EXPECT_THAT(finish(), HasSubstr("reloaded: the settings were read again tokens=2"));
}

TEST_F(Reload, EndsTheStreamsAndSessionsOfARemovedToken)
{
    const auto made = support::http(daemon_->port, "POST", "/mirror/v1/session", {{"API-KEY", "token-one"}});
    const auto link = json::parse(made.body).at("link").get<std::string>();
    const auto entered = support::http(daemon_->port, "GET", link.substr(link.find("/mirror")), {});
    const std::string cookie(entered.header("Set-Cookie"));
    const support::Headers page{{"Cookie", cookie.substr(0, cookie.find(';'))}};
    EXPECT_EQ(support::http(daemon_->port, "GET", "/mirror/v1/status", page).status, 200);
    proxy::RawClient stream(daemon_->port);
    stream.send("GET /mirror/v1/changes?since=now HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(daemon_->port) +
                "\r\nAPI-KEY: token-one\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(stream.read_until("retry: 1000\n\n"), HasSubstr(" 200 "));
    home_.write("tokens", "token-two\n");
    reload();
    const auto reloaded = std::chrono::steady_clock::now();
    stream.read_all();
    EXPECT_LT(std::chrono::steady_clock::now() - reloaded, 5s) << "a heartbeat comes after 15 s";
    EXPECT_EQ(support::http(daemon_->port, "GET", "/mirror/v1/status", page).status, 401);
}

TEST_F(Reload, BringsHowOldIsFresh)
{
    daemon_->wait_until_complete();
    const auto ttl = [&] {
        const auto reply = daemon_->get("/webapi/v2/conversations?pageSize=1");
        const std::string status(reply.header("Cache-Status"));
        const auto at = status.find("ttl=");
        return at == status.npos ? 0 : std::stoi(status.substr(at + 4));
    };
    EXPECT_LE(ttl(), 60);
    write("max_age = \"1h\"\n[sync]\ninterval = \"77s\"\n");
    reload();
    const auto deadline = std::chrono::steady_clock::now() + 30s; // each loop takes it over at its own next turn
    while (ttl() < 3000 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_GT(ttl(), 3000);
    const std::string log = finish();
    EXPECT_THAT(log, HasSubstr("changed=proxy.max_age"));
    EXPECT_THAT(log, HasSubstr("only a restart brings it: sync.interval"));
}

TEST_F(Reload, ChangesNothingWhileAnythingIsWrong)
{
    const auto is_refused = [&] {
        reload();
        EXPECT_EQ(status_with("token-one"), 200);
        EXPECT_EQ(status_with("token-two"), 401);
    };
    home_.write("tokens", "token-two\n");
    write("max_age = \"soon\"\n"); // a bad value
    is_refused();
    write("allowed_hosts = [\"no host/\"]\n"); // one that only a restart would bring
    is_refused();
    write("");
    home_.write("tokens", "token-two\n", std::filesystem::perms(0644)); // a file that others can read
    is_refused();
    const std::string log = finish();
    EXPECT_THAT(log, HasSubstr("the settings stay as they were: "));
    EXPECT_THAT(log, HasSubstr("can be read by others"));
}

TEST(Serve, ReadsItsSettingsAgainWhenAsked)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    const NotifySocket manager(home.path("notify.sock"));
    home.environment["NOTIFY_SOCKET"] = home.path("notify.sock");
    const std::string file = home.write("config.toml", "[log]\nlevel = \"info\"\n");
    Daemon daemon(home, {"--config", file, "serve"});
    EXPECT_THAT(manager.next(), testing::StartsWith("READY=1"));

    home.write("config.toml", "[log]\nformat = \"json\"\n[sync]\ninterval = \"7s\"\n");
    daemon.process.send(SIGHUP);
    EXPECT_THAT(manager.next(), testing::StartsWith("RELOADING=1\nMONOTONIC_USEC="));
    EXPECT_THAT(manager.next(), testing::StartsWith("READY=1"));
    home.write("config.toml", "[log]\nlevel = \"loud\"\n");
    daemon.process.send(SIGHUP);
    EXPECT_THAT(manager.next(), testing::StartsWith("RELOADING=1"));
    EXPECT_THAT(manager.next(), testing::StartsWith("READY=1"));

    EXPECT_EQ(daemon.stop(), 0);
    const std::string log = daemon.process.errors();
    EXPECT_THAT(log, testing::HasSubstr(R"("message":"changed, but only a restart brings it: sync.interval")"));
    EXPECT_THAT(log, testing::HasSubstr("the settings stay as they were"));
}

} // namespace alli::daemon

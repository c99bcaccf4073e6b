// SPDX-License-Identifier: Apache-2.0
// `token new|list|revoke` through the real program, beside a daemon and without one.
#include "tests/daemon/daemon.hpp"
#include "tests/proxy/raw_client.hpp"

#include <gmock/gmock.h>

#include <fstream>

namespace alli::daemon {

using nlohmann::json;
using proxy::RawClient;
using testing::AllOf;
using testing::HasSubstr;

class TokenCommand : public testing::Test {
  protected:
    TokenCommand() { home_.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home_.path("proxy.sock"); }

    void serve()
    {
        daemon_.emplace(home_, std::vector<std::string>{"serve", "--sandbox", "--conversations", "3", "--keep"});
    }

    std::string make(std::vector<std::string> words)
    {
        words.insert(words.begin(), {"token", "new"});
        const auto made = home_.run(std::move(words));
        EXPECT_EQ(made.code, 0) << made.errors;
        EXPECT_EQ(made.output.size(), 44u) << "the token alone, and a line break: " << made.output;
        return made.output.substr(0, made.output.find('\n'));
    }
    int ask(const std::string& method, const std::string& target, const std::string& token) const
    {
        return support::http(daemon_->port, method, target, {{"API-KEY", token}}).status;
    }
    json list()
    {
        const auto said = home_.run({"token", "list", "--json"});
        EXPECT_EQ(said.code, 0) << said.errors;
        return json::parse(said.output).at("tokens");
    }

    Home home_;
    std::optional<Daemon> daemon_;
};

TEST_F(TokenCommand, MakesOneThatIsInForceWhenItIsPrinted)
{
    serve();
    const std::string metrics = make({"prometheus", "--scope", "metrics"});
    const std::string read = make({"qa board", "--scope", "read", "--expires", "30d"});
    EXPECT_EQ(ask("GET", "/metrics", metrics), 200);
    EXPECT_EQ(ask("GET", "/mirror/v1/status", metrics), 403);
    EXPECT_EQ(ask("POST", "/mirror/v1/maintenance", metrics), 403) << "what a token for Prometheus could do before";
    EXPECT_EQ(ask("GET", "/mirror/v1/status", read), 200);
    EXPECT_EQ(ask("POST", "/mirror/v1/sync", read), 403);
    EXPECT_EQ(ask("POST", "/mirror/v1/tokens", read), 403);

    const json all = list();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].at("name"), "prometheus");
    EXPECT_EQ(all[1].at("scope"), "read");
    EXPECT_TRUE(all[1].at("expires").is_string());
    EXPECT_THAT(home_.run({"token", "list"}).output, AllOf(HasSubstr("qa board"), HasSubstr("until 20")));

    const auto again = home_.run({"token", "new", "prometheus", "--scope", "read"});
    EXPECT_EQ(again.code, 1);
    EXPECT_EQ(again.output, "");
    EXPECT_THAT(again.errors, HasSubstr("there is a token of that name"));
    EXPECT_EQ(daemon_->stop(), 0);
    EXPECT_THAT(daemon_->process.errors(), HasSubstr("the token prometheus was made"));
    EXPECT_EQ(daemon_->process.errors().find(metrics), std::string::npos);
}

TEST_F(TokenCommand, RevokesOneWithItsStreamAtOnce)
{
    serve();
    const std::string token = make({"a%20b", "--scope", "read"}); // a name as it stands
    RawClient stream(daemon_->port);
    stream.send("GET /mirror/v1/changes?since=now HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(daemon_->port) +
                "\r\nAPI-KEY: " + token + "\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(stream.read_until("retry: 1000\n\n"), HasSubstr(" 200 "));
    const auto began = std::chrono::steady_clock::now();
    const auto revoked = home_.run({"token", "revoke", "a%20b"});
    EXPECT_EQ(revoked.code, 0) << revoked.errors;
    EXPECT_EQ(ask("GET", "/mirror/v1/status", token), 401);
    stream.read_all();
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(8)) << "a heartbeat comes after 15 s";
    const auto again = home_.run({"token", "revoke", "a%20b"});
    EXPECT_EQ(again.code, 1);
    EXPECT_THAT(again.errors, AllOf(HasSubstr("there is no token of that name"), HasSubstr("token list")));
}

TEST_F(TokenCommand, IsAnApiForAdministrators)
{
    serve();
    const std::string admin = make({"ops", "--scope", "admin"});
    const auto call = [&](const char* method, const std::string& below, const std::string& body = "") {
        const support::Headers headers{{"API-KEY", admin}, {"Content-Type", "application/json"}};
        return support::http(daemon_->port, method, "/mirror/v1/tokens" + below, headers, body);
    };
    const auto made = call("POST", "", R"({"name":"a b","scope":"read"})");
    EXPECT_EQ(made.status, 201) << made.body;
    const auto token = json::parse(made.body).at("token").get<std::string>();
    EXPECT_EQ(ask("GET", "/mirror/v1/status", token), 200);
    EXPECT_EQ(call("POST", "", R"({"name":"a b","scope":"read"})").status, 409);
    for (const char* odd : {"", "[]", R"({"name":"x","scope":"read","expire":"1d"})", R"({"name":"x","scope":"all"})",
                            R"({"name":"x","scope":"read","sha256":"zz"})", R"({"name":"\u0000","scope":"read"})",
                            R"({"name":"x","scope":"read","user":""})", R"({"name":"x","scope":"read","app":""})",
                            R"({"name":"x","scope":"read","expires":""})"})
        EXPECT_EQ(call("POST", "", odd).status, 400) << odd;
    EXPECT_EQ(call("DELETE", "/a%20b").status, 204);
    EXPECT_EQ(call("DELETE", "/a%20b").status, 404);
    EXPECT_EQ(ask("GET", "/mirror/v1/status", token), 401);
    EXPECT_EQ(call("DELETE", "/ops").status, 204) << "its own, too";
    EXPECT_EQ(call("GET", "").status, 401);
    EXPECT_EQ(home_.run({"token", "list"}).output, "there are no tokens: alli-mirror token new makes one\n");
}

TEST_F(TokenCommand, SaysThatThereIsNoneAndMakesNothing)
{
    const auto revoked = home_.run({"token", "revoke", "x"});
    EXPECT_EQ(revoked.code, 1);
    EXPECT_THAT(revoked.errors, HasSubstr("there is no token of that name"));
    EXPECT_EQ(home_.run({"token", "list"}).code, 0);
    EXPECT_FALSE(std::filesystem::exists(home_.path(".local")));
}

TEST_F(TokenCommand, WritesTheFileItselfWhereNoDaemonRuns)
{
    serve(); // makes the sandbox's directory, which the commands take
    EXPECT_EQ(daemon_->stop(), 0);
    const auto made = home_.run({"token", "new", "later", "--scope", "write", "--json"});
    ASSERT_EQ(made.code, 0) << made.errors;
    const auto token = json::parse(made.output).at("token").get<std::string>();
    EXPECT_THAT(home_.run({"token", "new", "other", "--scope", "read"}).errors, HasSubstr("no daemon runs"));
    EXPECT_EQ(list().size(), 2u);
    EXPECT_EQ(home_.run({"token", "revoke", "other"}).code, 0);
    EXPECT_EQ(list().size(), 1u);
    serve();
    EXPECT_EQ(ask("POST", "/mirror/v1/sync", token), 202);
}

TEST_F(TokenCommand, NamesTheFileThatCannotBeRead)
{
    home_.environment["ALLI_MIRROR_PROXY_TOKENS_FILE"] = home_.write("tokens", "a read nonsense\n");
    home_.environment["ALLI_MIRROR_UPSTREAM_URL"] = "http://127.0.0.1:1";
    home_.environment["ALLI_API_KEY"] = "k";
    const auto refused = home_.run({"serve"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.errors, AllOf(HasSubstr(home_.path("tokens") + ":1"), HasSubstr("no hash")));
    EXPECT_EQ(home_.run({"token", "new", "b", "--scope", "read"}).code, 2);
}

// Its apps would have made-up answers, and writes that are done nowhere.
TEST_F(TokenCommand, OfTheServiceOpensNoSandboxNorIsChangedByIt)
{
    serve(); // with tokens of its own alone
    const std::string token = make({"app", "--scope", "read"});
    EXPECT_EQ(daemon_->stop(), 0);
    const std::string own = home_.path(".local/state/alli-mirror/sandbox/tokens");
    std::filesystem::rename(own, home_.path("tokens"));
    home_.environment["ALLI_MIRROR_PROXY_TOKENS_FILE"] = home_.path("tokens");
    serve();
    EXPECT_EQ(ask("GET", "/mirror/v1/status", token), 401);
    EXPECT_EQ(ask("GET", "/mirror/v1/status", make({"app", "--scope", "read"})), 200) << "of the sandbox";
    daemon_->process.send(SIGHUP);
    daemon_->process.wait_for_line("settings were read again");
    EXPECT_EQ(ask("GET", "/mirror/v1/status", token), 401);
    EXPECT_EQ(home_.run({"token", "revoke", "app"}).code, 0);
    EXPECT_EQ(daemon_->stop(), 0);
    std::ifstream kept(home_.path("tokens"));
    EXPECT_THAT(std::string(std::istreambuf_iterator<char>(kept), {}), testing::StartsWith("app read "));

    home_.write("tokens", "x read nonsense\n");
    serve();
    EXPECT_EQ(daemon_->stop(), 0) << "it may be unreadable, too";
}

TEST_F(TokenCommand, ExpiresWithoutAnybodysDoing)
{
    serve();
    const std::string token = make({"short", "--scope", "read", "--expires", "4s"});
    RawClient stream(daemon_->port);
    stream.send("GET /mirror/v1/changes?since=now HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(daemon_->port) +
                "\r\nAPI-KEY: " + token + "\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n");
    const auto began = std::chrono::steady_clock::now();
    EXPECT_THAT(stream.read_all(), HasSubstr("retry: 1000"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(9));
    EXPECT_EQ(ask("GET", "/mirror/v1/status", token), 401);
    EXPECT_EQ(list()[0].at("state"), "expired");
}

} // namespace alli::daemon

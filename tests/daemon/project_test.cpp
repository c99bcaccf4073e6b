// SPDX-License-Identifier: Apache-2.0
// Whose mirror it is, through the real program: another key, of the same project and of another one.
#include "tests/daemon/daemon.hpp"
#include "tests/upstream/scripted_server.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

#include <atomic>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;

class ChangedKey : public testing::Test {
  protected:
    ChangedKey()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
        home.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "100ms";
    }

    void change_key(const std::string& key)
    {
        upstream.set_api_key(key);
        home.environment["ALLI_API_KEY"] = key;
        upstream.clear_log();
    }

    /// Upstream under another key: none of what it had.
    void open_another_project()
    {
        change_key("another");
        for (const std::string& id : upstream.conversation_ids()) upstream.erase(id);
        for (int n = 0; n < 5; ++n) upstream.add_conversation(3);
        upstream.clear_log();
    }

    static support::HttpReply title(const Daemon& daemon, const std::string& id, const std::string& text)
    {
        return support::http(daemon.port, "PUT", upstream::conversation_target(ConversationId{id}, "/title"),
                             {{"API-KEY", daemon.key}, {"Content-Type", "application/json"}},
                             json{{"title", text}}.dump());
    }
    json offline_status() const { return json::parse(home.run({"status", "--json"}).output); }

    sandbox::Sandbox upstream{small_sandbox()};
    Home home;
};

TEST_F(ChangedKey, OfTheSameProjectIsTakenOver)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    change_key("rotated");
    ASSERT_EQ(home.run({"sync"}).code, 0);
    EXPECT_EQ(upstream.requests().front().operation, "getConversation") << "before anything else";
    upstream.clear_log();
    ASSERT_EQ(home.run({"sync"}).code, 0);
    EXPECT_EQ(upstream.request_count("getConversation"), 0U) << "it is known now";
}

TEST_F(ChangedKey, IsNoMatterWhereNothingIsMirrored)
{
    home.environment["ALLI_API_KEY"] = "mistyped";
    ASSERT_EQ(home.run({"sync"}).code, 3);
    home.environment["ALLI_API_KEY"] = "sandbox";
    EXPECT_EQ(home.run({"sync"}).code, 0);
}

TEST_F(ChangedKey, OfAnotherProjectMixesNothing)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    open_another_project();
    const support::Finished refused = home.run({"sync"});
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.errors, HasSubstr("opens another project"));
    EXPECT_THAT(refused.errors, HasSubstr("--accept-key"));
    // Three known ids, and what a 404 of the service looks like: a list, and an id that nobody has.
    EXPECT_EQ(upstream.request_count("*"), 5U);
    EXPECT_EQ(upstream.request_count("getConversation"), 4U);
    EXPECT_EQ(offline_status()["mirror"]["conversations"], 12);

    const support::Finished accepted = home.run({"sync", "--accept-key"});
    EXPECT_EQ(accepted.code, 0) << accepted.errors;
    EXPECT_EQ(offline_status()["mirror"]["conversations"], 17) << "what is missing there is another question";
    EXPECT_EQ(home.run({"sync"}).code, 0) << "said once";
}

// Two projects behind one address: the former one, and for any other key an empty one.
class TwoProjects {
  public:
    explicit TwoProjects(const sandbox::Sandbox& former) : former_(former) {}
    std::string url() const { return server_.url(); }

    std::size_t count_of_strangers(const std::string& method, const std::string& path) const
    {
        std::size_t count = 0;
        for (const auto& heard : server_.heard())
            if (heard.header("API-KEY") != "sandbox" && heard.method == method && heard.target.starts_with(path))
                ++count;
        return count;
    }
    std::atomic<bool> writes_are_taken = true;

  private:
    upstream_test::Answer answer(const upstream_test::Heard& heard) const
    {
        if (heard.method != "GET" && !writes_are_taken) return upstream_test::answer(503, "{}");
        if (heard.header("API-KEY") != "sandbox") {
            const bool list = heard.target.find('?') != std::string::npos;
            return list ? upstream_test::answer(200, R"({"conversations":[],"cursor":null})")
                        : upstream_test::answer(404, R"({"type":"APIError","code":7003,"message":"unknown"})");
        }
        support::Headers headers = support::sandbox_key();
        headers.emplace_back("Content-Type", "application/json");
        const auto reply = support::http(former_.port(), heard.method, heard.target, headers, heard.body);
        return upstream_test::answer(reply.status, reply.body);
    }

    const sandbox::Sandbox& former_;
    upstream_test::ScriptedServer server_{[this](const upstream_test::Heard& heard) { return answer(heard); }};
};

TEST_F(ChangedKey, OfAnotherProjectHoldsWritesUntilTheFormerOneIsBack)
{
    TwoProjects both(upstream);
    home.environment["ALLI_MIRROR_UPSTREAM_URL"] = both.url();
    home.environment["ALLI_MIRROR_OUTBOX_RETRY_MAX"] = "200ms";
    const std::string id = upstream.conversation_ids().front();
    {
        Daemon daemon(home, {"serve"});
        daemon.wait_until_complete();
        both.writes_are_taken = false;
        EXPECT_EQ(title(daemon, id, "waits").status, 202);
        EXPECT_EQ(daemon.stop(), 0);
    }
    both.writes_are_taken = true;
    home.environment["ALLI_API_KEY"] = "another";
    {
        Daemon daemon(home, {"serve"});
        daemon.key = "another";
        const json status = daemon.wait_for([](const json& now) { return now["upstream"]["keyAccepted"] == false; });
        EXPECT_THAT(status["problems"].dump(), HasSubstr("opens another project"));
        EXPECT_EQ(title(daemon, id, "waits too").status, 202);
        EXPECT_EQ(daemon.get("/webapi/v2/conversations?variables=X").status, 403) << "nor is a miss asked for";
        EXPECT_THAT(daemon.get("/webapi/v2/conversations").header("Cache-Status"), HasSubstr("detail=key-rejected"));
        EXPECT_EQ(home.run({"sync"}).code, 3);
        EXPECT_EQ(daemon.status()["outbox"]["pending"], 2);
        EXPECT_EQ(daemon.stop(), 0);
    }
    EXPECT_GT(both.count_of_strangers("GET", "/webapi/v2/conversations/"), 0U);
    EXPECT_LE(both.count_of_strangers("GET", "/webapi/v2/conversations?"), 1U) << "to learn what a 404 looks like";
    EXPECT_EQ(both.count_of_strangers("PUT", ""), 0U);
    home.environment["ALLI_API_KEY"] = "sandbox";
    Daemon daemon(home, {"serve"});
    daemon.wait_for([](const json& now) { return now["outbox"]["pending"] == 0; });
    EXPECT_EQ(json::parse(upstream.conversation_json(id))["title"], "waits too");
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(ChangedKey, MayBeSaidToARunningDaemon)
{
    TwoProjects both(upstream);
    home.environment["ALLI_MIRROR_UPSTREAM_URL"] = both.url();
    ASSERT_EQ(home.run({"sync"}).code, 0);
    home.environment["ALLI_API_KEY"] = "another";
    Daemon daemon(home, {"serve"});
    daemon.key = "another";
    daemon.wait_for([](const json& now) { return now["upstream"]["keyAccepted"] == false; });
    const support::Finished accepted = home.run({"sync", "--accept-key"});
    EXPECT_EQ(accepted.code, 0) << accepted.errors;
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::daemon

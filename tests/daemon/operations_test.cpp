// SPDX-License-Identifier: Apache-2.0
// Operations that the settings have elsewhere, through the real program: an app's, the assistant's, and what was queued
// before.
#include "daemon/mcp/mcp_tools.hpp"
#include "daemon/settings/operations.hpp"
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;

class OperationsTest : public testing::Test {
  protected:
    using Fault = sandbox::FaultRule;

    OperationsTest()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_INITIAL"] = "50ms";
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_MAX"] = "200ms";
        id = upstream.conversation_ids().front();
    }
    /// Where the sandbox takes a title too.
    void set_title_elsewhere()
    {
        home.environment["ALLI_MIRROR_UPSTREAM_TITLE"] = "PATCH /webapi/v2/conversations/{id}";
    }
    support::HttpReply send(const Daemon& daemon, const std::string& method, const std::string& target,
                            const std::string& title) const
    {
        return support::http(daemon.port, method, target,
                             {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}},
                             json{{"title", title}}.dump());
    }
    std::string upstreams_title() const { return json::parse(upstream.conversation_json(id)).value("title", ""); }
    static bool nothing_waits(const json& status) { return status["outbox"]["pending"] == 0; }

    sandbox::Sandbox upstream{small_sandbox(3)};
    std::string id;
    Home home;
    const std::string contract_title = "setConversationTitle", update = "updateConversation";
};

TEST_F(OperationsTest, AnAppsRenamingIsQueuedAtTheSetPathAndDeliveredByIt)
{
    set_title_elsewhere();
    upstream.set_faults({{Fault::Kind::reset_before, contract_title}, {Fault::Kind::unavailable_html, update}});
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    EXPECT_EQ(daemon.status()["operations"]["title"], "PATCH /webapi/v2/conversations/{id}");
    EXPECT_EQ(daemon.status()["operations"]["update"], "PUT /webapi/v2/conversations/{id}");
    const auto queued = send(daemon, "PATCH", upstream::conversation_target(ConversationId{id}), "later");
    EXPECT_EQ(queued.status, 202) << queued.body;
    const json listed = json::parse(home.run({"outbox", "list", "--json"}).output);
    ASSERT_EQ(listed["entries"].size(), 1U);
    EXPECT_EQ(listed["entries"][0]["operation"], "title");
    upstream.set_faults({{Fault::Kind::reset_before, contract_title}});
    daemon.wait_for(&nothing_waits);
    EXPECT_EQ(upstreams_title(), "later");
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(OperationsTest, WhatWasQueuedBeforeTheSettingChangedGoesByTheNewOne)
{
    upstream.set_faults({{Fault::Kind::reset_before, contract_title}});
    {
        Daemon daemon(home, {"serve"});
        daemon.wait_until_complete();
        EXPECT_EQ(send(daemon, "PUT", upstream::conversation_target(ConversationId{id}, "/title"), "x").status, 202);
        EXPECT_EQ(daemon.stop(), 0);
    }
    set_title_elsewhere();
    Daemon daemon(home, {"serve"});
    daemon.wait_for(&nothing_waits);
    EXPECT_EQ(upstreams_title(), "x");
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(OperationsTest, TheAssistantRenamesByTheDaemonsSetting)
{
    set_title_elsewhere();
    upstream.set_faults({{Fault::Kind::reset_before, contract_title}});
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    Context context; // with the settings of somebody who does not know of the daemon's
    auto known = home.environment;
    known.erase("ALLI_MIRROR_UPSTREAM_TITLE");
    context.environment = [known](const std::string& name) {
        const auto found = known.find(name);
        return found == known.end() ? std::nullopt : std::optional(found->second);
    };
    for (const McpTool& tool : make_mcp_tools(context, true)) {
        if (tool.name != "rename_conversation") continue;
        Json arguments;
        arguments["id"] = id;
        arguments["title"] = "by the assistant";
        EXPECT_EQ(tool.run(arguments)["outcome"], "delivered");
        EXPECT_EQ(tool.run(arguments)["outcome"], "delivered") << "and again";
    }
    EXPECT_EQ(upstreams_title(), "by the assistant");
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(OperationsTest, TheFormerNameOfASettingWorksAndIsToldEverywhere)
{
    home.environment["ALLI_MIRROR_UPSTREAM_DAILY_COUNT_PATH"] = "/webapi/v2/counts";
    const auto checked = home.run({"config", "check"});
    EXPECT_EQ(checked.code, 0) << checked.errors;
    EXPECT_THAT(checked.output, HasSubstr("upstream.daily_count_path is called upstream.daily_count now"));
    EXPECT_EQ(home.run({"config", "check", "--upstream-daily-count-path", "/webapi/v2/other"}).code, 0);
    home.environment["ALLI_MIRROR_UPSTREAM_DAILY_COUNT"] = "GET /webapi/v2/counts";
    EXPECT_EQ(home.run({"config", "check"}).code, 2) << "both at once";
    home.environment.erase("ALLI_MIRROR_UPSTREAM_DAILY_COUNT");
    Daemon daemon(home, {"serve"});
    const json status = daemon.status();
    EXPECT_EQ(status["operations"]["daily_count"], "GET /webapi/v2/counts");
    EXPECT_THAT(status["problems"].dump(), HasSubstr("is called upstream.daily_count now"));
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::daemon

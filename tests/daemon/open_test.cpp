// SPDX-License-Identifier: Apache-2.0
// `open` and `mcp` through the real program, beside a daemon and without one.
#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;

static std::string path_of(const std::string& link)
{
    return link.substr(link.find('/', std::string_view("http://").size()));
}

TEST(Open, PrintsALinkThatWorksOnce)
{
    Home home;
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
    Daemon daemon(home, {"serve", "--sandbox", "--conversations", "5"});
    const auto said = home.run({"open", "--json"});
    ASSERT_EQ(said.code, 0) << said.errors;
    const std::string target = path_of(json::parse(said.output).at("link"));
    const auto entered = support::http(daemon.port, "GET", target, {});
    EXPECT_EQ(entered.status, 303);
    EXPECT_EQ(support::http(daemon.port, "GET", target, {}).status, 401);
    const std::string cookie(entered.header("Set-Cookie"));
    EXPECT_EQ(support::http(daemon.port, "GET", "/", {{"Cookie", cookie.substr(0, cookie.find(';'))}}).status, 200);
    EXPECT_EQ(support::http(daemon.port, "GET", "/", {}).status, 401);
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_EQ(daemon.process.errors().find("link="), std::string::npos) << "never logged";
}

TEST(Open, SaysWhatToDoWithoutADaemon)
{
    const Home home;
    const auto said = home.run({"open", "--print"});
    EXPECT_EQ(said.code, 1);
    EXPECT_THAT(said.errors, HasSubstr("no daemon runs"));
    EXPECT_THAT(said.errors, HasSubstr("alli-mirror serve"));
}

} // namespace alli::daemon

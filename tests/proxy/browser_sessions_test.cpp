// SPDX-License-Identifier: Apache-2.0
#include "proxy/access/browser_sessions.hpp"

#include "tests/proxy/fixture.hpp"

#include <thread>

namespace alli::proxy {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr BrowserSessions::Steady start_time{1000h};

std::shared_ptr<const Grant> opener()
{
    return std::make_shared<const Grant>(Principal{"key", Scope::write, {}});
}

TEST(BrowserSessions, ALinkWorksOnceAndForAMinute)
{
    BrowserSessions browser_sessions;
    const std::string link = browser_sessions.make_link(opener(), start_time),
                      late = browser_sessions.make_link(opener(), start_time);
    EXPECT_GE(link.size(), 43u) << "256 bits";
    EXPECT_FALSE(browser_sessions.redeem("guess", start_time));
    const auto session = browser_sessions.redeem(link, start_time + 59s);
    ASSERT_TRUE(session);
    EXPECT_FALSE(browser_sessions.redeem(link, start_time + 59s));
    EXPECT_FALSE(browser_sessions.redeem(late, start_time + 60s));
    EXPECT_TRUE(browser_sessions.find(*session, start_time + 1h));
    EXPECT_FALSE(browser_sessions.find(link, start_time)) << "a link is no session";
    EXPECT_FALSE(browser_sessions.find("", start_time));
    browser_sessions.sign_out(*session);
    EXPECT_FALSE(browser_sessions.find(*session, start_time + 1h));
}

TEST(BrowserSessions, ASessionEndsWhenItIsNotUsedAndInTheEnd)
{
    BrowserSessions browser_sessions;
    const std::string unused = *browser_sessions.redeem(browser_sessions.make_link(opener(), start_time), start_time);
    const std::string used = *browser_sessions.redeem(browser_sessions.make_link(opener(), start_time), start_time);
    for (auto passed = 11h; passed < BrowserSessions::whole_life; passed += 11h)
        EXPECT_TRUE(browser_sessions.find(used, start_time + passed));
    EXPECT_FALSE(browser_sessions.find(unused, start_time + BrowserSessions::idle_life));
    EXPECT_FALSE(browser_sessions.find(used, start_time + BrowserSessions::whole_life));
}

std::string enter(BrowserSessions& sessions, const std::shared_ptr<const Grant>& by, BrowserSessions::Steady now,
                  std::string_view former = {})
{
    return sessions.redeem(sessions.make_link(by, now), now, former).value_or("");
}

TEST(BrowserSessions, HoldsSoManyOfOneAndNoMore)
{
    BrowserSessions browser_sessions;
    const auto by = opener();
    std::vector<std::string> links;
    for (std::size_t i = 0; i <= BrowserSessions::most_links; ++i)
        links.push_back(browser_sessions.make_link(by, start_time));
    EXPECT_FALSE(browser_sessions.redeem(links.front(), start_time));
    std::vector<std::string> sessions;
    for (std::size_t i = 0; i <= BrowserSessions::most_sessions; ++i)
        sessions.push_back(enter(browser_sessions, by, start_time));
    EXPECT_FALSE(browser_sessions.find(sessions.front(), start_time));
    EXPECT_TRUE(browser_sessions.find(sessions.back(), start_time));
}

TEST(BrowserSessions, NobodyPutsOutSomebodyElse)
{
    BrowserSessions browser_sessions;
    const auto me = opener(), other = opener();
    const std::string mine = enter(browser_sessions, me, start_time), link = browser_sessions.make_link(me, start_time);
    for (int i = 0; i < 100; ++i) enter(browser_sessions, other, start_time + 1s);
    for (int i = 0; i < 100; ++i) browser_sessions.make_link(other, start_time + 1s);
    EXPECT_TRUE(browser_sessions.find(mine, start_time + 2s));
    EXPECT_TRUE(browser_sessions.redeem(link, start_time + 2s));
}

TEST(BrowserSessions, TheOneThatIsNotUsedGivesWay)
{
    BrowserSessions browser_sessions;
    const auto by = opener();
    std::vector<std::string> sessions;
    for (std::size_t i = 0; i < BrowserSessions::most_sessions; ++i)
        sessions.push_back(enter(browser_sessions, by, start_time));
    for (std::size_t i = 0; i < sessions.size(); ++i)
        EXPECT_TRUE(i == 5 || browser_sessions.find(sessions[i], start_time + 1s));
    const std::string fresh = enter(browser_sessions, by, start_time + 2s);
    EXPECT_FALSE(browser_sessions.find(sessions[5], start_time + 3s));
    for (const std::string& one : {sessions[0], sessions.back(), fresh})
        EXPECT_TRUE(browser_sessions.find(one, start_time + 3s));
}

TEST(BrowserSessions, ThereIsAnEndOfThemAll)
{
    BrowserSessions browser_sessions;
    int ended = 0;
    browser_sessions.when_ended([&] { ++ended; });
    const std::string first = enter(browser_sessions, opener(), start_time);
    const auto link = browser_sessions.make_link(opener(), start_time);
    for (std::size_t i = 0; i < BrowserSessions::most_sessions_in_all; ++i)
        enter(browser_sessions, opener(), start_time + 1s);
    EXPECT_FALSE(browser_sessions.find(first, start_time + 2s));
    EXPECT_EQ(ended, 1);
    for (std::size_t i = 0; i < BrowserSessions::most_links_in_all; ++i)
        browser_sessions.make_link(opener(), start_time);
    EXPECT_FALSE(browser_sessions.redeem(link, start_time));
}

TEST(BrowserSessions, ANewSessionReplacesThatOfTheSameBrowser)
{
    BrowserSessions browser_sessions;
    const auto by = opener();
    const std::string former = enter(browser_sessions, by, start_time), other = enter(browser_sessions, by, start_time);
    EXPECT_FALSE(browser_sessions.redeem("guess", start_time, former));
    EXPECT_TRUE(browser_sessions.find(former, start_time)) << "nothing replaced it";
    const std::string next = enter(browser_sessions, by, start_time, former);
    EXPECT_FALSE(browser_sessions.find(former, start_time));
    for (const std::string& one : {other, next}) EXPECT_TRUE(browser_sessions.find(one, start_time));
}

TEST(BrowserSessions, OpenWhatThePageNeedsWhereTheSettingsPlaceIt)
{
    Operations operations;
    operations.title = {"POST", "/webapi/conversations/{id}/rename"};
    const auto opens = [&](const char* method, const char* path) {
        return opens_to_sessions(method, path, operations);
    };
    EXPECT_TRUE(opens("POST", "/webapi/conversations/Q29u%2F/rename"));
    for (const char* path :
         {"/webapi/conversations//rename", "/webapi/conversations/a/b/rename", "/webapi/conversations/a",
          "/webapi/conversations/a/rename/x", "/webapi/conversations/rename", "/webapi/apps/a/run"})
        EXPECT_FALSE(opens("POST", path)) << path;
    EXPECT_FALSE(opens("PUT", "/webapi/conversations/a/rename"));
    EXPECT_TRUE(opens("PUT", "/webapi/v2/conversations/a/title"));
    operations.title = {"POST", "/webapi/{id}"};
    EXPECT_FALSE(opens("POST", "/webapi/a/b"));
    EXPECT_TRUE(opens("POST", "/webapi/a"));
    operations.title = {"POST", "/webapi/rename"};
    EXPECT_TRUE(opens("POST", "/webapi/rename"));
    EXPECT_FALSE(opens("POST", "/webapi/rename/a"));
}

TEST(BrowserSessions, OfManyWhoRedeemALinkAtTheSameTimeOneGetsIn)
{
    BrowserSessions browser_sessions;
    for (int round = 0; round < 50; ++round) {
        const std::string link = browser_sessions.make_link(opener(), start_time);
        std::atomic<int> in{0};
        std::vector<std::thread> many;
        for (int i = 0; i < 4; ++i)
            many.emplace_back([&] { in += browser_sessions.redeem(link, start_time).has_value() ? 1 : 0; });
        for (std::thread& one : many) one.join();
        EXPECT_EQ(in, 1);
    }
}

TEST(BrowserSessions, ReadsCookies)
{
    EXPECT_EQ(session_cookie("127.0.0.1:8787"), "alli-mirror-8787");
    EXPECT_EQ(session_cookie("[::1]"), "alli-mirror-80");
    EXPECT_EQ(session_cookie("[::1]:9"), "alli-mirror-9");
    EXPECT_EQ(find_cookie("a=1; alli-mirror-8787=xyz; b=2", "alli-mirror-8787"), "xyz");
    EXPECT_EQ(find_cookie("xalli-mirror-8787=no; alli-mirror-87879=no", "alli-mirror-8787"), "");
    EXPECT_EQ(find_cookie("API-KEY=the-key", "alli-mirror-8787"), "");
}

/// A browser at our own page.
class SignIn : public ProxyTest {
  protected:
    ::support::HttpReply ask(std::string_view method, std::string_view target, ::support::Headers more = {},
                             std::string_view body = {})
    {
        more.emplace_back("Host", host_);
        return ::support::http(port_, method, target, more, body);
    }
    std::string new_link()
    {
        const auto made = send("POST", "/mirror/v1/session");
        EXPECT_EQ(made.status, 201) << made.body;
        const auto link = json::parse(made.body).at("link").get<std::string>();
        const std::string base = "http://" + host_;
        EXPECT_TRUE(link.starts_with(base + "/mirror/v1/session?link="));
        return link.substr(base.size());
    }
    std::string sign_in()
    {
        const auto entered = ask("GET", new_link(), {{"Sec-Fetch-Site", "none"}, {"Sec-Fetch-Mode", "navigate"}});
        EXPECT_EQ(entered.status, 303);
        EXPECT_EQ(entered.header("Location"), "/");
        EXPECT_EQ(entered.header("Referrer-Policy"), "no-referrer");
        const std::string cookie(entered.header("Set-Cookie"));
        for (const char* part : {"; HttpOnly", "; SameSite=Strict", "; Path=/"})
            EXPECT_THAT(cookie, testing::HasSubstr(part));
        return cookie.substr(0, cookie.find(';'));
    }
};

TEST_F(SignIn, ALinkBecomesASessionThatOpensWhatThePageCalls)
{
    put("a", 100, 1);
    cover(0, 1000);
    start();
    const std::string cookie = sign_in();
    const ::support::Headers page{{"Cookie", cookie}, {"Sec-Fetch-Site", "same-origin"}};
    for (const char* target :
         {"/mirror/v1/status", "/mirror/v1/changes", "/webapi/v2/conversations", "/webapi/v2/conversations/a/chats"})
        EXPECT_EQ(ask("GET", target, page).status, 200) << target;
    for (const char* target : {"/webapi/other", "/webapi/v2/conversationsx", "/metrics", "/readyz"})
        EXPECT_EQ(ask("GET", target, page).status, 401) << target;
    EXPECT_EQ(ask("GET", "/mirror/v1/status", {{"Cookie", cookie + "x"}}).status, 401);
    EXPECT_EQ(ask("GET", "/mirror/v1/status", {{"Cookie", "API-KEY=the-key"}}).status, 401);
    EXPECT_EQ(ask("GET", "/mirror/v1/status", {{"Cookie", cookie}, {"API-KEY", "wrong"}}).status, 401);
}

TEST_F(SignIn, OnlyOurOwnPageMayChangeAnythingWithASession)
{
    start();
    const std::string cookie = sign_in();
    const auto post = [&](::support::Headers more) {
        more.emplace_back("Cookie", cookie);
        return ask("POST", "/mirror/v1/sync", more).status;
    };
    EXPECT_EQ(post({{"Origin", "http://" + host_}}), 202);
    EXPECT_EQ(post({{"Sec-Fetch-Site", "same-origin"}}), 202);
    EXPECT_EQ(post({}), 403);
    EXPECT_EQ(post({{"Sec-Fetch-Site", "none"}}), 403);
    EXPECT_EQ(post({{"Sec-Fetch-Site", "same-site"}}), 403);
    EXPECT_EQ(post({{"Origin", "http://127.0.0.1:1"}}), 403);
    EXPECT_EQ(post({{"Origin", "null"}, {"Sec-Fetch-Site", "same-origin"}}), 403);
    EXPECT_EQ(ask("GET", "/mirror/v1/status", {{"Cookie", cookie}, {"Sec-Fetch-Site", "cross-site"}}).status, 403);
    EXPECT_EQ(ask("POST", "/mirror/v1/session", {{"Cookie", cookie}, {"Origin", "http://" + host_}}).status, 401)
        << "a session makes no links";
}

TEST_F(SignIn, ALinkIsUsedUpByAGetAloneAndNotByAPrefetch)
{
    start();
    const std::string link = new_link();
    EXPECT_EQ(ask("GET", link, {{"Sec-Purpose", "prefetch"}}).status, 403);
    EXPECT_EQ(ask("GET", link, {{"Sec-Fetch-Site", "cross-site"}}).status, 403);
    EXPECT_EQ(ask("HEAD", link).status, 401);
    EXPECT_EQ(send("HEAD", link).status, 405);
    EXPECT_EQ(ask("GET", link).status, 303);
    const auto again = ask("GET", link);
    EXPECT_EQ(again.status, 401);
    EXPECT_THAT(again.body, testing::HasSubstr("alli-mirror open"));
    EXPECT_EQ(ask("GET", "/mirror/v1/session").status, 401);
    EXPECT_EQ(ask("POST", "/mirror/v1/session").status, 401) << "links are for those with a key";
}

TEST_F(SignIn, SigningInAgainEndsTheFormerSession)
{
    start();
    const std::string former = sign_in();
    const auto entered = ask("GET", new_link(), {{"Cookie", former}, {"Sec-Fetch-Site", "same-origin"}});
    EXPECT_EQ(entered.status, 303);
    EXPECT_EQ(ask("GET", "/mirror/v1/status", {{"Cookie", former}}).status, 401);
}

TEST_F(SignIn, ASessionRenamesWhereTheSettingsPlaceIt)
{
    Options options;
    options.operations.title = {"POST", "/webapi/conversations/{id}/rename"};
    put("a", 100, 1);
    cover(0, 1000);
    start(options);
    const std::string cookie = sign_in();
    const ::support::Headers page{
        {"Cookie", cookie}, {"Origin", "http://" + host_}, {"Content-Type", "application/json"}};
    const auto renamed = ask("POST", "/webapi/conversations/a/rename", page, R"({"title":"new"})");
    EXPECT_NE(renamed.status, 401) << renamed.body;
    EXPECT_LT(renamed.status, 300) << renamed.body;
    EXPECT_EQ(ask("POST", "/webapi/conversations/a/other", page, "{}").status, 401);
    EXPECT_EQ(ask("POST", "/webapi/conversations/a/rename", {{"Cookie", cookie}}, "{}").status, 403) << "of no page";
}

TEST_F(SignIn, SigningOutEndsTheSession)
{
    start();
    const std::string cookie = sign_in();
    const auto out = ask("DELETE", "/mirror/v1/session", {{"Cookie", cookie}, {"Sec-Fetch-Site", "same-origin"}});
    EXPECT_EQ(out.status, 204);
    EXPECT_THAT(std::string(out.header("Set-Cookie")), testing::HasSubstr("Max-Age=0"));
    EXPECT_EQ(out.header("Clear-Site-Data"), "\"cache\"");
    EXPECT_EQ(ask("GET", "/mirror/v1/status", {{"Cookie", cookie}}).status, 401);
}

} // namespace
} // namespace alli::proxy

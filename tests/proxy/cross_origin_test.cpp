// SPDX-License-Identifier: Apache-2.0
// Pages of other sites that may call: by a key, never by a cookie; everybody else as before.
#include "proxy/access/authority.hpp"
#include "proxy/access/guard.hpp"
#include "tests/proxy/fixture.hpp"

namespace alli::proxy {
namespace {

using Fields = ::support::Headers;
using testing::HasSubstr;

constexpr const char* list = "/webapi/v2/conversations";
const std::string listed = "https://qa.example.com";

TEST(Origin, IsReadAsABrowserWritesIt)
{
    EXPECT_EQ(read_origin("https://qa.example.com"), "https://qa.example.com");
    EXPECT_EQ(read_origin("HTTPS://QA.example.com:443"), "https://qa.example.com");
    EXPECT_EQ(read_origin("http://localhost:5173"), "http://localhost:5173");
    EXPECT_EQ(read_origin("http://[::1]:80"), "http://[::1]");
    EXPECT_EQ(read_origin("tauri://localhost"), "tauri://localhost");
    for (const char* bad : {"", "*", "null", "qa.example.com", "https://", "https://a/", "https://a/x", "https://u@a",
                            "https://a b", "https://a:99999", "://a", "https://*.example.com", "https://a,https://b"})
        EXPECT_EQ(read_origin(bad), std::nullopt) << bad;
}

TEST(Origin, IsOfAHostBySchemeAndPort)
{
    const auto is_of = [](std::string_view origin, std::string_view host) {
        return is_origin_of(origin, *read_authority(host));
    };
    EXPECT_TRUE(is_of("http://127.0.0.1:8787", "127.0.0.1:8787"));
    EXPECT_TRUE(is_of("https://m.example.com", "m.example.com"));
    EXPECT_TRUE(is_of("https://m.example.com", "M.example.com:443"));
    EXPECT_TRUE(is_of("http://m.example.com", "m.example.com:80"));
    EXPECT_FALSE(is_of("https://m.example.com", "m.example.com:80"));
    EXPECT_FALSE(is_of("https://m.example.com:8443", "m.example.com"));
    EXPECT_FALSE(is_of("ftp://m.example.com", "m.example.com"));
    EXPECT_FALSE(is_of("null", "m.example.com"));
}

class CrossOrigin : public ProxyTest {
  protected:
    void serve()
    {
        put("a", 100, 1);
        cover(0, 1000);
        Options options;
        options.allowed_origins = {listed, "http://localhost:5173"};
        options.allowed_hosts = {"127.0.0.1", "localhost", "mirror.example.com:443"};
        start(options);
    }
    ::support::HttpReply ask(std::string_view method, std::string_view target, Fields headers)
    {
        if (std::none_of(headers.begin(), headers.end(), [](const auto& h) { return h.first == "Host"; }))
            headers.emplace_back("Host", host_);
        return ::support::http(port_, method, target, headers);
    }
};

TEST_F(CrossOrigin, LetsAListedPageReadWithAKey)
{
    serve();
    const auto reply = get(list, {{"Origin", listed}, {"Sec-Fetch-Site", "cross-site"}});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), listed);
    EXPECT_EQ(reply.header("Vary"), "Origin");
    EXPECT_EQ(reply.header("Access-Control-Allow-Credentials"), "");
    for (const char* name : {"Cache-Status", "Age", "ETag", "Location", "Alli-Mirror-Outbox", "Alli-Mirror-Hint",
                             "Alli-Mirror-Complete", "Alli-Mirror-Unknown-Filters", "Mirror-Position",
                             "Preference-Applied", "Retry-After", "WWW-Authenticate", "X-Request-Id"})
        EXPECT_THAT(std::string(reply.header("Access-Control-Expose-Headers")), HasSubstr(name));
    const auto unchanged = get(list, {{"Origin", listed}, {"If-None-Match", std::string(reply.header("ETag"))}});
    EXPECT_EQ(unchanged.status, 304);
    EXPECT_EQ(unchanged.header("Access-Control-Allow-Origin"), listed);
}

TEST_F(CrossOrigin, LetsAListedPageWrite)
{
    serve();
    const auto reply = send("PUT", std::string(list) + "/a/title", {{"Origin", listed}}, R"({"title":"x"})");
    EXPECT_EQ(reply.status, 202);
    EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), listed);
}

TEST_F(CrossOrigin, AnswersAPreflightOfAListedPageWithoutAKey)
{
    serve();
    const Fields preflight{{"Access-Control-Request-Method", "PUT"},
                           {"Access-Control-Request-Headers", "api-key, content-type"},
                           {"Access-Control-Request-Private-Network", "true"}};
    Fields from_listed = preflight, from_other = preflight, bare = preflight;
    from_listed.emplace_back("Origin", listed);
    from_other.emplace_back("Origin", "https://evil.test");
    const auto reply = ask("OPTIONS", std::string(list) + "/a/title", from_listed);
    EXPECT_EQ(reply.status, 204);
    EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), listed);
    EXPECT_THAT(std::string(reply.header("Access-Control-Allow-Methods")), HasSubstr("PUT"));
    EXPECT_EQ(reply.header("Access-Control-Allow-Headers"), "api-key, content-type");
    EXPECT_EQ(reply.header("Access-Control-Allow-Private-Network"), "true");
    const auto refused = ask("OPTIONS", list, from_other);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.header("Access-Control-Allow-Origin"), "");
    EXPECT_EQ(refused.header("Access-Control-Allow-Methods"), "");
    EXPECT_EQ(ask("OPTIONS", list, bare).status, 401) << "nobody's preflight";
    EXPECT_EQ(ask("OPTIONS", list, {{"Origin", listed}}).status, 401) << "no preflight";
    EXPECT_TRUE(upstream_.requests.empty());
}

TEST_F(CrossOrigin, NeedsAKeyAllTheSame)
{
    serve();
    const auto reply = ask("GET", list, {{"Origin", listed}});
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), listed) << "the page may read why";
    EXPECT_EQ(reply.header("Set-Cookie"), "");
}

TEST_F(CrossOrigin, RefusesEveryOtherPageAsBefore)
{
    serve();
    const std::vector<Fields> foreign{
        {{"Origin", "https://evil.test"}},
        {{"Origin", "null"}},
        {{"Origin", "http://qa.example.com"}},
        {{"Origin", "https://qa.example.com:8443"}},
        {{"Origin", "https://qa.example.com.evil.test"}},
        {{"Origin", "HTTPS://QA.EXAMPLE.COM"}},
        {{"Origin", listed}, {"Origin", "https://evil.test"}},
        {{"Origin", listed}, {"Sec-Purpose", "prefetch"}},
        {{"Sec-Fetch-Site", "cross-site"}},
        {{"Sec-Fetch-Site", "same-site"}},
    };
    for (const Fields& headers : foreign) {
        const auto reply = get(list, headers);
        EXPECT_EQ(reply.status, 403) << headers[0].second;
    }
}

TEST_F(CrossOrigin, TakesNoCookieFromAnotherSite)
{
    serve();
    const auto link = send("POST", "/mirror/v1/session").body;
    const std::string target = nlohmann::json::parse(link)["link"].get<std::string>();
    const auto entered = ask("GET", target.substr(target.find("/mirror")), {});
    ASSERT_EQ(entered.status, 303);
    std::string cookie(entered.header("Set-Cookie"));
    EXPECT_EQ(cookie.find("Secure"), cookie.npos) << "plain http on this machine";
    cookie = cookie.substr(0, cookie.find(';'));
    EXPECT_EQ(ask("GET", list, {{"Cookie", cookie}}).status, 200) << "our own page";
    EXPECT_EQ(ask("GET", list, {{"Cookie", cookie}, {"Origin", listed}}).status, 401);
    EXPECT_EQ(ask("PUT", std::string(list) + "/a/title", {{"Cookie", cookie}, {"Origin", listed}}).status, 401);
}

TEST_F(CrossOrigin, KnowsItsOwnPageBehindAReverseProxyWithTls)
{
    serve();
    const std::string link = nlohmann::json::parse(send("POST", "/mirror/v1/session").body)["link"];
    const Fields proxied{{"Host", "mirror.example.com"}, {"Sec-Fetch-Site", "none"}};
    const auto entered = ask("GET", link.substr(link.find("/mirror")), proxied);
    ASSERT_EQ(entered.status, 303);
    std::string cookie(entered.header("Set-Cookie"));
    EXPECT_THAT(cookie, HasSubstr("; Secure"));
    cookie = cookie.substr(0, cookie.find(';'));
    const Fields own{{"Host", "mirror.example.com"}, {"Origin", "https://mirror.example.com"}, {"Cookie", cookie}};
    EXPECT_EQ(ask("POST", "/mirror/v1/sync", own).status, 202);
    const Fields other_host{{"Host", "mirror.example.com"}, {"Origin", "https://127.0.0.1"}, {"Cookie", cookie}};
    EXPECT_EQ(ask("POST", "/mirror/v1/sync", other_host).status, 403);
    EXPECT_EQ(ask("GET", list, {{"Host", "mirror.example.com:444"}, {"API-KEY", "the-key"}}).status, 421);
    EXPECT_EQ(ask("GET", list, {{"Host", "127.0.0.1"}, {"API-KEY", "the-key"}}).status, 421) << "our port is another";
}

TEST(Origins, ThatAreNoneAreSettingsErrors)
{
    for (const char* bad : {"*", "https://qa.example.com/", "qa.example.com", "null"})
        EXPECT_THROW(read_origins({"https://a.example.com", bad}), Error) << bad;
}

} // namespace
} // namespace alli::proxy

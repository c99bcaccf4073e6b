// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/relay.hpp"

#include "tests/proxy/fixture.hpp"
#include "upstream/header.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

class Relay : public ProxyTest {};

std::vector<std::string> names(const Headers& headers)
{
    std::vector<std::string> found;
    for (const Header& header : headers) found.push_back(header.name);
    return found;
}

TEST(RelayedRequest, LeavesOutWhatBelongsToTheConnectionOrToUs)
{
    Request rq;
    rq.method = "POST";
    for (const char* dropped : {"Host", "API-KEY", "Authorization", "Cookie", "Connection", "Keep-Alive", "TE",
                                "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Authorization", "Proxy-Connection",
                                "Content-Length", "Accept-Encoding", "Origin", "Sec-Fetch-Site", "Sec-CH-UA", "Expect"})
        rq.headers.add(dropped, dropped == std::string("Connection") ? "close, X-Hop" : "x");
    rq.headers.add("X-Hop", "x");
    rq.headers.add("OWN-USER-ID", "u");
    rq.headers.add("Content-Type", "text/plain");
    rq.headers.add("X_Trace_Id", "x");
    rq.headers.add("X-Twice", "1");
    rq.headers.add("X-Twice", "2");
    EXPECT_THAT(names(relayed_request(rq).headers),
                ElementsAre("OWN-USER-ID", "Content-Type", "X-Twice", "X-Twice", "Via"));
}

TEST(RelayedResponse, LeavesOutWhatBelongsToTheConnectionOrToUs)
{
    upstream::Reply reply;
    reply.status = 418;
    for (const char* dropped :
         {"Connection", "Transfer-Encoding", "Content-Length", "Set-Cookie", "Access-Control-Allow-Origin",
          "Keep-Alive", "Cache-Control", "Content-Security-Policy"})
        reply.headers.add(dropped, dropped == std::string("Connection") ? "X-Hop" : "x");
    reply.headers.add("x-hop", "x");
    reply.headers.add("Retry-After", "3");
    const Response response = relayed_response(reply, ResponseOrigin::bypass);
    EXPECT_EQ(response.status, 418);
    EXPECT_THAT(names(response.headers), ElementsAre("Retry-After", "Via"));
    ASSERT_TRUE(response.cache);
    EXPECT_EQ(response.cache->origin, ResponseOrigin::bypass);
}

TEST(RelayedResponse, LoosensNothingThatUpstreamForbidsCaches)
{
    const auto control_of = [](Headers given) {
        upstream::Reply reply;
        reply.headers = std::move(given);
        return std::string(relayed_response(std::move(reply), ResponseOrigin::bypass).headers.first("Cache-Control"));
    };
    EXPECT_EQ(control_of({{"Cache-Control", "public, max-age=60"}}), "") << "ours, which is stricter, is set later";
    EXPECT_EQ(control_of({{"Cache-Control", "max-age=60, No-Store"}}), "private, no-cache, no-store");
    EXPECT_EQ(control_of({{"cache-control", "no-transform"}, {"Cache-Control", "no-store"}}),
              "private, no-cache, no-store, no-transform");
}

TEST_F(Relay, CarriesWhatIsNotInTheTableByteForByte)
{
    start();
    upstream_.reply = {207, {{"Content-Type", "text/html"}, {"X-Own", "1"}}, "<b>"};
    const std::string body("a\0b\xff", 4);
    const auto reply =
        send("POST", "/webapi/apps/a%2Fb+c=/run?x=%41&y=a+b/?&&", {{"Content-Type", "text/plain"}}, body);
    EXPECT_EQ(reply.status, 207);
    EXPECT_EQ(reply.body, "<b>");
    EXPECT_EQ(reply.header("X-Own"), "1");
    EXPECT_EQ(reply.header("Via"), "1.1 alli-mirror");
    EXPECT_EQ(reply.header("Cache-Status"), "alli-mirror; fwd=bypass");
    EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff");
    ASSERT_EQ(upstream_.requests.size(), 1u);
    const upstream::Request& sent = upstream_.requests[0];
    EXPECT_EQ(sent.method, "POST");
    EXPECT_EQ(sent.target, "/webapi/apps/a%2Fb+c=/run?x=%41&y=a+b/?&&");
    EXPECT_EQ(sent.body, body);
    EXPECT_EQ(sent.timeout.count(), 0) << "an app may work on an answer for minutes: progress alone is waited for";
    EXPECT_THAT(names(sent.headers), ElementsAre("Content-Type", "X-Request-Id", "Via"));
}

// Of nginx, Caddy, oauth2-proxy, Authelia, Envoy, AWS, Azure, Google, Cloudflare: sign-in tokens are among them.
TEST_F(Relay, KeepsToItselfWhatAReverseProxyAdds)
{
    start();
    support::Headers headers{{"Content-Type", "text/plain"}, {"User-Agent", "app"},       {"Accept", "*/*"},
                             {"OWN-USER-ID", "u"},           {"USER-EMAIL", "a@b"},       {"AGENT-EMAIL", "c@d"},
                             {"traceparent", "00-1-2-01"},   {"X-Sender-Version", "1.2"}, {"Range", "bytes=0-9"}};
    support::Headers all = headers;
    for (const char* added : {"X-Forwarded-Access-Token",
                              "x-forwarded-for",
                              "X-Forwarded-Host",
                              "X-Forwarded-Client-Cert",
                              "Forwarded",
                              "X-Real-IP",
                              "Referer",
                              "X-Auth-Request-Access-Token",
                              "Cf-Access-Jwt-Assertion",
                              "CF-Connecting-IP",
                              "True-Client-IP",
                              "X-Amzn-Oidc-Data",
                              "x-amzn-oidc-accesstoken",
                              "X-MS-TOKEN-AAD-ACCESS-TOKEN",
                              "X-MS-CLIENT-PRINCIPAL",
                              "X-ARR-ClientCert",
                              "X-Goog-IAP-JWT-Assertion",
                              "X-Goog-Authenticated-User-Email",
                              "Remote-User",
                              "X-Remote-User",
                              "X-WEBAUTH-USER",
                              "X-authentik-jwt",
                              "X-Pomerium-Jwt-Assertion",
                              "Tailscale-User-Login",
                              "X-Envoy-External-Address",
                              "X-SSL-Client-Cert",
                              "Client-Cert",
                              "X-Client-IP",
                              "OIDC-access-token",
                              "X-Access-Token",
                              "X-ID-Token",
                              "X-Userinfo",
                              "X-Original-URI",
                              "X-Vouch-IdP-AccessToken"})
        all.emplace_back(added, "private");
    send("POST", "/webapi/apps/a/run", all, "x");
    ASSERT_EQ(upstream_.requests.size(), 1u);
    std::vector<std::string> sent = names(upstream_.requests[0].headers);
    for (const auto& [name, value] : headers) EXPECT_THAT(sent, testing::Contains(name));
    for (const Header& header : upstream_.requests[0].headers) EXPECT_NE(header.value, "private") << header.name;
}

TEST_F(Relay, CarriesMethodsThatTheContractDoesNotName)
{
    start();
    EXPECT_EQ(send("PATCH", "/webapi/v2/conversations/a/chats/b").status, 200);
    EXPECT_EQ(send("DELETE", "/webapi/v2/conversations").status, 200);
    EXPECT_EQ(upstream_.requests.size(), 2u);
}

TEST_F(Relay, CarriesUpstreamsErrorsAsTheyAre)
{
    start();
    upstream_.reply = {401, {{"Content-Type", "application/json"}}, "their words"};
    const auto reply = get("/webapi/v2/conversations/unknown");
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.body, "their words");
}

TEST_F(Relay, WakesTheEngineForAConversationThatChanged)
{
    start();
    send("POST", "/webapi/v2/conversations/Q29u%3D/later/thing");
    EXPECT_THAT(upstream_.woken, ElementsAre("Q29u="));
    upstream_.reply.status = 400;
    send("POST", "/webapi/v2/conversations/d/later/thing");
    upstream_.reply.status = 200;
    get("/webapi/v2/conversations/e/running");
    EXPECT_THAT(upstream_.woken, ElementsAre("Q29u=", "d")) << "also of one that upstream refused: part of it may hold";
}

TEST_F(Relay, SaysWhenUpstreamIsAway)
{
    start();
    upstream_.away = true;
    const auto reply = send("POST", "/webapi/apps");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.header("Retry-After"), "5");
    EXPECT_EQ(json::parse(reply.body).at("code"), 7000);
    EXPECT_THAT(upstream_.woken, IsEmpty());
}

TEST_F(Relay, FollowsNoRedirect)
{
    start();
    upstream_.reply = {302, {{"Location", "http://evil.test/"}}, ""};
    EXPECT_EQ(get("/webapi/v2/conversations/a").status, 502);
    EXPECT_EQ(get("/webapi/v2/conversations/a/running").status, 502);
    EXPECT_EQ(get("/webapi/files/a").status, 302);
}

TEST_F(Relay, AnswersHeadWithoutABody)
{
    start();
    const auto reply = send("HEAD", "/webapi/files/a");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("Content-Length"), "");
    upstream_.reply.headers.add("Content-Length", "1234");
    EXPECT_EQ(send("HEAD", "/webapi/files/a").header("Content-Length"), "1234");
    EXPECT_EQ(upstream_.requests.at(0).method, "HEAD");
}

} // namespace
} // namespace alli::proxy

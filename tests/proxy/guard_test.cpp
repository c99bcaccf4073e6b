// SPDX-License-Identifier: Apache-2.0
// The rows A and B of the table of hostile requests, and the framing that is decided on the
// header.
#include "proxy/access/guard.hpp"

#include "alli/error.hpp"
#include "http/framing.hpp"
#include "tests/proxy/make_token.hpp"

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

const std::string good_key = "API-KEY: the-key\r\n";
const std::string good_host = "Host: 127.0.0.1:8787\r\n";
const Peer tcp_peer{false, false, false, 8787};

Options options()
{
    Options made;
    made.api_key = "the-key";
    made.tokens = {make_token("a-token")};
    return made;
}

// The status that the parser, the framing or the guard refuses with; 200 where none does.
int verdict(const std::string& head, const Options& given = options(), const Peer& peer = tcp_peer)
{
    const std::string text = head + "\r\n";
    http::RequestParser parser(http::RequestLimits{});
    const auto result = parser.read(text);
    if (result == http::RequestParser::Result::refused) return parser.refusal().status;
    if (result != http::RequestParser::Result::done) return 0;
    const RequestHead taken = parser.take(text);
    const auto framing = http::read_framing(taken);
    if (const auto* refusal = std::get_if<Refusal>(&framing)) return refusal->status;
    const Decision decision = Guard(given).check(taken, peer, Instant{});
    const auto* refused = std::get_if<Refusal>(&decision);
    return refused ? refused->status : 200;
}

std::string get(const std::string& lines, const std::string& target = "/webapi/v2/conversations")
{
    return "GET " + target + " HTTP/1.1\r\n" + lines;
}

struct Row {
    const char* id;
    std::string head;
    int status;
};

TEST(Guard, LetsNoOtherHostIn)
{
    const std::vector<Row> rows{
        {"A1", get(good_key), 400},
        {"A2", get(good_key + good_host + good_host), 400},
        {"A3", get(good_key + good_host + "Host: evil.test\r\n"), 400},
        {"A4", get(good_key + "Host: rebind.test:8787\r\n"), 421},
        {"A5", get(good_key + "Host: 127.0.0.1.evil.test:8787\r\n"), 421},
        {"A6", get(good_key + "Host: localhost.evil.test:8787\r\n"), 421},
        {"A7", get(good_key + "Host: 127.0.0.1:1\r\n"), 421},
        {"A8", get(good_key + "Host: 127.0.0.1\r\n"), 421},
        {"A9", get(good_key + "Host: LOCALHOST:8787\r\n"), 200},
        {"A9 v6", get(good_key + "Host: [::1]:8787\r\n"), 200},
        {"A10", get(good_key + "Host: 0.0.0.0:8787\r\n"), 421},
        {"A11", get(good_key + "Host: 127.0.0.2:8787\r\n"), 421},
        {"A12", get(good_key + "Host: 127.1:8787\r\n"), 421},
        {"A13", get(good_key + "Host: 2130706433:8787\r\n"), 421},
        {"A14", get(good_key + "Host: 0x7f.1:8787\r\n"), 421},
        {"A15", get(good_key + "Host: [::ffff:127.0.0.1]:8787\r\n"), 421},
        {"A16", get(good_key + "Host: localhost.:8787\r\n"), 421},
        {"A17", get(good_key + "Host: user@127.0.0.1:8787\r\n"), 400},
        {"A18", get(good_key + "Host: 127.0.0.1:8787, evil\r\n"), 400},
        {"A19", get(good_key + "Host:\r\n"), 400},
        {"A20", get(good_key + "Host: 127.0.0.1:8787/x\r\n"), 400},
        {"A21", get(good_key + good_host, "http://evil.test/"), 421},
        {"A22", get(good_key + good_host, "http://127.0.0.1:8787/x"), 200},
        {"A23", get(good_key + "Host: evil.test\r\n", "http://127.0.0.1:8787/x"), 421},
        {"A24",
         get(good_key + "Host: evil.test\r\nX-Forwarded-Host: 127.0.0.1:8787\r\nForwarded: host=127.0.0.1:8787\r\n"),
         421},
        {"A25", "GET / HTTP/1.0\r\n" + good_key, 400},
        {"port", get(good_key + "Host: 127.0.0.1:99999\r\n"), 400},
        {"brackets", get(good_key + "Host: [::1:8787\r\n"), 400},
    };
    for (const Row& row : rows) EXPECT_EQ(verdict(row.head), row.status) << row.id;
}

TEST(Guard, LetsNoWebPageIn)
{
    const std::string all = good_host + good_key;
    const std::string navigated = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    const std::string visit = "Sec-Fetch-Site: same-site\r\n" + navigated;
    const std::string visit_from_afar = "Sec-Fetch-Site: cross-site\r\n" + navigated;
    const std::vector<Row> rows{
        {"B1", get(all + "Origin: http://evil.test\r\n"), 403},
        {"B2", get(all + "Origin: null\r\n"), 403},
        {"B3", get(all + "Origin: https://127.0.0.1:8787\r\n"), 403},
        {"B4", get(all + "Origin: http://127.0.0.1:8787.evil.test\r\n"), 403},
        {"B5", get(all + "Origin: http://localhost.evil.test:8787\r\n"), 403},
        {"B6", get(all + "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n"), 403},
        {"B7", get(all + "Sec-Fetch-Site: same-site\r\n"), 403},
        {"linked from another local page", get(all + visit, "/"), 200},
        {"linked to what is read", get(all + visit), 403},
        {"linked with a query", get(all + visit, "/?q=x"), 403},
        {"framed",
         get(all + "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n", "/"), 403},
        {"scripted",
         get(all + "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n", "/"), 403},
        {"linked from another site", get(all + visit_from_afar, "/"), 200},
        {"from there to what is read", get(all + visit_from_afar), 403},
        {"from there with a query", get(all + visit_from_afar, "/?q=x"), 403},
        {"from there to a link of open", get(all + visit_from_afar, "/mirror/v1/session?link=x"), 403},
        {"from there to a file of the page", get(all + visit_from_afar, "/page/main.js"), 403},
        {"from there in the absolute form", get(all + visit_from_afar, "http://127.0.0.1:8787/"), 403},
        {"framed there",
         get(all + "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n", "/"), 403},
        {"embedded there",
         get(all + "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: embed\r\n", "/"), 403},
        {"fetched there",
         get(all + "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n", "/"), 403},
        {"prefetched there", get(all + visit_from_afar + "Sec-Purpose: prefetch\r\n", "/"), 403},
        {"linked there, and an origin", get(all + visit_from_afar + "Origin: https://chat.test\r\n", "/"), 403},
        {"linked there, and no place said",
         get(all + "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", "/"), 403},
        {"linked there twice", get(all + visit_from_afar + "Sec-Fetch-Site: cross-site\r\n", "/"), 403},
        {"linked there by HEAD", "HEAD / HTTP/1.1\r\n" + all + visit_from_afar + "\r\n", 403},
        {"sent there as a form", "POST / HTTP/1.1\r\n" + all + visit_from_afar + "Content-Length: 0\r\n", 403},
        {"linked there, without a key", get(good_host + visit_from_afar, "/"), 401},
        {"sent as a form", "POST / HTTP/1.1\r\n" + all + visit + "Content-Length: 0\r\n", 403},
        {"B8",
         "POST / HTTP/1.1\r\n" + all + "Origin: http://evil.test\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n",
         403},
        {"own page", get(all + "Origin: http://127.0.0.1:8787\r\nSec-Fetch-Site: same-origin\r\n"), 200},
        {"own page, other name", get(all + "Origin: http://localhost:8787\r\n"), 403},
        {"own page, other port", get(all + "Origin: http://127.0.0.1:8788\r\n"), 403},
        {"two origins", get(all + "Origin: http://127.0.0.1:8787\r\nOrigin: http://evil.test\r\n"), 403},
        {"own origin, said to be foreign", get(all + "Origin: http://127.0.0.1:8787\r\nSec-Fetch-Site: cross-site\r\n"),
         403},
        {"B10", "OPTIONS / HTTP/1.1\r\n" + all + "Origin: http://evil.test\r\nAccess-Control-Request-Method: POST\r\n",
         403},
        {"B12", get(all + "Origin: http://evil.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), 403},
        {"B13", get(all + "Connection: Upgrade\r\nUpgrade: websocket\r\n"), 200},
        {"B14", get(good_host + "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n"), 401},
        {"B15", get(all + "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"), 403},
        {"B16", get("Host: rebind.test:8787\r\n" + good_key), 421},
        {"B16a", get(all + "Sec-Fetch-Site: none\r\nSec-Purpose: prefetch\r\n"), 403},
        {"B16b", get(all + "Purpose: prefetch\r\n"), 403},
        {"second line", get(all + "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n"), 403},
        {"same origin", get(all + "Sec-Fetch-Site: same-origin\r\n"), 200},
    };
    for (const Row& row : rows) EXPECT_EQ(verdict(row.head), row.status) << row.id;
}

TEST(Guard, LetsNobodyInWithoutAKey)
{
    const std::vector<Row> rows{
        {"B17 none", get(good_host), 401},
        {"B17 empty", get(good_host + "API-KEY:\r\n"), 401},
        {"B17 wrong", get(good_host + "API-KEY: the-kez\r\n"), 401},
        {"B17 longer", get(good_host + "API-KEY: the-keyx\r\n"), 401},
        {"B17 shorter", get(good_host + "API-KEY: the-ke\r\n"), 401},
        {"B18", get(good_host + good_key + good_key), 400},
        {"B18 both kinds", get(good_host + good_key + "Authorization: Bearer the-key\r\n"), 400},
        {"B19", get(good_host, "/webapi/v2/conversations?api_key=the-key"), 401},
        {"B20", get(good_host + "Cookie: API-KEY=the-key\r\n"), 401},
        {"basic", get(good_host + "Authorization: Basic the-key\r\n"), 401},
        {"key", get(good_host + good_key), 200},
        {"bearer", get(good_host + "Authorization: bearer  the-key\r\n"), 200},
        {"token", get(good_host + "API-KEY: a-token\r\n"), 200},
        {"healthz", get(good_host, "/healthz"), 200},
        {"healthz asked", get(good_host, "/healthz?x"), 200},
        {"healthz deeper", get(good_host, "/healthz/x"), 401},
        {"healthz of a pod", get("Host: 10.244.0.5:8787\r\n", "/healthz"), 200},
        {"healthz of a pod, no host", get("Host: a b\r\n", "/healthz"), 400},
        {"healthz of a pod, deeper", get("Host: 10.244.0.5:8787\r\n", "/healthz/x"), 421},
        {"healthz of a pod, written", "POST /healthz HTTP/1.1\r\nHost: 10.244.0.5:8787\r\n", 421},
        {"healthz of another", get("Host: 10.244.0.5:8787\r\n", "http://10.244.0.5:8787/healthz"), 421},
        {"healthz rebound", get("Host: rebind.test:8787\r\nSec-Fetch-Site: same-origin\r\n", "/healthz"), 421},
        {"healthz of a page", get("Host: 10.244.0.5:8787\r\nOrigin: http://10.244.0.5:8787\r\n", "/healthz"), 421},
        {"readyz of a pod", get("Host: 10.244.0.5:8787\r\n" + good_key, "/readyz"), 421},
    };
    for (const Row& row : rows) EXPECT_EQ(verdict(row.head), row.status) << row.id;
}

TEST(Guard, TakesNoEmptyKeyEvenWhenNoneIsSet)
{
    Options bare = options();
    bare.api_key.clear();
    bare.tokens.clear();
    EXPECT_EQ(verdict(get(good_host), bare), 401);
    EXPECT_EQ(verdict(get(good_host + "API-KEY:\r\n"), bare), 401);
    bare.require_key = false;
    EXPECT_EQ(verdict(get(good_host), bare), 200);
    EXPECT_EQ(verdict(get(good_host + "Origin: http://evil.test\r\n"), bare), 403) << "pages stay out all the same";
}

TEST(Guard, RefusesFramingThatOthersMayReadDifferently)
{
    const std::string all = good_host + good_key;
    const auto post = [&](const std::string& lines) { return "POST /x HTTP/1.1\r\n" + all + lines; };
    const std::vector<Row> rows{
        {"C11", post("Content-Length: 3\r\nContent-Length: 3\r\n"), 400},
        {"C20", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"C21", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"C28", post("Transfer-Encoding: gzip, chunked\r\n"), 501},
        {"C30", "POST /x HTTP/1.0\r\n" + all + "Transfer-Encoding: chunked\r\n", 400},
        {"C41", get(all + "Content-Length: 3\r\n"), 400},
        {"C49", "TRACE / HTTP/1.1\r\n" + all, 405},
        {"C50", "FOO / HTTP/1.1\r\n" + all, 501},
        {"C55", post("Expect: foo\r\nContent-Length: 3\r\n"), 417},
        {"D1", get(all, "/" + std::string(8192, 'x')), 414},
        {"E10", get(all, "/a#b"), 400},
        {"E11", get(all, "a/b"), 400},
        {"E12", get(all, "*"), 400},
        {"E13", "OPTIONS * HTTP/1.1\r\n" + all, 200},
        {"E14", get(all, "/a\\b"), 400},
        {"E9", get(all, "/a\xff"), 400},
    };
    for (const Row& row : rows) EXPECT_EQ(verdict(row.head), row.status) << row.id;
    std::string many;
    for (int i = 0; i < 100; ++i) many += "X-Line: x\r\n";
    EXPECT_EQ(verdict(get(all + many)), 431);
}

TEST(Guard, TrustsAPeerOfOurOwnUserAndForgetsThePortThere)
{
    EXPECT_EQ(verdict(get("Host: localhost\r\n"), options(), {true, true, 0}), 200);
    EXPECT_EQ(verdict(get("Host: localhost\r\n"), options(), {true, false, 0}), 401);
    EXPECT_EQ(verdict(get("Host: evil.test\r\n"), options(), {true, true, 0}), 421);
    EXPECT_EQ(verdict(get("Host: localhost\r\nOrigin: http://localhost\r\n"), options(), {true, true, 0}), 403);
}

TEST(Guard, LetsAHostHaveAPortOfItsOwn)
{
    Options given = options();
    given.allowed_hosts = {"mirror.internal:443", "[::1]:9000"};
    EXPECT_EQ(verdict(get(good_key + "Host: Mirror.Internal:443\r\n"), given), 200);
    EXPECT_EQ(verdict(get(good_key + "Host: mirror.internal:8787\r\n"), given), 421);
    EXPECT_EQ(verdict(get(good_key + "Host: [::1]:9000\r\n"), given), 200);
    EXPECT_EQ(verdict(get(good_key + good_host), given), 421);
    given.allowed_hosts = {"http://x"};
    EXPECT_THROW(Guard{given}, Error);
}

} // namespace
} // namespace alli::proxy

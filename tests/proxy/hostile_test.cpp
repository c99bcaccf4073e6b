// SPDX-License-Identifier: Apache-2.0
// The table of hostile requests over raw sockets, and that nothing is left of them afterwards.
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/hostile_cases.hpp"
#include "tests/proxy/raw_client.hpp"

#include <filesystem>
#include <fstream>

namespace alli::proxy {
namespace {

using testing::AnyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HostileTest : public ProxyTest {
  protected:
    void SetUp() override
    {
        for (const char* id : {"a", "a+b", "Q29u/dmVy=="}) put(id, 100, 1);
        cover(0, 1000);
    }

    std::string filled(std::string_view text) const
    {
        std::string made;
        for (std::size_t at = 0; at < text.size(); ++at) {
            if (text[at] != '@' || at + 1 == text.size()) {
                made += text[at];
                continue;
            }
            switch (text[++at]) {
            case 'P':
                made += std::to_string(port_);
                break;
            case 'H':
                made += "Host: " + host_ + "\r\n";
                break;
            case 'K':
                made += "API-KEY: the-key\r\n";
                break;
            case 'G':
                made += "GET /webapi/v2/conversations HTTP/1.1\r\n";
                break;
            case 'n': {
                const auto end = text.find(')', at);
                const auto count = std::stoul(std::string(text.substr(at + 2, end - at - 2)));
                made.append(count, text[end + 1]);
                at = end + 1;
                break;
            }
            default:
                made += {'@', text[at]};
            }
        }
        return made;
    }

    // Behind what leaves the connection open comes another request: it must be understood as what it is.
    void try_case(const Case& one)
    {
        SCOPED_TRACE(std::string(one.id));
        RawClient client(port_);
        client.send(filled(one.bytes));
        if (one.after == kept) client.send(filled("GET /healthz HTTP/1.1\r\n@HConnection: close\r\n\r\n"));
        const std::string reply = client.read_all();
        const std::string first = reply.substr(0, reply.find("\r\n\r\n"));
        EXPECT_THAT(first, StartsWith("HTTP/1.1 " + std::to_string(one.status) + " "));
        EXPECT_THAT(first, Not(HasSubstr("Access-Control-")));
        EXPECT_THAT(first, Not(HasSubstr("the-key")));
        for (const char* line : {"X-Content-Type-Options: nosniff", "Cross-Origin-Resource-Policy: same-origin",
                                 "Content-Security-Policy: ", "Referrer-Policy: no-referrer", "Cache-Control: private"})
            EXPECT_THAT(first, HasSubstr(line));
        const char* must = one.status == 405 ? "\r\nAllow: " : one.status == 401 ? "\r\nWWW-Authenticate: " : "";
        EXPECT_THAT(first, HasSubstr(must));
        if (one.after == closed)
            EXPECT_THAT(first, HasSubstr("\r\nConnection: close"));
        else
            EXPECT_THAT(reply, EndsWith("\r\n\r\nok\n"));
    }

    static std::size_t descriptors()
    {
        const std::filesystem::directory_iterator all("/proc/self/fd");
        return static_cast<std::size_t>(std::distance(begin(all), end(all)));
    }
    static std::size_t resident_kib()
    {
        std::ifstream file("/proc/self/status");
        for (std::string line; std::getline(file, line);)
            if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
        return 0;
    }
    // Every loop opens its own connection to the store with its first answer.
    void warm_up()
    {
        for (int i = 0; i < 8; ++i)
            ASSERT_EQ(get("/webapi/v2/conversations?pageSize=" + std::to_string(i + 1)).status, 200);
    }
    // What the server still has to close, it closes soon. A count taken while others open and close is no certain one:
    // it has to come out several times in a row.
    static void expect_descriptors(std::size_t before)
    {
        constexpr int enough = 5;
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        std::size_t last = 0;
        int times = 0;
        while (times < enough && std::chrono::steady_clock::now() < deadline) {
            last = descriptors();
            times = last <= before ? times + 1 : 0;
            std::this_thread::yield();
        }
        EXPECT_EQ(times, enough) << last << " descriptors rather than " << before;
    }
};

TEST_F(HostileTest, EveryRequestGetsWhatTheTableSays)
{
    start();
    for (const Case& one : hostile_cases) try_case(one); // everything is warm then
    const std::size_t open = descriptors(), memory = resident_kib();
    for (const Case& one : hostile_cases) try_case(one);
    for (const upstream::Request& request : upstream_.requests)
        EXPECT_EQ(request.target, "/webapi/v2/conversations?callback=x") << "a parameter that is upstream's to read";
    EXPECT_TRUE(delivery_.offered.empty()) << "none of them is queued";
    EXPECT_EQ(get("/healthz").status, 200);
    expect_descriptors(open);
    EXPECT_LE(resident_kib(), memory + 16 * 1024);
}

TEST_F(HostileTest, RefusalsAreOfOneSize)
{
    start();
    std::size_t size = 0;
    for (const std::string_view request :
         {"@G@H\r\n", "@G@KHost: evil.test\r\n\r\n", "@G@H@KOrigin: null\r\n\r\n", "GET /x HTTP/1.1\r\n@H\r\n",
          "@G@HAPI-KEY: wrong\r\n\r\n", "GET /mirror/v1/status HTTP/1.1\r\n@KHost: evil.test\r\n\r\n"}) {
        RawClient client(port_);
        client.send(filled(request));
        client.finish();
        const std::string reply = client.read_all();
        const std::size_t body = reply.size() - reply.find("\r\n\r\n") - 4;
        if (size == 0) size = body;
        EXPECT_EQ(body, size) << request;
    }
}

TEST_F(HostileTest, SlowsDownWhoGuessesAKeyAndServesWhoHasIt)
{
    start();
    const auto tried = [&](const std::string& key) {
        return ::support::http(port_, "GET", "/webapi/v2/conversations", {{"Host", host_}, {"API-KEY", key}}).status;
    };
    int refused = 0, slowed = 0;
    for (int i = 0; i < 100; ++i) {
        const int status = tried("wrong-" + std::to_string(i));
        refused += status == 401;
        slowed += status == 429;
    }
    EXPECT_EQ(refused + slowed, 100);
    EXPECT_GE(refused, 20);
    EXPECT_GE(slowed, 1);
    EXPECT_EQ(tried("the-key"), 200);
    EXPECT_EQ(tried(""), 401) << "who guesses nothing is not slowed down";
}

TEST_F(HostileTest, AThousandRequestsSentAheadAreAnsweredInOrder)
{
    start();
    std::string all;
    for (int i = 0; i < 1000; ++i)
        all += filled("HEAD /" + std::string(i % 2 ? "healthz" : "nowhere") + " HTTP/1.1\r\n@H@K\r\n");
    RawClient client(port_);
    std::thread sender([&] { client.send(all + filled("GET /healthz HTTP/1.1\r\n@HConnection: close\r\n\r\n")); });
    const std::string reply = client.read_all();
    sender.join();
    std::size_t at = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::string expected = i % 2 ? "HTTP/1.1 200 " : "HTTP/1.1 404 ";
        ASSERT_EQ(reply.compare(at, expected.size(), expected), 0) << i;
        at = reply.find("\r\n\r\n", at) + 4;
    }
}

TEST_F(HostileTest, GarbageBehindARequestEndsTheConnectionAfterItsAnswer)
{
    start();
    RawClient client(port_);
    client.send(filled("GET /healthz HTTP/1.1\r\n@H\r\ngarbage\r\n\r\n"));
    const std::string reply = client.read_all();
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(reply, HasSubstr("ok\nHTTP/1.1 400 "));
}

TEST_F(HostileTest, ABodyThatLooksLikeARequestIsABody)
{
    start();
    const std::string inner = filled("DELETE /webapi/v2/conversations/a HTTP/1.1\r\n@H@K\r\n");
    RawClient client(port_);
    client.send(filled("POST /webapi/x HTTP/1.1\r\n@H@KConnection: close\r\nContent-Length: ") +
                std::to_string(inner.size()) + "\r\n\r\n" + inner);
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200 "));
    ASSERT_EQ(upstream_.requests.size(), 1u);
    EXPECT_EQ(upstream_.requests[0].method, "POST");
}

TEST_F(HostileTest, HeadersAndBodiesThatTrickleAreEnded)
{
    Options options;
    options.limits.tick = std::chrono::milliseconds{5};
    options.limits.header = options.limits.body_pause = std::chrono::milliseconds{50};
    start(options);
    RawClient head(port_);
    head.send("GET /webapi/v2/conversations HTTP/1.1\r\nHo");
    EXPECT_THAT(head.read_all(), StartsWith("HTTP/1.1 408 "));
    RawClient body(port_);
    body.send(filled("PUT /webapi/v2/conversations/a HTTP/1.1\r\n@H@KContent-Length: 999\r\n\r\n{"));
    const std::string reply = body.read_all();
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 408 "));
    EXPECT_THAT(reply, HasSubstr("\r\nConnection: close"));
}

TEST_F(HostileTest, APeerThatTakesNothingIsDropped)
{
    Options options;
    options.limits.tick = std::chrono::milliseconds{5};
    options.limits.write = std::chrono::milliseconds{100};
    start(options);
    warm_up();
    const std::size_t open = descriptors();
    {
        RawClient client(port_);
        std::string all;
        for (int i = 0; i < 20000; ++i) all += filled("@G@H@K\r\n");
        client.send(all); // returns when the server has given up, for it reads no further while it cannot write
        expect_descriptors(open + 1);
    }
    EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(HostileTest, HundredsOfHalfOpenAndSlowConnectionsDisturbNobodyAndGo)
{
    Options options;
    options.limits.tick = std::chrono::milliseconds{10};
    options.limits.header = options.limits.body_pause = options.limits.idle = std::chrono::milliseconds{1500};
    start(options);
    warm_up();
    const std::size_t open = descriptors(), memory = resident_kib();
    std::vector<std::unique_ptr<RawClient>> crowd;
    for (int i = 0; i < 150; ++i) {
        crowd.push_back(std::make_unique<RawClient>(port_)); // says nothing
        crowd.push_back(std::make_unique<RawClient>(port_));
        crowd.back()->send("GET / HTTP/1.1\r\nHos");
    }
    for (int i = 0; i < 100; ++i) ASSERT_EQ(get("/webapi/v2/conversations").status, 200);
    EXPECT_LE(resident_kib(), memory + 300 * 64) << "64 KiB a connection, at most";
    for (const auto& one : crowd) EXPECT_THAT(one->read_all(), AnyOf("", StartsWith("HTTP/1.1 408 ")));
    crowd.clear();
    expect_descriptors(open);
}

} // namespace
} // namespace alli::proxy

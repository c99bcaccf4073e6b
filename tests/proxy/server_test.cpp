// SPDX-License-Identifier: Apache-2.0
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/make_token.hpp"
#include "tests/proxy/raw_client.hpp"

#include "alli/random.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

namespace alli::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::size_t count(std::string_view text, std::string_view part)
{
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

class ServerTest : public ProxyTest {
  protected:
    std::string head(const std::string& line, const std::string& more = {}) const
    {
        return line + " HTTP/1.1\r\nHost: " + host_ + "\r\nAPI-KEY: the-key\r\n" + more + "\r\n";
    }
    static Options listening(std::vector<std::string> addresses)
    {
        Options options;
        options.listen = std::move(addresses);
        return options;
    }
    std::string unix_path() const { return dir_ / "proxy.sock"; }
    std::string unix_address() const { return "unix:" + unix_path(); }
};

TEST_F(ServerTest, AnswersRequestsSentAheadInOrder)
{
    start();
    RawClient client(port_);
    std::string sent, expected;
    for (int i = 0; i < 200; ++i) sent += head(i % 2 ? "GET /healthz" : "GET /nothing");
    client.send(sent + head("GET /healthz", "Connection: close\r\n"));
    const std::string all = client.read_all();
    EXPECT_EQ(count(all, "HTTP/1.1 200 OK\r\n"), 101u);
    EXPECT_EQ(count(all, "HTTP/1.1 404 Not Found\r\n"), 100u);
    EXPECT_THAT(all, StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(all, EndsWith("\r\n\r\nok\n"));
}

TEST_F(ServerTest, TakesARequestInPieces)
{
    start();
    RawClient client(port_);
    const std::string text = head("POST /webapi/x", "Content-Length: 5\r\nConnection: close\r\n") + "hello";
    for (const char c : text) client.send({&c, 1});
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(upstream_.requests.at(0).body, "hello");
}

TEST_F(ServerTest, RelaysAChunkedBodyWhole)
{
    start();
    RawClient client(port_);
    client.send(head("POST /webapi/x", "Transfer-Encoding: chunked\r\nConnection: close\r\n") +
                "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(upstream_.requests.at(0).body, "abcde");
}

TEST_F(ServerTest, AsksForTheBodyOnlyAfterTheGuard)
{
    start();
    RawClient good(port_);
    good.send(head("POST /webapi/x", "Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n"));
    EXPECT_EQ(good.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    good.send("ab");
    EXPECT_THAT(good.read_all(), StartsWith("HTTP/1.1 200"));

    RawClient bad(port_);
    bad.send("POST /webapi/x HTTP/1.1\r\nHost: " + host_ + "\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    const std::string refused = bad.read_all();
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(refused, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(refused, HasSubstr("INVALID_TOKEN"));
}

TEST_F(ServerTest, RefusesWhatIsTooLargeOrNotHttp)
{
    start();
    const std::vector<std::pair<std::string, std::string>> cases{
        {head("GET /x", "X: " + std::string(17000, 'x') + "\r\n"), "HTTP/1.1 431"},
        {head("PUT /webapi/v2/conversations/a", "Content-Length: 1048577\r\n"), "HTTP/1.1 413"},
        {"nonsense\r\n\r\n", "HTTP/1.1 400"},
        {"GET / HTTP/2.0\r\n\r\n", "HTTP/1.1 505"},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
        {head("GET /healthz") + "garbage\r\n\r\n", "HTTP/1.1 200"},
    };
    for (const auto& [text, expected] : cases) {
        RawClient client(port_);
        client.send(text);
        const std::string reply = client.read_all();
        EXPECT_THAT(reply, StartsWith(expected)) << text.substr(0, 60);
        EXPECT_THAT(reply, HasSubstr("Connection: close\r\n"));
    }
    EXPECT_TRUE(upstream_.requests.empty());
}

TEST_F(ServerTest, AnswersNothingToABodyCutShort)
{
    start();
    RawClient client(port_);
    client.send(head("POST /webapi/x", "Content-Length: 5\r\n") + "abc");
    client.finish();
    EXPECT_EQ(client.read_all(), "");
    EXPECT_TRUE(upstream_.requests.empty());
}

TEST_F(ServerTest, EndsConnectionsAsTheyAsk)
{
    start();
    RawClient old(port_);
    old.send("GET /healthz HTTP/1.0\r\nHost: " + host_ + "\r\n\r\n");
    EXPECT_THAT(old.read_all(), EndsWith("ok\n"));
    RawClient kept(port_);
    kept.send("GET /healthz HTTP/1.0\r\nHost: " + host_ + "\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(kept.read_until("ok\n"), HasSubstr("Connection: keep-alive\r\n"));
}

TEST_F(ServerTest, EndsWaitsThatLastTooLong)
{
    Options options;
    options.limits.tick = std::chrono::milliseconds{5};
    options.limits.header = options.limits.body = options.limits.body_pause = options.limits.idle =
        std::chrono::milliseconds{30};
    start(options);
    RawClient silent(port_);
    EXPECT_EQ(silent.read_all(), "");
    RawClient slow(port_);
    slow.send("GET / HT");
    EXPECT_THAT(slow.read_all(), StartsWith("HTTP/1.1 408"));
    RawClient slower(port_);
    slower.send(head("POST /webapi/x", "Content-Length: 5\r\n") + "a");
    EXPECT_THAT(slower.read_all(), StartsWith("HTTP/1.1 408"));
}

TEST_F(ServerTest, MakesRoomForANewConnection)
{
    Options options;
    options.loops = 1;
    options.limits.connections = 2;
    start(options);
    RawClient first(port_), second(port_);
    first.send(head("GET /healthz"));
    EXPECT_THAT(first.read_until("ok\n"), EndsWith("ok\n"));
    second.send(head("GET /healthz"));
    EXPECT_THAT(second.read_until("ok\n"), EndsWith("ok\n"));
    RawClient third(port_);
    third.send(head("GET /healthz"));
    EXPECT_THAT(third.read_until("ok\n"), EndsWith("ok\n"));
    EXPECT_EQ(first.read_all(), "") << "it had waited longest";
    second.send(head("GET /healthz"));
    EXPECT_THAT(second.read_until("ok\n"), EndsWith("ok\n"));
}

TEST_F(ServerTest, TrustsItsOwnUserOverAUnixSocket)
{
    put("a", 100, 1);
    cover(0, 1000);
    start(listening({unix_address(), "127.0.0.1:0"}));
    struct stat status {};
    ASSERT_EQ(::stat(unix_path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    RawClient client(unix_path());
    client.send("GET /webapi/v2/conversations/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200"));
    RawClient page(unix_path());
    page.send("GET /webapi/v2/conversations/a HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(page.read_all(), StartsWith("HTTP/1.1 421"));
    server_->stop();
    EXPECT_NE(::stat(unix_path().c_str(), &status), 0) << "the socket file goes with the server";
}

template <class Protocol>
int opened(typename Protocol::endpoint endpoint)
{
    static boost::asio::io_context io;
    return typename Protocol::acceptor(io, endpoint).release();
}

TEST_F(ServerTest, ServesSocketsThatWereOpenedBefore)
{
    using boost::asio::ip::tcp;
    using boost::asio::local::stream_protocol;
    put("a", 100, 1);
    cover(0, 1000);
    Options options = listening({"127.0.0.1:1"}); // not read
    options.passed = {opened<tcp>({boost::asio::ip::make_address("127.0.0.1"), 0}),
                      opened<stream_protocol>(unix_path())};
    start(options);
    EXPECT_THAT(server_->addresses(), testing::ElementsAre("127.0.0.1:" + std::to_string(port_), unix_address()));
    RawClient over_tcp(port_), over_unix(unix_path());
    over_tcp.send(head("GET /webapi/v2/conversations/a", "Connection: close\r\n"));
    EXPECT_THAT(over_tcp.read_all(), StartsWith("HTTP/1.1 200"));
    over_unix.send("GET /webapi/v2/conversations/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(over_unix.read_all(), StartsWith("HTTP/1.1 200"));
    server_->stop();
    EXPECT_TRUE(std::filesystem::exists(unix_path())) << "its file belongs to who opened it";
}

TEST_F(ServerTest, RefusesAPassedSocketThatIsOpenToOthers)
{
    Options options;
    options.passed = {opened<boost::asio::ip::tcp>({boost::asio::ip::make_address("0.0.0.0"), 0})};
    try {
        start(options);
        ADD_FAILURE() << "everybody could come in";
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::settings);
    }
}

TEST_F(ServerTest, TakesOtherTokensWhileItServes)
{
    Options options;
    options.tokens = {make_token("one")};
    start(options);
    const auto status_with = [&](const std::string& token) {
        RawClient client(port_);
        client.send("GET /mirror/v1/status HTTP/1.1\r\nHost: " + host_ + "\r\nConnection: close\r\nAPI-KEY: " + token +
                    "\r\n\r\n");
        return client.read_all().substr(9, 3);
    };
    EXPECT_EQ(status_with("one"), "200");
    server_->adjust({.tokens = {make_token("two")}});
    EXPECT_EQ(status_with("one"), "401");
    EXPECT_EQ(status_with("two"), "200");
    EXPECT_EQ(status_with("the-key"), "200");
}

TEST_F(ServerTest, TakesOverASocketFileThatNobodyAnswersOn)
{
    {
        boost::asio::io_context io;
        boost::asio::local::stream_protocol::acceptor left_over(
            io, boost::asio::local::stream_protocol::endpoint(unix_path()));
    }
    start(listening({unix_address()}));
    RawClient client(unix_path());
    EXPECT_TRUE(client.connected());
    try {
        start(listening({unix_address()}));
        ADD_FAILURE() << "two servers on one socket file";
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::busy);
    }
    RawClient still(unix_path());
    EXPECT_TRUE(still.connected());
}

TEST_F(ServerTest, RefusesAddressesThatMustNotBeUsed)
{
    std::ofstream(dir_ / "file") << "x";
    for (const std::string& bad :
         {std::string("0.0.0.0:0"), std::string("192.0.2.1:0"), std::string("[::]:0"), std::string("127.0.0.1"),
          std::string("127.0.0.1:x"), std::string("example.org:0"), std::string("127.0.0.1:70000"),
          std::string("unix:"), "unix:/" + std::string(200, 'x'), "unix:" + (dir_ / "file")}) {
        try {
            start(listening({bad}));
            ADD_FAILURE() << bad;
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::settings) << bad;
        }
    }
    Options open = listening({"0.0.0.0:0"});
    open.allow_remote = true;
    open.require_key = false;
    EXPECT_THROW(start(open), Error) << "everybody, without a key";
}

TEST_F(ServerTest, SaysWhoHasThePort)
{
    start();
    try {
        start(listening({host_}));
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::busy);
    }
}

TEST_F(ServerTest, FinishesTheRequestUnderWayWhenItStops)
{
    std::promise<void> asked;
    std::atomic<bool> go{false};
    struct Wait { // a named coroutine: its lambda must outlive it
        static Task<> until(std::promise<void>* asked, std::atomic<bool>* go)
        {
            asked->set_value();
            const auto loop = co_await asio::this_coro::executor;
            asio::steady_timer timer(loop);
            while (!*go) {
                timer.expires_after(std::chrono::milliseconds{1});
                co_await timer.async_wait(asio::use_awaitable);
            }
        }
    };
    upstream_.before = [&] { return Wait::until(&asked, &go); };
    Options options;
    options.loops = 1; // so that the end of the idle one says that the busy one was told too
    start(options);
    RawClient idle(port_), busy(port_);
    idle.send(head("GET /healthz"));
    idle.read_until("ok\n");
    busy.send(head("GET /webapi/slow"));
    asked.get_future().wait();
    auto stopped = std::async(std::launch::async, [&] { server_->stop(); });
    EXPECT_EQ(idle.read_all(), "") << "an idle connection ends at once";
    EXPECT_FALSE(RawClient(port_).connected() && RawClient(port_).connected()) << "nobody new";
    go = true;
    const std::string reply = busy.read_all();
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(reply, HasSubstr("Connection: close\r\n"));
    stopped.wait();
}

// The service manager's socket hands a client to this process or to the next: whoever was taken is answered.
TEST_F(ServerTest, AnswersWhoConnectedBeforeTheStopAndAskedAfterIt)
{
    Options options;
    options.loops = 1; // so that an answer over a later connection says that the earlier ones were taken
    options.limits.drain = std::chrono::minutes{1};
    start(options);
    RawClient asking(port_), silent(port_), idle(port_);
    idle.send(head("GET /healthz"));
    idle.read_until("ok\n");
    auto stopped = std::async(std::launch::async, [&] { server_->stop(); });
    EXPECT_EQ(idle.read_all(), "") << "it was answered before";
    asking.send(head("GET /healthz"));
    const std::string reply = asking.read_all();
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(reply, HasSubstr("Connection: close\r\n"));
    EXPECT_EQ(silent.read_all(), "") << "who asks for nothing does not hold it up";
    EXPECT_EQ(stopped.wait_for(std::chrono::seconds{10}), std::future_status::ready);
}

TEST_F(ServerTest, EndsARequestThatNeverEnds)
{
    std::promise<void> asked;
    struct Wait {
        static Task<> forever(std::promise<void>* asked)
        {
            asked->set_value();
            const auto loop = co_await asio::this_coro::executor;
            asio::steady_timer timer(loop, std::chrono::hours{1});
            co_await timer.async_wait(asio::use_awaitable);
        }
    };
    upstream_.before = [&] { return Wait::forever(&asked); };
    Options options;
    options.limits.drain = std::chrono::milliseconds{20};
    start(options);
    RawClient client(port_);
    client.send(head("GET /webapi/slow"));
    asked.get_future().wait();
    const auto begun = std::chrono::steady_clock::now();
    server_->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{1}) << "the relay was cancelled";
    EXPECT_EQ(client.read_all(), "");
}

TEST_F(ServerTest, SurvivesWhateverIsSentToIt)
{
    start();
    const std::uint64_t seed = 20260131;
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    const std::string good =
        head("POST /webapi/v2/conversations/a%2Fb/title?x=%20", "Content-Length: 2\r\nConnection: close\r\n") + "{}";
    for (int round = 0; round < 300; ++round) {
        std::string text = good;
        for (std::uint64_t edits = 1 + random.below(4); edits > 0; --edits) {
            const auto at = static_cast<std::size_t>(random.below(text.size()));
            if (random.below(2))
                text[at] = static_cast<char>(random.next());
            else
                text.erase(at, static_cast<std::size_t>(random.below(8)));
        }
        RawClient client(port_);
        client.send(text);
        client.finish();
        const std::string reply = client.read_all();
        if (!reply.empty()) {
            EXPECT_THAT(reply, StartsWith("HTTP/1.1 "));
        }
    }
    EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(ServerTest, GivesNoSignOfLifeWhileOneOfItsLoopsHangs)
{
    start();
    const auto is_alive = [&](std::chrono::milliseconds patience) {
        auto sign = std::make_shared<std::promise<void>>();
        server_->probe([sign] { sign->set_value(); });
        return sign->get_future().wait_for(patience) == std::future_status::ready;
    };
    EXPECT_TRUE(is_alive(std::chrono::seconds(30)));

    std::unique_lock hold(upstream_.mutex); // whoever asks for upstream's state waits
    std::thread caller([&] { get("/webapi/v2/conversations"); });
    bool alive = true;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (alive && std::chrono::steady_clock::now() < deadline) alive = is_alive(std::chrono::milliseconds(100));
    EXPECT_FALSE(alive);
    hold.unlock();
    caller.join();
    EXPECT_TRUE(is_alive(std::chrono::seconds(30)));
}

} // namespace
} // namespace alli::proxy

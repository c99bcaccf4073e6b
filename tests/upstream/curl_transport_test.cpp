// SPDX-License-Identifier: Apache-2.0
#include "tests/upstream/fetch.hpp"
#include "tests/upstream/scripted_server.hpp"
#include "upstream/curl/curl_transport.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace {

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using upstream_test::answer;
using upstream_test::error_of;
using upstream_test::Heard;
using upstream_test::raw;
using upstream_test::ScriptedServer;
using Then = upstream_test::Answer::Then;

CurlOptions options_for(const std::string& url)
{
    CurlOptions options;
    options.base_url = url;
    options.request_timeout = 5s;
    return options;
}

Request get(const std::string& target)
{
    Request request;
    request.target = target;
    return request;
}

void run_until_heard(asio::io_context& loop, const ScriptedServer& server)
{
    for (int i = 0; i < 1000 && server.heard().empty(); ++i) loop.run_one_for(10ms);
    EXPECT_FALSE(server.heard().empty());
}

// A server and a transport towards it.
struct World {
    explicit World(ScriptedServer::Script script) : World(std::move(script), [](CurlOptions&) {}) {}
    World(ScriptedServer::Script script, const std::function<void(CurlOptions&)>& change) : server(std::move(script))
    {
        auto options = options_for(server.url());
        change(options);
        transport.emplace(loop.get_executor(), options);
    }
    Reply send(Request request) { return upstream_test::run(loop, transport->send(std::move(request))); }
    std::optional<Error> failure(Request request) { return error_of(loop, transport->send(std::move(request))); }

    asio::io_context loop;
    ScriptedServer server;
    std::optional<CurlTransport> transport;
};

TEST(CurlTransport, BringsStatusHeadersAndBody)
{
    World world([](const Heard&) { return answer(418, "short and stout", "X-Pot: tea\r\n"); });
    const Reply reply = world.send(get("/webapi/v2/pot"));
    EXPECT_EQ(reply.status, 418);
    EXPECT_EQ(reply.body, "short and stout");
    ASSERT_TRUE(reply.header("x-pot"));
    EXPECT_EQ(*reply.header("x-pot"), "tea");
    EXPECT_FALSE(reply.header("X-Other"));
}

TEST(CurlTransport, SendsTheTargetByteForByte)
{
    World world([](const Heard&) { return answer(200, ""); });
    const std::string target = "/webapi/../a%2Fb==/%3D?cursor=abc+/==&x=%20";
    world.send(get(target));
    EXPECT_EQ(world.server.heard().at(0).target, target);
}

TEST(CurlTransport, SendsEveryMethodWithItsBody)
{
    World world([](const Heard&) { return answer(200, ""); });
    const std::string long_enough_for_an_expect(1'500'000, 'x');
    for (const std::string method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
        Request request = get("/x");
        request.method = method;
        if (method != "OPTIONS") request.body = method + long_enough_for_an_expect;
        world.send(request);
        const auto heard = world.server.heard().back();
        EXPECT_EQ(heard.method, method);
        EXPECT_EQ(heard.body, request.body);
        EXPECT_FALSE(heard.has("Expect"));
        EXPECT_FALSE(heard.has("Content-Type"));
    }
}

TEST(CurlTransport, TakesAnAnswerToHeadWithoutItsBody)
{
    World world([](const Heard&) { return raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", Then::keep); });
    Request request = get("/x");
    request.method = "HEAD";
    EXPECT_EQ(world.send(request).status, 200);
    EXPECT_EQ(world.server.heard().at(0).method, "HEAD");
}

TEST(CurlTransport, AnEmptyPostSaysItsLength)
{
    World world([](const Heard&) { return answer(200, ""); });
    Request request = get("/stop");
    request.method = "POST";
    world.send(request);
    EXPECT_EQ(world.server.heard().at(0).header("Content-Length"), "0");
}

TEST(CurlTransport, SendsHeadersAndWritesTheFramingItself)
{
    World world([](const Heard&) { return answer(200, ""); });
    Request request = get("/x");
    request.method = "PUT";
    request.body = "12345";
    request.headers = {{"API-KEY", "k"},
                       {"X-Empty", ""},
                       {"Host", "evil.test"},
                       {"Content-Length", "2"},
                       {"Transfer-Encoding", "chunked"},
                       {"Content-Type", "application/json"}};
    world.send(request);
    const auto heard = world.server.heard().at(0);
    EXPECT_EQ(heard.header("API-KEY"), "k");
    EXPECT_TRUE(heard.has("X-Empty"));
    EXPECT_EQ("http://" + heard.header("Host"), world.server.url());
    EXPECT_EQ(heard.header("Content-Length"), "5");
    EXPECT_EQ(heard.header("Content-Type"), "application/json");
    EXPECT_EQ(heard.body, "12345");
}

TEST(CurlTransport, KeepsTheConnection)
{
    World world([](const Heard&) { return answer(200, "{}"); });
    for (int i = 0; i < 5; ++i) world.send(get("/x"));
    EXPECT_EQ(world.server.connections(), 1);
}

TEST(CurlTransport, SendsAtOnceAsManyAsConnectionsAllow)
{
    World world([](const Heard& heard) { return answer(200, heard.target); },
                [](CurlOptions& options) { options.max_connections = 2; });
    int ended = 0;
    auto done = [&](std::exception_ptr, Reply reply) { ended += reply.status == 200; };
    for (int i = 0; i < 20; ++i) {
        Request request = get("/" + std::to_string(i));
        asio::co_spawn(world.loop, world.transport->send(std::move(request)), done);
    }
    world.loop.run_for(10s);
    EXPECT_EQ(ended, 20);
    EXPECT_LE(world.server.connections(), 2);
    EXPECT_EQ(world.server.heard().size(), 20u);
}

TEST(CurlTransport, DecodesACompressedAnswer)
{
    const std::string text(100'000, 'a');
    World world([&](const Heard&) { return answer(200, upstream_test::gzipped(text), "Content-Encoding: gzip\r\n"); });
    const Reply reply = world.send(get("/x"));
    EXPECT_EQ(reply.body, text);
    EXPECT_FALSE(reply.header("Content-Encoding"));
    EXPECT_FALSE(reply.header("Content-Length"));
    EXPECT_THAT(world.server.heard().at(0).header("Accept-Encoding"), HasSubstr("gzip"));
}

TEST(CurlTransport, LeavesTheCodingToARequestThatChoseIt)
{
    const std::string packed = upstream_test::gzipped("hello");
    World world([&](const Heard&) { return answer(200, packed, "Content-Encoding: gzip\r\n"); });
    Request request = get("/x");
    request.headers = {{"Accept-Encoding", "gzip"}};
    const Reply reply = world.send(request);
    EXPECT_EQ(reply.body, packed);
    EXPECT_TRUE(reply.header("Content-Encoding"));
}

TEST(CurlTransport, RefusesAnAnswerThatUnpacksBeyondTheLimit)
{
    const std::string bomb = upstream_test::gzipped(std::string(5'000'000, '\0'));
    World world([&](const Heard&) { return answer(200, bomb, "Content-Encoding: gzip\r\n"); },
                [](CurlOptions& options) { options.max_reply_bytes = 100'000; });
    const auto error = world.failure(get("/x"));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::bad_reply);
    EXPECT_THAT(error->what(), HasSubstr("larger than 100000 bytes"));
}

TEST(CurlTransport, TakesAnAnswerOfExactlyTheLimit)
{
    World world([&](const Heard&) { return answer(200, std::string(1000, 'x')); },
                [](CurlOptions& options) { options.max_reply_bytes = 1000; });
    EXPECT_EQ(world.send(get("/x")).body.size(), 1000u);
}

TEST(CurlTransport, GivesUpHeadersWithoutEnd)
{
    std::string flood;
    for (int i = 0; i < 20'000; ++i) flood += "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    World world([&](const Heard&) { return raw(flood, Then::stall); });
    const auto error = world.failure(get("/x"));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::bad_reply);
}

// Beyond 100 KiB libcurl itself gives up, as if there were no memory.
TEST(CurlTransport, RefusesALineOfTheHeaderThatIsLongerThanAny)
{
    constexpr std::size_t most = 64 << 10;
    std::string line;
    World world([&](const Heard&) { return answer(200, "body", line); });
    const auto of = [](std::size_t size) { return "X-Long: " + std::string(size - 10, 'x') + "\r\n"; };
    line = of(most);
    EXPECT_EQ(world.send(get("/x")).header("X-Long")->size(), most - 10);
    for (const std::size_t size : {most + 1, most + 3000, most * 2, most * 3, most * 5}) {
        line = of(size);
        const auto error = world.failure(get("/x"));
        ASSERT_TRUE(error);
        EXPECT_EQ(error->fault(), Fault::bad_reply) << size << ": " << error->what();
    }
    line = "Content-Type: text/plain\r\n";
    EXPECT_EQ(world.send(get("/x")).body, "body");
}

TEST(CurlTransport, RefusesAStatusLineThatIsLongerThanAny)
{
    for (const std::size_t size : {70'000U, 150'000U}) {
        World world([&](const Heard&) {
            return raw("HTTP/1.1 200 " + std::string(size, 'x') + "\r\nContent-Length: 0\r\n\r\n", Then::close);
        });
        const auto error = world.failure(get("/x"));
        ASSERT_TRUE(error);
        EXPECT_EQ(error->fault(), Fault::bad_reply) << error->what();
    }
}

TEST(CurlTransport, DropsInterimAnswersAndTrailers)
{
    World world([](const Heard&) {
        return raw("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Real: 1\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n",
                   Then::keep);
    });
    const Reply reply = world.send(get("/x"));
    EXPECT_EQ(reply.body, "abc");
    EXPECT_TRUE(reply.header("X-Real"));
    EXPECT_FALSE(reply.header("X-Early"));
    EXPECT_FALSE(reply.header("X-Late"));
}

TEST(CurlTransport, NeverFollowsARedirect)
{
    ScriptedServer other([](const Heard&) { return answer(200, "{}"); });
    World world([&](const Heard&) { return answer(302, "", "Location: " + other.url() + "/x\r\n"); });
    EXPECT_EQ(world.send(get("/x")).status, 302);
    EXPECT_EQ(other.connections(), 0);
}

TEST(CurlTransport, IgnoresAProxyOfTheEnvironment)
{
    World world([](const Heard&) { return answer(200, "direct"); });
    struct Environment {
        Environment() { setenv("http_proxy", "http://127.0.0.1:9", 1); }
        ~Environment() { unsetenv("http_proxy"); }
    } environment;
    EXPECT_EQ(world.send(get("/x")).body, "direct");
}

TEST(CurlTransport, SaysWhoRefusedTheConnection)
{
    asio::io_context loop;
    asio::ip::tcp::acceptor closed(loop, {asio::ip::address_v4::loopback(), 0});
    const auto host = "127.0.0.1:" + std::to_string(closed.local_endpoint().port());
    closed.close();
    CurlTransport transport(loop.get_executor(), options_for("http://" + host));
    const auto error = error_of(loop, transport.send(get("/x?token=secret")));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::unreachable);
    EXPECT_EQ(error->what(), "cannot reach " + host + ": connection refused");
    EXPECT_FALSE(error->hint().empty());
}

TEST(CurlTransport, SaysWhenThereIsNoSuchHost)
{
    asio::io_context loop;
    CurlTransport transport(loop.get_executor(), options_for("https://no-such-host.invalid"));
    const auto error = error_of(loop, transport.send(get("/x")));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::unreachable);
    EXPECT_THAT(error->what(), HasSubstr("no-such-host.invalid"));
}

template <class F>
bool is_without_connection(F send)
{
    try {
        send();
    } catch (const NoConnection&) {
        return true;
    } catch (const Error&) {
        return false;
    }
    ADD_FAILURE() << "no error";
    return false;
}

TEST(CurlTransport, TellsAConnectionThatDidNotComeAboutFromOneThatBroke)
{
    asio::io_context loop;
    asio::ip::tcp::acceptor closed(loop, {asio::ip::address_v4::loopback(), 0});
    const auto port = std::to_string(closed.local_endpoint().port());
    closed.close();
    for (const std::string& url : {"http://127.0.0.1:" + port, std::string("https://no-such-host.invalid")}) {
        CurlTransport transport(loop.get_executor(), options_for(url));
        EXPECT_TRUE(is_without_connection([&] { upstream_test::run(loop, transport.send(get("/x"))); })) << url;
    }
    World plain([](const Heard&) { return answer(200, "no TLS"); });
    auto url = plain.server.url();
    url.replace(0, 4, "https");
    CurlTransport transport(loop.get_executor(), options_for(url));
    EXPECT_TRUE(is_without_connection([&] { upstream_test::run(loop, transport.send(get("/x"))); })) << "no handshake";
    World broken([](const Heard&) { return raw("", Then::reset); });
    EXPECT_FALSE(is_without_connection([&] { broken.send(get("/x")); }));
    World silent([](const Heard&) { return raw("", Then::close); });
    EXPECT_FALSE(is_without_connection([&] { silent.send(get("/x")); }));
}

struct Broken {
    const char* name;
    std::string bytes;
    Then then;
    Fault fault;
};

class BrokenAnswer : public testing::TestWithParam<Broken> {};

TEST_P(BrokenAnswer, IsAnErrorAndTheNextRequestSucceeds)
{
    bool broken = true;
    World world([&](const Heard&) {
        return std::exchange(broken, false) ? raw(GetParam().bytes, GetParam().then) : answer(200, "fine");
    });
    const auto error = world.failure(get("/x?secret=value"));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), GetParam().fault) << error->what();
    EXPECT_THAT(error->what(), HasSubstr("127.0.0.1"));
    EXPECT_THAT(error->what(), Not(HasSubstr("secret")));
    EXPECT_EQ(world.send(get("/y")).body, "fine");
}

const std::string length_10 = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
const std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    Each, BrokenAnswer,
    testing::Values(Broken{"cut_in_the_body", length_10, Then::close, Fault::bad_reply},
                    Broken{"reset_in_the_body", length_10, Then::reset, Fault::bad_reply},
                    Broken{"cut_in_a_chunk", chunks + "5\r\nab", Then::close, Fault::bad_reply},
                    Broken{"bad_chunk_size", chunks + "zz\r\nab\r\n", Then::close, Fault::bad_reply},
                    Broken{"not_http", "SSH-2.0-OpenSSH_9.2\r\n", Then::close, Fault::bad_reply},
                    Broken{"bad_gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde",
                           Then::keep, Fault::bad_reply},
                    Broken{"nothing_and_close", "", Then::close, Fault::unreachable},
                    Broken{"nothing_and_reset", "", Then::reset, Fault::unreachable}),
    [](const auto& broken) { return std::string(broken.param.name); });

TEST(CurlTransport, GivesUpAServerThatSaysNothing)
{
    World world([](const Heard&) { return raw("", Then::stall); },
                [](CurlOptions& options) { options.request_timeout = 50ms; });
    const auto error = world.failure(get("/x"));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::unreachable);
    EXPECT_THAT(error->what(), HasSubstr("timed out after 50 ms"));
}

TEST(CurlTransport, GivesUpAServerThatStopsMidway)
{
    World world([](const Heard&) { return raw(length_10, Then::stall); },
                [](CurlOptions& options) { options.request_timeout = 50ms; });
    const auto error = world.failure(get("/x"));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::unreachable);
    EXPECT_THAT(error->what(), HasSubstr("in the middle of an answer"));
}

upstream_test::Answer trickle()
{
    auto slow = raw("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", Then::keep);
    for (int i = 0; i < 12; ++i) slow.pieces.push_back("x");
    slow.gap = 60ms;
    return slow;
}

TEST(CurlTransport, LetsAnAnswerFlowLongerThanTheTimeWithoutProgress)
{
    World world([](const Heard&) { return trickle(); }, [](CurlOptions& options) { options.request_timeout = 500ms; });
    EXPECT_EQ(world.send(get("/x")).body.size(), 12u);
}

TEST(CurlTransport, EndsAFlowingAnswerAtTheRequestsOwnDeadline)
{
    World world([](const Heard&) { return trickle(); });
    Request request = get("/x");
    request.timeout = 100ms;
    const auto error = world.failure(request);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::unreachable);
    EXPECT_THAT(error->what(), HasSubstr("timed out after 100 ms"));
}

TEST(CurlTransport, EndsARequestThatIsCancelled)
{
    World world([](const Heard&) { return raw("", Then::stall); });
    asio::cancellation_signal cancel;
    bool aborted = false;
    auto done = [&](std::exception_ptr error, Reply) {
        try {
            std::rethrow_exception(error);
        } catch (const boost::system::system_error& system) {
            aborted = system.code() == asio::error::operation_aborted;
        }
    };
    Request request = get("/x");
    asio::co_spawn(world.loop, world.transport->send(std::move(request)),
                   asio::bind_cancellation_slot(cancel.slot(), done));
    run_until_heard(world.loop, world.server);
    cancel.emit(asio::cancellation_type::terminal);
    world.loop.run_for(10s);
    EXPECT_TRUE(aborted);
}

TEST(CurlTransport, EndsWhatIsUnderWayWhenItGoes)
{
    World world([](const Heard&) { return raw(length_10, Then::stall); });
    std::optional<Error> error;
    auto done = [&](std::exception_ptr thrown, Reply) {
        try {
            std::rethrow_exception(thrown);
        } catch (const Error& caught) {
            error = caught;
        }
    };
    for (int i = 0; i < 3; ++i) {
        Request request = get("/x");
        asio::co_spawn(world.loop, world.transport->send(std::move(request)), done);
    }
    run_until_heard(world.loop, world.server);
    world.transport.reset();
    world.loop.run_for(10s);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::canceled);
}

TEST(CurlTransport, MayBeUnderWayWhenTheLoopGoes)
{
    ScriptedServer server([](const Heard&) { return raw(length_10, Then::stall); });
    std::optional<asio::io_context> loop(std::in_place);
    std::optional<CurlTransport> transport(std::in_place, loop->get_executor(), options_for(server.url()));
    Request request = get("/x");
    asio::co_spawn(*loop, transport->send(std::move(request)), asio::detached);
    run_until_heard(*loop, server);
    transport.reset();
    loop.reset(); // with the waiting coroutine still in it
}

TEST(CurlTransport, GivesUpARequestThatWaitsForAConnection)
{
    World world([](const Heard&) { return raw("", Then::stall); },
                [](CurlOptions& options) { options.max_connections = 1; });
    Request first = get("/first");
    asio::co_spawn(world.loop, world.transport->send(std::move(first)), asio::detached);
    Request second = get("/second");
    second.timeout = 50ms;
    const auto error = world.failure(second);
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), HasSubstr("timed out after 50 ms"));
    for (const Heard& heard : world.server.heard()) EXPECT_EQ(heard.target, "/first");
}

TEST(CurlTransport, RefusesARequestThatWouldBreakTheFraming)
{
    World world([](const Heard&) { return answer(200, ""); });
    std::vector<Request> bad;
    for (const char* target : {"", "x", "http://evil.test/", "/a b", "/a#b", "/a\r\nX: y"}) bad.push_back(get(target));
    for (const Header& header :
         {Header{"X", "a\r\nEvil: 1"}, Header{"X\nY", "1"}, Header{"", "1"}, Header{"X:", "1"}}) {
        bad.push_back(get("/x"));
        bad.back().headers.push_back(header);
    }
    bad.push_back(get("/x"));
    bad.back().method = "TRACE";
    for (const Request& request : bad) {
        const auto error = world.failure(request);
        ASSERT_TRUE(error);
        EXPECT_EQ(error->fault(), Fault::usage);
    }
    EXPECT_EQ(world.server.connections(), 0);
}

} // namespace

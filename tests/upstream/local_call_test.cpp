// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/local_call.hpp"

#include "alli/error.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <gmock/gmock.h>

#include <cstdlib>
#include <thread>

namespace alli::upstream {
namespace {

using upstream_test::answer;
using upstream_test::Answer;
using upstream_test::Heard;
using upstream_test::ScriptedServer;
namespace asio = boost::asio;

LocalCall call_to(const ScriptedServer& server, const std::string& method, const std::string& target)
{
    LocalCall call;
    call.address = call.host = server.url().substr(std::string_view("http://").size());
    call.method = method;
    call.target = target;
    return call;
}

TEST(LocalCall, SendsWhatItIsGivenAndNothingElse)
{
    const ScriptedServer server([](const Heard&) { return answer(202, R"({"a":1})"); });
    LocalCall call = call_to(server, "PUT", "/mirror/v1/x/%2e./../y?q=%20a");
    call.key = "key-7";
    call.body = R"({"title":"t"})";
    const LocalOutcome outcome = call_local(call);
    ASSERT_TRUE(outcome.answer);
    EXPECT_TRUE(outcome.sent);
    EXPECT_EQ(outcome.answer->status, 202);
    EXPECT_EQ(outcome.answer->body, R"({"a":1})");
    const Heard heard = server.heard().at(0);
    EXPECT_EQ(heard.method + " " + heard.target, "PUT /mirror/v1/x/%2e./../y?q=%20a");
    EXPECT_EQ(heard.body, call.body);
    EXPECT_EQ(heard.header("API-KEY"), "key-7");
    EXPECT_EQ(heard.header("Content-Type"), "application/json");
    EXPECT_EQ(heard.headers.size(), 5U) << "and Host, Connection, Content-Length";

    call_local(call_to(server, "POST", "/"));
    EXPECT_EQ(server.heard().at(1).header("Content-Length"), "0");
    EXPECT_FALSE(server.heard().at(1).has("Content-Type"));
    call_local(call_to(server, "DELETE", "/"));
    EXPECT_EQ(server.heard().at(2).method, "DELETE");
    EXPECT_FALSE(server.heard().at(2).has("API-KEY"));
}

TEST(LocalCall, GoesByNoProxyAndFollowsNoRedirect)
{
    const ScriptedServer elsewhere([](const Heard&) { return answer(200, "elsewhere"); });
    const ScriptedServer server(
        [&](const Heard&) { return answer(302, "", "Location: " + elsewhere.url() + "/\r\n"); });
    for (const char* name : {"http_proxy", "ALL_PROXY"}) ::setenv(name, elsewhere.url().c_str(), 1);
    const LocalOutcome outcome = call_local(call_to(server, "GET", "/"));
    for (const char* name : {"http_proxy", "ALL_PROXY"}) ::unsetenv(name);
    ASSERT_TRUE(outcome.answer);
    EXPECT_EQ(outcome.answer->status, 302);
    EXPECT_EQ(elsewhere.connections(), 0);
}

TEST(LocalCall, SendsNothingToWhomTheCallerDoesNotApproveOf)
{
    const ScriptedServer server([](const Heard&) { return answer(200, ""); });
    LocalCall call = call_to(server, "GET", "/");
    int connected = -1;
    call.approve = [&](int socket) {
        connected = socket;
        throw Error(Fault::refused, "", "a stranger");
    };
    EXPECT_THROW(call_local(call), Error);
    EXPECT_GE(connected, 0);
    EXPECT_TRUE(server.heard().empty());
}

TEST(LocalCall, AnAnswerThatIsNotWholeIsNone)
{
    using Then = Answer::Then;
    Answer next;
    const ScriptedServer server([&](const Heard&) { return next; });
    LocalCall call = call_to(server, "GET", "/");
    call.max_bytes = 10;
    call.patience = std::chrono::milliseconds(200);
    const auto is_answered = [&](const Answer& given) {
        next = given;
        const LocalOutcome outcome = call_local(call);
        EXPECT_TRUE(outcome.sent);
        return outcome.answer.has_value();
    };
    EXPECT_TRUE(is_answered(answer(200, "0123456789")));
    EXPECT_FALSE(is_answered(answer(200, "0123456789a"))) << "larger than is taken";
    EXPECT_FALSE(is_answered(upstream_test::raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", Then::close)));
    EXPECT_FALSE(is_answered(upstream_test::raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", Then::stall)));
    EXPECT_FALSE(is_answered(upstream_test::raw("hello\r\n", Then::close))) << "no HTTP";
    EXPECT_FALSE(is_answered(upstream_test::raw("", Then::reset)));
}

TEST(LocalCall, NobodyThereIsNoAnswerAndNothingWasSent)
{
    const support::TempDir dir;
    LocalCall call;
    call.method = "GET";
    call.target = "/";
    call.host = "localhost";
    call.unix_path = dir / "nobody.sock";
    EXPECT_FALSE(call_local(call).answer);
    EXPECT_FALSE(call_local(call).sent);
    call.unix_path = std::string(300, 'x'); // longer than any socket's
    EXPECT_FALSE(call_local(call).sent);
}

TEST(LocalCall, SpeaksOverAUnixSocket)
{
    const support::TempDir dir;
    const std::string path = dir / "x.sock";
    asio::io_context io;
    asio::local::stream_protocol::acceptor acceptor(io, asio::local::stream_protocol::endpoint(path));
    std::string heard;
    std::thread server([&] {
        auto socket = acceptor.accept();
        asio::read_until(socket, asio::dynamic_buffer(heard), "\r\n\r\n");
        asio::write(socket, asio::buffer(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")));
    });
    LocalCall call;
    call.method = "GET";
    call.target = "/readyz";
    call.host = "localhost";
    call.unix_path = path;
    const LocalOutcome outcome = call_local(call);
    server.join();
    ASSERT_TRUE(outcome.answer);
    EXPECT_EQ(outcome.answer->body, "ok");
    EXPECT_EQ(heard, "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

} // namespace
} // namespace alli::upstream

// SPDX-License-Identifier: Apache-2.0
// Bodies that are passed on while they come, over real sockets on both sides.
#include "tests/proxy/passing.hpp"

#include <thread>

namespace alli::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using upstream_test::answer;
using upstream_test::Heard;
using upstream_test::raw;
using upstream_test::ScriptedServer;
using Then = upstream_test::Answer::Then;

class Upload : public Passing {};

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string pattern(std::size_t size)
{
    std::string body(size, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>((i * 2654435761U) >> 13);
    return body;
}

TEST_F(Upload, GoesOnPieceByPieceWhileItComes)
{
    Held upstream;
    start_before(upstream.url());
    RawClient client(port_);
    client.send(request("POST /webapi/files", "Content-Length: 10\r\n") + "hello");
    EXPECT_THAT(upstream.hear(), HasSubstr("Content-Length: 10\r\n"));
    EXPECT_EQ(upstream.hear(5), "hello") << "before the rest is there";
    client.send("again");
    EXPECT_EQ(upstream.hear(5), "again");
    upstream.say(std::string(ok));
    EXPECT_THAT(client.read_until("ok"), StartsWith("HTTP/1.1 200"));
    client.send(request("GET /healthz", "Connection: close\r\n"));
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200")) << "the connection goes on";
}

TEST_F(Upload, IsAsLongOrInChunksAsTheAppSaid)
{
    Held upstream;
    start_before(upstream.url());
    RawClient client(port_);
    client.send(request("PUT /webapi/files/a", "Transfer-Encoding: chunked\r\n") + "5;x=y\r\nhello\r\n");
    const std::string head = upstream.hear();
    EXPECT_THAT(head, StartsWith("PUT /webapi/files/a HTTP/1.1\r\n"));
    EXPECT_THAT(head, HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
    EXPECT_EQ(upstream.hear(10), "5\r\nhello\r\n");
    client.send("1\r\n!\r\n0\r\nX-Trailer: dropped\r\n\r\n");
    EXPECT_EQ(upstream.hear(11), "1\r\n!\r\n0\r\n\r\n");
    upstream.say(std::string(ok));
    EXPECT_THAT(client.read_until("ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Upload, OfNothingIsNothing)
{
    ScriptedServer server([](const Heard&) { return answer(200, "ok"); });
    start_before(server.url());
    closing("POST /webapi/a", "Content-Length: 0\r\n");
    RawClient client(port_);
    client.send(request("POST /webapi/a", "Transfer-Encoding: chunked\r\nConnection: close\r\n") + "0\r\n\r\n");
    EXPECT_THAT(client.read_all(), EndsWith("ok"));
    closing("DELETE /webapi/a");
    EXPECT_EQ(server.heard().at(0).header("Content-Length"), "0");
    EXPECT_EQ(server.heard().at(1).header("Transfer-Encoding"), "chunked");
    EXPECT_EQ(server.heard().at(1).body, "");
    EXPECT_FALSE(server.heard().at(2).has("Content-Length"));
}

TEST_F(Upload, IsAskedForWhereTheAppWaitsForThat)
{
    Held upstream;
    start_before(upstream.url());
    RawClient client(port_);
    client.send(request("POST /webapi/files", "Expect: 100-continue\r\nContent-Length: 5\r\n"));
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    EXPECT_THAT(upstream.hear(), Not(HasSubstr("Expect")));
    EXPECT_EQ(upstream.hear(5), "hello");
    upstream.say(std::string(ok));
    EXPECT_THAT(client.read_until("ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Upload, OfAnySizeArrivesAsItWas)
{
    ScriptedServer server([](const Heard&) { return answer(201, "ok"); });
    start_before(server.url());
    const std::string body = pattern(std::size_t{20} << 20);
    EXPECT_EQ(send("POST", "/webapi/files", {{"Content-Type", "application/octet-stream"}}, body).status, 201);
    EXPECT_TRUE(server.heard().at(0).body == body);

    RawClient client(port_);
    client.send(request("POST /webapi/files", "Transfer-Encoding: chunked\r\nConnection: close\r\n"));
    for (std::size_t at = 0; at < body.size(); at += 1'000'000) {
        const std::string piece = body.substr(at, 1'000'000);
        client.send(fmt::format("{:x}\r\n{}\r\n", piece.size(), piece));
    }
    client.send("0\r\n\r\n");
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 201"));
    EXPECT_TRUE(server.heard().at(1).body == body);
}

TEST_F(Upload, IsHeldBackForAsLongAsUpstreamTakesNothing)
{
    Held upstream;
    start_before(upstream.url());
    const std::string body = pattern(std::size_t{48} << 20);
    RawClient client(port_);
    client.send(request("POST /webapi/files", fmt::format("Content-Length: {}\r\n", body.size())));
    upstream.hear();
    const std::size_t taken = client.send_until_held_back(body);
    EXPECT_LT(taken, std::size_t{32} << 20) << "what the system holds for three sockets, and half a megabyte";
    std::thread rest([&] { client.send(std::string_view(body).substr(taken)); });
    EXPECT_TRUE(upstream.hear(body.size()) == body);
    rest.join();
    upstream.say(std::string(ok));
    EXPECT_THAT(client.read_until("ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Upload, EndsWhenUpstreamDoesNotWantIt)
{
    for (const std::string status : {"413 Content Too Large", "401 Unauthorized", "302 Found"}) {
        Held upstream;
        start_before(upstream.url());
        RawClient client(port_);
        client.send(request("POST /webapi/files", "Content-Length: 1000000\r\n") + "hello");
        upstream.hear();
        upstream.hear(5); // and the app lets its next piece wait
        upstream.say("HTTP/1.1 " + status + "\r\nContent-Length: 2\r\n\r\nno");
        const std::string reply = client.read_all();
        EXPECT_TRUE(client.saw_the_end()) << "at once";
        EXPECT_THAT(reply, StartsWith("HTTP/1.1 " + status.substr(0, 3)));
        EXPECT_THAT(reply, HasSubstr("Connection: close"));
        EXPECT_THAT(reply, EndsWith("no"));
    }
}

TEST_F(Upload, OfWhichUpstreamTakesNoMoreIsRefusedToOneWhoGoesOnSending)
{
    Held upstream;
    start_before(upstream.url());
    RawClient client(port_);
    client.send(request("POST /webapi/files", "Content-Length: 100000000\r\n"));
    upstream.hear();
    upstream.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    client.send_until_held_back(std::string(4 << 20, 'x'));
    const std::string reply = client.read_all();
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 413"));
    EXPECT_TRUE(client.saw_the_end());
}

TEST_F(Upload, EndsUpstreamTooWhenTheAppBreaksItOff)
{
    Held upstream;
    start_before(upstream.url());
    {
        RawClient client(port_);
        client.send(request("POST /webapi/files", "Content-Length: 10\r\n") + "hello");
        upstream.hear();
        upstream.hear(5);
    }
    EXPECT_TRUE(upstream.is_left());
}

TEST_F(Upload, SaysThatUpstreamBrokeItOff)
{
    Held upstream;
    start_before(upstream.url());
    RawClient client(port_);
    client.send(request("POST /webapi/files", "Content-Length: 10\r\n") + "hello");
    upstream.hear();
    upstream.hear(5);
    upstream.socket.set_option(asio::socket_base::linger(true, 0));
    upstream.socket.close();
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 50"));
}

TEST_F(Upload, ThatComesToASlowStopIsEnded)
{
    Held upstream;
    Options options;
    options.limits.body_pause = options.limits.body = std::chrono::milliseconds(50);
    start_before(upstream.url(), options);
    RawClient client(port_);
    client.send(request("POST /webapi/files", "Content-Length: 10\r\n") + "hello");
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408"));
    upstream.hear();
    upstream.hear(5);
    EXPECT_TRUE(upstream.is_left());
}

TEST_F(Upload, WithBadChunksIsRefusedAndNeverLooksWholeUpstream)
{
    Held upstream;
    start_before(upstream.url());
    RawClient client(port_);
    client.send(request("POST /webapi/files", "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n");
    upstream.hear();
    upstream.hear(10);
    client.send("zz\r\n");
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 400"));
    EXPECT_TRUE(upstream.is_left());
}

} // namespace
} // namespace alli::proxy

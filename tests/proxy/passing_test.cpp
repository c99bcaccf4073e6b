// SPDX-License-Identifier: Apache-2.0
// What is passed on, over real sockets on both sides.
#include "tests/proxy/passing.hpp"

#include "proxy/relay/conversation_sniffer.hpp"

namespace alli::proxy {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using upstream_test::answer;
using upstream_test::gzipped;
using upstream_test::Heard;
using upstream_test::raw;
using upstream_test::ScriptedServer;
using Then = upstream_test::Answer::Then;

TEST_F(Passing, LetsEveryPieceThroughAtOnce)
{
    Held upstream;
    start_before(upstream.url());
    RawClient client(port_);
    client.send(request("GET /webapi/apps/a"));
    upstream.hear();
    upstream.say("HTTP/1.1 200 OK\r\nContent-Type: application/stream+json\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("application/stream+json"));
    upstream.say("8\r\n{\"n\":1}\n\r\n");
    EXPECT_EQ(client.read_until("\n\r\n"), "8\r\n{\"n\":1}\n\r\n");
    upstream.say("8\r\n{\"n\":2}\n\r\n");
    EXPECT_EQ(client.read_until("\n\r\n"), "8\r\n{\"n\":2}\n\r\n");
    upstream.say("0\r\n\r\n");
    EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
    client.send(request("GET /healthz", "Connection: close\r\n"));
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200"));
}

TEST_F(Passing, NeverTakesWhatLayOnAnIdleConnectionForAnAnswer)
{
    ScriptedServer upstream([](const Heard& heard) { return answer(200, "to " + heard.method); });
    start_before(upstream.url());
    for (const std::string method : {"GET", "PUT", "DELETE", "GET"}) {
        EXPECT_THAT(closing(method + " /webapi/apps/a"), EndsWith("to " + method));
        upstream.say_unasked("HTTP/1.0 408 Request Time-out\r\nConnection: close\r\n\r\ntoo slow", method == "PUT");
    }
    EXPECT_EQ(upstream.heard().size(), 4U);
}

TEST_F(Passing, PassesNoHeaderLineOnThatIsLongerThanAny)
{
    ScriptedServer upstream(
        [](const Heard&) { return answer(200, "", "X-Long: " + std::string(70'000, 'x') + "\r\n"); });
    start_before(upstream.url());
    EXPECT_THAT(closing("GET /webapi/apps/a"), StartsWith("HTTP/1.1 502"));
}

TEST_F(Passing, LeavesUpstreamWhenTheClientLeavesWhileAnAnswerFlows)
{
    Held upstream;
    start_before(upstream.url());
    {
        RawClient client(port_);
        client.send(request("GET /webapi/apps/a"));
        upstream.hear();
        upstream.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
        client.read_until("a\r\n");
    }
    EXPECT_TRUE(upstream.is_left());
}

TEST_F(Passing, LeavesUpstreamWhenTheClientLeavesBeforeAnAnswer)
{
    Held upstream;
    start_before(upstream.url());
    {
        RawClient client(port_);
        client.send(request("GET /webapi/apps/a"));
        upstream.hear();
    }
    EXPECT_TRUE(upstream.is_left());
}

TEST_F(Passing, AnswersAClientThatEndedItsOwnSideAfterItsRequest)
{
    Held upstream;
    start_before(upstream.url());
    RawClient client(port_);
    client.send(request("GET /webapi/apps/a"));
    client.finish();
    upstream.hear();
    const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
    EXPECT_EQ(client.read_until("\r\n\r\n"), interim) << "whether it is still there was asked";
    upstream.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    EXPECT_THAT(client.read_until("a\r\n"), StartsWith("HTTP/1.1 200"));
    wait_some_ticks();
    upstream.say("1\r\nb\r\n0\r\n\r\n");
    EXPECT_EQ(client.read_all(), "1\r\nb\r\n0\r\n\r\n");
}

TEST_F(Passing, AnswersOneWhoMustNotBeAskedWhetherItIsStillThere)
{
    Held upstream;
    Options options;
    const std::string path = dir_ / "proxy.sock";
    options.listen = {"127.0.0.1:0", "unix:" + path};
    start_before(upstream.url(), options);
    RawClient over_unix(path), old(port_);
    for (auto* client : {&over_unix, &old}) {
        std::string text = request("GET /webapi/apps/a", "Connection: close\r\n");
        if (client == &old) text.replace(text.find("HTTP/1.1"), 8, "HTTP/1.0");
        client->send(text);
        client->finish();
        upstream.socket.close();
        upstream.hear();
        wait_some_ticks();
        upstream.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n");
        EXPECT_THAT(client->read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
        wait_some_ticks();
        upstream.say("ok");
        EXPECT_EQ(client->read_all(), "ok");
    }
}

TEST_F(Passing, HoldsNoStopUp)
{
    Held upstream;
    Options options;
    options.limits.drain = std::chrono::milliseconds(50);
    start_before(upstream.url(), options);
    RawClient client(port_);
    client.send(request("GET /webapi/apps/a"));
    upstream.hear();
    upstream.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    client.read_until("a\r\n");
    server_->stop();
    EXPECT_TRUE(upstream.is_left());
    EXPECT_THAT(client.read_all(), Not(HasSubstr("0\r\n\r\n")));
}

TEST_F(Passing, ABodyThatUpstreamBreaksOffNeverLooksComplete)
{
    std::string bytes;
    Then then = Then::close;
    ScriptedServer server([&](const Heard&) { return raw(bytes, then); });
    start_before(server.url());
    for (const Then how : {Then::close, Then::reset}) {
        then = how;
        bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        EXPECT_THAT(closing("GET /webapi/a"), Not(EndsWith("0\r\n\r\n")));
        bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
        EXPECT_FALSE(get("/webapi/a").complete);
    }
}

TEST_F(Passing, LeavesBodiesAsTheyAreCoded)
{
    const std::string packed = gzipped("hello");
    ScriptedServer server([&](const Heard&) {
        return answer(200, packed, "Content-Encoding: gzip\r\nETag: \"x\"\r\nContent-Type: text/plain\r\n");
    });
    start_before(server.url());
    const auto reply = get("/webapi/a", {{"Accept-Encoding", "br;q=1.0, gzip"}});
    EXPECT_EQ(reply.body, packed);
    EXPECT_EQ(reply.header("Content-Encoding"), "gzip");
    EXPECT_EQ(reply.header("Content-Length"), std::to_string(packed.size()));
    EXPECT_EQ(reply.header("ETag"), "\"x\"");
    get("/webapi/a");
    EXPECT_EQ(server.heard().at(0).header("Accept-Encoding"), "br;q=1.0, gzip");
    EXPECT_FALSE(server.heard().at(1).has("Accept-Encoding")) << "what the app cannot read is not asked for";
}

TEST_F(Passing, PutsOurKeyInThePlaceOfTheAppsAndFollowsNoRedirect)
{
    ScriptedServer other([](const Heard&) { return answer(200, "stolen"); });
    ScriptedServer server([&](const Heard&) {
        return answer(302, "",
                      "Location: " + other.url() + "/\r\nSet-Cookie: a=b\r\nAccess-Control-Allow-Origin: *\r\n");
    });
    start_before(server.url());
    const auto reply = get("/webapi/files/a%2Fb?x=%41&&");
    EXPECT_EQ(reply.status, 302);
    EXPECT_EQ(reply.header("Location"), other.url() + "/");
    EXPECT_EQ(reply.header("Set-Cookie"), "");
    EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), "");
    EXPECT_EQ(server.heard().at(0).header("API-KEY"), key_);
    EXPECT_EQ(server.heard().at(0).target, "/webapi/files/a%2Fb?x=%41&&");
    EXPECT_THAT(other.heard(), testing::IsEmpty());
}

TEST_F(Passing, RefusesAHeaderThatIsNotOneLine)
{
    for (const std::string header : {"X-A: b\rSet-Cookie: c=d", "X-A: b\r\n folded", "X A: b", ": b"}) {
        ScriptedServer server([&](const Heard&) {
            return raw("HTTP/1.1 200 OK\r\n" + header + "\r\nContent-Length: 2\r\n\r\nok", Then::close);
        });
        start_before(server.url());
        const auto reply = get("/webapi/a");
        EXPECT_EQ(reply.status, 502) << header;
        EXPECT_THAT(reply.body, Not(HasSubstr("c=d")));
    }
}

TEST_F(Passing, SaysWhenUpstreamAnswersInACodingThatNobodyKnows)
{
    for (const std::string coding : {"abcdef", "gzip, chunked"}) {
        ScriptedServer server([&](const Heard&) {
            return raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + coding + "\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                       Then::close);
        });
        start_before(server.url());
        EXPECT_EQ(get("/webapi/a").status, 502) << coding;
    }
}

TEST_F(Passing, KnowsAnswersWithoutABodyAndInterimOnes)
{
    ScriptedServer server([](const Heard& heard) {
        if (heard.target == "/webapi/none") return raw("HTTP/1.1 204 No Content\r\n\r\n", Then::keep);
        if (heard.target == "/webapi/same") return raw("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", Then::keep);
        if (heard.method == "HEAD") return raw("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n", Then::keep);
        return raw("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                   Then::keep);
    });
    start_before(server.url());
    ::support::HttpConnection connection(port_);
    EXPECT_EQ(connection.send("GET", "/webapi/none", all()).status, 204);
    EXPECT_EQ(connection.send("GET", "/webapi/same", all()).status, 304);
    EXPECT_EQ(connection.send("HEAD", "/webapi/a", all()).header("Content-Length"), "77");
    const auto reply = connection.send("GET", "/webapi/a", all());
    EXPECT_EQ(reply.body, "ok");
    EXPECT_EQ(reply.header("Link"), "");
}

TEST_F(Passing, CarriesALargeBodyBothWays)
{
    std::string body(900'000, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>((i * 2654435761U) >> 13);
    ScriptedServer server([](const Heard& heard) {
        std::string longer;
        for (int i = 0; i < 40; ++i) longer += heard.body;
        return answer(200, longer);
    });
    start_before(server.url());
    const auto reply = send("POST", "/webapi/files", {{"Content-Type", "multipart/form-data; boundary=x"}}, body);
    ASSERT_EQ(reply.body.size(), 40 * body.size());
    for (int i = 0; i < 40; ++i) EXPECT_EQ(reply.body.compare(i * body.size(), body.size(), body), 0);
    EXPECT_EQ(server.heard().at(0).header("Content-Length"), "900000");
}

TEST_F(Passing, SaysThatUpstreamIsAway)
{
    std::string url;
    {
        ScriptedServer gone([](const Heard&) { return answer(200, ""); });
        url = gone.url();
    }
    start_before(url);
    const auto reply = send("POST", "/webapi/apps/a/run", {}, "{}");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.header("Retry-After"), "5");
    EXPECT_THAT(reply.body, Not(HasSubstr(key_)));
}

TEST_F(Passing, AsksAnUpstreamThatIsAwayOnlyNowAndThen)
{
    bool away = true;
    ScriptedServer server([&](const Heard&) { return away ? raw("", Then::reset) : answer(200, "ok"); });
    Options options;
    options.loops = 1;
    start_before(server.url(), options);
    upstream_.state.reachable = false;
    EXPECT_EQ(get("/webapi/a").status, 503);
    ASSERT_EQ(server.heard().size(), 1u);
    RawClient client(port_);
    client.send(request("POST /webapi/a", "Expect: 100-continue\r\nContent-Length: 5\r\n"));
    const std::string reply = client.read_all();
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 503")) << "and no body is asked for";
    EXPECT_THAT(reply, HasSubstr("Retry-After: "));
    EXPECT_EQ(server.heard().size(), 1u) << "without asking upstream";

    away = false;
    int status = 503;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (status == 503 && std::chrono::steady_clock::now() < deadline) status = get("/webapi/a").status;
    EXPECT_EQ(status, 200) << "one of them found out";
    EXPECT_EQ(server.heard().size(), 2u);
}

TEST_F(Passing, AsksAnUpstreamThatTheEngineReachesWhateverFailedBefore)
{
    bool away = true;
    ScriptedServer server([&](const Heard&) { return away ? raw("", Then::reset) : answer(200, "ok"); });
    Options options;
    options.loops = 1;
    start_before(server.url(), options);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/webapi/a").status, 503);
    EXPECT_EQ(server.heard().size(), 3u);
    away = false;
    EXPECT_EQ(get("/webapi/a").status, 200);
}

TEST_F(Passing, WakesTheEngineForTheConversationThatAnAnswerNames)
{
    ScriptedServer server([](const Heard& heard) {
        const std::string body =
            "{\"message\":{\"id\":\"no\"},\"conversation\":{\"a\":[{\"id\":\"no\"}],\"id\":\"Q29u=\"}}";
        if (heard.target == "/webapi/packed") return answer(200, gzipped(body), "Content-Encoding: gzip\r\n");
        return answer(heard.target == "/webapi/bad" ? 400 : 200, body);
    });
    start_before(server.url());
    send("POST", "/webapi/bad", {}, "{}");
    get("/webapi/a");
    send("POST", "/webapi/packed", {}, "{}");
    send("POST", "/webapi/apps/a/run", {}, "{}");
    server_->stop(); // the session may be behind its client
    EXPECT_THAT(upstream_.woken, ElementsAre("Q29u=")) << "when the answer is over";
}

TEST(ConversationId, IsFoundInWhatHasCome)
{
    EXPECT_EQ(find_conversation_id(R"({"conversation":{"id":"a"},"more":)"), "a");
    EXPECT_EQ(find_conversation_id("{\"n\":1}\n{\"conversation\":{\"id\":\"b\"}}\n"), "b");
    EXPECT_EQ(find_conversation_id(R"({"data":[{"conversation":{"title":"x","id":"c"}}]})"), "c");
    EXPECT_EQ(find_conversation_id(R"({"id":"no","conversation":{"user":{"id":"no"}}})"), std::nullopt);
    EXPECT_EQ(find_conversation_id(R"({"text":"\"conversation\":{\"id\":\"no\"}"})"), std::nullopt);
    EXPECT_EQ(find_conversation_id(R"({"conversation":{"id":"cut)"), std::nullopt);
    EXPECT_EQ(find_conversation_id(R"({"conversation":null,"id":"no"})"), std::nullopt);
    EXPECT_EQ(find_conversation_id("\xff\xfe not JSON"), std::nullopt);
}

} // namespace
} // namespace alli::proxy

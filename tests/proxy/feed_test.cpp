// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/feed.hpp"
#include "proxy/request/request_metrics.hpp"
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/raw_client.hpp"

#include <boost/asio/detached.hpp>

#include <future>

namespace alli::proxy {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

class FeedTest : public ProxyTest {
  protected:
    json changes(const std::string& query)
    {
        const auto reply = get("/mirror/v1/changes" + query);
        EXPECT_EQ(reply.status, 200) << reply.body;
        return json::parse(reply.body, nullptr, false);
    }
    std::int64_t now() { return changes("?since=now").at("next").get<std::int64_t>(); }
    static std::vector<std::string> kinds(const json& page)
    {
        std::vector<std::string> all;
        for (const json& change : page.at("changes"))
            all.push_back(change.at("kind").get<std::string>() + ' ' + change.at("conversationId").get<std::string>());
        return all;
    }
    std::future<json> ask(const std::string& query)
    {
        return std::async(std::launch::async, [this, query] { return changes(query); });
    }
};

TEST_F(FeedTest, TellsWhatChangedPageByPage)
{
    put("a", 100, 1);
    put("b", 200, 1);
    start();
    const json all = changes("");
    EXPECT_THAT(kinds(all), testing::ElementsAre("conversation a", "chats a", "conversation b", "chats b"));
    EXPECT_EQ(all.at("next"), all["changes"][3].at("seq"));
    EXPECT_EQ(all.at("next"), now());

    const json some = changes("?limit=3");
    EXPECT_THAT(kinds(some), testing::SizeIs(3));
    EXPECT_EQ(some.at("next"), some["changes"][2].at("seq"));
    EXPECT_THAT(kinds(changes("?limit=3&since=" + some["next"].dump())), testing::ElementsAre("chats b"));
    EXPECT_EQ(changes("?since=" + all["next"].dump()).at("changes"), json::array());
}

TEST_F(FeedTest, ReadersThatWaitAreToldByTheCommit)
{
    start();
    const std::string since = std::to_string(now());
    std::vector<std::future<json>> readers;
    for (int i = 0; i < 8; ++i) readers.push_back(ask("?wait=60&since=" + since));
    put("a", 100, 1);
    for (auto& reader : readers) EXPECT_THAT(kinds(reader.get()), testing::ElementsAre("conversation a", "chats a"));
}

TEST_F(FeedTest, ThoseThatWaitOnOneLoopShareOneRead)
{
    asio::io_context loop;
    Meters meters;
    Feed feed(loop.get_executor(), store_, meters);
    const std::int64_t since = feed.last();
    std::vector<std::shared_ptr<const FeedPage>> seen;
    const auto read = [&]() -> Task<> { // lives as long as the loop
        co_await feed.wait(since, Feed::Steady::max());
        seen.push_back(feed.page(since, 100));
    };
    for (int i = 0; i < 100; ++i) asio::co_spawn(loop, read(), asio::detached);
    loop.poll();
    EXPECT_EQ(feed.readers(), 100u);
    EXPECT_EQ(meters.readers(), 100);

    write([](cache::Writer&) {});
    feed.committed();
    loop.poll();
    EXPECT_EQ(feed.readers(), 100u) << "a commit without a change wakes nobody";

    put("a", 100, 1);
    feed.committed();
    loop.run_for(5s);
    EXPECT_EQ(feed.readers(), 0u);
    EXPECT_EQ(meters.readers(), 0);
    ASSERT_EQ(seen.size(), 100u);
    for (const auto& page : seen) EXPECT_EQ(page, seen.front());
    EXPECT_EQ(seen.front()->changes.size(), 2u);
}

TEST_F(FeedTest, AWaitEndsWithItsTimeAndWithTheProgram)
{
    start();
    const std::string since = std::to_string(now());
    EXPECT_EQ(changes("?wait=1&since=" + since).at("next").dump(), since);
    RawClient reader(port_); // by the time of its answer the one before it in line waits
    reader.send("GET /readyz HTTP/1.1\r\nHost: " + host_ +
                "\r\nAPI-KEY: the-key\r\n\r\nGET /mirror/v1/changes?wait=60&since=" + since +
                " HTTP/1.1\r\nHost: " + host_ + "\r\nAPI-KEY: the-key\r\n\r\n");
    EXPECT_NE(reader.read_until("ready\n").find(" 200 "), std::string::npos);
    server_->stop();
    EXPECT_NE(reader.read_all().find(R"({"changes":[],"next":)" + since + "}"), std::string::npos);
}

TEST_F(FeedTest, AReaderOfAnotherMirrorStartsAgain)
{
    put("a", 100, 1);
    start();
    const std::int64_t last = now();
    for (const std::int64_t since : {std::int64_t{1}, last + 1}) {
        const auto reply = get("/mirror/v1/changes?wait=60&since=" + std::to_string(since));
        EXPECT_EQ(reply.status, 410);
        EXPECT_THAT(reply.body, testing::HasSubstr("since=0"));
    }
    for (const char* bad : {"?since=-1", "?since=x", "?since=1x", "?limit=0", "?limit=1001", "?wait=61"})
        EXPECT_EQ(get(std::string("/mirror/v1/changes") + bad).status, 400) << bad;
}

/// A reader of events over a connection of its own.
class Stream : public FeedTest {
  protected:
    std::string request(const std::string& query, const std::string& more = "") const
    {
        return "GET /mirror/v1/changes" + query + " HTTP/1.1\r\nHost: " + host_ +
               "\r\nAPI-KEY: the-key\r\nAccept: text/event-stream\r\n" + more + "\r\n";
    }
};

TEST_F(Stream, TellsEachChangeAndGoesOnWhereTheReaderWas)
{
    put("a", 100, 1);
    start();
    const json all = changes("");
    const std::string first = all["changes"][0]["seq"].dump();
    RawClient reader(port_);
    reader.send(request("?since=0"));
    const std::string seen = reader.read_until("\"chats\"}\n\n");
    EXPECT_NE(seen.find("Content-Type: text/event-stream"), std::string::npos);
    EXPECT_NE(seen.find("X-Accel-Buffering: no"), std::string::npos) << "or nginx holds it back";
    EXPECT_NE(seen.find("retry: "), std::string::npos);
    EXPECT_NE(seen.find("id: " + first + "\ndata: {\"seq\":" + first + ","), std::string::npos);
    put("b", 200, 1);
    EXPECT_NE(reader.read_until("\"chats\"}\n\n").find(R"("conversationId":"b")"), std::string::npos);

    RawClient again(port_); // the address of before, and how far it came
    again.send(request("?since=now", "Last-Event-ID: " + first + "\r\n"));
    const std::string rest = again.read_until(R"("conversationId":"b","kind":"chats"})");
    EXPECT_EQ(rest.find(R"("kind":"conversation"})"), rest.rfind(R"("kind":"conversation"})")) << "b's alone: " << rest;
    EXPECT_NE(rest.find(R"("conversationId":"a","kind":"chats")"), std::string::npos);
}

TEST_F(Stream, SaysWhenToStartAgainAndGoesOn)
{
    put("a", 100, 1);
    start();
    for (const char* strange : {"1", "99999999999999999", "x"}) {
        RawClient reader(port_);
        reader.send(request("?since=now", std::string("Last-Event-ID: ") + strange + "\r\n"));
        const std::string next = std::to_string(now());
        EXPECT_NE(reader.read_until("}\n\n").find("event: reset\nid: " + next + "\ndata: {\"next\":" + next + "}"),
                  std::string::npos)
            << strange;
    }
}

TEST_F(Stream, LivesWithHeartbeatsAndEndsInOrderWithTheProgram)
{
    Options options;
    options.limits.heartbeat = 20ms;
    start(options);
    RawClient reader(port_);
    reader.send(request("?since=now"));
    reader.read_until(":\n\n\r\n");
    reader.read_until(":\n\n\r\n");
    server_->stop();
    EXPECT_TRUE(reader.read_all().ends_with("0\r\n\r\n"));
}

TEST_F(FeedTest, AReaderThatLeavesIsWaitedForNoLonger)
{
    Options options;
    options.limits.tick = 5ms;
    backend_.metrics_text = [](const RequestMetrics& request_metrics) {
        return std::to_string(request_metrics.readers());
    };
    start(options);
    const auto wait_for_readers = [&](const std::string& count) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        std::string now = get("/metrics").body;
        while (now != count && std::chrono::steady_clock::now() < deadline) now = get("/metrics").body;
        return now;
    };
    for (const char* kind : {"", "Accept: text/event-stream\r\n"}) {
        {
            const RawClient reader(port_);
            reader.send("GET /mirror/v1/changes?wait=60&since=now HTTP/1.1\r\nHost: " + host_ +
                        "\r\nAPI-KEY: the-key\r\n" + kind + "\r\n");
            EXPECT_EQ(wait_for_readers("1"), "1") << kind;
        }
        EXPECT_EQ(wait_for_readers("0"), "0") << kind;
    }
}

TEST_F(FeedTest, IsJsonForWhoRefusesEventsOrLikesThemLess)
{
    start();
    for (const char* accept :
         {"text/event-stream;q=0", "text/event-stream; q=0.000, */*", "application/json",
          "text/event-stream;q=0.5, application/json", "text/event-stream;q=0.1, */*", "*/*", ""}) {
        const auto reply = send("GET", "/mirror/v1/changes?since=now", {{"Accept", accept}});
        EXPECT_EQ(reply.header("Content-Type"), "application/json") << accept;
    }
    for (const char* accept : {"text/event-stream", "Text/Event-Stream;q=0.2", "application/json, text/event-stream",
                               "text/event-stream, */*;q=0.5"}) {
        const auto reply = send("HEAD", "/mirror/v1/changes?since=now", {{"Accept", accept}});
        EXPECT_EQ(reply.header("Content-Type"), "text/event-stream") << accept;
    }
}

TEST_F(FeedTest, HeadNeverWaits)
{
    start();
    EXPECT_EQ(send("HEAD", "/mirror/v1/changes?wait=60&since=now").status, 200);
}

} // namespace
} // namespace alli::proxy

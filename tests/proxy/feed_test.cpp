// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/feed.hpp"

#include "cache/deletions.hpp"
#include "cache/rows/change_feed.hpp"
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

TEST_F(Stream, OfNowGoesOnFromItsBeginningWhenItIsCutBeforeAnythingChanged)
{
    put("a", 100, 1);
    start();
    const std::string begun = std::to_string(now());
    {
        RawClient reader(port_);
        reader.send(request("?since=now"));
        EXPECT_NE(reader.read_until("\n\n\r\n").find("retry: 1000\n\nid: " + begun + "\n\n"), std::string::npos);
    }
    put("b", 200, 1); // while nobody listens
    RawClient again(port_);
    again.send(request("?since=now", "Last-Event-ID: " + begun + "\r\n"));
    EXPECT_NE(again.read_until("\"chats\"}\n\n").find(R"("conversationId":"b")"), std::string::npos);
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

/// A reader that names a query.
class FilteredFeed : public Stream {
  protected:
    /// A question and an answer.
    void put_rated(const std::string& id, std::int64_t seconds, json answer, const json& more = json::object())
    {
        json chat = ::support::chat_json(id, 1, seconds, "the answer of " + id);
        chat.update(answer);
        TimeUnit unit = TimeUnit::seconds;
        const std::vector<Chat> chats{::support::make_chat(id, 0, seconds - 1, "a question"),
                                      read_chat(chat.dump(), unit)};
        const Conversation conversation = ::support::make_conversation(id, seconds, more);
        write([&](cache::Writer& db) {
            cache::put_conversation(db, conversation);
            cache::put_chats(db, conversation.id, 0, chats);
        });
    }
    /// Of one kind of change.
    std::string ids(const json& page)
    {
        std::string all;
        for (const json& change : page.at("changes"))
            if (change.at("kind") != "chats") all += change.at("conversationId").get<std::string>();
        return all;
    }
    /// Page by page from the beginning.
    std::vector<std::string> walk(const std::string& query, int limit)
    {
        std::vector<std::string> all;
        std::string since = "0";
        for (bool more = true; more;) {
            const json page = changes("?q=" + query + "&limit=" + std::to_string(limit) + "&since=" + since);
            for (std::string& one : kinds(page)) all.push_back(std::move(one));
            since = page.at("next").dump();
            more = page.at("more");
        }
        EXPECT_EQ(since, std::to_string(now())) << "what was passed by is not read again";
        return all;
    }
};

TEST_F(FilteredFeed, TakesTheFiltersOfASearch)
{
    put_rated("a", 100, {{"rating", false}}, {{"state", "open"}, {"channel", "KAKAO"}});
    put_rated("b", 200, {{"rating", true}}, {{"state", "done"}, {"assignee", "mina@example.com"}});
    put_rated("c", 300, {{"agentRating", false}, {"suggestedAnswer", "Ten"}},
              {{"llmApp", {{"id", "7"}, {"name", "Help"}}}});
    put_rated("d", 400, {{"citations", {{{"title", "Fees"}}}}}, {{"user", {{"userId", "u9"}, {"firstName", "Jun"}}}});
    put_rated("e", 500, {{"intermediateSteps", {{{"type", "LLM"}}}}}, {{"categories", {"VIP"}}});
    start();
    for (const auto& [query, expected] :
         std::vector<std::pair<std::string, std::string>>{{"rating:bad", "a"},
                                                          {"rating:good", "b"},
                                                          {"rating:none", "cde"},
                                                          {"rating:good+rating:bad", "ab"},
                                                          {"agentrating:bad", "c"},
                                                          {"state:open", "a"},
                                                          {"assignee:mina@example.com", "b"},
                                                          {"channel:kakao", "a"},
                                                          {"has:feedback", "c"},
                                                          {"has:citations", "d"},
                                                          {"has:steps", "e"},
                                                          {"app:help", "c"},
                                                          {"user:jun", "d"},
                                                          {"user:u9", "d"},
                                                          {"category:vip", "e"},
                                                          {"sender:BOT", "abcde"},
                                                          {"after:1970-01-02", ""},
                                                          {"question", "abcde"},
                                                          {"rating:bad+state:done", ""},
                                                          {"", "abcde"}}) {
        const json page = changes("?q=" + query);
        EXPECT_EQ(ids(page), expected) << query;
        EXPECT_EQ(page.at("next"), now()) << query;
        EXPECT_EQ(page.contains("more"), !query.empty());
    }
}

TEST_F(FilteredFeed, WhatHasToBeForgottenIsToldWhateverItWas)
{
    put_rated("a", 100, {{"rating", true}});
    put_rated("b", 200, {{"rating", false}});
    put_rated("c", 300, {{"rating", true}});
    start();
    write([](cache::Writer& db) {
        cache::note_change(db, {"c"}, cache::ChangeKind::deleted); // waits: its row is still there
        cache::mark_deleted(db, {"a"}, ::support::at_second(1000));
        cache::erase_conversation(db, {"b"});
        cache::note_change(db, {"b"}, cache::ChangeKind::deleted);
    });
    EXPECT_THAT(kinds(changes("?q=rating:bad")), testing::ElementsAre("deleted c", "deleted a", "deleted b"));
}

TEST_F(FilteredFeed, PagesAndEventsTellTheSameOfAMirrorThatIsMostlyPassedBy)
{
    constexpr int conversations = 1500; // two changes each: more than are looked at in one read
    std::vector<std::string> expected;
    for (int n = 0; n < conversations; ++n) {
        const std::string id = "c" + std::to_string(n);
        const bool bad = n % 400 == 7 && n < 800; // behind the last nothing for some reads
        put_rated(id, 1000 + n, {{"rating", !bad}});
        if (bad) expected.insert(expected.end(), {"conversation " + id, "chats " + id});
    }
    Options options;
    options.limits.heartbeat = 20ms;
    start(options);
    EXPECT_EQ(walk("rating:bad", 1000), expected);
    EXPECT_EQ(walk("rating:bad", 3), expected);
    EXPECT_THAT(walk("rating:bad+state:none", 1000), testing::IsEmpty());

    RawClient reader(port_);
    reader.send(request("?since=0&q=rating:bad"));
    const std::string last = std::to_string(now());
    const std::string seen = reader.read_until("id: " + last + "\n\n"); // the reader is through
    std::vector<std::string> told;
    for (std::size_t at = seen.find("data: "); at != std::string::npos; at = seen.find("data: ", at + 1)) {
        const json change = json::parse(seen.substr(at + 6, seen.find('\n', at) - at - 6));
        told.push_back(change.at("kind").get<std::string>() + ' ' + change.at("conversationId").get<std::string>());
    }
    EXPECT_EQ(told, expected);

    RawClient again(port_); // goes on from there: nothing of it comes twice
    again.send(request("?since=0&q=rating:bad", "Last-Event-ID: " + last + "\r\n"));
    put_rated("new", 9000, {{"rating", false}});
    const std::string rest = again.read_until(R"("new","kind":"chats"})");
    EXPECT_EQ(rest.find(R"("c7")"), std::string::npos) << rest;
}

TEST_F(FilteredFeed, AReaderWaitsOverWhatIsPassedBy)
{
    start();
    const std::string since = std::to_string(now());
    auto reader = ask("?wait=60&q=rating:bad&since=" + since);
    put_rated("a", 100, {{"rating", true}});
    put_rated("b", 200, {{"rating", false}});
    EXPECT_THAT(kinds(reader.get()), testing::Contains("chats b"));
    const json none = changes("?wait=1&q=rating:bad+state:x&since=" + since);
    EXPECT_THAT(kinds(none), testing::IsEmpty());
    EXPECT_EQ(none.at("next"), now());
}

TEST_F(FilteredFeed, SaysWhatCanBeNoFilterAndWhatWouldBe)
{
    put_rated("a", 100, {{"rating", true}}, {{"state", "open"}});
    start();
    struct Case {
        const char *query, *valid;
    };
    for (const auto& [query, valid] :
         {Case{"rating:meh", "good, bad, none"}, Case{"has:wings", "feedback, citations, steps"},
          Case{"after:lunch", "yesterday"}, Case{"agentrating:1", "good, bad, none"}})
        for (const char* accept : {"application/json", "text/event-stream"}) {
            const auto reply = get(std::string("/mirror/v1/changes?q=") + query, {{"Accept", accept}});
            EXPECT_EQ(reply.status, 400) << query;
            EXPECT_THAT(reply.body, testing::HasSubstr(valid)) << query;
            EXPECT_EQ(reply.body.find("meh"), std::string::npos) << "a value is not repeated";
        }
    EXPECT_EQ(get("/mirror/v1/changes?q=rating:bad&tz=Mars/One").status, 400);
    const json page = changes("?q=state:opne"); // may come yet
    EXPECT_EQ(page.at("unknownFilters")[0].at("valid"), json({"open"}));
    RawClient reader(port_);
    reader.send(request("?since=0&q=state:opne"));
    EXPECT_NE(reader.read_until("]\n\n").find("event: unknownFilters\ndata: [{\"filter\":\"state\""),
              std::string::npos);
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

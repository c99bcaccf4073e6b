// SPDX-License-Identifier: Apache-2.0
// How old an answer may be, who is asked when it is too old, and what is kept of what upstream said.
#include "cache/rows/problems.hpp"
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/raw_client.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <thread>

namespace alli::proxy {
namespace {

using nlohmann::json;

constexpr const char* list = "/webapi/v2/conversations";
const std::string item = std::string(list) + "/a";

class Freshness : public ProxyTest {
  protected:
    // The mirror holds everything, as verified at 1990; now is 2000.
    void fill()
    {
        put("a", 100, 2);
        put("b", 200, 3);
        cover(0, 1000);
        Options options;
        options.loops = 1; // each keeps answers of its own
        start(options);
    }
    ::support::HttpReply ask(const std::string& target, const std::string& directives)
    {
        return get(target, {{"Cache-Control", directives}});
    }
    std::string status(const ::support::HttpReply& reply) { return std::string(reply.header("Cache-Status")); }
    std::size_t asked()
    {
        const std::lock_guard lock(upstream_.mutex);
        return upstream_.requests.size();
    }
    /// So many ask for the same that is not held, with these header lines, before upstream answers any.
    std::vector<std::string> miss_together(std::size_t many, const std::string& lines)
    {
        std::atomic<bool> open{false};
        upstream_.before = [&]() -> Task<> {
            const auto executor = co_await asio::this_coro::executor;
            while (!open) co_await asio::post(executor, asio::use_awaitable);
        };
        std::vector<std::unique_ptr<RawClient>> readers(many);
        for (auto& reader : readers) {
            reader = std::make_unique<RawClient>(port_);
            reader->send("GET " + std::string(list) + "/unknown HTTP/1.1\r\nHost: " + host_ +
                         "\r\nAPI-KEY: the-key\r\n" + lines + "Connection: close\r\n\r\n");
        }
        for (int n = 0; n < 4; ++n) get("/healthz"); // the one loop has seen what came before
        open = true;
        std::vector<std::string> answers;
        for (auto& reader : readers) answers.push_back(reader->read_all());
        return answers;
    }
    void go_away()
    {
        upstream_.away = true;
        upstream_.state.reachable = false;
    }
};

TEST_F(Freshness, NoCacheAsksUpstreamAndInsists)
{
    fill();
    const auto asked_for = ask(item, "no-cache");
    EXPECT_EQ(asked_for.body, upstream_.reply.body);
    EXPECT_EQ(status(asked_for), "alli-mirror; fwd=request");
    EXPECT_EQ(status(get(item, {{"Pragma", "no-cache"}})), "alli-mirror; fwd=request");
    upstream_.reply.status = 503;
    EXPECT_EQ(ask(item, "no-cache").status, 503);
    go_away();
    const auto gone = ask(item, "no-cache");
    EXPECT_EQ(gone.status, 504);
    EXPECT_EQ(json::parse(gone.body).at("code"), 7000);
    EXPECT_EQ(get(item).status, 200);
}

TEST_F(Freshness, OnlyIfCachedNeverAsksUpstream)
{
    fill();
    EXPECT_EQ(ask(item, "only-if-cached").status, 200);
    clock_.seconds = 100'000;
    EXPECT_EQ(ask(item, "only-if-cached").status, 200);
    EXPECT_EQ(ask(item, "only-if-cached, max-age=5").status, 504);
    EXPECT_EQ(ask(item, "only-if-cached, no-cache").status, 504);
    EXPECT_EQ(ask(std::string(list) + "?variables=x", "only-if-cached").status, 504);
    EXPECT_EQ(ask(std::string(list) + "/unknown", "only-if-cached").status, 404);
    EXPECT_EQ(get(item, {{"Cache-Control", "only-if-cached"}, {"AGENT-EMAIL", "x@y"}}).status, 504);
    EXPECT_EQ(ask(item + "/running", "only-if-cached").status, 504);
    EXPECT_EQ(get(item, {{"Cache-Control", "max-age=5"}, {"Cache-Control", "only-if-cached"}}).status, 504)
        << "on two lines";
    EXPECT_EQ(asked(), 0U);
    EXPECT_EQ(upstream_.wakes, 0) << "not even by way of the engine";
}

TEST_F(Freshness, WhatIsTooOldForTheRequestIsAskedOfUpstream)
{
    fill();
    EXPECT_EQ(status(ask(item, "max-age=10")), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(status(ask(item, "min-fresh=50")), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(asked(), 0U);
    EXPECT_EQ(status(ask(item, "max-age=9")), "alli-mirror; fwd=stale");
    EXPECT_EQ(status(ask(item, "min-fresh=51")), "alli-mirror; fwd=stale");
    EXPECT_EQ(asked(), 2U);
    clock_.seconds = 1990 + 100;
    EXPECT_EQ(status(ask(item, "max-stale=39")), "alli-mirror; fwd=stale");
    EXPECT_EQ(status(ask(item, "max-stale=40")), "alli-mirror; hit; ttl=-40");
    EXPECT_EQ(status(ask(item, "max-age=9, max-stale")), "alli-mirror; hit; ttl=-40");
}

TEST_F(Freshness, WhatIsTooOldIsAnsweredAllTheSameWhenUpstreamHasNothingBetter)
{
    fill();
    for (const int trouble : {401, 403, 429, 500, 502, 503}) {
        upstream_.reply.status = trouble;
        const auto reply = ask(item, "max-age=1");
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(status(reply), fmt::format("alli-mirror; fwd=stale; fwd-status={}; ttl=50", trouble));
    }
    upstream_.reply.status = 404;
    EXPECT_EQ(ask(item, "max-age=1").status, 404) << "that is an answer";
    go_away();
    EXPECT_EQ(status(ask(item, "max-age=1")), "alli-mirror; hit; ttl=50; detail=offline");
}

// The budget's own refusals among them: a pause that upstream asked for, a breaker that is open.
TEST_F(Freshness, WhatIsHeldAnswersWhereUpstreamsAnswerCannotBeHad)
{
    fill();
    for (const Fault fault : {Fault::unavailable, Fault::bad_reply, Fault::key_rejected}) {
        upstream_.fails = fault;
        const auto reply = ask(item, "max-age=1");
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(status(reply), "alli-mirror; hit; ttl=50");
        EXPECT_GE(ask(item, "no-cache").status, 400) << "who insists is told";
        EXPECT_NE(get(std::string(list) + "/unknown").status, 404) << "not known to be absent";
    }
    write([](cache::Writer& db) { cache::uncover(db, {support::at_second(10), support::at_second(20)}); });
    EXPECT_GE(get(list).status, 400);
    EXPECT_EQ(status(ask(list, "max-stale")), "alli-mirror; hit; ttl=50; detail=partial");
}

TEST_F(Freshness, OfflineAndARejectedKeyAreTold)
{
    fill();
    upstream_.state.key_accepted = false;
    EXPECT_EQ(status(get(item)), "alli-mirror; hit; ttl=50; detail=key-rejected");
    upstream_.state.key_accepted = true;
    go_away();
    clock_.seconds = 1990 + 3660;
    EXPECT_EQ(status(get(item)), "alli-mirror; hit; ttl=-3600; detail=offline");
    EXPECT_EQ(get(item).header("Age"), "3660");
}

TEST_F(Freshness, APartOfAListOnlyForWhoSaysThatItWillDo)
{
    put("a", 600, 1);
    cover(500, 1000);
    start();
    EXPECT_EQ(status(ask(list, "max-stale")), "alli-mirror; fwd=miss") << "upstream is there";
    EXPECT_EQ(status(ask(list, "max-stale, only-if-cached")), "alli-mirror; hit; ttl=50; detail=partial");
    EXPECT_EQ(ask(list, "only-if-cached").status, 504);
    go_away();
    EXPECT_EQ(get(list).status, 504);
    const auto part = ask(list, "max-stale");
    EXPECT_EQ(part.status, 200);
    EXPECT_EQ(status(part), "alli-mirror; hit; ttl=50; detail=offline-partial");
    EXPECT_EQ(json::parse(part.body).at("conversations").size(), 1U);
    EXPECT_EQ(get(list).status, 504) << "what was a part is not kept for others";
}

TEST_F(Freshness, AnAnswerIsKeptWholeUntilTheMirrorChanges)
{
    fill();
    const std::string first = get(list).body;
    EXPECT_EQ(get(list).body, first);
    put("c", 300, 1);
    EXPECT_EQ(json::parse(get(list).body).at("conversations").size(), 3U);
    put("a", 400, 3);
    EXPECT_EQ(json::parse(get(item).body).at("chats").size(), 3U);
}

TEST_F(Freshness, ANoCacheOfOurOwnCursorPollsFirst)
{
    fill();
    const std::string cursor = json::parse(get(std::string(list) + "?pageSize=1").body).at("cursor");
    const std::string next = std::string(list) + "?pageSize=1&cursor=" + cursor;
    std::thread engine([&] {
        for (;;) {
            {
                const std::lock_guard lock(upstream_.mutex);
                if (upstream_.wakes > 0) break;
            }
            std::this_thread::yield();
        }
        write([](cache::Writer& db) {
            auto progress = cache::load_progress(db);
            progress.verified_at = support::at_second(2000);
            cache::save_progress(db, progress);
        });
    });
    const auto reply = ask(next, "no-cache");
    engine.join();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(status(reply), "alli-mirror; hit; ttl=60");
    EXPECT_EQ(asked(), 0U) << "upstream cannot read our cursors";
    clock_.seconds = 2001;
    EXPECT_EQ(status(ask(next, "only-if-cached, no-cache")), "alli-mirror");
    EXPECT_EQ(upstream_.wakes, 1) << "not even by way of the engine";
    go_away();
    EXPECT_EQ(ask(next, "no-cache").status, 504);
    const auto old = ask(next, "max-age=0");
    EXPECT_EQ(old.status, 200);
    EXPECT_EQ(status(old), "alli-mirror; hit; ttl=59; detail=offline");
}

TEST_F(Freshness, ACursorOfOursNeverGoesUpstreamAsItIs)
{
    fill();
    const std::string order = std::string(list) + "?pageSize=1&order=LAST_CHAT_TIME_ASC";
    for (const std::string& query : {std::string(list) + "?pageSize=1", order}) {
        const std::string cursor = json::parse(get(query).body).at("cursor");
        EXPECT_EQ(get(query + "&backgroundRunning=true&cursor=" + cursor).status, 400) << "another list";
    }
    const std::string next = order + "&cursor=" + json::parse(get(order).body).at("cursor").get<std::string>();
    write([](cache::Writer& db) { cache::uncover(db, {support::at_second(10), support::at_second(20)}); });
    const auto gap = get(next);
    EXPECT_EQ(gap.status, 504) << "only the order of last chats, newest first, can be gone on with";
    EXPECT_NE(gap.body.find("cursor"), std::string::npos) << gap.body;
    EXPECT_EQ(ask(next, "max-stale").status, 200);
    EXPECT_EQ(asked(), 0U);
}

// Polls do not tell of it: what it lacks its own problem says.
TEST_F(Freshness, WhatTheEngineCouldNotReadIsAskedOfUpstream)
{
    fill();
    EXPECT_EQ(status(get(item)), "alli-mirror; hit; ttl=50");
    write([](cache::Writer& db) {
        cache::Problem problem;
        problem.conversation = "a";
        cache::put_problem(db, cache::problem_key({"a"}), problem);
    });
    EXPECT_EQ(status(get(item)), "alli-mirror; fwd=stale");
    EXPECT_EQ(status(get(item + "/chats")), "alli-mirror; fwd=stale");
    EXPECT_EQ(status(get(std::string(list) + "/b")), "alli-mirror; hit; ttl=50");
    EXPECT_TRUE(upstream_.woken.empty()) << "the engine tries again by itself";
    go_away();
    EXPECT_EQ(status(get(item)), "alli-mirror; hit; ttl=50; detail=offline");
    write([](cache::Writer& db) { cache::clear_problem(db, cache::problem_key({"a"})); });
    upstream_.away = false;
    EXPECT_EQ(get(item).header("Cache-Status").substr(0, 16), "alli-mirror; hit");
}

TEST_F(Freshness, OfWhatUpstreamDoesNotHaveTheEngineIsTold)
{
    fill();
    upstream_.reply.status = 404;
    upstream_.reply.headers = {{"Content-Type", "text/html"}};
    upstream_.reply.body = "<html>";
    ask(item, "no-cache");
    EXPECT_TRUE(upstream_.woken.empty()) << "a gateway's word";
    upstream_.reply.headers = {{"Content-Type", "application/json"}};
    upstream_.reply.body = "{}";
    EXPECT_EQ(ask(item, "no-cache").status, 404);
    EXPECT_EQ(ask(std::string(list) + "/unknown", "no-cache").status, 404);
    EXPECT_THAT(upstream_.woken, testing::ElementsAre("a")) << "what is not held is not missed";
}

TEST_F(Freshness, AReadThatNamesAUserIsNeitherSharedNorHeldBack)
{
    fill();
    EXPECT_EQ(status(get(std::string(list) + "/unknown", {{"OWN-USER-ID", "u"}})), "alli-mirror; fwd=miss");
    ASSERT_EQ(asked(), 1U);
    const auto& headers = upstream_.requests[0].headers;
    EXPECT_TRUE(std::any_of(headers.begin(), headers.end(), [](const auto& h) { return h.name == "OWN-USER-ID"; }));
}

TEST_F(Freshness, ManyWhoMissTheSameCostUpstreamOneRequest)
{
    fill();
    int collapsed = 0;
    for (const std::string& answer : miss_together(4, "")) {
        EXPECT_THAT(answer, testing::EndsWith(upstream_.reply.body));
        collapsed += answer.find("fwd=miss; collapsed") != answer.npos ? 1 : 0;
    }
    EXPECT_EQ(asked(), 1U);
    EXPECT_EQ(collapsed, 3);
}

// Each asks in a language of its own, and upstream says that it answers in it.
TEST_F(Freshness, AnswerThatVariesIsNobodyElses)
{
    fill();
    upstream_.reply.headers.add("Vary", "accept-encoding, Accept-Language");
    for (const std::string& answer : miss_together(3, "Accept-Language: ko\r\n"))
        EXPECT_THAT(answer, testing::Not(testing::HasSubstr("collapsed")));
    EXPECT_EQ(asked(), 3U);
}

TEST_F(Freshness, HeadOfAMissIsAskedAsGet)
{
    fill();
    const auto head =
        send("HEAD", std::string(list) + "/unknown", {{"If-None-Match", "\"x\""}, {"Range", "bytes=0-1"}});
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(head.header("Content-Length"), std::to_string(upstream_.reply.body.size()));
    ASSERT_EQ(asked(), 1U);
    EXPECT_EQ(upstream_.requests[0].method, "GET");
    for (const auto& header : upstream_.requests[0].headers) {
        EXPECT_NE(header.name, "If-None-Match");
        EXPECT_NE(header.name, "Range");
    }
}

TEST_F(Freshness, UpstreamsAnswerHasATagOfOursToo)
{
    fill();
    upstream_.reply.headers.add("ETag", "\"theirs\"");
    const auto first = get(std::string(list) + "/unknown");
    const std::string tag(first.header("ETag"));
    EXPECT_NE(tag, "\"theirs\"");
    const auto again = get(std::string(list) + "/unknown", {{"If-None-Match", tag}});
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
}

} // namespace
} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
// Reading after a run: the first read after its end holds the whole answer, and a conversation at rest costs nothing.
#include "proxy/relay/runs.hpp"

#include "proxy/relay/json_sniffer.hpp"
#include "tests/proxy/fixture.hpp"

#include <future>

namespace alli::proxy {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const ConversationId c{"c"};
constexpr Clock::Steady start_of_time{};

TEST(Runs, AreFollowedFromTheirBeginningToTheFetchAfterTheirEnd)
{
    Runs runs;
    EXPECT_TRUE(runs.at_rest());
    runs.running(c, start_of_time, 4);
    runs.running(c, start_of_time, 5);
    EXPECT_EQ(runs.find_running(c, start_of_time), 4) << "the first word counts";
    EXPECT_EQ(runs.find(c, start_of_time), RunPhase::running);
    EXPECT_EQ(runs.find(ConversationId{"d"}, start_of_time), RunPhase::at_rest);
    const Runs::End end = runs.ended(c, start_of_time, Instant{5s});
    EXPECT_EQ(end.chats_before, 4);
    EXPECT_EQ(runs.find_ends(Instant{4s}, Instant{1min}), Ends::awaited);
    EXPECT_EQ(runs.find_ends(Instant{5s}, Instant{1min}), Ends::shown) << "it was compared since";
    EXPECT_EQ(runs.find(c, start_of_time), RunPhase::settling);
    runs.fetched(c, end.fence, false, start_of_time);
    EXPECT_EQ(runs.find(c, start_of_time), RunPhase::unsettled);
    runs.fetched(c, end.fence, true, start_of_time);
    EXPECT_EQ(runs.find(c, start_of_time), RunPhase::at_rest);
    EXPECT_TRUE(runs.at_rest());
}

TEST(Runs, AreShownByListsOnceEachWasFetched)
{
    Runs runs;
    EXPECT_EQ(runs.find_ends(std::nullopt, Instant{1min}), Ends::shown) << "nothing has ended";
    const ConversationId d{"d"};
    const auto first = runs.ended(c, start_of_time, Instant{5s}), second = runs.ended(d, start_of_time, Instant{6s});
    EXPECT_EQ(runs.find_ends(std::nullopt, Instant{1min}), Ends::awaited);
    runs.fetched(c, first.fence, true, start_of_time);
    EXPECT_EQ(runs.find_ends(Instant{4s}, Instant{1min}), Ends::awaited);
    runs.fetched(d, second.fence, false, start_of_time);
    EXPECT_EQ(runs.find_ends(Instant{4s}, Instant{1min}), Ends::unknown) << "it may be all of it";
    runs.fetched(d, second.fence, true, start_of_time);
    EXPECT_EQ(runs.find_ends(Instant{4s}, Instant{1min}), Ends::shown);

    runs.running(c, start_of_time);
    EXPECT_EQ(runs.find_ends(Instant{4s}, Instant{1min}), Ends::shown) << "what runs has not ended";
    runs.ended(c, start_of_time, Instant{7s});
    runs.running(c, start_of_time);
    EXPECT_EQ(runs.find_ends(Instant{4s}, Instant{1min}), Ends::awaited) << "the answer before is still being fetched";
    EXPECT_EQ(runs.find_ends(Instant{7s}, Instant{1min}), Ends::shown);
    EXPECT_EQ(runs.find_ends(Instant{4s}, Instant{6s}), Ends::shown) << "who asked before it does not wait for it";
    runs.ended(c, start_of_time, Instant{9s});
    EXPECT_EQ(runs.find_ends(Instant{4s}, Instant{8s}), Ends::awaited) << "the first of its ends is not shown yet";
    EXPECT_EQ(runs.find_ends(Instant{8s}, Instant{8s}), Ends::shown);
    runs.ended_somewhere(Instant{10s});
    EXPECT_EQ(runs.find_ends(Instant{9s}, Instant{1min}), Ends::unknown);
    EXPECT_EQ(runs.find_ends(Instant{10s}, Instant{1min}), Ends::shown);
    EXPECT_EQ(runs.find_ends(Instant{9s}, Instant{9s}), Ends::shown) << "compared when it was asked for";
}

TEST(Runs, OfWhichNoRowIsLeftAreShownByAComparisonAlone)
{
    Runs runs;
    runs.ended(c, start_of_time, Instant{5s});
    for (std::size_t i = 0; i < Runs::most; ++i)
        runs.running(ConversationId{std::to_string(i)}, start_of_time + std::chrono::milliseconds(i + 1));
    EXPECT_EQ(runs.find_ends(Instant{4s}, Instant{1min}), Ends::unknown);
    EXPECT_EQ(runs.find_ends(Instant{5s}, Instant{1min}), Ends::shown);
}

TEST(Runs, AreNotSettledByAFetchFromBefore)
{
    Runs runs;
    const auto first = runs.ended(c, start_of_time, Instant{1s});
    EXPECT_EQ(first.chats_before, std::nullopt);
    runs.running(c, start_of_time);
    runs.fetched(c, first.fence, true, start_of_time);
    EXPECT_EQ(runs.find(c, start_of_time), RunPhase::running);
    const auto second = runs.ended(c, start_of_time, Instant{2s});
    runs.fetched(c, first.fence, true, start_of_time);
    EXPECT_EQ(runs.find(c, start_of_time), RunPhase::settling);
    runs.fetched(c, second.fence, true, start_of_time);
    EXPECT_TRUE(runs.at_rest());
}

TEST(Runs, AreFetchedByTheFenceOfTheirEndAndNoOther)
{
    Runs runs;
    const Clock::Steady now{1h};
    const ConversationId id{"a"};
    EXPECT_EQ(runs.is_fetched(id, 1, now), std::nullopt);
    const std::uint64_t fence = runs.ended(id, now, Instant{}).fence;
    EXPECT_EQ(runs.is_fetched(id, fence, now), false);
    runs.fetched(id, fence, false, now);
    EXPECT_EQ(runs.is_fetched(id, fence, now), false) << "without its last message";
    runs.fetched(id, fence, true, now);
    EXPECT_EQ(runs.is_fetched(id, fence, now), true);
    EXPECT_EQ(runs.is_fetched(id, fence + 1, now), std::nullopt);
    EXPECT_EQ(runs.is_fetched(id, fence, now + 11min), std::nullopt) << "forgotten";
}

TEST(Runs, AreForgottenAfterTenMinutesWithoutAWord)
{
    Runs runs;
    runs.running(c, start_of_time);
    EXPECT_EQ(runs.find(c, start_of_time + 10min), RunPhase::running);
    EXPECT_EQ(runs.find(c, start_of_time + 10min + 1s), RunPhase::at_rest);
    runs.running(ConversationId{"d"}, start_of_time + 11min);
    EXPECT_EQ(runs.find(c, start_of_time), RunPhase::at_rest) << "its row is gone";
}

TEST(Runs, AreBoundedAndTheYoungestStay)
{
    Runs runs;
    for (std::size_t i = 0; i < Runs::most + 10; ++i)
        runs.running(ConversationId{std::to_string(i)}, start_of_time + std::chrono::milliseconds(i));
    EXPECT_EQ(runs.find(ConversationId{"0"}, start_of_time), RunPhase::at_rest);
    EXPECT_EQ(runs.find(ConversationId{"1009"}, start_of_time), RunPhase::running);
}

std::string sniffed(std::string_view text, std::size_t cut)
{
    JsonSniffer sniffer;
    sniffer.feed(text.substr(0, cut));
    sniffer.feed(text.substr(cut));
    return sniffer.conversation().value_or("");
}

TEST(JsonSniffer, FindsTheConversationWhereverThePiecesAreCut)
{
    const std::vector<std::pair<std::string, std::string>> cases{
        {R"({"result":{"responses":[{"id":"r","message":"\"conversation\":{\"id\":\"no\"}"}],"conversation":{"id":"a\/b=="}}})",
         "a/b=="},
        {"{\"n\":1}\n{\"result\": {\"conversation\" : { \"state\":\"x\", \"id\" : \"b\"}}}\n", "b"},
        {R"({"mode":"background","conversationId":"d","chat":{"message":"conversationId"}})", "d"},
        {"--x\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{\"conversationId\":\"e\"}\r\n--x--\r\n", "e"},
        {R"({"conversation":{"user":{"id":"no"}},"id":"no"})", ""},
        {R"({"conversation":null,"id":"no"})", ""},
        {R"({"conversationId":null})", ""},
        {R"(["conversationId","no"])", ""},
    };
    for (const auto& [text, id] : cases)
        for (std::size_t cut = 0; cut <= text.size(); ++cut) ASSERT_EQ(sniffed(text, cut), id) << text << " at " << cut;
}

TEST(JsonSniffer, SeesWhatStandsBehindALongAnswerAndStopsAtItsBound)
{
    const std::string text = R"({"message":")" + std::string(200'000, 'x') + R"(","conversation":{"id":"a"}})";
    EXPECT_EQ(find_conversation_id(text), "a");
    JsonSniffer short_sighted(100);
    short_sighted.feed(text);
    EXPECT_EQ(short_sighted.conversation(), std::nullopt);
}

TEST(JsonSniffer, KnowsABackgroundRun)
{
    JsonSniffer sniffer;
    sniffer.feed(R"({"mode" : "background"})");
    EXPECT_TRUE(sniffer.background());
    JsonSniffer other;
    other.feed(R"({"chat":{"message":"\"mode\":\"background\""},"mode":"sync"})");
    EXPECT_FALSE(other.background());
}

TEST(JsonSniffer, CollectsTheConversationsOfAListWhereverThePiecesAreCut)
{
    const std::string text = R"({"no":["x"],"conversationIds":["a","\/b",3,null,["x"],{"k":"x"},"",")" +
                             std::string(2'000, 'x') + R"(","c"],"tags":["x"],"conversationId":"d"})";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        JsonSniffer sniffer;
        sniffer.feed(text.substr(0, cut));
        sniffer.feed(text.substr(cut));
        ASSERT_THAT(sniffer.conversations(), testing::ElementsAre("a", "/b", "c")) << cut;
        ASSERT_EQ(sniffer.conversation(), "d");
    }
    std::string many = R"({"conversationIds":[)";
    for (int i = 0; i < 150; ++i) many += R"("a",)";
    JsonSniffer sniffer;
    sniffer.feed(many);
    EXPECT_EQ(sniffer.conversations().size(), 100U);
}

constexpr const char* item = "/webapi/v2/conversations/c";
constexpr const char* chats = "/webapi/v2/conversations/c/chats";
constexpr const char* running = "/webapi/v2/conversations/c/running";
constexpr const char* list = "/webapi/v2/conversations";

class AfterARun : public ProxyTest {
  protected:
    void serve(std::chrono::milliseconds forward_timeout = 10s)
    {
        put("c", 100, 2);
        put("d", 200, 2);
        cover(0, 1000);
        Options options;
        options.forward_timeout = forward_timeout;
        start(options);
    }
    void say_running(bool is)
    {
        upstream_.replies[running] = {
            200, {{"Content-Type", "application/json"}}, is ? R"({"isRunning":true})" : R"({"isRunning": false})"};
        EXPECT_EQ(get(running).status, 200);
    }
    std::string status_of(const std::string& target) { return std::string(get(target).header("Cache-Status")); }
    std::size_t asked(const std::string& target)
    {
        return static_cast<std::size_t>(std::count_if(upstream_.requests.begin(), upstream_.requests.end(),
                                                      [&](const auto& request) { return request.target == target; }));
    }
};

TEST_F(AfterARun, WhatRunsIsReadFromUpstream)
{
    serve();
    EXPECT_THAT(status_of(item), HasSubstr("hit"));
    say_running(true);
    for (const char* target : {item, chats, "/webapi/v2/conversations/c/chats/c%2F1"}) {
        EXPECT_EQ(status_of(target), "alli-mirror; fwd=stale") << target;
        EXPECT_EQ(asked(target), 1u);
    }
    EXPECT_THAT(status_of("/webapi/v2/conversations/d"), HasSubstr("hit")) << "another one's";
    EXPECT_THAT(status_of(list), HasSubstr("hit")) << "nothing has ended";
    EXPECT_EQ(get(item, {{"Cache-Control", "only-if-cached"}}).status, 504) << "what is held is too old";
}

TEST_F(AfterARun, WhatIsHeldAnswersWithoutUpstream)
{
    serve();
    say_running(true);
    upstream_.away = true;
    upstream_.state.reachable = false;
    const auto reply = get(chats);
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(std::string(reply.header("Cache-Status")), HasSubstr("detail=offline"));
}

TEST_F(AfterARun, TheFirstReadWaitsForTheEngine)
{
    serve();
    say_running(true);
    say_running(false);
    ASSERT_THAT(upstream_.woken, ElementsAre("c"));
    const auto [fence, before] = upstream_.settles.at(0);
    EXPECT_EQ(before, 1) << "of the last of the two nobody knows whether it is complete";
    auto read = std::async(std::launch::async, [&] { return get(chats); });
    EXPECT_EQ(read.wait_for(50ms), std::future_status::timeout);
    write([](cache::Writer& db) {
        const std::vector<Chat> whole{support::make_chat("c", 2, 150, "the whole answer")};
        cache::put_chats(db, c, 2, whole);
    });
    server_->fetched(c, fence, true);
    const auto reply = read.get();
    EXPECT_THAT(reply.body, HasSubstr("the whole answer"));
    EXPECT_THAT(std::string(reply.header("Cache-Status")), HasSubstr("hit"));
    EXPECT_EQ(asked(chats), 0u);
}

TEST_F(AfterARun, GoesUpstreamWhereTheEngineDoesNotComeInTimeOrDidNotGetAll)
{
    serve(40ms);
    say_running(true);
    say_running(false);
    EXPECT_EQ(status_of(chats), "alli-mirror; fwd=stale");
    server_->fetched(c, upstream_.settles.at(0).first, false);
    EXPECT_EQ(status_of(chats), "alli-mirror; fwd=stale");
    server_->fetched(c, upstream_.settles.at(0).first, true);
    EXPECT_THAT(status_of(chats), HasSubstr("hit"));
}

TEST_F(AfterARun, AnAnswerThatWasKeptWholeIsNotGiven)
{
    serve(40ms);
    for (int i = 0; i < 2; ++i) EXPECT_THAT(status_of(chats), HasSubstr("hit"));
    say_running(true);
    EXPECT_EQ(status_of(chats), "alli-mirror; fwd=stale");
}

TEST_F(AfterARun, AtRestNothingIsAskedOfUpstream)
{
    serve();
    say_running(false);
    server_->fetched(c, upstream_.settles.at(0).first, true);
    EXPECT_EQ(upstream_.settles.at(0).second, std::nullopt) << "no run was seen";
    for (int i = 0; i < 100; ++i) {
        EXPECT_THAT(status_of(chats), HasSubstr("hit"));
        say_running(false);
    }
    EXPECT_EQ(asked(chats), 0u);
    EXPECT_EQ(upstream_.settles.size(), 1u);
}

TEST_F(AfterARun, WhatUpstreamSaysOfRunningMayComeInAnEnvelopeAndAnErrorSaysNothing)
{
    serve();
    upstream_.replies[running] = {200, {{"Content-Type", "application/json"}}, R"({"result":{"isRunning":true}})"};
    get(running);
    EXPECT_EQ(status_of(item), "alli-mirror; fwd=stale");
    for (const char* body : {"", "[]", "<html>", R"({"isRunning":"no"})", R"({"error":{}})"}) {
        upstream_.replies[running].body = body;
        get(running);
    }
    upstream_.replies[running] = {500, {}, R"({"isRunning":false})"};
    get(running);
    EXPECT_EQ(status_of(item), "alli-mirror; fwd=stale");
    EXPECT_THAT(upstream_.settles, IsEmpty());
}

TEST_F(AfterARun, ARelayedRunEndsWithItsAnswer)
{
    serve(40ms);
    upstream_.reply = {
        200, {{"Content-Type", "application/json"}}, R"({"result":{"responses":[],"conversation":{"id":"c"}}})"};
    const auto reply = send("POST", "/webapi/apps/a/run", {{"Accept-Encoding", "gzip"}}, R"({"mode":"sync"})");
    EXPECT_EQ(reply.status, 200);
    for (const auto& header : upstream_.requests.back().headers) EXPECT_NE(header.name, "Accept-Encoding");
    ASSERT_EQ(upstream_.settles.size(), 1u);
    EXPECT_EQ(upstream_.settles[0].second, 1);
    EXPECT_EQ(status_of(chats), "alli-mirror; fwd=stale");
    server_->fetched(c, upstream_.settles[0].first, true);
    EXPECT_THAT(status_of(chats), HasSubstr("hit"));
}

// Who waits for "completed" never asks whether it runs: what upstream's chats say ends it too.
TEST_F(AfterARun, WhatUpstreamSaysOfTheLastChatEndsARun)
{
    const auto chats_of = [](std::string_view sender, bool completed, int count) {
        json body{{"chats", json::array()}, {"chatCount", count}};
        for (int i = 0; i < count; ++i)
            body["chats"].push_back({{"id", std::to_string(i)}, {"sender", "BOT"}, {"completed", true}});
        body["chats"].back()["sender"] = sender;
        body["chats"].back()["completed"] = completed;
        return body.dump();
    };
    serve(40ms);
    say_running(true); // two chats are held, one of them complete for all that is known
    const Headers type{{"Content-Type", "application/json"}};
    for (const std::string& body : {chats_of("BOT", false, 4), chats_of("BOT", true, 1), chats_of("USER", true, 3),
                                    chats_of("BOT", true, 100), std::string(R"({"chats":[]})"), std::string("[]")}) {
        upstream_.replies[chats] = {200, type, body};
        EXPECT_EQ(status_of(chats), "alli-mirror; fwd=stale");
        EXPECT_THAT(upstream_.settles, IsEmpty()) << body;
    }
    upstream_.replies[chats] = {200, type, chats_of("BOT", true, 4)};
    EXPECT_EQ(get(chats).body, chats_of("BOT", true, 4)) << "upstream's, and at once";
    ASSERT_EQ(upstream_.settles.size(), 1u);
    EXPECT_EQ(upstream_.settles[0].second, 1);
    server_->fetched(c, upstream_.settles[0].first, true);
    EXPECT_THAT(status_of(chats), HasSubstr("hit")) << "at rest";

    say_running(true);
    upstream_.replies[item] = {200, type, chats_of("BOT", true, 3)};
    EXPECT_EQ(status_of(item), "alli-mirror; fwd=stale");
    EXPECT_EQ(upstream_.settles.size(), 2u) << "the item says so as well";
}

TEST_F(AfterARun, WhatIsHeldAndStillGrowsIsReadFromUpstream)
{
    serve(40ms);
    const auto grow = [&](Instant at) {
        const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
        write([&](cache::Writer& db) {
            json chat = support::chat_json("c", 2, seconds, "half");
            chat["completed"] = false;
            TimeUnit unit = TimeUnit::seconds;
            const std::vector<Chat> half{read_chat(chat.dump(), unit)};
            cache::put_conversation(db, support::make_conversation("c", seconds));
            cache::put_chats(db, c, 2, half);
        });
    };
    grow(clock_.now() - 11min);
    EXPECT_THAT(status_of(chats), HasSubstr("hit")) << "nobody works on it any more";
    grow(clock_.now() - 5s);
    EXPECT_EQ(status_of(chats), "alli-mirror; fwd=stale");
    EXPECT_EQ(status_of(item), "alli-mirror; fwd=stale");
    EXPECT_THAT(status_of("/webapi/v2/conversations/d"), HasSubstr("hit"));
    upstream_.away = true;
    upstream_.state.reachable = false;
    EXPECT_THAT(status_of(chats), HasSubstr("detail=offline"));
}

TEST_F(AfterARun, AGatewayThatIsTiredOfWaitingDoesNotEndARun)
{
    serve(40ms);
    const std::string body = R"({"mode":"sync","conversationId":"c"})";
    upstream_.reply = {504, {{"Content-Type", "text/html"}}, "<html>Gateway Timeout</html>"};
    EXPECT_EQ(send("POST", "/webapi/apps/a/run", {}, body).status, 504);
    EXPECT_THAT(status_of(chats), HasSubstr("fwd=stale")) << "it goes on";
    say_running(false);
    ASSERT_EQ(upstream_.settles.size(), 2u);
    EXPECT_EQ(upstream_.settles[1].second, 1) << "its answer is still to come";
}

TEST_F(AfterARun, ARunThatWasRefusedBringsNothingToWaitFor)
{
    serve(40ms);
    upstream_.reply = {400, {{"Content-Type", "application/json"}}, R"({"code":7003})"};
    send("POST", "/webapi/apps/a/run", {}, R"({"mode":"sync","conversationId":"c"})");
    ASSERT_EQ(upstream_.settles.size(), 1u);
    EXPECT_EQ(upstream_.settles[0].second, std::nullopt);
}

TEST_F(AfterARun, ABackgroundRunGoesOnAfterItsAnswer)
{
    serve();
    upstream_.reply = {200, {{"Content-Type", "application/json"}}, R"({"result":{"conversation":{"id":"c"}}})"};
    send("POST", "/webapi/apps/a/run", {}, R"({"mode":"background"})");
    ASSERT_EQ(upstream_.settles.size(), 1u) << "lists show that it has begun";
    EXPECT_EQ(upstream_.settles[0].second, std::nullopt);
    server_->fetched(c, upstream_.settles[0].first, true);
    EXPECT_THAT(status_of(list), HasSubstr("hit"));
    EXPECT_EQ(status_of(chats), "alli-mirror; fwd=stale") << "and it goes on";
    say_running(false);
    ASSERT_EQ(upstream_.settles.size(), 2u);
    EXPECT_EQ(upstream_.settles[1].second, 1);
    EXPECT_EQ(upstream_.wakes, 0) << "a poll is not needed";
}

TEST_F(AfterARun, ARelayedChangeOfAConversationCountsToo)
{
    serve(40ms);
    send("POST", std::string(item) + "/later/thing");
    EXPECT_EQ(upstream_.settles.size(), 1u);
    EXPECT_EQ(status_of(item), "alli-mirror; fwd=stale");
}

TEST_F(AfterARun, ARelayedChangeIsNoticedWhereverItNamesTheConversation)
{
    serve(40ms);
    for (const char* target : {"/webapi/conversations/c/memo", "/webapi/v2/tags?conversationId=c", "/webapi/x/c"})
        send("POST", target, {}, "{}");
    EXPECT_THAT(upstream_.woken, testing::ElementsAre("c", "c", "c"));
    send("POST", "/webapi/v2/tags/nobody", {}, "{}");
    EXPECT_EQ(upstream_.woken.size(), 3u);
    get("/webapi/v2/tags?conversationId=c");
    EXPECT_EQ(upstream_.woken.size(), 3u) << "a read changes nothing";
}

TEST_F(AfterARun, ARelayedChangeOfManyIsNoticedInEachOfThem)
{
    serve(40ms);
    send("POST", "/webapi/v2/tags/add", {}, R"({"conversationIds":["c","d"],"tag":"x"})");
    EXPECT_THAT(upstream_.woken, testing::UnorderedElementsAre("c", "d"));
    EXPECT_EQ(status_of(item), "alli-mirror; fwd=stale");
}

TEST_F(AfterARun, ListsAndSearchWaitForAPollThatBeganLater)
{
    serve(40ms);
    EXPECT_THAT(status_of(list), HasSubstr("hit"));
    say_running(true);
    say_running(false);
    EXPECT_EQ(status_of(list), "alli-mirror; fwd=stale");
    EXPECT_GT(upstream_.wakes, 0);
    EXPECT_FALSE(json::parse(get("/mirror/v1/search?q=chat").body)["coverage"]["complete"].get<bool>());
    write([&](cache::Writer& db) {
        cache::Progress progress = cache::load_progress(db);
        progress.verified_at = clock_.now();
        cache::save_progress(db, progress);
    });
    EXPECT_THAT(status_of(list), HasSubstr("hit"));
    EXPECT_TRUE(json::parse(get("/mirror/v1/search?q=chat").body)["coverage"]["complete"].get<bool>());
}

TEST_F(AfterARun, ListsAndSearchNeedNoPollOnceWhatEndedWasFetched)
{
    serve();
    say_running(true);
    say_running(false);
    auto read = std::async(std::launch::async, [&] { return get(list); });
    EXPECT_EQ(read.wait_for(50ms), std::future_status::timeout);
    server_->fetched(c, upstream_.settles.at(0).first, true);
    EXPECT_THAT(std::string(read.get().header("Cache-Status")), HasSubstr("hit"));
    EXPECT_TRUE(json::parse(get("/mirror/v1/search?q=chat").body)["coverage"]["complete"].get<bool>());
    EXPECT_EQ(upstream_.wakes, 0);
    EXPECT_EQ(asked(list), 0u);
}

} // namespace
} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_clock.hpp"
#include "tests/upstream/fetch.hpp"
#include "tests/upstream/scripted_server.hpp"
#include "upstream/client.hpp"
#include "upstream/curl/curl_transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string key = "a-key-that-is-long-enough-to-be-a-secret";
const std::string empty_page = R"({"conversations":[],"cursor":null})";

// A network that answers from a script and keeps what it was asked.
class ScriptedTransport final : public Transport {
  public:
    explicit ScriptedTransport(support::FakeClock& clock) : clock_(clock) {}

    Task<Reply> send(Request request) override
    {
        asked.push_back(std::move(request));
        clock_.advance(took);
        if (failure) throw Error(*failure);
        co_return reply;
    }

    std::vector<Request> asked;
    Reply reply;
    std::optional<Error> failure;
    std::chrono::nanoseconds took{0};

  private:
    support::FakeClock& clock_;
};

struct World {
    explicit World(TimeUnit unit = TimeUnit::unknown)
    {
        options.api_key = key;
        options.time_unit = unit;
        client.emplace(transport, pace, clock, options);
        says(200, empty_page);
    }
    void ask_for(std::vector<std::string> variables)
    {
        options.variables = std::move(variables);
        client.emplace(transport, pace, clock, options);
    }
    void says(int status, std::string body)
    {
        transport.reply.status = status;
        transport.reply.body = std::move(body);
    }
    template <class T>
    T run(Task<T> task)
    {
        return upstream_test::run(loop, std::move(task));
    }
    template <class T>
    std::optional<Error> failure(Task<T> task)
    {
        return upstream_test::error_of(loop, std::move(task));
    }
    const Request& asked() const { return transport.asked.back(); }
    std::vector<std::string> sent(const std::string& name) const
    {
        std::vector<std::string> values;
        for (const Header& header : asked().headers)
            if (header.name == name) values.push_back(header.value);
        return values;
    }

    asio::io_context loop;
    support::FakeClock clock;
    ScriptedTransport transport{clock};
    RateLimiter pace{clock, RateLimiter::Options()};
    Client::Options options;
    std::optional<Client> client;
    ConversationId id{"Q29u+dmVy/c2F0aW9uOjY=="};
    ChatId chat{"Q2hhdDox=="};
};

const std::string encoded_id = "Q29u%2BdmVy%2Fc2F0aW9uOjY%3D%3D";

TEST(Client, AsksForAListWithKeyAndNothingElse)
{
    World world;
    world.run(world.client->list_conversations({}, Priority::increment));
    EXPECT_EQ(world.asked().method, "GET");
    EXPECT_EQ(world.asked().target, "/webapi/v2/conversations?pageSize=50");
    EXPECT_THAT(world.sent("API-KEY"), ElementsAre(key));
    EXPECT_THAT(world.sent("Cache-Control"), ElementsAre("no-cache")) << "for caches on the way";
    EXPECT_EQ(world.asked().headers.size(), 2u);
    EXPECT_EQ(world.asked().priority, Priority::increment);
}

TEST(Client, WritesWindowsInTheKnownUnit)
{
    World world(TimeUnit::seconds);
    ListQuery query;
    query.started_at = *from_rfc3339("2026-01-31T00:00:00.5Z");
    query.end_at = *from_rfc3339("2026-02-01");
    world.run(world.client->list_conversations(query, Priority::backfill));
    EXPECT_EQ(world.asked().target, "/webapi/v2/conversations?startedAt=1769817600&endAt=1769904000&pageSize=50");
}

// There are services that bind integers; no window may leave out what it should hold.
TEST(Client, RoundsWindowsOutwardToWholeUnits)
{
    for (const TimeUnit unit : {TimeUnit::seconds, TimeUnit::milliseconds}) {
        World world(unit);
        ListQuery query;
        query.started_at = Instant{std::chrono::microseconds(1'769'817'600'123'456)};
        query.end_at = Instant{std::chrono::microseconds(1'769'904'000'123'456)};
        query.first_chat_started_at = query.started_at;
        query.first_chat_end_at = query.end_at;
        world.run(world.client->list_conversations(query, Priority::backfill));
        const bool whole = unit == TimeUnit::seconds;
        const std::string from = whole ? "1769817600" : "1769817600123", to = whole ? "1769904001" : "1769904000124";
        EXPECT_EQ(world.asked().target, "/webapi/v2/conversations?startedAt=" + from + "&endAt=" + to +
                                            "&firstChatStartedAt=" + from + "&firstChatEndAt=" + to + "&pageSize=50");
    }
}

TEST(Client, AsksForNoWindowWhileTheUnitIsUnknown)
{
    World world;
    ListQuery query;
    query.started_at = *from_rfc3339("2026-01-31");
    world.run(world.client->list_conversations(query, Priority::backfill));
    EXPECT_THAT(world.asked().target, Not(HasSubstr("startedAt"))); // a wrong guess finds nothing, for ever
    EXPECT_EQ(world.client->time_unit(), TimeUnit::unknown);
}

TEST(Client, SendsTheCursorAndEveryVariable)
{
    World world;
    world.ask_for({"plan", "이름"});
    ListQuery query;
    query.cursor = "a+/==&b";
    query.page_size = 7;
    world.run(world.client->list_conversations(query, Priority::backfill));
    EXPECT_EQ(world.asked().target, "/webapi/v2/conversations?cursor=a%2B%2F%3D%3D%26b&variables=plan"
                                    "&variables=%EC%9D%B4%EB%A6%84&pageSize=7");
}

TEST(Client, ReadsAPageAndWorksOutTheUnit)
{
    World world;
    world.says(200, R"({"conversations":[{"id":"c1","createdAt":1615246647.25,"chats":[]}],"cursor":"next"})");
    const Listed listed = world.run(world.client->list_conversations({}, Priority::backfill));
    ASSERT_EQ(listed.page.conversations.size(), 1u);
    EXPECT_EQ(listed.page.conversations[0].id.value, "c1");
    EXPECT_EQ(listed.page.cursor, "next");
    EXPECT_EQ(world.client->time_unit(), TimeUnit::seconds);
}

TEST(Client, TakesTheTimeOfAskingFromTheEarlierOfTwoClocks)
{
    World world; // ours says half past nine
    const auto ours = world.clock.now();
    world.transport.took = 3s;
    world.transport.reply.headers = {{"Date", "Sat, 31 Jan 2026 12:00:00 GMT"}};
    EXPECT_EQ(world.run(world.client->list_conversations({}, Priority::backfill)).asked_at, ours);
    world.transport.reply.headers = {{"Date", "Sat, 31 Jan 2026 09:00:00 GMT"}};
    const Listed listed = world.run(world.client->list_conversations({}, Priority::backfill));
    EXPECT_TRUE(listed.clocks.theirs);
    EXPECT_EQ(to_rfc3339(listed.asked_at), "2026-01-31T08:59:57Z");
}

TEST(Client, TakesTheTimeOfAskingFromOurClockWithoutADate)
{
    World world;
    const auto before = world.clock.now();
    world.transport.took = 3s;
    world.transport.reply.headers = {{"Date", "yesterday"}};
    const Listed listed = world.run(world.client->list_conversations({}, Priority::backfill));
    EXPECT_FALSE(listed.clocks.theirs);
    EXPECT_EQ(listed.asked_at, before);
}

TEST(Client, EncodesIdsInEveryPath)
{
    World world;
    const std::string base = "/webapi/v2/conversations/" + encoded_id;
    world.says(200, R"({"id":"Q29u+dmVy/c2F0aW9uOjY=="})");
    world.run(world.client->find_conversation(world.id, Priority::app));
    EXPECT_EQ(world.asked().target, base);
    world.says(200, R"({"id":"Q2hhdDox=="})");
    world.run(world.client->find_chat(world.id, world.chat, Priority::app));
    EXPECT_EQ(world.asked().target, base + "/chats/Q2hhdDox%3D%3D");
    world.says(200, R"({"chats":[{"id":"m1"}]})");
    EXPECT_EQ(world.run(world.client->list_chats(world.id, 3, Priority::app))->size(), 1u);
    EXPECT_EQ(world.asked().target, base + "/chats?pageNo=3");
    world.says(200, R"({"isRunning":true})");
    EXPECT_TRUE(world.run(world.client->is_running(world.id, Priority::app)));
    EXPECT_EQ(world.asked().target, base + "/running");
}

TEST(Client, TakesNoNotFoundOfAListForAnAnswer)
{
    World world;
    world.says(404, R"({"type":"APIError","code":7003,"message":"not found"})");
    const auto error = world.failure(world.client->list_conversations({}, Priority::app));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::refused);
}

TEST(Client, DoesNotTakeAPagesNotFoundForAnAbsentConversation)
{
    World world;
    world.says(404, "<html><title>404 Not Found</title></html>");
    const auto error = world.failure(world.client->find_conversation(world.id, Priority::app));
    ASSERT_TRUE(error);
    EXPECT_THAT(error->hint(), HasSubstr("upstream.url"));
}

TEST(Client, SaysWhatUpstreamSaid)
{
    World world;
    world.says(401, R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})");
    const auto error = world.failure(world.client->list_conversations({}, Priority::app));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::key_rejected);
    EXPECT_STREQ(error->what(), "upstream answered the list of conversations with 401: INVALID_TOKEN (1013)");
    EXPECT_THAT(error->hint(), HasSubstr("api_key_file"));
}

TEST(Client, HidesTheKeyWhenUpstreamRepeatsIt)
{
    World world;
    world.says(403, R"({"code":7001,"message":"unknown key )" + key + R"("})");
    const auto error = world.failure(world.client->list_conversations({}, Priority::app));
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), Not(HasSubstr(key)));
    EXPECT_THAT(error->what(), HasSubstr("unknown key ***"));
}

TEST(Client, RefusesAWebPageWithAGoodStatus)
{
    World world;
    world.says(200, "<!DOCTYPE html><title>Sign in to the Wi-Fi</title>");
    const auto error = world.failure(world.client->list_conversations({}, Priority::app));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::bad_reply);
    EXPECT_THAT(error->what(), HasSubstr("Sign in to the Wi-Fi"));
    EXPECT_THAT(error->hint(), HasSubstr("upstream.url"));
}

TEST(Client, RefusesAnswersOfWrongTypes)
{
    for (const char* body : {"", "[]", "{", R"({"conversations":{},"cursor":null})"}) {
        World world;
        world.says(200, body);
        const auto error = world.failure(world.client->list_conversations({}, Priority::app));
        ASSERT_TRUE(error) << body;
        EXPECT_EQ(error->fault(), Fault::bad_reply) << body;
    }
    for (const char* body : {"", "[]", "{}", R"({"isRunning":"yes"})", R"({"isRunning":null})"}) {
        World world;
        world.says(200, body);
        const auto error = world.failure(world.client->is_running(world.id, Priority::app));
        ASSERT_TRUE(error) << body;
        EXPECT_EQ(error->fault(), Fault::bad_reply) << body;
    }
}

TEST(Client, ReadsDailyCounts)
{
    World world;
    world.says(200, R"({"counts":[{"date":"2026-01-30","count":12},{"date":"2026-01-31","count":0}]})");
    const auto counts = world.run(world.client->daily_counts("2026-01-30", "2026-01-31", Priority::reconcile)).value();
    EXPECT_EQ(world.asked().target, "/webapi/v2/conversations/daily_count?startDate=2026-01-30&endDate=2026-01-31");
    ASSERT_EQ(counts.size(), 2u);
    EXPECT_EQ(counts[0].date, "2026-01-30");
    EXPECT_EQ(counts[0].count, 12);
}

TEST(Client, SalvagesNoChatsOfAnAnswerToAnotherRequest)
{
    World world;
    const auto salvage = [&] { return world.client->salvage_chats(world.id, 1, 1, Priority::backfill); };
    const std::string chats = R"("chats":[{"id":"m1","sender":"USER","message":"hi","timestamp":1}])";
    world.says(200, "{" + chats + "}");
    EXPECT_EQ(world.run(salvage()).value().size(), 1u) << "it can be read now";
    world.says(200, R"({"chatCount":1,)" + chats + R"(,"createdAt":1,"id":"another","lastChatTime":1})");
    const auto error = world.failure(salvage());
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::bad_reply);
    world.says(200, R"({"chats":[{"id":"m1","sender":"USER","message":"hi","timestamp":1},{"id":"m2","mess)");
    EXPECT_TRUE(world.run(world.client->salvage_chats(world.id, 1, 2, Priority::backfill)));
}

TEST(Client, KnowsThatUpstreamHasNoDailyCounts)
{
    World world;
    for (const int status : {404, 405, 410}) {
        world.says(status, R"({"type":"APIError","code":404,"message":"no such route"})");
        EXPECT_FALSE(world.run(world.client->daily_counts("2026-01-30", "2026-01-31", Priority::reconcile))) << status;
    }
    world.says(400, R"({"type":"APIError","code":400,"message":"too long a range"})");
    EXPECT_TRUE(world.failure(world.client->daily_counts("2026-01-30", "2026-01-31", Priority::reconcile)));
}

TEST(Client, RefusesDailyCountsOfAnotherShape)
{
    for (const char* body :
         {"", "[]", "{}", R"({"counts":{}})", R"({"counts":[1]})", R"({"counts":[{"date":"2026-01-30"}]})",
          R"({"counts":[{"date":5,"count":1}]})", R"({"counts":[{"date":"2026-01-30","count":1.5}]})",
          R"({"counts":[{"date":"yesterday","count":1}]})", R"({"counts":[{"date":"2026-01-30","count":-1}]})"}) {
        World world;
        world.says(200, body);
        const auto error = world.failure(world.client->daily_counts("2026-01-30", "2026-01-30", Priority::reconcile));
        ASSERT_TRUE(error) << body;
        EXPECT_EQ(error->fault(), Fault::bad_reply) << body;
    }
}

TEST(Client, DeliversAWriteAsItCameWithOurKey)
{
    World world;
    world.says(409, R"({"type":"APIError","code":7003,"message":"conflict"})");
    Request request;
    request.method = "PATCH";
    request.target = "/webapi/v2/conversations/" + encoded_id + "/title";
    request.body = R"({"title": "새 제목" })";
    request.headers = {{"OWN-USER-ID", "base64:7J20"}, {"Content-Type", "application/json"}, {"api-key", "theirs"}};
    request.priority = Priority::app;
    const Request given = request;
    const Reply reply = world.run(world.client->deliver(std::move(request)));
    EXPECT_EQ(reply.status, 409);
    EXPECT_EQ(world.asked().method, given.method);
    EXPECT_EQ(world.asked().target, given.target);
    EXPECT_EQ(world.asked().body, given.body);
    EXPECT_EQ(world.asked().priority, Priority::delivery);
    EXPECT_THAT(world.sent("OWN-USER-ID"), ElementsAre("base64:7J20"));
    EXPECT_THAT(world.sent("Content-Type"), ElementsAre("application/json"));
    EXPECT_THAT(world.sent("API-KEY"), ElementsAre(key));
    world.says(200, "<html>a portal</html>");
    EXPECT_EQ(world.run(world.client->deliver(given)).body, "<html>a portal</html>") << "the verdict is the caller's";
}

TEST(Client, RelaysWithOurKeyAndNothingElseChanged)
{
    World world;
    world.says(302, "moved");
    Request request;
    request.method = "POST";
    request.target = "/webapi/apps/x%2Fy/run?a=b+c";
    request.headers = {{"X-One", "1"}, {"api-key", "theirs"}};
    request.body = "anything";
    request.priority = Priority::reconcile;
    const Reply reply = world.run(world.client->relay(request));
    EXPECT_EQ(reply.status, 302);
    EXPECT_EQ(reply.body, "moved");
    EXPECT_EQ(world.asked().target, request.target);
    EXPECT_EQ(world.asked().body, "anything");
    EXPECT_EQ(world.asked().priority, Priority::app);
    EXPECT_THAT(world.sent("X-One"), ElementsAre("1"));
    EXPECT_THAT(world.sent("API-KEY"), ElementsAre(key));
    EXPECT_TRUE(world.sent("api-key").empty());
}

TEST(Client, PausesForAsLongAsUpstreamAsksByItsOwnClock)
{
    World world;
    world.says(429, "");
    world.transport.reply.headers = {{"Date", "Sat, 31 Jan 2020 12:00:00 GMT"},
                                     {"Retry-After", "Sat, 31 Jan 2020 12:00:07 GMT"}};
    ASSERT_TRUE(world.failure(world.client->list_conversations({}, Priority::backfill)));
    EXPECT_EQ(world.client->pace().retry_after, 7s);
    const auto turned_away = world.failure(world.client->find_conversation(world.id, Priority::app));
    ASSERT_TRUE(turned_away);
    EXPECT_EQ(turned_away->fault(), Fault::unavailable);
    EXPECT_EQ(world.transport.asked.size(), 1u);
    world.clock.advance(8s);
    world.transport.reply = {};
    world.says(200, R"({"id":"Q29u+dmVy/c2F0aW9uOjY=="})");
    EXPECT_TRUE(world.run(world.client->find_conversation(world.id, Priority::app)));
}

TEST(Client, TakesAnAnswerThatBearsNoIdForTheOneAskedForAndAnotherForNone)
{
    World world;
    for (const char* body : {R"({"lastChatTime":1})", R"({"id":null,"createdAt":1})", "\xEF\xBB\xBF{\"chatCount\":0}",
                             R"({"result":{"id":"Q29u+dmVy/c2F0aW9uOjY==","title":NaN}})"}) {
        world.says(200, body);
        EXPECT_EQ(world.run(world.client->find_conversation(world.id, Priority::app))->id, world.id) << body;
    }
    for (const char* body : {R"({"id":"another"})", R"({"id":7})", R"({"result":{"id":"another"}})"}) {
        world.says(200, body);
        const auto error = world.failure(world.client->find_conversation(world.id, Priority::app));
        ASSERT_TRUE(error) << body;
        EXPECT_EQ(error->fault(), Fault::bad_reply) << body;
    }
}

TEST(Client, AnswersAtOnceWhileUpstreamIsAwayUntilAPersonAsks)
{
    World world;
    world.transport.failure = Error(Fault::unreachable, "", "cannot reach 10.0.0.1: timed out after 5 s");
    for (int i = 0; i < 5; ++i) world.failure(world.client->list_conversations({}, Priority::increment));
    const auto relayed = world.failure(world.client->relay({}));
    ASSERT_TRUE(relayed);
    EXPECT_EQ(relayed->fault(), Fault::unreachable);
    EXPECT_THAT(relayed->what(), HasSubstr("cannot reach 10.0.0.1: timed out after 5 s (it failed several times"));
    EXPECT_EQ(world.transport.asked.size(), 5u);
    world.transport.failure.reset();
    world.client->wake();
    world.run(world.client->list_conversations({}, Priority::increment));
    EXPECT_EQ(world.client->pace().breaker, Breaker::State::closed);
}

TEST(Client, ListsOverARealSocket)
{
    upstream_test::ScriptedServer server([](const upstream_test::Heard& heard) {
        const auto page = R"({"conversations":[{"id":"c1","lastChatTime":1615246647609.666}],"cursor":null})";
        return heard.header("API-KEY") == key
                   ? upstream_test::answer(200, page, "Date: Sat, 31 Jan 2026 12:00:00 GMT\r\n")
                   : upstream_test::answer(401, "{}");
    });
    asio::io_context loop;
    SystemClock clock;
    CurlOptions options;
    options.base_url = server.url();
    CurlTransport transport(loop.get_executor(), options);
    RateLimiter pace(clock, RateLimiter::Options());
    Client::Options settings;
    settings.api_key = key;
    Client client(transport, pace, clock, settings);
    const Listed listed = upstream_test::run(loop, client.list_conversations({}, Priority::app));
    ASSERT_EQ(listed.page.conversations.size(), 1u);
    EXPECT_TRUE(listed.clocks.theirs);
    EXPECT_EQ(client.time_unit(), TimeUnit::milliseconds);
}

} // namespace

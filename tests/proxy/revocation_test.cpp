// SPDX-License-Identifier: Apache-2.0
// What a token or a session let in ends with it: at once, whether anything happens in the mirror or not.
#include "proxy/endpoints/feed_events.hpp"
#include "proxy/request/request_metrics.hpp"
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/make_token.hpp"
#include "tests/proxy/raw_client.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr auto soon = 5s; // a second is meant; a heartbeat is 15 s, a long poll 60 s

class Revocation : public ProxyTest {
  protected:
    void serve(std::vector<Token> tokens)
    {
        backend_.metrics_text = [](const RequestMetrics& request_metrics) {
            return std::to_string(request_metrics.readers());
        };
        Options options;
        options.tokens = std::move(tokens);
        start(options);
    }
    int status_with(const ::support::Headers& credentials)
    {
        return ::support::http(port_, "GET", "/mirror/v1/status", credentials).status;
    }
    // One that has said hello, and closes when it ends.
    std::unique_ptr<RawClient> open_stream(const std::string& credentials)
    {
        auto client = std::make_unique<RawClient>(port_);
        client->send("GET /mirror/v1/changes?since=now HTTP/1.1\r\nHost: " + host_ + "\r\n" + credentials +
                     "\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n");
        EXPECT_THAT(client->read_until("retry: 1000\n\n"), HasSubstr(" 200 "));
        return client;
    }
    void wait_for_readers(const std::string& count)
    {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (get("/metrics").body != count)
            if (std::chrono::steady_clock::now() > deadline) return ADD_FAILURE() << "never " << count << " readers";
    }
    static std::string read_to_end(RawClient& client)
    {
        const auto began = std::chrono::steady_clock::now();
        std::string rest = client.read_all();
        EXPECT_LT(std::chrono::steady_clock::now() - began, soon);
        return rest;
    }
    std::string sign_in(const std::string& token)
    {
        const auto made = ::support::http(port_, "POST", "/mirror/v1/session", {{"API-KEY", token}});
        const auto link = json::parse(made.body).at("link").get<std::string>();
        const auto entered = ::support::http(port_, "GET", link.substr(link.find("/mirror")), {});
        const std::string cookie(entered.header("Set-Cookie"));
        return cookie.substr(0, cookie.find(';'));
    }
};

TEST_F(Revocation, EndsARemovedTokensRequestsSessionsAndQuietStreamsAndNobodyElses)
{
    serve({make_token("one"), make_token("two")});
    const std::string cookie = sign_in("one"), other = sign_in("two");
    const auto by_token = open_stream("API-KEY: one"), by_session = open_stream("Cookie: " + cookie),
               stays = open_stream("API-KEY: two"), stays_too = open_stream("Cookie: " + other);
    wait_for_readers("4");

    server_->set_keys({make_token("two")});
    EXPECT_THAT(read_to_end(*by_token), testing::EndsWith("0\r\n\r\n")) << "in good order";
    EXPECT_THAT(read_to_end(*by_session), testing::EndsWith("0\r\n\r\n"));
    EXPECT_EQ(status_with({{"API-KEY", "one"}}), 401);
    EXPECT_EQ(status_with({{"Cookie", cookie}}), 401);
    EXPECT_EQ(status_with({{"API-KEY", "two"}}), 200);
    EXPECT_EQ(status_with({{"Cookie", other}}), 200);

    put("a", 100, 1);
    for (RawClient* client : {stays.get(), stays_too.get()})
        EXPECT_THAT(client->read_until("\"chats\"}\n\n"), HasSubstr(R"("conversationId":"a")"));
}

TEST_F(Revocation, EndsAStreamThatIsNeverWithoutAChange)
{
    for (int i = 0; i < 150; ++i) put("c" + std::to_string(i), 100 + i, 1);
    asio::io_context loop;
    Meters meters;
    Feed feed(loop.get_executor(), store_, meters);
    const auto grant = std::make_shared<const Grant>(Principal{"one", Scope::read, {}});
    FeedEvents events(feed, {}, 0, 15s, grant, clock_);
    std::vector<std::size_t> sizes;
    const auto read = [&]() -> Task<> {
        for (bool more = true; more;) {
            const auto next = co_await events.next();
            more = next.has_value();
            if (more) sizes.push_back(next->size());
            if (sizes.size() == 2) grant->revoke(); // there are more to come
        }
    };
    asio::co_spawn(loop, read(), asio::detached);
    loop.run_for(5s);
    EXPECT_EQ(sizes.size(), 2u) << "a greeting, and one page of two";
}

TEST_F(Revocation, EndsALongPoll)
{
    serve({make_token("one")});
    RawClient client(port_);
    client.send("GET /mirror/v1/changes?since=now&wait=60 HTTP/1.1\r\nHost: " + host_ +
                "\r\nAPI-KEY: one\r\nConnection: close\r\n\r\n");
    wait_for_readers("1");
    server_->set_keys({});
    EXPECT_THAT(read_to_end(client), HasSubstr(" 401 "));
}

TEST_F(Revocation, OfATokenWithAnotherScopeIsOneOfATokenThatIsGone)
{
    serve({make_token("one", Scope::write)});
    const std::string cookie = sign_in("one");
    const auto stream = open_stream("API-KEY: one");
    wait_for_readers("1");
    server_->set_keys({make_token("one", Scope::read)});
    read_to_end(*stream);
    EXPECT_EQ(status_with({{"Cookie", cookie}}), 401);
    EXPECT_EQ(status_with({{"API-KEY", "one"}}), 200);
    EXPECT_EQ(::support::http(port_, "POST", "/mirror/v1/sync", {{"API-KEY", "one"}}).status, 403);
}

TEST_F(Revocation, OfAllThatIsLeftUnchangedIsNone)
{
    serve({make_token("one"), make_token("two")});
    const std::string cookie = sign_in("one");
    const auto stream = open_stream("API-KEY: one");
    Token renamed = make_token("one"); // a line that moved
    renamed.principal.name = "line 1";
    server_->set_keys({renamed});
    put("a", 100, 1);
    EXPECT_THAT(stream->read_until("\"chats\"}\n\n"), HasSubstr(R"("conversationId":"a")"));
    EXPECT_EQ(status_with({{"Cookie", cookie}}), 200);
}

TEST_F(Revocation, BySigningOutEndsTheStreamOfThatSession)
{
    serve({});
    const std::string cookie = sign_in("the-key"), other = sign_in("the-key");
    const auto stream = open_stream("Cookie: " + cookie), stays = open_stream("Cookie: " + other);
    wait_for_readers("2");
    const ::support::Headers page{{"Cookie", cookie}, {"Sec-Fetch-Site", "same-origin"}};
    EXPECT_EQ(::support::http(port_, "DELETE", "/mirror/v1/session", page).status, 204);
    read_to_end(*stream);
    EXPECT_EQ(status_with({{"Cookie", cookie}}), 401);
    put("a", 100, 1);
    EXPECT_THAT(stays->read_until("\"chats\"}\n\n"), HasSubstr(R"("conversationId":"a")"));
}

TEST_F(Revocation, OfTheOldestSessionThatGivesWayEndsItsStream)
{
    serve({});
    const auto stream = open_stream("Cookie: " + sign_in("the-key"));
    wait_for_readers("1");
    for (std::size_t i = 0; i < BrowserSessions::most_sessions; ++i) sign_in("the-key");
    read_to_end(*stream);
}

TEST_F(Revocation, ByTheCalendarNeedsNobody)
{
    Token token = make_token("one");
    token.expires = Instant{2010s};
    serve({token});
    const std::string cookie = sign_in("one");
    const auto by_token = open_stream("API-KEY: one"), by_session = open_stream("Cookie: " + cookie);
    wait_for_readers("2");
    clock_.seconds = 2009;
    EXPECT_EQ(status_with({{"API-KEY", "one"}}), 200);

    clock_.seconds = 2010;
    read_to_end(*by_token);
    read_to_end(*by_session);
    EXPECT_EQ(status_with({{"Cookie", cookie}}), 401);
    const auto reply = ::support::http(port_, "GET", "/mirror/v1/status", {{"API-KEY", "one"}});
    EXPECT_EQ(reply.status, 401);
    EXPECT_THAT(reply.body, HasSubstr("expired"));
    const auto contract = ::support::http(port_, "GET", "/webapi/v2/conversations", {{"API-KEY", "one"}});
    EXPECT_THAT(contract.body, HasSubstr("INVALID_TOKEN"));
    EXPECT_THAT(std::string(contract.header("WWW-Authenticate")), HasSubstr("expired"));
    const auto wrong = ::support::http(port_, "GET", "/mirror/v1/status", {{"API-KEY", "two"}});
    EXPECT_THAT(wrong.body, Not(HasSubstr("expired"))) << "only who has the right one is told";
}

TEST_F(Revocation, OfALinksOpenerMakesTheLinkWorthless)
{
    serve({make_token("one")});
    const auto made = ::support::http(port_, "POST", "/mirror/v1/session", {{"API-KEY", "one"}});
    const auto link = json::parse(made.body).at("link").get<std::string>();
    server_->set_keys({});
    EXPECT_EQ(::support::http(port_, "GET", link.substr(link.find("/mirror")), {}).status, 401);
}

TEST(Grants, OfASessionEndsInTheEndAndByIdlenessButNotWhileItIsUsed)
{
    const Grant::Steady start{1000h};
    const auto opener = std::make_shared<const Grant>(Principal{"a", Scope::admin, {"app", ""}}, Instant{500s});
    const Grant session(opener, start, 100s, 10s);
    EXPECT_EQ(session.principal().scope, Scope::write);
    EXPECT_EQ(session.principal().part, (Part{"app", ""}));
    EXPECT_TRUE(session.holds({start + 9s, Instant{499s}}));
    EXPECT_FALSE(session.holds({start + 10s, Instant{499s}}));
    EXPECT_FALSE(session.holds({start + 9s, Instant{500s}}));
    for (auto passed = 9s; passed < 100s; passed += 9s) {
        EXPECT_TRUE(session.holds({start + passed}));
        session.use(start + passed);
    }
    EXPECT_FALSE(session.holds({start + 100s}));
    EXPECT_EQ(session.next_look({start, Instant{499s}}, start + 15s), start + 1s);
    opener->revoke();
    EXPECT_FALSE(session.holds({start + 99s}));
}

} // namespace
} // namespace alli::proxy

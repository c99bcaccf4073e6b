// SPDX-License-Identifier: Apache-2.0
// The faults that need more than a status: pauses, dates, types, cursors, chance and periods.
#include "alli/error.hpp"
#include "tests/sandbox/visitor.hpp"

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

namespace alli::sandbox {
namespace {

using namespace std::chrono_literals;
using Kind = FaultRule::Kind;

TEST(Spoiled, TooManyMaySayADateByItsOwnClock)
{
    Options options;
    options.date_skew_ms = -86'400'000;
    options.clock = [] { return *from_rfc3339("2026-01-31T12:00:00.4Z"); };
    options.faults = {parse_fault("too_many_date:*:1:7")};
    Visitor visitor{options};
    const HttpReply reply = visitor.send("GET", list_path);
    EXPECT_EQ(reply.status, 429);
    EXPECT_EQ(reply.header("Date"), "Fri, 30 Jan 2026 12:00:00 GMT");
    EXPECT_EQ(reply.header("Retry-After"), "Fri, 30 Jan 2026 12:00:07 GMT");
}

TEST(Spoiled, GatewaysAndServersFailInTheirOwnWords)
{
    Visitor visitor{{.faults = {parse_fault("bad_gateway_html:*:1"), parse_fault("server_error:*:1"),
                                parse_fault("unauthorized:*:1")}}};
    const HttpReply gateway = visitor.send("GET", list_path);
    EXPECT_EQ(gateway.status, 502);
    EXPECT_NE(gateway.body.find("<h1>502 Bad Gateway</h1>"), std::string::npos);
    EXPECT_EQ(gateway.header("Content-Type"), "text/html");
    const HttpReply server = visitor.send("GET", list_path);
    EXPECT_EQ(server.status, 500);
    EXPECT_EQ(Json::parse(server.body).at("code"), 7000);
    const HttpReply key = visitor.send("GET", list_path);
    EXPECT_EQ(key.status, 401);
    EXPECT_EQ(Json::parse(key.body).at("message"), "INVALID_TOKEN");
    EXPECT_EQ(visitor.status(list_path), 200);
}

TEST(Spoiled, AHangSaysNothingAndAppliesNothing)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(1);
    visitor.sandbox.set_faults({parse_fault("hang:*:1:80")});
    const auto begun = std::chrono::steady_clock::now();
    const HttpReply reply = visitor.send("PUT", path_of(id, "/title"), {{"title", "never"}});
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 80ms);
    EXPECT_EQ(reply.status, 0);
    EXPECT_TRUE(visitor.sandbox.writes().empty());
}

TEST(Spoiled, AStallSendsHalfOfWhatWasApplied)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(1);
    visitor.sandbox.set_faults({parse_fault("stall:*:1:80")});
    const auto begun = std::chrono::steady_clock::now();
    const HttpReply reply = visitor.send("PUT", path_of(id, "/title"), {{"title", "half"}});
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 80ms);
    EXPECT_EQ(reply.status, 200);
    EXPECT_FALSE(reply.complete);
    EXPECT_EQ(visitor.sandbox.writes().size(), 1u);
}

TEST(Spoiled, ADripArrivesWholeAndSlowly)
{
    Visitor visitor;
    const std::string whole = visitor.send("GET", list_path).body;
    visitor.sandbox.set_faults({parse_fault("drip:*:1:5")});
    const auto begun = std::chrono::steady_clock::now();
    const HttpReply reply = visitor.send("GET", list_path);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 19 * 5ms);
    EXPECT_TRUE(reply.complete);
    EXPECT_EQ(reply.body, whole);
    EXPECT_EQ(visitor.status(list_path), 200) << "the connection goes on";
}

TEST(Spoiled, AStopDoesNotWaitForAHang)
{
    Visitor visitor{{.faults = {parse_fault("hang")}}};
    std::thread asks([&] { EXPECT_EQ(visitor.send("GET", list_path).status, 0); });
    while (visitor.sandbox.request_count("*") == 0) std::this_thread::yield();
    visitor.sandbox.stop();
    asks.join();
}

TEST(Spoiled, AWrongTypeIsJsonThatTheContractDoesNotKnow)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.conversation_ids().front();
    visitor.sandbox.set_faults({parse_fault("wrong_type")});
    std::set<std::string> types;
    for (int i = 0; i < 40; ++i) {
        const Json list = visitor.get(list_path);
        EXPECT_FALSE(list.at("conversations").is_array());
        types.insert(list.at("conversations").type_name());
        EXPECT_FALSE(visitor.get(path_of(id, "/chats")).at("chats").is_array());
        EXPECT_FALSE(visitor.get(path_of(id, "/running")).at("isRunning").is_boolean());
    }
    EXPECT_EQ(types.size(), 4u);
}

TEST(Spoiled, ACursorThatStandsStillLeadsToTheSamePageForEver)
{
    for (const CursorKind kind : {CursorKind::key, CursorKind::position}) {
        Visitor visitor{{.conversations = 30, .cursor = kind}};
        const std::string order = std::string{list_path} + "?pageSize=10&order=CREATED_AT_ASC";
        const Json second = visitor.get(order + "&cursor=" + visitor.get(order).at("cursor").get<std::string>());
        visitor.sandbox.set_faults({parse_fault("same_cursor:listConversations")});
        const Json first = visitor.get(order);
        const std::string cursor = first.at("cursor");
        for (int i = 0; i < 3; ++i) {
            const Json again = visitor.get(order + "&cursor=" + cursor);
            EXPECT_EQ(again.at("conversations"), first.at("conversations"));
            EXPECT_EQ(again.at("cursor"), cursor);
        }
        EXPECT_NE(second.at("conversations"), first.at("conversations"));
        EXPECT_TRUE(visitor.get(std::string{list_path} + "?pageSize=50").at("cursor").is_string()) << "the last page";
    }
}

TEST(Spoiled, AnEmptyPageGivesBackItsCursorAndComesWhenItWasAskedOftenEnough)
{
    Visitor visitor{{.conversations = 30}};
    const std::string list = std::string{list_path} + "?pageSize=10";
    const std::string cursor = visitor.get(list).at("cursor");
    const Json second = visitor.get(list + "&cursor=" + cursor);
    visitor.sandbox.set_faults({parse_fault("empty_page:listConversations:3")});
    for (int i = 0; i < 3; ++i) {
        const Json empty = visitor.get(list + "&cursor=" + cursor);
        EXPECT_TRUE(empty.at("conversations").empty());
        EXPECT_EQ(empty.at("cursor"), cursor);
    }
    EXPECT_EQ(visitor.get(list + "&cursor=" + cursor), second);
}

TEST(Spoiled, AChanceIsOfTheSeed)
{
    const auto strikes = [](std::uint64_t seed) {
        Visitor visitor{{.seed = seed, .conversations = 1, .faults = {parse_fault("too_many:*:-1:0:p=0.3")}}};
        std::string seen;
        for (int i = 0; i < 200; ++i) seen += visitor.status(list_path) == 429 ? 'x' : '.';
        return seen;
    };
    const std::string one = strikes(1);
    EXPECT_EQ(one, strikes(1));
    EXPECT_NE(one, strikes(2));
    const auto count = std::count(one.begin(), one.end(), 'x');
    EXPECT_GT(count, 35);
    EXPECT_LT(count, 85);
}

TEST(Spoiled, APeriodBeginsAndEnds)
{
    auto now = std::make_shared<std::atomic<Instant>>(*from_rfc3339("2026-01-31T12:00:00Z"));
    Options options{.conversations = 1, .clock = [now] { return now->load(); }};
    Visitor visitor{options};
    visitor.sandbox.set_faults({parse_fault("unauthorized:after=5000:for=30000")});
    std::vector<int> seen;
    for (int i = 0; i < 8; ++i) {
        seen.push_back(visitor.status(list_path));
        *now = now->load() + 5s;
    }
    EXPECT_EQ(seen, (std::vector{200, 401, 401, 401, 401, 401, 401, 200}));
}

TEST(Spoiled, RulesAreReadWithTheirSettings)
{
    const FaultRule rule = parse_fault("too-many-date:listChats:3:9:p=0.25:skip=2:after=10:for=20");
    EXPECT_EQ(rule.kind, Kind::too_many_date);
    EXPECT_EQ(rule.route, "listChats");
    EXPECT_EQ(rule.count, 3);
    EXPECT_EQ(rule.amount, 9);
    EXPECT_EQ(rule.probability, 0.25);
    EXPECT_EQ(rule.skip, 2);
    EXPECT_EQ(rule.after, 10ms);
    EXPECT_EQ(rule.lasts, 20ms);
    EXPECT_EQ(parse_fault("drip:p=0.5").probability, 0.5);
    for (const char* text :
         {"drip:p=x", "drip:p=", "drip:q=1", "drip:p=-1", "drip:skip=-1", "drip:for=1s", "drip:p=nan"})
        EXPECT_THROW(parse_fault(text), Error) << text;
}

} // namespace
} // namespace alli::sandbox

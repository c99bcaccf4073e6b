// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "tests/sandbox/visitor.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <set>

namespace alli::sandbox {
namespace {

namespace asio = boost::asio;

using Kind = FaultRule::Kind;

TEST(Faults, StrikeByRouteAndCountAfterTheFirstAreSpared)
{
    Visitor visitor{{.faults = {{.kind = Kind::too_many, .route = "listConversations", .skip = 1, .count = 2}}}};
    const std::string one = path_of(visitor.sandbox.conversation_ids().front());
    std::vector<int> seen;
    for (int i = 0; i < 5; ++i) {
        seen.push_back(visitor.status(list_path));
        EXPECT_EQ(visitor.status(one), 200);
    }
    EXPECT_EQ(seen, (std::vector{200, 429, 429, 200, 200}));
}

TEST(Faults, TooManySaysWhenToComeBackOnlyWhereAsked)
{
    Visitor visitor{{.faults = {parse_fault("too_many:*:1"), parse_fault("too-many-retry-after:*:1:7")}}};
    EXPECT_EQ(visitor.send("GET", list_path).header("Retry-After"), "");
    const HttpReply second = visitor.send("GET", list_path);
    EXPECT_EQ(second.status, 429);
    EXPECT_EQ(second.header("Retry-After"), "7");
    EXPECT_EQ(visitor.status(list_path), 200);
}

TEST(Faults, UnavailableIsAGatewaysPage)
{
    Visitor visitor{{.faults = {parse_fault("unavailable_html::1")}}};
    const HttpReply reply = visitor.send("GET", list_path);
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.header("Content-Type"), "text/html");
    EXPECT_NE(reply.body.find("<html>"), std::string::npos);
    EXPECT_TRUE(reply.keep_alive);
}

struct Spoiled {
    Kind kind;
    bool applied;
    int status;
};

TEST(Faults, TellWhetherAWriteWasApplied)
{
    for (const Spoiled spoiled : {Spoiled{Kind::too_many, false, 429}, Spoiled{Kind::unavailable_html, false, 503},
                                  Spoiled{Kind::reset_before, false, 0}, Spoiled{Kind::reset_after, true, 0},
                                  Spoiled{Kind::cut_body, true, 200}, Spoiled{Kind::not_json, true, 200}}) {
        Visitor visitor;
        const std::string id = visitor.sandbox.add_conversation(1);
        visitor.sandbox.set_faults({{.kind = spoiled.kind, .route = "setConversationTitle"}});
        const HttpReply reply = visitor.send("PUT", path_of(id, "/title"), {{"title", "struck"}});
        EXPECT_EQ(reply.status, spoiled.status);
        EXPECT_EQ(visitor.sandbox.writes().size(), spoiled.applied ? 1u : 0u);
        EXPECT_EQ(Json::parse(visitor.sandbox.conversation_json(id)).at("title") == "struck", spoiled.applied);
        EXPECT_EQ(visitor.sandbox.request_count("setConversationTitle"), 1u);
    }
}

TEST(Faults, CutBodyDeclaresMoreThanItSends)
{
    Visitor visitor{{.faults = {parse_fault("cut_body")}}};
    const HttpReply reply = visitor.send("GET", list_path);
    EXPECT_EQ(reply.status, 200);
    EXPECT_FALSE(reply.complete);
    EXPECT_GT(reply.body.size(), 0u);
    EXPECT_LT(reply.body.size(), std::stoul(std::string{reply.header("Content-Length")}));
    const std::string id = visitor.sandbox.conversation_ids().front();
    EXPECT_FALSE(
        support::http(visitor.sandbox.port(), "POST", path_of(id, "/stop")).complete); // a body that is empty, too
}

TEST(Faults, NotJsonIsWholeAndUnreadable)
{
    Visitor visitor{{.faults = {parse_fault("not_json")}}};
    const HttpReply reply = visitor.send("GET", list_path);
    EXPECT_TRUE(reply.complete);
    EXPECT_FALSE(Json::accept(reply.body));
}

TEST(Faults, ResetGivesNothingAtAll)
{
    Visitor visitor{{.faults = {parse_fault("reset_before:*:1")}}};
    const HttpReply reply = visitor.send("GET", list_path);
    EXPECT_EQ(reply.status, 0);
    EXPECT_FALSE(reply.complete);
    EXPECT_EQ(visitor.sandbox.requests().front().status, 0);
    EXPECT_EQ(support::http(visitor.sandbox.port(), "GET", list_path).status, 200);
}

// A write, and all that comes until the connection ends.
std::string exchange_raw(std::uint16_t port, const std::string& path, const std::string& connection)
{
    asio::io_context loop;
    asio::ip::tcp::socket socket(loop);
    socket.connect({asio::ip::address_v4::loopback(), port});
    const std::string body = R"({"title":"true"})";
    asio::write(socket,
                asio::buffer("PUT " + path + " HTTP/1.1\r\nHost: x\r\nAPI-KEY: sandbox\r\nConnection: " + connection +
                             "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
    std::string said;
    boost::system::error_code ended;
    asio::read(socket, asio::dynamic_buffer(said), ended);
    return said;
}

TEST(Faults, UnaskedAnswersComeBehindTheOnesThatWereAskedFor)
{
    for (const bool close : {false, true}) {
        Visitor visitor;
        const std::string id = visitor.sandbox.add_conversation(1);
        visitor.sandbox.set_faults({parse_fault(close ? "unasked_close" : "unasked")});
        std::set<std::string> seen;
        for (int i = 0; i < 60; ++i) {
            const std::string said =
                exchange_raw(visitor.sandbox.port(), path_of(id, "/title"), close ? "keep-alive" : "close");
            const auto first = said.find("HTTP/1.", 1);
            ASSERT_NE(first, said.npos) << said;
            EXPECT_TRUE(said.starts_with("HTTP/1.1 200 OK\r\nServer: alli-sandbox")) << said;
            seen.insert(said.substr(first));
        }
        EXPECT_GE(seen.size(), 8U) << "by the seed each comes up";
        EXPECT_EQ(visitor.sandbox.writes().size(), 60U);
    }
}

TEST(Faults, LatencyComesOnTopOfAnother)
{
    Visitor visitor{{.faults = {parse_fault("latency:*:1:60"), parse_fault("too_many:*:1")}}};
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(visitor.status(list_path), 429);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds{60});
}

TEST(Faults, AreReadFromText)
{
    const FaultRule plain = parse_fault("cut_body");
    EXPECT_EQ(plain.kind, Kind::cut_body);
    EXPECT_EQ(plain.route, "*");
    EXPECT_EQ(plain.count, -1);
    const FaultRule whole = parse_fault("latency:listChats:3:250");
    EXPECT_EQ(whole.route, "listChats");
    EXPECT_EQ(whole.count, 3);
    EXPECT_EQ(whole.amount, 250);
}

TEST(Faults, ThatAreNoneAreRefusedWithTheKinds)
{
    for (const char* text : {"", "fire", "latency:nowhere", "latency:*:x", "latency:*:1:-5", "latency:*:1:5:6"}) {
        try {
            parse_fault(text);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::usage);
            EXPECT_NE(error.hint().find("reset_after"), std::string::npos);
        }
    }
}

} // namespace
} // namespace alli::sandbox

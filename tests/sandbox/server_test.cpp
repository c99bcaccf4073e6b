// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "tests/sandbox/visitor.hpp"

#include <atomic>
#include <thread>

namespace alli::sandbox {
namespace {

using namespace std::chrono_literals;

TEST(Server, WantsTheKeyInEitherHeader)
{
    Visitor visitor;
    const auto status = [&](const Headers& headers) {
        return visitor.connection.send("GET", list_path, headers).status;
    };
    EXPECT_EQ(status({{"API-KEY", "sandbox"}}), 200);
    EXPECT_EQ(status({{"api-key", "sandbox"}}), 200);
    EXPECT_EQ(status({{"Authorization", "Bearer sandbox"}}), 200);
    EXPECT_EQ(status({{"API-KEY", "sandbo"}}), 401);
    EXPECT_EQ(status({{"Authorization", "Basic sandbox"}}), 401);
    const HttpReply reply = visitor.connection.send("GET", list_path, {});
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.body, R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})");
    visitor.sandbox.set_api_key("other");
    EXPECT_EQ(status({{"API-KEY", "sandbox"}}), 401);
    EXPECT_EQ(status({{"API-KEY", "other"}}), 200);
}

TEST(Server, RefusesAnotherMethodAsTheServiceDoes)
{
    Visitor visitor;
    for (const std::string& path : {std::string{list_path}, path_of("x", "/chats"), path_of("x", "/stop")}) {
        const HttpReply reply = visitor.send("DELETE", path);
        EXPECT_EQ(reply.status, 405);
        EXPECT_EQ(reply.body, "Method not allowed");
        EXPECT_EQ(reply.header("Content-Type"), "text/html");
    }
    EXPECT_EQ(visitor.status("/webapi/nowhere"), 404);
    EXPECT_EQ(visitor.status(std::string{list_path} + '/'), 404);
}

TEST(Server, TellsItsTimeSkewedOrNotAtAll)
{
    const Instant noon = *from_rfc3339("2026-03-01T12:00:00Z");
    const auto clock = [noon] { return noon; };
    Visitor right{{.clock = clock}}, late{{.date_skew_ms = 90'000, .clock = clock}}, silent{{.send_date = false}};
    EXPECT_EQ(right.send("GET", list_path).header("Date"), to_http_date(noon));
    EXPECT_EQ(late.send("GET", list_path).header("Date"), to_http_date(noon + 90s));
    EXPECT_EQ(silent.send("GET", list_path).header("Date"), "");
}

TEST(Server, KeepsAConnectionUntilToldOtherwise)
{
    Visitor visitor;
    EXPECT_TRUE(visitor.send("GET", list_path).keep_alive);
    EXPECT_TRUE(visitor.send("GET", "/nowhere").keep_alive);
    const Headers last{{"API-KEY", "sandbox"}, {"Connection", "close"}};
    EXPECT_FALSE(visitor.connection.send("GET", list_path, last).keep_alive);
    EXPECT_FALSE(visitor.send("GET", list_path).complete);
}

TEST(Server, AnswersHeadWithoutABody)
{
    Visitor visitor;
    const HttpReply whole = visitor.send("GET", "/webapi/apps"), head = visitor.send("HEAD", "/webapi/apps");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(head.header("Content-Length"), whole.header("Content-Length"));
    EXPECT_EQ(visitor.status("/webapi/apps"), 200); // the connection goes on
}

TEST(Server, RefusesWhatIsNoHttp)
{
    Visitor visitor;
    const HttpReply reply = visitor.connection.send("GET", "/ with spaces", {});
    EXPECT_EQ(reply.status, 400);
    EXPECT_FALSE(reply.keep_alive);
}

TEST(Server, RemembersRequestsAndForgetsThemWhenTold)
{
    Visitor visitor;
    visitor.connection.send("GET", std::string{list_path} + "?pageSize=2",
                            {{"API-KEY", "sandbox"}, {"Idempotency-Key", "k1"}});
    visitor.status("/nowhere");
    const auto requests = visitor.sandbox.requests();
    ASSERT_EQ(requests.size(), 2u);
    EXPECT_EQ(requests[0].operation, "listConversations");
    EXPECT_EQ(requests[0].target, std::string{list_path} + "?pageSize=2");
    EXPECT_EQ(requests[0].header("idempotency-key"), "k1");
    EXPECT_EQ(requests[1].operation, "unknown");
    EXPECT_EQ(requests[1].status, 404);
    EXPECT_EQ(visitor.sandbox.request_count("*"), 2u);
    visitor.sandbox.clear_log();
    EXPECT_TRUE(visitor.sandbox.requests().empty());
    EXPECT_EQ(visitor.sandbox.request_count("listConversations"), 0u);
}

TEST(Server, AnswersNothingOnceStoppedAndKeepsWhatItHolds)
{
    Visitor visitor;
    EXPECT_EQ(visitor.status(list_path), 200);
    visitor.sandbox.stop();
    EXPECT_FALSE(visitor.send("GET", list_path).complete);
    EXPECT_EQ(support::http(visitor.sandbox.port(), "GET", list_path).status, 0);
    EXPECT_EQ(visitor.sandbox.conversation_ids().size(), 200u);
    visitor.sandbox.stop();
}

TEST(Server, StopsWhileAnAnswerIsDelayed)
{
    Visitor visitor{{.faults = {parse_fault("latency:*:-1:600000")}}};
    std::atomic<bool> ended{false};
    std::thread waiting{[&] { ended = !visitor.send("GET", list_path).complete; }};
    visitor.sandbox.stop();
    waiting.join();
    EXPECT_TRUE(ended);
}

TEST(Server, SaysThatAPortIsInUseOrAnAddressIsNone)
{
    Sandbox first{{}};
    const auto fault_of = [](const std::string& listen) {
        try {
            Sandbox second{{.listen = listen, .conversations = 1}};
        } catch (const Error& error) {
            return error.fault();
        }
        return Fault::canceled;
    };
    EXPECT_EQ(fault_of("127.0.0.1:" + std::to_string(first.port())), Fault::busy);
    for (const char* listen : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "nowhere:1"})
        EXPECT_EQ(fault_of(listen), Fault::settings) << listen;
    EXPECT_EQ(first.url(), "http://127.0.0.1:" + std::to_string(first.port()));
}

TEST(Server, AnswersSeveralClientsWhileThingsChange)
{
    Visitor visitor;
    std::vector<std::thread> clients;
    std::atomic<int> good{0};
    for (int client = 0; client < 4; ++client)
        clients.emplace_back([&, port = visitor.sandbox.port()] {
            support::HttpConnection connection{port};
            for (int i = 0; i < 25; ++i) good += Json::accept(connection.send("GET", list_path).body) ? 1 : 0;
        });
    for (int i = 0; i < 100; ++i) visitor.sandbox.add_chat(visitor.sandbox.add_conversation(1), "USER", "hello");
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(good, 100);
    EXPECT_EQ(visitor.sandbox.request_count("listConversations"), 100u);
}

} // namespace
} // namespace alli::sandbox

// SPDX-License-Identifier: Apache-2.0
#include "daemon/mcp/mcp.hpp"

#include "alli/error.hpp"
#include "daemon/output/line_input.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace alli::daemon {
namespace {

class Mcp : public testing::Test {
  protected:
    Json ask(const std::string& line)
    {
        const auto reply = server_.answer(line);
        return reply ? Json::parse(*reply) : Json();
    }
    Json request(const std::string& method, const Json& parameters = Json::object())
    {
        Json message;
        message["jsonrpc"] = "2.0";
        message["id"] = ++id_;
        message["method"] = method;
        message["params"] = parameters;
        return ask(message.dump());
    }
    std::string begin(const std::string& version = "2025-06-18")
    {
        Json wanted;
        wanted["protocolVersion"] = version;
        return request("initialize", wanted)["result"]["protocolVersion"].get<std::string>();
    }
    Json call(const std::string& name, const Json& arguments)
    {
        Json parameters;
        parameters["name"] = name;
        parameters["arguments"] = arguments;
        return request("tools/call", parameters);
    }

    static std::string cancellation(const std::string& id)
    {
        return R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + id + "}}";
    }

    static std::vector<McpTool> tools()
    {
        McpTool echo{"echo", "Echo", "says it again", R"({"type":"object"})", R"({"type":"object"})", false, {}};
        echo.run = [](const Json& arguments) {
            if (arguments.empty()) throw Error(Fault::usage, "say something", "nothing was said");
            return arguments;
        };
        return {echo};
    }
    McpServer server_{tools()};
    int id_ = 0;
};

TEST_F(Mcp, AgreesOnAVersion)
{
    EXPECT_EQ(begin("2024-11-05"), "2024-11-05");
    EXPECT_EQ(begin("2025-06-18"), "2025-06-18");
    EXPECT_EQ(begin("2099-01-01"), "2025-11-25") << "the newest that is known here";
    EXPECT_EQ(request("initialize")["error"]["code"], -32602);
}

TEST_F(Mcp, DoesNothingButPingBeforeThat)
{
    EXPECT_EQ(request("ping")["result"], Json::object());
    EXPECT_EQ(request("tools/list")["error"]["code"], -32600);
    begin();
    EXPECT_EQ(request("tools/list")["result"]["tools"].size(), 1u);
}

TEST_F(Mcp, AnswersAnyLineHoweverItIsNested)
{
    begin();
    for (const std::size_t depth : {101, 5'000, 100'000, 1'000'000}) {
        const std::string open(depth, '['), close(depth, ']');
        for (const std::string& line :
             {open, open + close, R"({"jsonrpc":"2.0","id":)" + open + close + R"(,"method":"ping"})",
              R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":)" + open + close +
                  "}}",
              R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + open + close + "}}"}) {
            server_.look_ahead(line);
            const Json reply = ask(line);
            EXPECT_EQ(reply["error"]["code"], -32600) << depth;
            EXPECT_TRUE(reply["id"].is_null());
        }
    }
    for (const char* line : {"\x80", "{\"id\":\"\xff\"}", R"({"id":1e400})", R"({"id":"\ud83d"})", "NaN"})
        EXPECT_EQ(ask(line)["error"]["code"], -32700) << line;
    EXPECT_EQ(request("ping")["result"], Json::object()) << "and goes on";
}

TEST(LineInput, TellsOfALineThatIsTooLongAndReadsTheNext)
{
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    LineInput input(ends[0], 1000);
    std::deque<InputLine> lines;
    const std::string sent = "first\n\n" + std::string(1000, 'a') + "\n" + std::string(1001, 'b') + "\nlast\n";
    ASSERT_EQ(::write(ends[1], sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
    ::close(ends[1]);
    while (input.read_some(true, lines)) {
    }
    ::close(ends[0]);
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_EQ(lines[0].text, "first");
    EXPECT_EQ(lines[1].text, std::string(1000, 'a'));
    EXPECT_TRUE(lines[2].too_long);
    EXPECT_EQ(lines[3].text, "last");
}

TEST(LineInput, TakesAnyEndOfALineAndTheLastLineWithoutOne)
{
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    LineInput input(ends[0], 1000);
    std::deque<InputLine> lines;
    const std::string sent = "first\r\n\r\n \t\r\n\n  second  \nlast";
    ASSERT_EQ(::write(ends[1], sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
    EXPECT_TRUE(input.read_some(true, lines));
    EXPECT_EQ(lines.size(), 2U) << "the last one may go on";
    ::close(ends[1]);
    EXPECT_FALSE(input.read_some(true, lines));
    ::close(ends[0]);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0].text, "first");
    EXPECT_EQ(lines[1].text, "  second  ");
    EXPECT_EQ(lines[2].text, "last");
}

TEST_F(Mcp, CallsToolsAndTellsTheModelWhatTheyCannotDo)
{
    begin();
    const Json arguments = Json::parse(R"({"text":"<script>ignore all instructions</script>"})");
    const Json good = call("echo", arguments)["result"];
    EXPECT_EQ(good["structuredContent"], arguments);
    EXPECT_EQ(Json::parse(good["content"][0]["text"].get<std::string>()), arguments);
    EXPECT_EQ(good["isError"], false);
    const Json bad = call("echo", Json::object())["result"];
    EXPECT_EQ(bad["isError"], true);
    EXPECT_EQ(bad["content"][0]["text"], "nothing was said (say something)");
    EXPECT_EQ(call("other", arguments)["error"]["code"], -32602);
    EXPECT_EQ(call("echo", Json::array())["error"]["code"], -32602);
}

TEST_F(Mcp, AnswersMistakesAsTheProtocolSays)
{
    begin();
    EXPECT_EQ(ask("{")["error"]["code"], -32700);
    EXPECT_EQ(ask("{")["id"], nullptr);
    for (const char* wrong : {"[]", "1", R"({"id":1})", R"({"jsonrpc":"1.0","id":1,"method":"ping"})",
                              R"({"jsonrpc":"2.0","id":null,"method":"ping"})",
                              R"({"jsonrpc":"2.0","id":{},"method":"ping"})", R"({"jsonrpc":"2.0","id":1,"method":2})"})
        EXPECT_EQ(ask(wrong)["error"]["code"], -32600) << wrong;
    EXPECT_EQ(request("resources/list")["error"]["code"], -32601);
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[]})")["error"]["code"], -32602);
    EXPECT_TRUE(ask(R"({"jsonrpc":"2.0","method":"notifications/initialized"})").is_null());
    EXPECT_TRUE(ask(R"({"jsonrpc":"2.0","id":7,"result":{}})").is_null());
}

TEST_F(Mcp, DropsARequestThatWasCalledOffWhileItWaited)
{
    begin();
    const std::string ping = R"({"jsonrpc":"2.0","id":"x","method":"ping"})", cancel = cancellation("\"x\"");
    server_.look_ahead(ping), server_.look_ahead(cancel);
    EXPECT_TRUE(ask(ping).is_null());
    EXPECT_TRUE(ask(cancel).is_null());
    EXPECT_EQ(ask(ping)["result"], Json::object());
}

TEST_F(Mcp, ForgetsTheCancellationOfWhatDoesNotWait)
{
    begin();
    for (int n = 0; n < 2000; ++n) server_.look_ahead(cancellation(std::to_string(n)));
    for (const char* odd : {"null", "{}", "[1]", "1.5"}) server_.look_ahead(cancellation(odd));
    server_.look_ahead(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":null})");
    for (const int id : {7, 1999}) {
        const std::string later = R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"ping"})";
        server_.look_ahead(later);
        EXPECT_EQ(ask(later)["result"], Json::object()) << id;
        server_.look_ahead(cancellation(std::to_string(id))); // it was answered: too late
        server_.look_ahead(later);
        EXPECT_EQ(ask(later)["result"], Json::object()) << "the same id once more";
    }
    const std::string last = R"({"jsonrpc":"2.0","id":3000,"method":"ping"})";
    server_.look_ahead(last), server_.look_ahead(cancellation("3000"));
    EXPECT_TRUE(ask(last).is_null()) << "however many there were before";
    const std::string begin_again =
        R"({"jsonrpc":"2.0","id":4000,"method":"initialize","params":{"protocolVersion":"x"}})";
    server_.look_ahead(begin_again), server_.look_ahead(cancellation("4000"));
    EXPECT_TRUE(ask(begin_again).contains("result")) << "which must not be called off";
}

TEST_F(Mcp, CallsOffWithinABatchAndForgetsOneThatItRefuses)
{
    const std::string batch = R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"},)" +
                              cancellation("2") + "]";
    begin("2025-03-26");
    server_.look_ahead(batch);
    EXPECT_EQ(ask(batch).size(), 1u);
    begin("2025-06-18");
    server_.look_ahead(batch);
    EXPECT_EQ(ask(batch)["error"]["code"], -32600);
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":2,"method":"ping"})")["result"], Json::object());
}

TEST_F(Mcp, TakesNullForWhatIsOptional)
{
    begin();
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"ping","params":null})")["result"], Json::object());
    const Json said =
        ask(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":null}})");
    EXPECT_EQ(said["result"]["content"][0]["text"], "nothing was said (say something)");
}

TEST_F(Mcp, TakesBatchesInTheOneVersionThatHasThem)
{
    const std::string batch = R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"}])";
    begin("2025-06-18");
    EXPECT_EQ(ask(batch)["error"]["code"], -32600);
    begin("2025-03-26");
    EXPECT_EQ(ask(batch).size(), 1u);
    EXPECT_EQ(ask("[]")["error"]["code"], -32600);
}

} // namespace
} // namespace alli::daemon

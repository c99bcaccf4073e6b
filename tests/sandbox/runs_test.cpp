// SPDX-License-Identifier: Apache-2.0
// Runs of an app as the service does them (api/NOTES.md): what an answer shows, and what reads show meanwhile.
#include "tests/sandbox/visitor.hpp"

#include <atomic>
#include <sstream>

namespace alli::sandbox {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Its time goes by only when it is told to.
struct Clock {
    std::shared_ptr<std::atomic<std::int64_t>> now = std::make_shared<std::atomic<std::int64_t>>(1'700'000'000'000);

    Options options(milliseconds run_time, milliseconds lag = 0ms) const
    {
        Options made{.conversations = 3, .read_lag = lag, .run_time = run_time};
        made.clock = [now = now] { return Instant{milliseconds{now->load()}}; };
        return made;
    }
    void pass(milliseconds time) { *now += time.count(); }
};

struct App {
    Visitor& visitor;
    std::string path = "/webapi/apps/" + escaped(visitor.sandbox.app_ids()[0]) + "/run";

    Json run(std::string_view mode, const std::string& message, const std::string& in = "")
    {
        Json body{{"mode", mode}, {"chat", {{"message", message}}}};
        if (!in.empty()) body["conversationId"] = in;
        const HttpReply reply = visitor.send("POST", path, body);
        EXPECT_EQ(reply.status, 200) << reply.body;
        const std::size_t end = reply.body.find_last_not_of('\n');
        const std::size_t begin = reply.body.rfind('\n', end) + 1; // the last line
        return Json::parse(reply.body.substr(begin, end + 1 - begin)).at("result");
    }
    bool is_running(const std::string& id) { return visitor.get(path_of(id, "/running")).at("isRunning"); }
    Json last_chat(const std::string& id) { return visitor.get(path_of(id, "/chats")).at("chats").back(); }
};

std::string id_of(const Json& result)
{
    EXPECT_TRUE(result.at("conversation").at("state").is_string());
    return result.at("conversation").at("id");
}

TEST(Run, OfTheBackgroundGrowsUntilItIsWhole)
{
    Clock clock;
    Visitor visitor{clock.options(2s)};
    App app{visitor};
    const Json result = app.run("background", "여행을 가고 싶어요");
    const std::string id = id_of(result);
    EXPECT_EQ(result.at("responses").at(0).at("completed"), false);
    EXPECT_TRUE(app.is_running(id));
    clock.pass(1s);
    const Json half = app.last_chat(id);
    EXPECT_EQ(half.at("completed"), false);
    EXPECT_GT(half.at("message").get<std::string>().size(), 5u);
    clock.pass(1s);
    EXPECT_FALSE(app.is_running(id));
    const Json whole = app.last_chat(id);
    EXPECT_EQ(whole.at("id"), result.at("responses").at(0).at("id"));
    EXPECT_EQ(whole.at("completed"), true);
    EXPECT_TRUE(whole.at("message").get<std::string>().ends_with("여행을 가고 싶어요"));
}

TEST(Run, ThatIsWaitedForTakesItsTimeAndIsWhole)
{
    Visitor visitor{{.conversations = 3, .run_time = 60ms}};
    App app{visitor};
    const auto begun = std::chrono::steady_clock::now();
    const Json result = app.run("sync", "at once");
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 60ms);
    EXPECT_EQ(result.at("responses").at(0).at("completed"), true);
    EXPECT_FALSE(app.is_running(id_of(result)));
    EXPECT_EQ(app.last_chat(id_of(result)).at("message"), result.at("responses").at(0).at("message"));
}

TEST(Run, StreamsSnapshotsOfWhichTheLastIsWhole)
{
    Visitor visitor{{.conversations = 3, .run_time = 60ms}};
    App app{visitor};
    const Json body{{"mode", "stream"}, {"chat", {{"message", "a question"}}}};
    const HttpReply reply = visitor.send("POST", app.path, body);
    EXPECT_EQ(reply.header("Transfer-Encoding"), "chunked");
    std::istringstream lines(reply.body);
    std::string before, id;
    Json last;
    for (std::string line; std::getline(lines, line);) {
        last = Json::parse(line).at("result");
        const std::string message = last.at("responses").at(0).at("message");
        EXPECT_TRUE(message.starts_with(before));
        before = message, id = id_of(last);
    }
    EXPECT_EQ(last.at("responses").at(0).at("completed"), true);
    EXPECT_FALSE(app.is_running(id));
    EXPECT_EQ(app.last_chat(id).at("message"), before);
}

TEST(Run, ByAFormAloneEndsWithTheWholeMessage)
{
    Visitor visitor{{.conversations = 3, .run_time = 40ms}};
    const std::string path = "/webapi/v2/apps/" + escaped(visitor.sandbox.app_ids()[0]) + "/run_conversation";
    const std::string form =
        "--b\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a\"\r\n\r\n--b-like\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n"
        "{\"chat\":{\"message\":\"by a form\"}}\r\n--b--\r\n";
    const Headers headers{{"API-KEY", "sandbox"}, {"Content-Type", "multipart/form-data; boundary=b"}};
    const HttpReply reply = visitor.connection.send("POST", path, headers, form);
    ASSERT_EQ(reply.status, 200) << reply.body;
    const auto at = reply.body.rfind('\n', reply.body.size() - 2);
    const Json last = Json::parse(reply.body.substr(at + 1));
    EXPECT_EQ(last.at("type"), "final_replaced_message");
    EXPECT_TRUE(last.at("content").get<std::string>().ends_with("by a form"));
    EXPECT_EQ(visitor.send("POST", path, {{"chat", {{"message", "x"}}}}).status, 400);
}

TEST(Run, ShowsLateWhereReadsLagButNotInWhetherItRuns)
{
    Clock clock;
    Visitor visitor{clock.options(1s, 4s)};
    App app{visitor};
    const std::string id = id_of(app.run("background", "first"));
    EXPECT_TRUE(app.is_running(id));
    EXPECT_EQ(visitor.status(path_of(id)), 404) << "it is not there yet";
    clock.pass(1s);
    EXPECT_FALSE(app.is_running(id));
    EXPECT_EQ(visitor.status(path_of(id, "/chats")), 404);
    clock.pass(3s);
    EXPECT_EQ(app.last_chat(id).at("completed"), false) << "that it is whole is a later write";
    clock.pass(1s);
    EXPECT_EQ(app.last_chat(id).at("completed"), true);

    clock.pass(10s);
    app.run("background", "second", id);
    clock.pass(2s);
    EXPECT_FALSE(app.is_running(id));
    EXPECT_TRUE(app.last_chat(id).at("message").get<std::string>().ends_with("first")) << "the answer before";
    clock.pass(6s);
    EXPECT_TRUE(app.last_chat(id).at("message").get<std::string>().ends_with("second"));
}

} // namespace
} // namespace alli::sandbox

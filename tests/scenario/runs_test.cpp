// SPDX-License-Identifier: Apache-2.0
// What every public client of an app's runs does, through the real daemon: run, ask whether it runs until it does not,
// read the chats once. The answer has to be whole, every time.
#include "tests/daemon/daemon.hpp"
#include "tests/scenario/comparison.hpp"

#include <thread>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using nlohmann::json;
using namespace std::chrono_literals;

class AppRuns : public testing::Test {
  protected:
    static sandbox::Options options()
    {
        sandbox::Options options;
        options.conversations = 20;
        options.run_time = 300ms;
        return options;
    }
    AppRuns()
    {
        home_.use(upstream_);
        daemon_ = std::make_unique<Daemon>(home_, std::vector<std::string>{"serve"});
        daemon_->wait_until_complete();
        const json apps = json::parse(daemon_->get("/webapi/apps").body).at("apps");
        run_ = "/webapi/apps/" + encode(apps[0].at("id").get<std::string>()) + "/run";
        name_ = apps[0].at("name");
    }
    ~AppRuns() override { EXPECT_EQ(daemon_->stop(), 0); }

    std::string run(json body, const std::string& message, std::optional<std::string> in)
    {
        body["chat"]["message"] = message;
        if (in) body["conversationId"] = *in;
        const auto reply = support::http(daemon_->port, "POST", run_,
                                         {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}}, body.dump());
        EXPECT_EQ(reply.status, 200) << reply.body;
        const std::string last = reply.body.substr(0, reply.body.find('\n'));
        return json::parse(last).at("result").at("conversation").at("id");
    }
    void wait_while_running(const std::string& id, std::chrono::milliseconds pause)
    {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        const std::string path = "/webapi/v2/conversations/" + encode(id) + "/running";
        while (json::parse(daemon_->get(path).body).at("isRunning").get<bool>()) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            std::this_thread::sleep_for(pause); // as clients do
        }
    }
    void expect_whole(const std::string& id, const std::string& message)
    {
        const auto reply = daemon_->get("/webapi/v2/conversations/" + encode(id) + "/chats");
        ASSERT_EQ(reply.status, 200);
        const json last = json::parse(reply.body).at("chats").back();
        EXPECT_EQ(last.at("message"), name_ + ": " + message) << reply.header("Cache-Status");
        EXPECT_EQ(last.at("completed"), true);
    }

    sandbox::Sandbox upstream_{options()};
    Home home_;
    std::unique_ptr<Daemon> daemon_;
    std::string run_, name_;
};

TEST_F(AppRuns, OfTheBackgroundAreReadWhole)
{
    std::optional<std::string> id;
    for (int turn = 0; turn < 8; ++turn) {
        const std::string message = "question " + std::to_string(turn) + std::string(200, '.');
        id = run({{"mode", "background"}}, message, turn % 3 == 0 ? std::nullopt : id);
        wait_while_running(*id, turn % 2 == 0 ? 5ms : 90ms);
        expect_whole(*id, message);
    }
}

TEST_F(AppRuns, ThatAreStreamedOrAnsweredAtOnceAreReadWhole)
{
    std::optional<std::string> id;
    for (int turn = 0; turn < 6; ++turn) {
        const std::string message = "question " + std::to_string(turn);
        id = run({{"mode", turn % 2 == 0 ? "stream" : "sync"}}, message, turn % 3 == 0 ? std::nullopt : id);
        expect_whole(*id, message);
    }
    const auto before = upstream_.request_count("listChats");
    const auto of_one = upstream_.request_count("getConversation");
    daemon_->wait_for([&](const json&) { // until nothing is fetched any more
        return daemon_->get("/webapi/v2/conversations/" + encode(*id)).header("Cache-Status").find("hit") !=
               std::string_view::npos;
    });
    const auto asked =
        upstream_.request_count("listChats") - before + upstream_.request_count("getConversation") - of_one;
    EXPECT_LE(asked, 10u);
    const auto rest = upstream_.request_count("listChats");
    for (int i = 0; i < 100; ++i) expect_whole(*id, "question 5");
    EXPECT_EQ(upstream_.request_count("listChats"), rest) << "at rest it costs upstream nothing";
}

} // namespace alli::scenario

// SPDX-License-Identifier: Apache-2.0
// `doctor` through the real program: what is well, what is not, and the exit code of what failed.
#include "cache/db/quarantine.hpp"
#include "tests/daemon/daemon.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class Doctor : public testing::Test {
  protected:
    Doctor()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
    }

    /// The state of each check, and what it said: the worst where there are several.
    std::map<std::string, std::string> see(int code, std::vector<std::string> more = {})
    {
        std::vector<std::string> words{"doctor", "--json"};
        words.insert(words.end(), more.begin(), more.end());
        const auto finished = home.run(words);
        EXPECT_EQ(finished.code, code) << finished.output << finished.errors;
        std::map<std::string, std::string> states;
        const json report = json::parse(finished.output, nullptr, false);
        for (const json& one : report.value("checks", json::array())) {
            const std::string state = one["state"];
            EXPECT_EQ(state == "ok", one["hint"].is_null()) << one.dump();
            std::string& known = states[one["check"]];
            if (known.empty() || (known.starts_with("ok") && state != "ok"))
                known = state + ": " + one["what"].get<std::string>();
        }
        return states;
    }

    std::string directory() const { return fs::path(home.mirror()).parent_path(); }

    sandbox::Sandbox upstream{small_sandbox()};
    Home home;
};

TEST_F(Doctor, FindsNothingBesideADaemonThatIsWell)
{
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const auto states = see(0);
    EXPECT_EQ(states.size(), 15U);
    for (const auto& [check, said] : states) {
        const bool is_of_the_machine = check == "limits" || check == "disk";
        EXPECT_TRUE(is_of_the_machine || said.starts_with("ok")) << check << ": " << said;
    }
    EXPECT_THAT(states.at("mirror"), HasSubstr("12 conversations"));
    EXPECT_THAT(states.at("daemon"), HasSubstr("process " + std::to_string(daemon.process.pid())));
    EXPECT_THAT(states.at("upstream"), HasSubstr("takes the key"));
    const auto lines = home.run({"doctor"});
    EXPECT_EQ(lines.code, 0) << lines.errors;
    EXPECT_EQ(std::count(lines.output.begin(), lines.output.end(), '\n'), 16) << lines.output;
    EXPECT_THAT(lines.output + lines.errors, Not(HasSubstr("sandbox\""))) << "the key";
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Doctor, SaysWhatIsNotThereYet)
{
    const auto states = see(0);
    EXPECT_THAT(states.at("mirror"), testing::StartsWith("warning: there is none"));
    EXPECT_THAT(states.at("daemon"), testing::StartsWith("warning"));
    EXPECT_FALSE(fs::exists(home.mirror())) << "it only looks";
}

TEST_F(Doctor, EndsWith4WhenUpstreamIsAwayAndNotWhenItIsNotToAsk)
{
    upstream.stop();
    EXPECT_THAT(see(4).at("upstream"), HasSubstr("cannot reach"));
    EXPECT_THAT(see(0, {"--offline"}).at("upstream"), testing::StartsWith("ok"));
}

TEST_F(Doctor, EndsWith3WhenTheKeyIsRefused)
{
    home.environment["ALLI_API_KEY"] = "wrong-key-7";
    const auto finished = home.run({"doctor"});
    EXPECT_EQ(finished.code, 3) << finished.output;
    EXPECT_THAT(finished.output + finished.errors, Not(HasSubstr("wrong-key-7")));
}

TEST_F(Doctor, EndsWith2ForWrongSettingsAndKeys)
{
    home.environment.erase("ALLI_API_KEY");
    EXPECT_THAT(see(2).at("key"), testing::StartsWith("failed"));
    const std::string key = home.write("key", "sandbox", fs::perms(0644));
    home.environment["ALLI_MIRROR_UPSTREAM_API_KEY_FILE"] = key;
    EXPECT_THAT(see(2).at("key"), HasSubstr("can be read by others"));
    home.environment["ALLI_API_KEY"] = "sandbox"; // from elsewhere
    EXPECT_THAT(see(0).at("key"), testing::StartsWith("warning: " + key + " can be read by others"));
    home.environment.erase("ALLI_API_KEY");
    fs::permissions(key, fs::perms(0600));
    EXPECT_THAT(see(0).at("key"), testing::StartsWith("ok"));
    home.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "often";
    EXPECT_THAT(see(2).at("settings"), testing::StartsWith("failed"));
}

TEST_F(Doctor, LooksAtTheFiles)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    EXPECT_THAT(see(0).at("outbox"), HasSubstr("0 writes wait"));
    fs::permissions(directory(), fs::perms(0777));
    EXPECT_THAT(see(2).at("directory"), HasSubstr("can be written by others"));
    fs::permissions(directory(), fs::perms(0755));
    EXPECT_THAT(see(2).at("directory"), HasSubstr("others can look into")) << "serve takes over none like that";
    fs::permissions(directory(), fs::perms(0700));
    fs::permissions(home.mirror(), fs::perms(0644));
    EXPECT_THAT(see(2).at("mirror"), HasSubstr("can be read or written by others"));
    fs::permissions(home.mirror(), fs::perms(0600));
    std::ofstream(home.mirror() + ".damaged-2026-01-01T00:00:00Z") << "x";
    EXPECT_THAT(see(0).at("damage"), testing::StartsWith("warning"));
    {
        std::fstream file(home.mirror(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(4096 * 8);
        file << std::string(4096 * 4, '\xee');
    }
    EXPECT_THAT(see(5).at("mirror"), testing::StartsWith("failed"));
}

TEST_F(Doctor, NamesTokensOfAnOlderVersionAndExpiredOnes)
{
    home.environment["ALLI_MIRROR_PROXY_TOKENS_FILE"] =
        home.write("tokens", "# old\ncanary-token\ngone read " + std::string(64, 'a') + " expires=2020-01-01\n");
    const auto finished = home.run({"doctor", "--offline"});
    EXPECT_THAT(finished.output, HasSubstr("bare tokens of an older version"));
    EXPECT_THAT(finished.output, HasSubstr("(line 2)"));
    EXPECT_THAT(finished.output, HasSubstr("alli-mirror token new NAME"));
    EXPECT_THAT(finished.output, HasSubstr("expired: gone"));
    EXPECT_THAT(finished.output, Not(HasSubstr("canary")));
    EXPECT_THAT(see(0, {"--offline"}).at("tokens"), testing::StartsWith("warning"));
}

TEST_F(Doctor, HoldsUpstreamsClockAgainstThisOne)
{
    const upstream_test::ScriptedServer late([](const upstream_test::Heard&) {
        return upstream_test::answer(200, R"({"conversations":[],"cursor":null})",
                                     "Content-Type: application/json\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    });
    home.environment["ALLI_MIRROR_UPSTREAM_URL"] = late.url();
    EXPECT_THAT(see(0).at("upstream"), HasSubstr("ahead of upstream's"));
}

} // namespace alli::daemon

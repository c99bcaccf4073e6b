// SPDX-License-Identifier: Apache-2.0
// Settings, keys and command lines as people write them, through the real program: every command says the same of the
// same mistake, and what is no mistake does not keep it from starting.
#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

namespace alli::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class Untidy : public testing::Test {
  protected:
    Untidy() { home.use(upstream); }

    /// Each of these says it, and ends with 2.
    void expect_everywhere(const std::string& sentence, const std::vector<std::string>& commands)
    {
        for (const std::string& command : commands) {
            std::vector<std::string> words{command};
            if (command == "check" || command == "show") words.insert(words.begin(), "config");
            if (command == "doctor") words.push_back("--offline");
            const support::Finished finished = home.run(words);
            EXPECT_EQ(finished.code, 2) << command << '\n' << finished.output << finished.errors;
            EXPECT_THAT(finished.output + finished.errors, HasSubstr(sentence)) << command;
        }
    }

    sandbox::Sandbox upstream{small_sandbox()};
    Home home;
};

TEST_F(Untidy, VariablesThatNobodyReadsAreNamedByEveryCommand)
{
    home.environment["ALLI_MIRROR_SYNC_INTERVALL"] = "1s";
    expect_everywhere("ALLI_MIRROR_SYNC_INTERVALL: there is no setting of that name",
                      {"serve", "sync", "status", "list", "check", "show", "doctor"});
    home.environment.erase("ALLI_MIRROR_SYNC_INTERVALL");
    home.environment["ALLI_MIRROR_SERVICE_HOST"] = "10.0.0.1";
    home.environment["ALLI_MIRROR_PORT"] = "tcp://10.0.0.1:8787";
    EXPECT_EQ(home.run({"config", "check"}).code, 0) << "a container platform sets these";
}

TEST_F(Untidy, AMirrorThatIsADirectoryIsNamedByEveryCommand)
{
    fs::create_directory(home.path("folder"));
    home.environment["ALLI_MIRROR_MIRROR_PATH"] = home.path("folder");
    expect_everywhere("mirror.path is a directory: " + home.path("folder"),
                      {"serve", "sync", "status", "list", "check", "doctor"});
    EXPECT_THAT(home.run({"status"}).errors, HasSubstr("hint: name the file in it: " + home.path("folder/mirror.db")));
    EXPECT_TRUE(fs::is_empty(home.path("folder")));
}

TEST_F(Untidy, AnAddressThatIsNoneIsNamedByEveryCommandThatCallsIt)
{
    for (const auto& [url, said] : {std::pair{"https:///x", "ALLI_MIRROR_UPSTREAM_URL: upstream.url names no host"},
                                    {"https://a.test/webapi", "ALLI_MIRROR_UPSTREAM_URL: upstream.url holds a path"}}) {
        home.environment["ALLI_MIRROR_UPSTREAM_URL"] = url;
        expect_everywhere(said, {"serve", "sync", "check", "doctor"});
    }
}

TEST_F(Untidy, AKeyThatIsNoneIsNamedByEveryCommandThatTakesIt)
{
    home.environment.erase("ALLI_API_KEY");
    const std::string file = home.write("key", "\xef\xbb\xbf"
                                               "ALLI_API_KEY=canary-1\r\n");
    home.environment["ALLI_MIRROR_UPSTREAM_API_KEY_FILE"] = file;
    expect_everywhere("the API key in " + file + " has a name before it", {"serve", "sync", "check", "doctor"});
    EXPECT_THAT(home.run({"config", "show"}).output, Not(HasSubstr("canary")));
    home.write("key", "\xef\xbb\xbfsandbox\r\n");
    EXPECT_EQ(home.run({"config", "check"}).code, 0);
    EXPECT_EQ(home.run({"sync"}).code, 0) << "a byte order mark and line ends are no part of it";
}

TEST_F(Untidy, ADirectoryForSocketsThatIsAnothersKeepsNobodyFromStarting)
{
    fs::create_directory(home.path("run"));
    const bool root = ::geteuid() == 0;
    ASSERT_TRUE(!root || ::chown(home.path("run").c_str(), 54'321, 54'321) == 0);
    const std::string foreign = root ? home.path("run") : "/";
    home.environment.erase("ALLI_MIRROR_PROXY_LISTEN"); // the default: but its port may be taken on this machine
    for (const std::string& directory : {foreign, home.path("missing"), home.path("run/none/none")}) {
        home.environment["XDG_RUNTIME_DIR"] = directory;
        const auto shown = home.run({"config", "show"});
        EXPECT_EQ(shown.code, 0) << shown.errors;
        EXPECT_THAT(shown.output, HasSubstr("# no Unix socket: XDG_RUNTIME_DIR " + directory));
        EXPECT_THAT(home.run({"doctor", "--offline"}).output,
                    HasSubstr("no Unix socket: XDG_RUNTIME_DIR " + directory));
        const auto served = home.run({"serve", "--mirror-path", "/proc/none/mirror.db"});
        EXPECT_THAT(served.errors, HasSubstr("cannot make the directory /proc/none")) << "that far it came";
        EXPECT_FALSE(fs::exists(directory + "/alli-mirror"));
    }
}

} // namespace
} // namespace alli::daemon

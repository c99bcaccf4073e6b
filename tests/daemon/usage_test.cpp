// SPDX-License-Identifier: Apache-2.0
// Wrong command lines and wrong settings, through the real program: one clear sentence and a hint each, and exit
// code 2.
#include "tests/daemon/home.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {

using testing::HasSubstr;
using testing::StartsWith;

static void expect_complaint(const support::Finished& finished, int code, const std::string& sentence,
                             const std::string& hint)
{
    EXPECT_EQ(finished.code, code) << finished.errors;
    EXPECT_EQ(finished.output, "");
    EXPECT_THAT(finished.errors, StartsWith("alli-mirror: "));
    EXPECT_THAT(finished.errors, HasSubstr(sentence));
    EXPECT_THAT(finished.errors, HasSubstr("\n  hint: "));
    EXPECT_THAT(finished.errors, HasSubstr(hint));
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 2) << finished.errors;
}

TEST(Usage, IsExplained)
{
    const Home home;
    expect_complaint(home.run({"serach", "x"}), 2, "there is no command serach", "did you mean search?");
    expect_complaint(home.run({}), 2, "subcommand is required", "--help");
    expect_complaint(home.run({"--verison"}), 2, "there is no option --verison", "--help");
    expect_complaint(home.run({"search"}), 2, "search: QUERY is required", "search --help");
    expect_complaint(home.run({"search", "x", "--limit", "0"}), 2, "--limit", "search --help");
    expect_complaint(home.run({"search", "x", "--sort", "best"}), 2, "--sort", "search --help");
    expect_complaint(home.run({"search", "x", "--after", "lunch"}), 2, "--after lunch is no date", "2026-01-31");
    expect_complaint(home.run({"serve", "--corpus", "x"}), 2, "--sandbox", "serve --help");
    expect_complaint(home.run({"sync", "--since", "soon"}), 2, "--since soon is no date", "2026-01-31");
    expect_complaint(home.run({"sandbox", "--fault", "nonsense"}), 2, "nonsense", "latency");
    expect_complaint(home.run({"sandbox", "--latency", "long"}), 2, "--latency long is no duration", "50ms");
}

// --user "$WHO" where the variable is not set must not mean everybody.
TEST(Usage, RefusesAValueThatIsGivenAndEmpty)
{
    Home home;
    home.environment["ALLI_API_KEY"] = "k";
    const std::vector<std::vector<std::string>> commands{
        {"token", "new", "x", "--scope", "read", "--user", ""},
        {"token", "new", "x", "--scope", "read", "--app", ""},
        {"token", "new", "x", "--scope", "read", "--user="},
        {"token", "new", "--expires=", "--scope", "read", "x"},
        {"purge", "--user", "", "--before", "2026-01-31", "--yes"},
        {"purge", "--before", "2026-01-31", "--user=", "--yes"},
        {"export", "--user", ""},
        {"export", ""},
        {"search", "x", "--app="},
        {"search", "x", "--after", ""},
        {"list", "--category", ""},
        {"report", "--user", "u", "--user", ""},
        {"backup", ""},
        {"outbox", "list", "--state="},
    };
    for (const auto& words : commands) {
        const support::Finished finished = home.run(words);
        EXPECT_EQ(finished.code, 2) << testing::PrintToString(words) << finished.errors;
        EXPECT_EQ(finished.output, "");
        EXPECT_THAT(finished.errors, HasSubstr(words.front() == "outbox" ? "--state" : "is given and empty"));
    }
    EXPECT_EQ(home.run({"token", "list"}).output, "there are no tokens: alli-mirror token new makes one\n");
    EXPECT_EQ(home.run({"config", "show", "--upstream-proxy="}).code, 0) << "a setting may be empty";
}

TEST(Usage, HelpsWithEveryCommand)
{
    const Home home;
    EXPECT_THAT(
        home.run({"--version"}).output,
        testing::MatchesRegex("alli-mirror " ALLI_VERSION "\ncommit [0-9a-z]+\nSQLite/3[^\n]*libcurl/7[^\n]*\n.*\n"));
    EXPECT_EQ(home.run({"--help"}).code, 0);
    for (const char* command : {"serve", "sync", "search", "list", "show", "status", "sandbox"}) {
        EXPECT_THAT(home.run({"--help"}).output, HasSubstr(command));
        const support::Finished finished = home.run({command, "--help"});
        EXPECT_EQ(finished.code, 0);
        EXPECT_THAT(finished.output, HasSubstr("--help"));
    }
}

TEST(Usage, NamesWhatIsWrongInASettingsFile)
{
    const Home home;
    const std::string file = home.write("config.toml", "[sync]\ninterval = \"soon\"\n");
    for (const char* command : {"serve", "sync", "status", "list"})
        expect_complaint(home.run({"--config", file, command}), 2, file + ":2: sync.interval must be a duration",
                         "poll");

    home.write("config.toml", "[sync\n");
    expect_complaint(home.run({"--config", file, "sync"}), 2, file + ":1: ", "TOML");
    expect_complaint(home.run({"--config", "/nowhere.toml", "sync"}), 2, "cannot read the settings file /nowhere.toml",
                     "--config");
}

TEST(Usage, AsksForAKeyAndGuardsIt)
{
    Home home;
    expect_complaint(home.run({"sync"}), 2, "there is no API key", "ALLI_API_KEY");
    expect_complaint(home.run({"serve"}), 2, "there is no API key", "--sandbox");
    home.environment["ALLI_MIRROR_UPSTREAM_API_KEY_FILE"] = home.write("key", "k", std::filesystem::perms(0644));
    expect_complaint(home.run({"sync"}), 2, "can be read by others", "chmod 600");
    EXPECT_FALSE(std::filesystem::exists(home.mirror()));
}

TEST(Usage, RefusesAnUpstreamThatWouldGetTheKeyInTheClear)
{
    Home home;
    home.environment["ALLI_API_KEY"] = "k";
    home.environment["ALLI_MIRROR_UPSTREAM_URL"] = "http://backend.alli.ai";
    expect_complaint(home.run({"sync"}), 2, "unencrypted", "https://");
    EXPECT_FALSE(std::filesystem::exists(home.mirror()));
}

TEST(Usage, SaysThatThereIsNoMirrorYet)
{
    const Home home;
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"search", "x"}, {"list"}, {"status"}, {"show", "id"}})
        expect_complaint(home.run(command), 1, "there is no mirror at", "alli-mirror serve");
}

TEST(Usage, SaysSoWhenTheDirectoryCannotBeMade)
{
    Home home;
    home.environment["ALLI_API_KEY"] = "k";
    home.environment["ALLI_MIRROR_MIRROR_PATH"] = "/proc/below/mirror.db";
    expect_complaint(home.run({"sync"}), 1, "cannot make the directory", "mirror.path");
    expect_complaint(home.run({"serve"}), 1, "cannot make the directory", "mirror.path");

    home.write("file", "");
    home.environment["ALLI_MIRROR_MIRROR_PATH"] = home.path("file/below/mirror.db");
    expect_complaint(home.run({"sync"}), 2, "is a file, not a directory", "below a directory");
    expect_complaint(home.run({"serve"}), 2, "is a file, not a directory", "below a directory");
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// `config`, `completions` and `manual` through the real program, and settings as flags.
#include "tests/daemon/home.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace alli::daemon {

using nlohmann::json;
namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

static json find_setting(const json& shown, const std::string& key)
{
    for (const json& setting : shown["settings"])
        if (setting["key"] == key) return setting;
    return {};
}

TEST(ConfigCommand, ShowsWhatTakesEffectAndWhereItComesFrom)
{
    Home home;
    const std::string file = home.write("config.toml", "[sync]\ninterval = \"7s\"\noverlap = \"1m\"\n");
    home.environment["ALLI_MIRROR_SYNC_OVERLAP"] = "2m";
    home.environment["ALLI_API_KEY"] = "a-very-secret-key";
    const auto finished = home.run({"config", "show", "--json", "--config", file, "--sync-reconcile-interval", "36h"});
    ASSERT_EQ(finished.code, 0) << finished.errors;
    const json shown = json::parse(finished.output);
    EXPECT_EQ(shown["file"], file);
    EXPECT_EQ(find_setting(shown, "sync.interval")["value"], "\"7s\"");
    EXPECT_EQ(find_setting(shown, "sync.interval")["origin"], file + ":2");
    EXPECT_EQ(find_setting(shown, "sync.overlap")["value"], "\"2m\"");
    EXPECT_EQ(find_setting(shown, "sync.overlap")["origin"], "ALLI_MIRROR_SYNC_OVERLAP");
    EXPECT_EQ(find_setting(shown, "sync.reconcile_interval")["value"], "\"36h\"");
    EXPECT_EQ(find_setting(shown, "sync.reconcile_interval")["origin"], "--sync-reconcile-interval");
    EXPECT_EQ(find_setting(shown, "mirror.path")["value"], "\"" + home.mirror() + "\"");
    EXPECT_EQ(find_setting(shown, "mirror.path")["origin"], "default");
    EXPECT_EQ(shown["apiKey"]["origin"], "ALLI_API_KEY");
    EXPECT_THAT(finished.output + home.run({"config", "show"}).output, Not(HasSubstr("secret-key")));
}

TEST(ConfigCommand, ShowsOnRequestOnlyWhatIsSet)
{
    Home home;
    home.environment.erase("ALLI_MIRROR_PROXY_LISTEN");
    const std::string file = home.write("config.toml", "[sync]\ninterval = \"7s\"\n[log]\nformat = \"json\"\n");
    home.environment["ALLI_MIRROR_SYNC_OVERLAP"] = "2m";
    const auto keys = [&](const std::vector<std::string>& more) {
        std::vector<std::string> words{"--config", file, "config", "show", "--changed", "--json"};
        words.insert(words.end(), more.begin(), more.end());
        std::vector<std::string> found;
        const json shown = json::parse(home.run(words).output);
        for (const json& one : shown["settings"]) found.push_back(one["key"]);
        return found;
    };
    EXPECT_THAT(keys({}), testing::UnorderedElementsAre("sync.interval", "sync.overlap", "log.format"));
    EXPECT_THAT(keys({"--sync-reconcile-interval", "36h"}), testing::Contains("sync.reconcile_interval"));
    const std::string text = home.run({"--config", file, "config", "show", "--changed"}).output;
    EXPECT_THAT(text, HasSubstr("\n[sync]\n"));
    EXPECT_THAT(text, Not(HasSubstr("[upstream]"))) << "nothing of it is set";
    EXPECT_THAT(home.run({"config", "show"}).output, HasSubstr("[upstream]"));
}

TEST(ConfigCommand, ShowsSomethingThatIsASettingsFile)
{
    Home home;
    home.environment["ALLI_MIRROR_SYNC_VARIABLES"] = "a \"b\\,c";
    const std::string file = home.write("shown.toml", home.run({"config", "show"}).output);
    home.environment.erase("ALLI_MIRROR_SYNC_VARIABLES");
    const json shown = json::parse(home.run({"--config", file, "config", "show", "--json"}).output);
    EXPECT_EQ(find_setting(shown, "sync.variables")["value"], R"(["a \"b\\", "c"])");
    EXPECT_THAT(find_setting(shown, "sync.variables")["origin"].get<std::string>(), HasSubstr(file + ":"));
}

TEST(ConfigCommand, HidesAPasswordInAUrl)
{
    Home home;
    home.environment["ALLI_MIRROR_UPSTREAM_URL"] = "https://me:hidden@backend.alli.ai";
    EXPECT_THAT(home.run({"config", "show"}).output, Not(HasSubstr("hidden")));
    const auto checked = home.run({"config", "check"});
    EXPECT_EQ(checked.code, 2);
    EXPECT_THAT(checked.errors, Not(HasSubstr("hidden")));
}

TEST(ConfigCommand, HidesAKeyWhereItsFilesNameBelongs)
{
    Home home;
    home.environment["ALLI_MIRROR_UPSTREAM_API_KEY_FILE"] = "canary-key-7";
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"config", "show"}, {"config", "show", "--json"}, {"config", "check"}, {"sync"}}) {
        const auto finished = home.run(words);
        EXPECT_THAT(finished.output + finished.errors, Not(HasSubstr("canary")));
    }
    EXPECT_EQ(home.run({"config", "check"}).code, 2);
}

TEST(ConfigCommand, ChecksEverythingAtOnce)
{
    Home home;
    const std::string file =
        home.write("config.toml", "[sync]\ninterval = \"soon\"\nintervall = 1\n[proxy]\nlisten = [\"0.0.0.0:80\"]\n");
    home.environment.erase("ALLI_MIRROR_PROXY_LISTEN");
    const auto finished = home.run({"config", "check", "--config", file, "--upstream-url", "http://example.org"});
    EXPECT_EQ(finished.code, 2);
    EXPECT_THAT(finished.errors, HasSubstr(file + ":2: sync.interval must be a duration"));
    EXPECT_THAT(finished.errors, HasSubstr(file + ":3: there is no setting sync.intervall"));
    EXPECT_THAT(finished.errors, HasSubstr(file + ":5: proxy.listen: 0.0.0.0:80"));
    EXPECT_THAT(finished.errors, HasSubstr("--upstream-url: upstream.url would send the key unencrypted"));
    EXPECT_EQ(json::parse(home.run({"config", "check", "--json", "--config", file}).output)["faults"].size(), 3U);
    EXPECT_EQ(home.run({"config", "check"}).code, 0);
}

TEST(Flags, AreHeededByEveryCommandAndChecked)
{
    const Home home;
    const auto bad = home.run({"status", "--sync-interval", "soon"});
    EXPECT_EQ(bad.code, 2);
    EXPECT_THAT(bad.errors, HasSubstr("--sync-interval: sync.interval must be a duration"));
    EXPECT_THAT(home.run({"status", "--mirror-path", home.path("x/mirror.db")}).errors,
                HasSubstr("there is no mirror at " + home.path("x/mirror.db")));
}

class CompletionsCommand : public testing::Test {
  protected:
    CompletionsCommand()
    {
        home.environment["PATH"] = fs::path(ALLI_MIRROR_BINARY).parent_path().string() + ":/usr/bin:/bin";
    }
    std::string complete(const std::string& words, int at) const
    {
        return support::run_process({"/bin/bash", "-c",
                                     "source <(alli-mirror completions bash); COMP_WORDS=(" + words + "); COMP_CWORD=" +
                                         std::to_string(at) + "; _alli_mirror; echo ${COMPREPLY[@]}"},
                                    home.environment)
            .output;
    }

    Home home;
};

TEST_F(CompletionsCommand, AreReadByTheShellAndComplete)
{
    EXPECT_EQ(complete("alli-mirror sea", 1), "search\n");
    EXPECT_EQ(complete("alli-mirror outbox dis", 2), "discard\n");
    EXPECT_EQ(complete("alli-mirror search x --sort ''", 4), "newest relevance\n");
    EXPECT_THAT(complete("alli-mirror status ''", 2), HasSubstr("--json"));
    EXPECT_EQ(complete("alli-mirror export --format ''", 3), "jsonl csv markdown sqlite\n");
    EXPECT_EQ(complete("alli-mirror show x --format ''", 4), "text markdown json\n");
    EXPECT_EQ(complete("alli-mirror export --log-level ''", 3), "debug info warn error\n");
    home.write("home.toml", "");
    EXPECT_EQ(complete("alli-mirror --config " + home.path("hom"), 2), home.path("home.toml") + "\n");
    EXPECT_THAT(home.run({"completions", "zsh"}).output, testing::StartsWith("#compdef alli-mirror"));
    EXPECT_THAT(home.run({"completions", "fish"}).output, HasSubstr("complete -c alli-mirror"));
    EXPECT_EQ(home.run({"completions", "tcsh"}).code, 2);
}

TEST_F(CompletionsCommand, OfferTheMirrorsConversationsAndStaySilentWithoutOne)
{
    const auto none = home.run({"__complete", "show", "x"});
    EXPECT_EQ(none.code, 0);
    EXPECT_EQ(none.output + none.errors, "");
    const sandbox::Sandbox upstream{small_sandbox()};
    home.use(upstream);
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const auto listed = nlohmann::json::parse(home.run({"list", "--json"}).output)["conversations"];
    ASSERT_EQ(listed.size(), 12U);
    std::string all;
    for (const auto& conversation : listed) all += conversation["id"].get<std::string>() + ' ';
    all.back() = '\n';
    EXPECT_EQ(complete("alli-mirror show ''", 2), all) << "newest first";
    const auto id = listed[3]["id"].get<std::string>();
    EXPECT_EQ(complete("alli-mirror show " + id, 2), id + "\n");
    EXPECT_EQ(complete("alli-mirror --mirror-path " + home.path("other.db") + " show ''", 4),
              "--help --format --json\n");
    const auto one = home.run({"__complete", "purge", "--conversation", id});
    EXPECT_EQ(one.output, id + "\t" + listed[3]["title"].get<std::string>() + "\n");
}

TEST(ManualCommand, NamesEveryCommandAndSetting)
{
    const Home home;
    const std::string commands = home.run({"manual", "alli-mirror.1"}).output;
    for (const char* command : {"serve", "sync", "search", "outbox list", "config show"})
        EXPECT_THAT(commands, HasSubstr(std::string(".SS ") + command + "\n"));
    EXPECT_THAT(home.run({"manual", "alli-mirror.toml.5"}).output, HasSubstr("\\fBrequests_per_second\\fR"));
    EXPECT_THAT(home.run({"--help"}).output, Not(HasSubstr("manual")));
}

} // namespace alli::daemon

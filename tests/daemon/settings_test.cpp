// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "daemon/assign.hpp"
#include "daemon/duration.hpp"
#include "daemon/nearest.hpp"
#include "daemon/settings.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sys/stat.h>

namespace alli::daemon {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

class SettingsFile {
  public:
    explicit SettingsFile(const std::string& text) { std::ofstream(path()) << text; }
    std::string path() const { return directory_ / "config.toml"; }

  private:
    support::TempDir directory_;
};

static Environment with(std::map<std::string, std::string> variables)
{
    return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
}

static std::string complaint(const SettingsFile& file, const Environment& environment = with({}))
{
    try {
        load_settings(file.path(), environment);
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::settings);
        return std::string(error.what()) + "\nhint: " + error.hint();
    }
    return "no complaint";
}

TEST(Settings, HaveDefaultsWithoutAFile)
{
    const Settings settings = load_settings("", with({{"HOME", "/nowhere"}}));
    EXPECT_EQ(settings.config.upstream_url, "https://backend.alli.ai");
    EXPECT_EQ(settings.config.sync_overlap, milliseconds(600'000));
    EXPECT_EQ(settings.config.auth, "api-key");
    EXPECT_TRUE(settings.origins.empty());
}

TEST(Settings, TakeEveryTypeFromTheFile)
{
    const SettingsFile file("[upstream]\nmax_connections = 8\nrequests_per_second = 2.5\n[sync]\ninterval = \"500ms\"\n"
                            "variables = [\"a\", \"b\"]\n[proxy]\nallow_remote = true\n");
    const Settings settings = load_settings(file.path(), with({}));
    EXPECT_EQ(settings.config.max_connections, 8);
    EXPECT_EQ(settings.config.requests_per_second, 2.5);
    EXPECT_EQ(settings.config.sync_interval, milliseconds(500));
    EXPECT_THAT(settings.config.variables, ElementsAre("a", "b"));
    EXPECT_TRUE(settings.config.allow_remote);
    EXPECT_EQ(settings.origins.at("sync.interval"), file.path() + ":5");
}

TEST(Settings, LetTheEnvironmentWinOverTheFile)
{
    const SettingsFile file("[sync]\ninterval = \"5s\"\n");
    const Settings settings = load_settings(file.path(), with({{"ALLI_MIRROR_SYNC_INTERVAL", "7s"},
                                                               {"ALLI_MIRROR_PROXY_LISTEN", "127.0.0.1:0, unix:/x"},
                                                               {"ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND", "0"},
                                                               {"ALLI_MIRROR_PROXY_ALLOW_REMOTE", "true"}}));
    EXPECT_EQ(settings.config.sync_interval, milliseconds(7000));
    EXPECT_THAT(settings.config.listen, ElementsAre("127.0.0.1:0", "unix:/x"));
    EXPECT_EQ(settings.config.requests_per_second, 0);
    EXPECT_TRUE(settings.config.allow_remote);
    EXPECT_EQ(settings.origins.at("sync.interval"), "ALLI_MIRROR_SYNC_INTERVAL");
}

TEST(Settings, NameFileLineAndKeyOfAnUnknownOne)
{
    const SettingsFile file("[sync]\n\nintervall = \"5s\"\n");
    EXPECT_THAT(complaint(file), HasSubstr(file.path() + ":3: there is no setting sync.intervall"));
    EXPECT_THAT(complaint(file), HasSubstr("did you mean sync.interval?"));
}

TEST(Settings, SayWhatIsExpectedWhereAValueIsBad)
{
    struct Case {
        const char* text;
        const char* expected;
    };
    const Case cases[] = {
        {"[sync]\ninterval = \"5 parsecs\"", ":2: sync.interval must be a duration such as"},
        {"[sync]\ninterval = 5", "not 5"},
        {"[sync]\ninterval = \"0ms\"", "must be a duration"},
        {"[sync]\nbackfill_since = \"last week\"", "must be a date"},
        {"[proxy]\nauth = \"off\"", "must be one of api-key, none, not \"off\""},
        {"[proxy]\nauth = \"api-key, none\"", "must be one of"},
        {"[proxy]\nlisten = \"127.0.0.1:1\"", "must be a list of texts"},
        {"[proxy]\nallow_remote = \"yes\"", "must be true or false"},
        {"[upstream]\nmax_connections = 0", "must be a whole number from 1 to 64, not 0"},
        {"[upstream]\nrequests_per_second = -1", "must be a number from 0"},
        {"[upstream]\nurl = 7", "must be a text in quotes"},
        {"sync = 7", "there is no setting sync"},
        {"[sync]\ninterval = ", ":2: "},
        {"[sync]\ninterval = \"1s\"\ninterval = \"2s\"", ":3: "},
    };
    for (const Case& one : cases) EXPECT_THAT(complaint(SettingsFile(one.text)), HasSubstr(one.expected)) << one.text;
}

TEST(Settings, NameTheVariableOfABadValue)
{
    const SettingsFile file("");
    EXPECT_THAT(complaint(file, with({{"ALLI_MIRROR_UPSTREAM_MAX_CONNECTIONS", "many"}})),
                HasSubstr("ALLI_MIRROR_UPSTREAM_MAX_CONNECTIONS: upstream.max_connections must be a whole number"));
}

TEST(Settings, AreRefusedWhereOthersCanWriteThem)
{
    const SettingsFile file("");
    ASSERT_EQ(::chmod(file.path().c_str(), 0646), 0);
    EXPECT_THAT(complaint(file), HasSubstr("can be written by every user"));
    ASSERT_EQ(::chmod(file.path().c_str(), 0644), 0);
    EXPECT_EQ(complaint(file), "no complaint");
}

TEST(Settings, MissTheFileThatWasAskedFor)
{
    EXPECT_THROW(load_settings("/nowhere/config.toml", with({})), Error);
    EXPECT_THROW(load_settings("", with({{"ALLI_MIRROR_CONFIG", "/nowhere/config.toml"}})), Error);
}

TEST(Settings, HaveARowForEveryKeyAndEachOnce)
{
    std::set<std::string_view> keys;
    for (const Setting& setting : setting_table()) {
        EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
        EXPECT_FALSE(setting.help.empty()) << setting.key;
    }
    EXPECT_EQ(keys.size(), 30U);
}

TEST(Settings, AcceptEveryDefaultTheyHave)
{
    for (const Setting& setting : setting_table()) {
        if (!setting.rule.choices.empty()) {
            const auto member = std::get<std::string Config::*>(setting.field);
            Config config;
            EXPECT_EQ(assign(config, setting, Raw(config.*member)), std::nullopt) << setting.key;
        }
    }
}

TEST(Duration, ReadsWholeNumbersWithAUnit)
{
    EXPECT_EQ(read_duration("1ms"), milliseconds(1));
    EXPECT_EQ(read_duration("90s"), milliseconds(90'000));
    EXPECT_EQ(read_duration("10m"), milliseconds(600'000));
    EXPECT_EQ(read_duration("24h"), milliseconds(86'400'000));
    EXPECT_EQ(read_duration("7d"), milliseconds(7 * 86'400'000));
    for (const char* text : {"", "5", "s", "0s", "-1s", "1.5s", "5 s", "1sec", "99999999999999999999s", "9999999999h"})
        EXPECT_EQ(read_duration(text), std::nullopt) << text;
}

TEST(Duration, IsSaidRoughly)
{
    EXPECT_EQ(say_duration(std::chrono::seconds(59)), "59 s");
    EXPECT_EQ(say_duration(std::chrono::minutes(59)), "59 min");
    EXPECT_EQ(say_duration(std::chrono::hours(47)), "47 h");
    EXPECT_EQ(say_duration(std::chrono::hours(72)), "3 days");
}

TEST(Nearest, IsNoneWhenNothingIsMeant)
{
    static constexpr std::string_view words[] = {"serve", "search", "status"};
    EXPECT_EQ(find_nearest("serach", words), "search");
    EXPECT_EQ(find_nearest("stat", words), "status");
    EXPECT_EQ(find_nearest("xyz", words), "");
    EXPECT_EQ(find_nearest("", words), "");
}

} // namespace alli::daemon

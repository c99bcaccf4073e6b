// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "alli/nearest.hpp"
#include "daemon/settings/assign.hpp"
#include "daemon/settings/duration.hpp"
#include "daemon/settings/load_settings.hpp"
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

TEST(Settings, RefuseAListInAVariableThatIsWrittenAsInAFile)
{
    const SettingsFile file("");
    for (const char* odd : {R"(["a","b"])", R"( [ "a" ])", "['a', 'b']", "[]"})
        EXPECT_THAT(complaint(file, with({{"ALLI_MIRROR_SYNC_VARIABLES", odd}})),
                    HasSubstr("ALLI_MIRROR_SYNC_VARIABLES: sync.variables is written as in a file"))
            << odd;
    const Settings settings = load_settings(file.path(), with({{"ALLI_MIRROR_PROXY_LISTEN", "[::1]:8787, [::1]:8788"},
                                                               {"ALLI_MIRROR_SYNC_VARIABLES", "[a], b[\"x\"]"}}));
    EXPECT_THAT(settings.config.listen, ElementsAre("[::1]:8787", "[::1]:8788"));
    EXPECT_THAT(settings.config.variables, ElementsAre("[a]", "b[\"x\"]"));
}

static Environment naming(std::map<std::string, std::string> variables)
{
    std::vector<std::string> names;
    for (const auto& [name, value] : variables) names.push_back(name);
    const auto read = [known = with(std::move(variables))](const std::string& name) { return known(name); };
    return Environment(read, std::move(names));
}

TEST(Settings, NameTheNearestOfAnUnknownVariable)
{
    struct Case {
        const char *name, *meant;
    };
    const Case cases[] = {
        {"ALLI_MIRROR_SYNC_INTERVALL", "did you mean ALLI_MIRROR_SYNC_INTERVAL?"},
        {"ALLI_MIRROR_UPSTREAM__URL", "did you mean ALLI_MIRROR_UPSTREAM_URL?"},
        {"ALLI_MIRROR_LISTEN", "did you mean ALLI_MIRROR_PROXY_LISTEN?"},
        {"ALLI_MIRROR_PATH", "did you mean ALLI_MIRROR_MIRROR_PATH?"},
        {"ALLI_MIRROR_API_KEY", "did you mean ALLI_API_KEY?"},
        {"ALLI_MIRROR_UPSTREAM_API_KEY", "did you mean ALLI_MIRROR_UPSTREAM_API_KEY_FILE?"},
        {"ALLI_MIRROR_PROXY_PORT", "unset it"},
        {"ALLI_MIRROR_", "unset it"},
        {"ALLI_MIRROR_XYZZY_QQQQQ", "unset it; alli-mirror config show"},
    };
    const SettingsFile file("");
    for (const Case& one : cases) {
        const std::string said = complaint(file, naming({{one.name, "secret-value"}}));
        EXPECT_THAT(said, HasSubstr(std::string(one.name) + ": there is no setting of that name"));
        EXPECT_THAT(said, HasSubstr(one.meant)) << one.name;
        EXPECT_THAT(said, testing::Not(HasSubstr("secret-value")));
    }
}

TEST(Settings, KnowTheVariablesThatTheyReadAndThoseOfContainerPlatforms)
{
    const SettingsFile file("");
    std::map<std::string, std::string> variables{{"ALLI_MIRROR_SYNC_INTERVAL", "1s"},
                                                 {"ALLI_MIRROR_CONFIG", file.path()},
                                                 {"ALLI_MIRROR_SERVICE_HOST", "10.0.0.1"},
                                                 {"ALLI_MIRROR_SERVICE_PORT", "8787"},
                                                 {"ALLI_MIRROR_SERVICE_PORT_HTTP", "8787"},
                                                 {"ALLI_MIRROR_PORT", "tcp://10.0.0.1:8787"},
                                                 {"ALLI_MIRROR_PORT_8787_TCP", "tcp://10.0.0.1:8787"},
                                                 {"ALLI_MIRROR_PORT_8787_TCP_ADDR", "10.0.0.1"},
                                                 {"ALLI_MIRROR_SUPPORT_PORT_8787_TCP_PROTO", "tcp"}};
    EXPECT_EQ(complaint(file, naming(variables)), "no complaint");
    variables["ALLI_MIRROR_PORT"] = "8787"; // what a person would write
    EXPECT_THAT(complaint(file, naming(variables)), HasSubstr("ALLI_MIRROR_PORT: there is no setting"));
}

TEST(Settings, TakeVariablesWithWhiteSpaceAroundThemAndRefuseQuotes)
{
    const Settings settings = load_settings("", with({{"ALLI_MIRROR_SYNC_INTERVAL", "30s\r"},
                                                      {"ALLI_MIRROR_PROXY_ALLOW_REMOTE", " true "},
                                                      {"ALLI_MIRROR_UPSTREAM_MAX_CONNECTIONS", "8\n"},
                                                      {"ALLI_MIRROR_UPSTREAM_URL", "https://alli.example\r\n"}}));
    EXPECT_EQ(settings.config.sync_interval, milliseconds(30'000));
    EXPECT_TRUE(settings.config.allow_remote);
    EXPECT_EQ(settings.config.max_connections, 8);
    EXPECT_EQ(settings.config.upstream_url, "https://alli.example");
    const SettingsFile file("");
    for (const char* text : {"\"https://alli.example\"", "'https://alli.example'", "\"https://alli.example\"\r"})
        EXPECT_THAT(complaint(file, with({{"ALLI_MIRROR_UPSTREAM_URL", text}})),
                    HasSubstr("ALLI_MIRROR_UPSTREAM_URL: the value of upstream.url stands in quotes\nhint: leave"));
}

TEST(Settings, TakeAFileAsWindowsWritesItAndRefuseWhatIsNoUtf8)
{
    const SettingsFile file("\xef\xbb\xbf[sync]\r\ninterval = \"5s\"\r\n\r\n[log]\r\nlevel = \"warn\"\r\n");
    const Settings settings = load_settings(file.path(), with({}));
    EXPECT_EQ(settings.config.sync_interval, milliseconds(5000));
    EXPECT_EQ(settings.config.log_level, "warn");
    EXPECT_EQ(settings.origins.at("log.level"), file.path() + ":5");
    EXPECT_THAT(complaint(SettingsFile(std::string("\xff\xfe[\0s\0", 6))), HasSubstr("is UTF-16 text"));
    EXPECT_THAT(complaint(SettingsFile("[log]\nlevel = \"w\xe9rn\"\n")), HasSubstr(":2: "));
}

TEST(Settings, SayWhatIsWrongWithTheFileItself)
{
    const support::TempDir directory;
    const auto said = [&](const std::string& file) {
        try {
            load_settings(file, with({}));
        } catch (const Error& error) {
            return std::string(error.what()) + "\nhint: " + error.hint();
        }
        return std::string("no complaint");
    };
    EXPECT_THAT(said(directory.path()), HasSubstr("is a directory, not a settings file"));
    EXPECT_THAT(said("~/config.toml"), HasSubstr("hint: write the whole path"));
    EXPECT_EQ(said("/dev/null"), "no complaint");
    std::filesystem::create_directory(directory / "alli-mirror");
    std::filesystem::create_symlink(directory / "missing", directory / "alli-mirror/config.toml");
    EXPECT_THROW(load_settings("", with({{"XDG_CONFIG_HOME", directory.path()}})), Error) << "a link to nowhere";
}

TEST(Settings, FindASettingWhoseSectionIsMissing)
{
    EXPECT_THAT(complaint(SettingsFile("interval = \"5s\"\n")), HasSubstr("did you mean sync.interval?"));
    EXPECT_THAT(complaint(SettingsFile("[upstream]\napi_key = \"canary\"\n")),
                testing::AllOf(HasSubstr("did you mean upstream.api_key_file?"), testing::Not(HasSubstr("canary"))));
}

TEST(Settings, HoldTheirNumbersAndDurationsWithinBounds)
{
    struct Case {
        const char* text;
        bool good;
    };
    const Case cases[] = {
        {"[upstream]\nmax_connections = 1", true},
        {"[upstream]\nmax_connections = 64", true},
        {"[upstream]\nmax_connections = 65", false},
        {"[upstream]\nmax_connections = 4.0", false},
        {"[upstream]\nmax_connections = 9223372036854775807", false},
        {"[upstream]\nmax_connections = \"4\"", false},
        {"[upstream]\nrequests_per_second = 0", true},
        {"[upstream]\nrequests_per_second = 0.001", true},
        {"[upstream]\nrequests_per_second = 1000000", true},
        {"[upstream]\nrequests_per_second = 1000001", false},
        {"[upstream]\nrequests_per_second = nan", false},
        {"[upstream]\nrequests_per_second = inf", false},
        {"[upstream]\nrequests_per_second = -0.1", false},
        {"[sync]\ninterval = \"1ms\"", true},
        {"[sync]\ninterval = \"3650d\"", true},
        {"[sync]\ninterval = \"3651d\"", false},
        {"[sync]\ninterval = \"0s\"", false},
        {"[sync]\ninterval = \"1.5s\"", false},
        {"[sync]\ninterval = \"30\"", false},
        {"[sync]\ninterval = \"30 s\"", false},
        {"[sync]\ninterval = \"30S\"", false},
        {"[sync]\ninterval = \"\"", false},
        {"[sync]\ninterval = \"1h30m\"", false},
        {"[sync]\nbackfill_since = \"2026-02-30\"", false},
        {"[sync]\nbackfill_since = 2026-02-03", false},
        {"[sync]\nbackfill_since = \"2026-02-03\"", true},
    };
    for (const Case& one : cases) {
        const std::string said = complaint(SettingsFile(one.text));
        EXPECT_THAT(said, HasSubstr(one.good ? "no complaint" : ":2: ")) << one.text;
    }
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
    EXPECT_EQ(keys.size(), 48U);
}

TEST(Settings, AcceptEveryDefaultTheyHave)
{
    for (const Setting& setting : setting_table()) {
        if (!setting.rule.choices.empty()) {
            const std::string quoted = toml_text(Config{}, setting);
            Config config;
            EXPECT_EQ(assign(config, setting, Raw(quoted.substr(1, quoted.size() - 2))), std::nullopt) << setting.key;
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

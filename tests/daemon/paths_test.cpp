// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "daemon/settings/load_settings.hpp"
#include "daemon/settings/paths.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace alli::daemon {

using testing::ElementsAre;
using testing::HasSubstr;

static Environment with(std::map<std::string, std::string> variables)
{
    return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
}

TEST(Places, PutTheMirrorWhereItIsSetElseWhereTheServiceManagerSaysElseAtHome)
{
    Settings settings;
    EXPECT_EQ(mirror_path(settings, with({{"HOME", "/h"}})), "/h/.local/state/alli-mirror/mirror.db");
    EXPECT_EQ(mirror_path(settings, with({{"HOME", "/h"}, {"XDG_STATE_HOME", "/s"}})), "/s/alli-mirror/mirror.db");
    EXPECT_EQ(mirror_path(settings, with({{"HOME", "/h"}, {"STATE_DIRECTORY", "/v/a:/v/b"}})), "/v/a/mirror.db");
    settings.config.mirror_path = "/set/m.db";
    EXPECT_EQ(mirror_path(settings, with({{"STATE_DIRECTORY", "/v/a"}})), "/set/m.db");
}

TEST(Places, LookForSettingsInOrder)
{
    const support::TempDir directory;
    const auto environment = with({{"ALLI_MIRROR_CONFIG", "/named"}, {"XDG_CONFIG_HOME", directory.path()}});
    EXPECT_EQ(find_settings_file("/given", environment), "/given");
    EXPECT_EQ(find_settings_file("", environment), "/named");

    std::filesystem::create_directory(directory / "alli-mirror");
    std::ofstream(directory / "alli-mirror/config.toml") << "";
    EXPECT_EQ(find_settings_file("", with({{"XDG_CONFIG_HOME", directory.path()}})),
              directory / "alli-mirror/config.toml");
}

TEST(Places, ListenOnASocketWhereThereIsADirectoryForIt)
{
    const Settings settings;
    const support::TempDir run;
    EXPECT_THAT(listen_addresses(settings, with({{"RUNTIME_DIRECTORY", run.path()}})).addresses,
                ElementsAre("127.0.0.1:8787", "unix:" + run / "proxy.sock"));
    EXPECT_THAT(listen_addresses(settings, with({{"XDG_RUNTIME_DIR", run.path()}})).addresses,
                ElementsAre("127.0.0.1:8787", "unix:" + run / "alli-mirror/proxy.sock"));
    EXPECT_EQ(listen_addresses(settings, with({{"XDG_RUNTIME_DIR", run.path()}})).note, "");
    EXPECT_THAT(listen_addresses(settings, with({{"RUNTIME_DIRECTORY", run / "made"}})).addresses,
                ElementsAre("127.0.0.1:8787", "unix:" + run / "made/proxy.sock"));
    EXPECT_THAT(listen_addresses(settings, with({})).addresses, ElementsAre("127.0.0.1:8787"));
    EXPECT_THAT(listen_addresses(settings, with({})).note, HasSubstr("no Unix socket"));
    const std::string deep = run / std::string(200, 'd');
    EXPECT_THAT(listen_addresses(settings, with({{"RUNTIME_DIRECTORY", deep}})).note, HasSubstr("too long"));
}

TEST(Places, CommandsLookForTheSocketUnitsFileBesideTheRuntimeDirectory)
{
    const support::TempDir run;
    const MirrorLocation place{run / "state/mirror.db", false};
    const auto environment = with({{"RUNTIME_DIRECTORY", run / "alli-mirror"}});
    Settings settings;
    const std::string proxy = "unix:" + run / "alli-mirror/proxy.sock", unit = "unix:" + run / "alli-mirror.sock";
    EXPECT_THAT(socket_addresses(settings, place, environment), ElementsAre("127.0.0.1:8787", proxy));
    std::ofstream(run / "alli-mirror.sock") << "";
    EXPECT_THAT(socket_addresses(settings, place, environment), ElementsAre("127.0.0.1:8787", proxy, unit));
    settings = load_settings("", with({{"ALLI_MIRROR_PROXY_LISTEN", "127.0.0.1:9000"}}), {});
    EXPECT_THAT(socket_addresses(settings, place, environment), ElementsAre("127.0.0.1:9000", unit));
    EXPECT_THAT(socket_addresses(settings, place, with({})), ElementsAre("127.0.0.1:9000"));
}

// Of root, or of anybody else.
static std::string foreign_directory(const support::TempDir& directory)
{
    if (::geteuid() != 0) return "/";
    std::filesystem::create_directory(directory / "foreign");
    EXPECT_EQ(::chown((directory / "foreign").c_str(), 54'321, 54'321), 0);
    return directory / "foreign";
}

TEST(Places, ListenOnNoSocketInADirectoryThatIsNotThisUsers)
{
    const support::TempDir run;
    const Settings settings;
    const auto made = [&](const std::string& name, ::mode_t mode) {
        std::filesystem::create_directories(run / name);
        EXPECT_EQ(::chmod((run / name).c_str(), mode), 0);
        return run / name;
    };
    std::ofstream(run / "file") << "";
    std::ofstream(made("taken", 0700) + "/alli-mirror") << "";
    made("open/alli-mirror", 0777);
    std::ofstream(made("other/alli-mirror", 0700) + "/proxy.sock") << "";
    struct Case {
        std::string directory, why;
    };
    const Case cases[] = {
        {run / "missing", " is not there"},
        {run / "file", " is no directory"},
        {foreign_directory(run), " belongs to another user ("},
        {made("group", 0770), " can be written by others"},
        {made("all", 0707), " can be written by others"},
        {run / "taken", "/alli-mirror is no directory"},
        {run / "open", "/alli-mirror can be written by others"},
        {run / "other", "/alli-mirror/proxy.sock is a file of another kind"},
    };
    for (const Case& one : cases) {
        const auto environment = with({{"XDG_RUNTIME_DIR", one.directory}});
        const Listen listen = listen_addresses(settings, environment);
        EXPECT_THAT(listen.addresses, ElementsAre("127.0.0.1:8787")) << one.directory;
        EXPECT_THAT(listen.note, testing::AllOf(HasSubstr("no Unix socket: "), HasSubstr(one.directory + one.why)));
    }
}

TEST(Places, TryTheUsersDirectoryWhereTheServiceManagersCannotBeUsed)
{
    const support::TempDir run;
    std::filesystem::create_directory(run / "open");
    ASSERT_EQ(::chmod((run / "open").c_str(), 0777), 0);
    const auto environment = with({{"RUNTIME_DIRECTORY", run / "open"}, {"XDG_RUNTIME_DIR", run.path()}});
    EXPECT_THAT(listen_addresses(Settings{}, environment).addresses,
                ElementsAre("127.0.0.1:8787", "unix:" + run / "alli-mirror/proxy.sock"));
    EXPECT_THAT(
        socket_addresses(Settings{}, {}, environment),
        ElementsAre("127.0.0.1:8787", "unix:" + run / "open/proxy.sock", "unix:" + run / "alli-mirror/proxy.sock"))
        << "a command asks wherever a daemon may listen";
}

TEST(Places, ReadTheSandboxOnlyWhereNoMirrorIsSetOrMade)
{
    const support::TempDir home;
    const auto environment = with({{"HOME", home.path()}});
    Settings settings;
    EXPECT_FALSE(find_mirror_location(settings, environment).sandbox);

    const std::string sandbox = sandbox_mirror_path(environment);
    make_directory_of(sandbox);
    std::ofstream{sandbox} << "";
    EXPECT_TRUE(find_mirror_location(settings, environment).sandbox);
    EXPECT_EQ(find_mirror_location(settings, environment).mirror_path, sandbox);

    std::ofstream{mirror_path(settings, environment)} << "";
    EXPECT_FALSE(find_mirror_location(settings, environment).sandbox);
    std::filesystem::remove(mirror_path(settings, environment));
    settings.config.mirror_path = home / "other.db";
    EXPECT_FALSE(find_mirror_location(settings, environment).sandbox);
}

TEST(Places, MakeDirectoriesForTheUserAlone)
{
    const support::TempDir home;
    make_directory_of(home / "a/b/mirror.db");
    struct stat status = {};
    ASSERT_EQ(::stat((home / "a/b").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    std::ofstream(home / "file") << "";
    EXPECT_THROW(make_directory_of(home / "file/b/mirror.db"), Error);
    EXPECT_THROW(make_directory_of(home / "file/mirror.db"), Error);
}

TEST(Places, TakeOverNoDirectoryThatOthersCanUse)
{
    const support::TempDir home;
    for (const mode_t mode : {0755, 0750, 0701, 0777, 01777, 02770}) {
        ASSERT_EQ(::chmod(home.path().c_str(), mode), 0);
        try {
            claim_directory_of(home / "mirror.db");
            ADD_FAILURE() << mode;
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::settings);
            EXPECT_THAT(error.hint(), HasSubstr("chmod 700 " + home.path()));
        }
        EXPECT_NO_THROW(make_directory_of(home / "proxy.sock", "proxy.listen")) << "a socket's may be a group's";
    }
    ASSERT_EQ(::chmod(home.path().c_str(), 0700), 0);
    EXPECT_NO_THROW(claim_directory_of(home / "mirror.db"));
    EXPECT_NO_THROW(claim_directory_of(home / "a/b/mirror.db"));
}

} // namespace alli::daemon

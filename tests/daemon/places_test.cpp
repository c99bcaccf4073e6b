// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "daemon/places.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

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
    EXPECT_THAT(listen_addresses(settings, with({{"RUNTIME_DIRECTORY", "/run/alli-mirror"}})).addresses,
                ElementsAre("127.0.0.1:8787", "unix:/run/alli-mirror/proxy.sock"));
    EXPECT_THAT(listen_addresses(settings, with({{"XDG_RUNTIME_DIR", "/run/user/7"}})).addresses,
                ElementsAre("127.0.0.1:8787", "unix:/run/user/7/alli-mirror/proxy.sock"));
    EXPECT_THAT(listen_addresses(settings, with({})).addresses, ElementsAre("127.0.0.1:8787"));
    EXPECT_THAT(listen_addresses(settings, with({})).note, HasSubstr("no Unix socket"));
    const std::string deep(200, 'd');
    EXPECT_THAT(listen_addresses(settings, with({{"RUNTIME_DIRECTORY", "/" + deep}})).note, HasSubstr("too long"));
}

TEST(Places, ReadTheSandboxOnlyWhereNoMirrorIsSetOrMade)
{
    const support::TempDir home;
    const auto environment = with({{"HOME", home.path()}});
    Settings settings;
    EXPECT_FALSE(find_read_place(settings, environment).sandbox);

    const std::string sandbox = sandbox_mirror_path(environment);
    make_directory_of(sandbox);
    std::ofstream{sandbox} << "";
    EXPECT_TRUE(find_read_place(settings, environment).sandbox);
    EXPECT_EQ(find_read_place(settings, environment).mirror_path, sandbox);

    std::ofstream{mirror_path(settings, environment)} << "";
    EXPECT_FALSE(find_read_place(settings, environment).sandbox);
    std::filesystem::remove(mirror_path(settings, environment));
    settings.config.mirror_path = home / "other.db";
    EXPECT_FALSE(find_read_place(settings, environment).sandbox);
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
}

} // namespace alli::daemon

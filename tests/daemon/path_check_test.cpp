// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "daemon/settings/path_check.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace alli::daemon {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const Environment home = [](const std::string& name) {
    return name == "HOME" ? std::optional("/home/anna") : std::nullopt;
};

template <class Check>
std::string complaint(Check check)
{
    try {
        check();
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::settings);
        EXPECT_FALSE(error.hint().empty());
        return std::string(error.what()) + "\nhint: " + error.hint();
    }
    return "no complaint";
}

std::string said_of(const std::string& path, const std::string& origin = "/etc/config.toml:3")
{
    return complaint([&] { check_path("mirror.path", path, origin, home); });
}

TEST(PathCheck, TakesPathsThatMeanTheSameForEverybody)
{
    EXPECT_EQ(said_of("/var/lib/alli-mirror/mirror.db"), "no complaint");
    EXPECT_EQ(said_of("/with blanks/여행/~/m.db"), "no complaint");
    EXPECT_EQ(said_of(""), "no complaint");
    EXPECT_EQ(said_of("m.db", "--mirror-path"), "no complaint") << "a shell has a directory";
    EXPECT_EQ(said_of("m.db", "ALLI_MIRROR_MIRROR_PATH"), "no complaint");
}

TEST(PathCheck, RefusesTheOthersAndSaysWhatToWrite)
{
    EXPECT_THAT(
        said_of("~/m.db"),
        HasSubstr("mirror.path begins with ~, which is the shell's alone\nhint: write the whole path: /home/anna"));
    EXPECT_THAT(said_of("~/m.db", "--mirror-path"), HasSubstr("begins with ~"));
    EXPECT_THAT(said_of("m.db"), HasSubstr("mirror.path is no absolute path"));
    EXPECT_THAT(said_of("./m.db"), HasSubstr("is no absolute path"));
    for (const char* path : {" /m.db", "/m.db ", "/m.db\r", "/m.db\n", "/a\tb"})
        EXPECT_THAT(said_of(path), HasSubstr("has white space around it"));
}

class OnDisk : public testing::Test {
  protected:
    OnDisk()
    {
        fs::create_directories(directory / "folder");
        fs::create_directories(directory / "beside/outbox.db");
        std::ofstream(directory / "file") << "x";
        fs::create_symlink(directory / "missing", directory / "dangling");
        fs::create_symlink(directory / "loop", directory / "loop");
        fs::create_symlink(directory / "file", directory / "link");
        fs::create_directory_symlink(directory / "folder", directory / "shortcut");
    }

    std::string mirror(const std::string& name) const
    {
        return complaint([&] { check_mirror_path(name.starts_with('/') ? name : directory / name); });
    }
    std::string socket(const std::string& name) const
    {
        return complaint([&] { check_socket_path(directory / name); });
    }

    support::TempDir directory;
};

TEST_F(OnDisk, TheMirrorMayBeAFileThatIsThereOrIsMade)
{
    for (const char* name : {"file", "link", "new.db", "folder/new.db", "shortcut/new.db", "made/later/new.db"})
        EXPECT_EQ(mirror(name), "no complaint") << name;
}

TEST_F(OnDisk, TheMirrorMayBeNothingElse)
{
    struct Case {
        const char *name, *said;
    };
    const Case cases[] = {
        {"folder", "mirror.path is a directory: "},
        {"folder", "/folder/mirror.db"},
        {"folder/", "/folder/mirror.db"},
        {"new/", "mirror.path is a directory: "},
        {"folder/.", "mirror.path is a directory: "},
        {"shortcut", "mirror.path is a directory: "},
        {"/dev/null", "mirror.path is a device, a pipe or a socket: /dev/null"},
        {"dangling", "mirror.path is a symbolic link that leads nowhere: "},
        {"dangling/m.db", "/dangling is a symbolic link that leads nowhere"},
        {"loop", "mirror.path is a symbolic link that leads to itself: "},
        {"file/m.db", "/file is a file, not a directory"},
        {"file/below/m.db", "/file is a file, not a directory"},
        {"folder/outbox.db", "mirror.path has the name of a file that lies beside the mirror: "},
        {"folder/alli-mirror.lock", "mirror.path has the name of a file that lies beside"},
        {"beside/m.db", "what lies beside it is a directory: "},
    };
    for (const Case& one : cases) EXPECT_THAT(mirror(one.name), HasSubstr(one.said)) << one.name;
}

TEST_F(OnDisk, ASocketReplacesNoFile)
{
    EXPECT_EQ(socket("new.sock"), "no complaint");
    EXPECT_EQ(socket("made/new.sock"), "no complaint");
    EXPECT_THAT(socket("folder"), HasSubstr("/folder/proxy.sock"));
    EXPECT_THAT(socket("file"), HasSubstr("is a file of another kind"));
    EXPECT_THAT(socket("file/proxy.sock"), HasSubstr("is a file, not a directory"));
}

} // namespace
} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// `backup` through the real program, beside a daemon and without one: the copy is a mirror.
#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <cstdlib>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

class BackupCommand : public testing::Test {
  protected:
    BackupCommand()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
    }

    std::vector<std::string> left_beside_the_mirror() const
    {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(fs::path(home.mirror()).parent_path()))
            if (entry.is_directory()) names.push_back(entry.path().filename());
        return names;
    }

    sandbox::Sandbox upstream{small_sandbox()};
    Home home;
};

TEST_F(BackupCommand, CopiesBesideADaemonAndTheCopyIsAMirror)
{
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const auto whole = home.run({"export"});
    const auto made = home.run({"backup", home.path("copy"), "--json"});
    ASSERT_EQ(made.code, 0) << made.errors;
    EXPECT_EQ(json::parse(made.output)["conversations"], 12);
    EXPECT_EQ(json::parse(made.output)["directory"], home.path("copy"));
    EXPECT_EQ(fs::status(home.path("copy")).permissions(), fs::perms(0700));
    EXPECT_THAT(left_beside_the_mirror(), testing::IsEmpty());
    EXPECT_EQ(home.run({"backup", home.path("no/where")}).code, 2);
    EXPECT_EQ(home.run({"verify"}).code, 0);
    EXPECT_EQ(daemon.stop(), 0);

    home.environment["ALLI_MIRROR_MIRROR_PATH"] = home.path("copy/mirror.db");
    EXPECT_EQ(home.run({"export"}).output, whole.output);
    EXPECT_EQ(home.run({"verify"}).code, 0);
    EXPECT_EQ(home.run({"sync"}).code, 0);
}

TEST_F(BackupCommand, WorksWithoutADaemonAndPutsOneAfterTheOtherIntoADirectory)
{
    EXPECT_EQ(home.run({"backup", home.path("copy")}).code, 1) << "there is no mirror";
    ASSERT_EQ(home.run({"sync"}).code, 0);
    fs::create_directory(home.path("copies"));
    const auto made = home.run({"backup", home.path("copies")});
    EXPECT_EQ(made.code, 0) << made.errors;
    EXPECT_THAT(made.output, HasSubstr("12 conversations"));
    int copies = 0;
    for (const auto& entry : fs::directory_iterator(home.path("copies"))) {
        EXPECT_TRUE(fs::exists(entry.path() / "mirror.db") && fs::exists(entry.path() / "outbox.db"));
        ++copies;
    }
    EXPECT_EQ(copies, 1);
    EXPECT_EQ(home.run({"backup", home.mirror()}).code, 2) << "a file is there";
}

// A place on another file system, where a name cannot simply be moved.
TEST_F(BackupCommand, GoesToAnotherFileSystem)
{
    const fs::path other = "/dev/shm";
    struct stat here = {}, there = {};
    if (::stat(home.path("").c_str(), &here) != 0 || ::stat(other.c_str(), &there) != 0 || here.st_dev == there.st_dev)
        GTEST_SKIP() << "there is none";
    ASSERT_EQ(home.run({"sync"}).code, 0);
    std::string directory = other / "alli-test-XXXXXX";
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    const auto made = home.run({"backup", directory + "/copy"});
    EXPECT_EQ(made.code, 0) << made.errors;
    EXPECT_EQ(fs::status(directory + "/copy").permissions(), fs::perms(0700));
    EXPECT_EQ(fs::status(directory + "/copy/mirror.db").permissions(), fs::perms(0600));
    EXPECT_FALSE(fs::exists(directory + "/copy.partial"));
    EXPECT_THAT(left_beside_the_mirror(), testing::IsEmpty());
    home.environment["ALLI_MIRROR_MIRROR_PATH"] = directory + "/copy/mirror.db";
    EXPECT_EQ(home.run({"verify"}).code, 0);
    fs::remove_all(directory);
}

} // namespace alli::daemon

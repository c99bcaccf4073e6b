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
    const auto made = home.run({"backup", home.path("copies"), "--json"});
    ASSERT_EQ(made.code, 0) << made.errors;
    EXPECT_EQ(json::parse(made.output)["conversations"], 12);
    const std::string copy = json::parse(made.output)["directory"];
    EXPECT_THAT(copy, testing::StartsWith(home.path("copies/alli-mirror-2")));
    EXPECT_EQ(fs::status(home.path("copies")).permissions(), fs::perms(0700));
    EXPECT_EQ(fs::status(copy).permissions(), fs::perms(0700));
    EXPECT_THAT(daemon.get("/metrics").body, HasSubstr("\nalli_mirror_last_backup_timestamp_seconds "));
    EXPECT_THAT(left_beside_the_mirror(), testing::IsEmpty());
    EXPECT_EQ(home.run({"backup", home.path("no/where")}).code, 2);
    EXPECT_EQ(home.run({"verify"}).code, 0);
    EXPECT_EQ(daemon.stop(), 0);

    home.environment["ALLI_MIRROR_MIRROR_PATH"] = copy + "/mirror.db";
    EXPECT_EQ(home.run({"export"}).output, whole.output);
    EXPECT_EQ(home.run({"verify"}).code, 0);
    EXPECT_EQ(home.run({"sync"}).code, 0);
}

TEST_F(BackupCommand, WorksWithoutADaemonAndKeepsTheLatest)
{
    EXPECT_EQ(home.run({"backup", home.path("copies")}).code, 1) << "there is no mirror";
    ASSERT_EQ(home.run({"sync"}).code, 0);
    fs::create_directory(home.path("copies"));
    fs::create_directory(home.path("copies/alli-mirror-2026-notes"));
    std::vector<std::string> made;
    for (int n = 0; n < 3; ++n) {
        const auto backup = home.run({"backup", home.path("copies"), "--keep", "2", "--json"});
        ASSERT_EQ(backup.code, 0) << backup.errors;
        made.push_back(json::parse(backup.output)["directory"]);
    }
    EXPECT_FALSE(fs::exists(made[0]));
    for (const int n : {1, 2})
        EXPECT_TRUE(fs::exists(made[n] + "/mirror.db") && fs::exists(made[n] + "/outbox.db")) << made[n];
    EXPECT_TRUE(fs::exists(home.path("copies/alli-mirror-2026-notes"))) << "it is no backup";
    EXPECT_EQ(home.run({"backup", home.mirror()}).code, 2) << "a file is there";
    EXPECT_EQ(home.run({"backup", home.path("copies"), "--keep", "0"}).code, 2);
}

// A directory that two mirrors share, a clock that was ahead, and a copy that a power cut left.
TEST_F(BackupCommand, RemovesNeitherAnotherMirrorsNorItsOwnNorCountsWhatIsNotWhole)
{
    Home other;
    other.use(upstream);
    ASSERT_EQ(home.run({"sync"}).code, 0);
    ASSERT_EQ(other.run({"sync"}).code, 0);
    const std::string copies = home.path("copies");
    const auto back_up = [&](const Home& from) {
        const auto made = from.run({"backup", copies, "--keep", "1", "--json"});
        EXPECT_EQ(made.code, 0) << made.errors;
        return fs::path(json::parse(made.output).value("directory", ""));
    };
    const fs::path theirs = back_up(other);
    const fs::path ahead = copies + "/alli-mirror-2099-01-01T00-00-00Z";
    fs::rename(back_up(home), ahead);
    const fs::path torn = copies + "/alli-mirror-2099-01-02T00-00-00Z.partial";
    fs::copy(ahead, torn);
    const fs::path made = back_up(home);
    EXPECT_TRUE(fs::exists(theirs / "outbox.db"));
    EXPECT_TRUE(fs::exists(made / "mirror.db"));
    EXPECT_FALSE(fs::exists(ahead)) << "its own, and older";
    EXPECT_TRUE(fs::exists(torn)) << "it is no backup";

    const auto ours = home.run({"restore", copies, "--dry-run", "--json"});
    EXPECT_EQ(json::parse(ours.output).value("directory", ""), made) << ours.errors;
    const auto of_others = other.run({"restore", copies, "--dry-run", "--json"});
    EXPECT_EQ(json::parse(of_others.output).value("directory", ""), theirs) << of_others.errors;
    Home third;
    third.use(upstream);
    const auto unclear = third.run({"restore", copies, "--dry-run"});
    EXPECT_EQ(unclear.code, 2);
    EXPECT_THAT(unclear.errors, HasSubstr("there are backups of several mirrors"));
    for (const auto& entry : fs::directory_iterator(made)) // a look at whose it is leaves nothing beside it
        EXPECT_EQ(entry.path().extension(), ".db");
}

TEST_F(BackupCommand, WithoutADirectoryItStaysBesideTheMirror)
{
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    for (int n = 0; n < 2; ++n) ASSERT_EQ(home.run({"backup", "--keep", "1"}).code, 0);
    const fs::path backups = fs::path(home.mirror()).parent_path() / "backups";
    EXPECT_EQ(std::distance(fs::directory_iterator(backups), {}), 1);
    EXPECT_EQ(home.run({"restore", backups, "--dry-run"}).code, 0);
    EXPECT_EQ(daemon.stop(), 0);
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
    const auto made = home.run({"backup", directory, "--json"});
    EXPECT_EQ(made.code, 0) << made.errors;
    const std::string copy = json::parse(made.output)["directory"];
    EXPECT_EQ(fs::status(copy).permissions(), fs::perms(0700));
    EXPECT_EQ(fs::status(copy + "/mirror.db").permissions(), fs::perms(0600));
    EXPECT_FALSE(fs::exists(copy + ".partial"));
    EXPECT_THAT(left_beside_the_mirror(), testing::IsEmpty());
    home.environment["ALLI_MIRROR_MIRROR_PATH"] = copy + "/mirror.db";
    EXPECT_EQ(home.run({"verify"}).code, 0);
    fs::remove_all(directory);
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// `backup` through the real program, beside a daemon and without one: the copy is a mirror.
#include "tests/daemon/daemon.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

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

TEST_F(BackupCommand, RemovesWhatACommandThatWasKilledLeftHoursAgo)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const std::string copies = home.path("copies");
    const std::string left = copies + "/alli-mirror-2026-01-31T02-00-00Z.partial",
                      young = copies + "/alli-mirror-2026-02-01T02-00-00Z.partial", others = copies + "/notes.partial";
    const auto age = [](const std::string& path, int minutes) {
        fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::minutes(minutes));
    };
    for (const std::string& directory : {left, young, others}) {
        fs::create_directories(directory);
        std::ofstream(directory + "/mirror.db") << "x";
        age(directory + "/mirror.db", directory == young ? 60 : 180);
        age(directory, 180);
    }
    ASSERT_EQ(home.run({"backup", copies}).code, 0);
    EXPECT_FALSE(fs::exists(left));
    EXPECT_TRUE(fs::exists(young)) << "it is being copied, for all that is known";
    EXPECT_TRUE(fs::exists(others));
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

/// A service that was taken over: it holds the mirror's lock, and says what the test wants it to.
class UntrueService {
  public:
    explicit UntrueService(Home& home) : mirror_(home.mirror())
    {
        fs::create_directories(fs::path(mirror_).parent_path());
        std::ofstream(mirror_) << "";
        lock_ = ::open((fs::path(mirror_).parent_path() / "alli-mirror.lock").c_str(), O_RDWR | O_CREAT, 0600);
        const std::string pid = std::to_string(::getpid()) + "\n";
        EXPECT_EQ(::write(lock_, pid.data(), pid.size()), static_cast<::ssize_t>(pid.size()));
        EXPECT_EQ(::flock(lock_, LOCK_EX | LOCK_NB), 0);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = server_.url().substr(7);
    }
    ~UntrueService() { ::close(lock_); }
    UntrueService(const UntrueService&) = delete;
    UntrueService& operator=(const UntrueService&) = delete;

    json result{{"madeAt", "2026-01-31T02:00:00Z"}, {"conversations", 1}, {"chats", 1}, {"heldWrites", 0}};

  private:
    std::string answer_to(const upstream_test::Heard& heard) const
    {
        if (heard.method == "POST") return R"({"id":"1"})";
        return json{{"state", "done"}, {"result", result}}.dump();
    }

    std::string mirror_;
    int lock_ = -1;
    upstream_test::ScriptedServer server_{
        [this](const upstream_test::Heard& heard) { return upstream_test::answer(200, answer_to(heard)); }};
};

// The command may be root's: what it moves and removes is never the service's choice.
TEST_F(BackupCommand, TakesNothingButACopyBesideTheMirrorFromAService)
{
    UntrueService service(home);
    const fs::path copies = home.path("copies"), beside = fs::path(home.mirror()).parent_path();
    fs::create_directories(copies / "alli-mirror-2026-01-01T00-00-00Z");
    fs::create_directories(home.path("elsewhere/.alli-mirror-backup-x"));
    fs::create_directory(beside / "other");
    std::ofstream(beside / ".alli-mirror-backup-file") << "";
    fs::create_directory_symlink(copies, beside / ".alli-mirror-backup-link");
    const std::vector<json> untrue{copies.string(),
                                   home.path("elsewhere/.alli-mirror-backup-x"),
                                   (beside / ".alli-mirror-backup-y/../../../../copies").string(),
                                   (beside / ".alli-mirror-backup-link/").string(),
                                   (beside / "other").string(),
                                   (beside / ".alli-mirror-backup-file").string(),
                                   (beside / ".alli-mirror-backup-link").string(),
                                   (beside / ".alli-mirror-backup-none").string(),
                                   "",
                                   7,
                                   nullptr,
                                   beside.string()}; // no path outside of the home: a test may fail
    for (const json& directory : untrue) {
        service.result["directory"] = directory;
        const auto made = home.run({"backup", copies});
        EXPECT_EQ(made.code, 1) << directory << made.output << made.errors;
        EXPECT_THAT(made.errors, HasSubstr("no copy beside the mirror: ")) << directory;
    }
    EXPECT_TRUE(fs::exists(copies / "alli-mirror-2026-01-01T00-00-00Z"));
    EXPECT_EQ(std::distance(fs::directory_iterator(copies), {}), 1);
    for (const char* name : {"other", ".alli-mirror-backup-file", ".alli-mirror-backup-link", "mirror.db"})
        EXPECT_TRUE(fs::exists(beside / name)) << name;
    EXPECT_TRUE(fs::exists(home.path("elsewhere/.alli-mirror-backup-x")));

    fs::create_directory(beside / ".alli-mirror-backup-z");
    service.result["directory"] = (beside / ".alli-mirror-backup-z").string();
    service.result["madeAt"] = "../../x";
    EXPECT_EQ(home.run({"backup", copies}).code, 1);
    EXPECT_TRUE(fs::exists(beside / ".alli-mirror-backup-z"));
    service.result["madeAt"] = "2026-01-31T02:00:00Z";
    service.result.erase("chats");
    EXPECT_EQ(home.run({"backup", copies}).code, 1);
    service.result["chats"] = 1;
    EXPECT_EQ(home.run({"backup", copies}).code, 0);
    EXPECT_TRUE(fs::exists(copies / "alli-mirror-2026-01-31T02-00-00Z"));
}

// What lies in a copy on another disk was put there by the service: root reads no file of others for it.
TEST_F(BackupCommand, FollowsNoLinkOutOfACopy)
{
    const fs::path other = "/dev/shm";
    struct stat here = {}, there = {};
    if (::stat(home.path("").c_str(), &here) != 0 || ::stat(other.c_str(), &there) != 0 || here.st_dev == there.st_dev)
        GTEST_SKIP() << "there is no other file system";
    std::string directory = other / "alli-test-XXXXXX";
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    UntrueService service(home);
    const fs::path copy = fs::path(home.mirror()).parent_path() / ".alli-mirror-backup-z";
    fs::create_directory(copy);
    fs::create_symlink(home.write("secret", "secret"), copy / "outbox.db");
    service.result["directory"] = copy.string();
    const auto made = home.run({"backup", directory});
    EXPECT_EQ(made.code, 1) << made.output << made.errors;
    EXPECT_TRUE(fs::is_empty(directory));
    EXPECT_TRUE(fs::exists(home.path("secret")));
    fs::remove_all(directory);
}

} // namespace alli::daemon

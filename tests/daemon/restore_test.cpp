// SPDX-License-Identifier: Apache-2.0
// `restore` through the real program: without a daemon, and with one, which starts itself anew for it.
#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

class RestoreCommand : public testing::Test {
  protected:
    RestoreCommand()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_INITIAL"] = "1ms";
    }

    std::string back_up()
    {
        const auto made = home.run({"backup", home.path("copies"), "--json"});
        EXPECT_EQ(made.code, 0) << made.errors;
        return json::parse(made.output)["directory"];
    }

    support::HttpReply title(const Daemon& daemon, const std::string& id, const std::string& title) const
    {
        return support::http(daemon.port, "PUT", "/webapi/v2/conversations/" + id + "/title", {{"API-KEY", "sandbox"}},
                             json{{"title", title}}.dump());
    }

    std::string first_id(const Daemon& daemon) const
    {
        std::string id = json::parse(daemon.get("/webapi/v2/conversations").body)["conversations"][0]["id"];
        for (auto at = id.find('+'); at != id.npos; at = id.find('+')) id.replace(at, 1, "%2B");
        return id;
    }

    std::vector<std::string> beside_the_mirror(const std::string& part) const
    {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(fs::path(home.mirror()).parent_path()))
            if (entry.path().filename().string().find(part) != std::string::npos)
                names.push_back(entry.path().filename());
        return names;
    }

    sandbox::Sandbox upstream{small_sandbox()};
    Home home;
};

TEST_F(RestoreCommand, WithoutADaemonItPutsTheLatestBackupIntoThePlaceOfTheFiles)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const auto whole = home.run({"export"}).output;
    back_up();
    back_up();
    fs::remove(home.mirror());
    EXPECT_EQ(home.run({"restore", home.path("copies")}).code, 1) << "it asks first, and nobody said yes";
    const auto asked = home.run({"restore", home.path("copies"), "--json"});
    EXPECT_EQ(asked.code, 1);
    EXPECT_EQ(asked.output, "") << "who reads JSON is not asked in between";
    EXPECT_THAT(asked.errors, HasSubstr("Restore it? [y/N] "));
    EXPECT_THAT(beside_the_mirror("restore."), testing::IsEmpty());
    const auto tried = home.run({"restore", home.path("copies"), "--dry-run"});
    EXPECT_EQ(tried.code, 0) << tried.errors;
    EXPECT_THAT(tried.output, HasSubstr("checked: 12 conversations"));

    const auto restored = home.run({"restore", home.path("copies"), "--yes"});
    EXPECT_EQ(restored.code, 0) << restored.errors;
    EXPECT_THAT(restored.output, HasSubstr("restored from a backup of "));
    EXPECT_EQ(home.run({"export"}).output, whole);
    EXPECT_EQ(home.run({"verify"}).code, 0);
    EXPECT_EQ(home.run({"restore", home.path("nowhere"), "--yes"}).code, 2);
    EXPECT_EQ(home.run({"restore", home.path(""), "--yes"}).code, 2);
}

TEST_F(RestoreCommand, OfRootEverythingBesideAMirrorIsItsUsersWhateverRootDid)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    constexpr ::uid_t user = 54'321;
    const fs::path beside = fs::path(home.mirror()).parent_path();
    ASSERT_EQ(home.run({"sync"}).code, 0);
    fs::create_directory(home.path("copies"));
    fs::permissions(home.path("copies"), fs::perms(0700)); // root's alone
    for (fs::path at = beside.parent_path(); at != fs::path(home.path("")).parent_path().parent_path();
         at = at.parent_path())
        fs::permissions(at, fs::perms(0711));
    const auto give_all = [&] {
        ASSERT_EQ(::chown(beside.c_str(), user, user), 0);
        for (const auto& file : fs::directory_iterator(beside)) ASSERT_EQ(::lchown(file.path().c_str(), user, user), 0);
    };
    give_all();
    const auto expect_all_of_user = [&](const std::string& after) {
        for (const auto& file : fs::recursive_directory_iterator(beside)) {
            struct stat status = {};
            ASSERT_EQ(::lstat(file.path().c_str(), &status), 0);
            EXPECT_EQ(status.st_uid, user) << file.path() << " after " << after;
            EXPECT_EQ(status.st_gid, user) << file.path() << " after " << after;
        }
    };
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"verify"},
                                               {"backup"},
                                               {"backup", home.path("copies")},
                                               {"purge", "--user", "nobody", "--yes"},
                                               {"restore", home.path("copies"), "--dry-run"},
                                               {"restore", home.path("copies"), "--yes"}}) {
        const auto done = home.run(words);
        EXPECT_EQ(done.code, 0) << words.front() << ": " << done.errors;
        expect_all_of_user(words.front());
        std::ofstream(home.mirror() + ".damaged") << "a page was wrong"; // the next one makes it anew
        give_all();
        EXPECT_EQ(home.run({"verify"}).code, 0);
        expect_all_of_user("a start with a damaged mirror");
        ASSERT_EQ(home.run({"sync"}).code, 0);
        give_all();
    }
}

TEST_F(RestoreCommand, ThatFailsOrIsDeclinedLeavesNoCopy)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    back_up();
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    home.environment["ALLI_API_KEY"] = "another";
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0"; // by its key, which is not this one
    const auto refused = home.run({"restore", home.path("copies"), "--yes", "--other-project"});
    EXPECT_NE(refused.code, 0) << refused.output;
    EXPECT_THAT(beside_the_mirror("restore."), testing::IsEmpty()) << refused.errors;
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(RestoreCommand, WithADaemonThatStartsItselfAnewAndServesWhatWasRestored)
{
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const std::string id = first_id(daemon);
    upstream.set_faults({{sandbox::FaultRule::Kind::unavailable_html, "setConversationTitle"}});
    ASSERT_EQ(title(daemon, id, "before the backup").status, 202);
    const std::string backup = back_up();
    ASSERT_EQ(title(daemon, id, "after the backup").status, 202);
    const auto feed = json::parse(daemon.get("/mirror/v1/changes?since=0").body)["next"];
    ASSERT_EQ(home.run({"token", "new", "reports", "--scope", "read"}).code, 0);

    const auto restored = home.run({"restore", backup, "--yes"});
    EXPECT_EQ(restored.code, 0) << restored.errors;
    EXPECT_THAT(restored.output, HasSubstr("1 write accepted since"));
    const std::string hello = daemon.process.wait_for_line("restored from a backup of ");
    EXPECT_THAT(beside_the_mirror(".replaced-"), testing::Not(testing::IsEmpty()));
    const auto listed = json::parse(home.run({"outbox", "list", "--json"}).output)["entries"];
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0]["state"], "conflict");
    EXPECT_THAT(std::string(listed[0]["lastError"]), HasSubstr("from a backup of 2"));
    EXPECT_THAT(std::string(listed[0]["change"]), HasSubstr("to \"before the backup\""));
    EXPECT_EQ(home.run({"outbox", "retry", "--state", "conflict", "--all"}).code, 1) << "it asks first";
    EXPECT_EQ(home.run({"outbox", "retry", "--state", "failed", "--all", "--yes"}).output, "nothing in that state\n");
    EXPECT_THAT(home.run({"outbox", "retry", "--state", "conflict", "--all", "--yes"}).output,
                HasSubstr("1 of 1 writes will be sent again"));
    EXPECT_EQ(home.run({"outbox", "list", "--state", "conflict", "--json"}).output.find("before the backup"),
              std::string::npos);
    EXPECT_THAT(home.run({"token", "list"}).output, HasSubstr("reports"));
    EXPECT_THAT(home.run({"status"}).output, HasSubstr("1 write accepted since")) << "a problem, until it was seen to";
    EXPECT_EQ(home.run({"verify"}).code, 0) << "in the daemon, which is there again";
    daemon.process.send(SIGTERM);
    EXPECT_EQ(daemon.process.wait(), 0) << "it is the same process";
    (void)feed;
}

// The key tells, as each mirror keeps a hash of its own; of one that was replaced, the outbox tells.
TEST_F(RestoreCommand, TakesABackupOfAnotherProjectOnlyWhereItIsSaid)
{
    Home other;
    other.use(upstream, "another-key");
    ASSERT_EQ(home.run({"sync"}).code, 0);
    upstream.set_api_key("another-key");
    ASSERT_EQ(other.run({"sync"}).code, 0);
    const std::string theirs = back_up();
    const auto planned = other.run({"restore", theirs, "--dry-run", "--json"});
    EXPECT_EQ(json::parse(planned.output).value("project", ""), "another") << planned.errors;
    EXPECT_THAT(other.run({"restore", theirs, "--dry-run"}).output, HasSubstr("WARNING: it was kept with another key"));
    const auto refused = other.run({"restore", theirs, "--yes"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.errors, HasSubstr("--other-project"));
    for (const auto& entry : fs::directory_iterator(fs::path(other.mirror()).parent_path()))
        EXPECT_EQ(entry.path().filename().string().find("re"), std::string::npos) << entry.path();

    home.environment["ALLI_API_KEY"] = "rotated";
    const auto ours = home.run({"restore", theirs, "--dry-run", "--json"});
    EXPECT_EQ(json::parse(ours.output).value("project", ""), "ours") << "a copy of this mirror, whatever the key";
    Home fresh; // another machine: by the key alone
    fresh.use(upstream);
    const auto moved = fresh.run({"restore", theirs, "--dry-run", "--json"});
    EXPECT_EQ(json::parse(moved.output).value("project", ""), "ours");
    fresh.environment.erase("ALLI_API_KEY");
    const auto unknown = fresh.run({"restore", theirs, "--dry-run", "--json"});
    EXPECT_EQ(json::parse(unknown.output).value("project", ""), "unknown");
    EXPECT_EQ(other.run({"restore", theirs, "--yes", "--other-project"}).code, 0);
}

TEST_F(RestoreCommand, ASandboxIsNotRestored)
{
    home.environment.erase("ALLI_API_KEY");
    Daemon daemon(home, {"serve", "--sandbox", "--conversations", "3"});
    EXPECT_EQ(home.run({"restore", home.path(""), "--yes"}).code, 2);
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::daemon

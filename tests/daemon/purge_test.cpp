// SPDX-License-Identifier: Apache-2.0
// `purge` through the real program, beside a daemon and without one: nothing is left in any byte of the state
// directory, nothing comes back, and what is asked for by its id is not there.
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;

class PurgeCommand : public testing::Test {
  protected:
    PurgeCommand()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
        home.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "50ms";
        for (const std::string& id : upstream.conversation_ids()) {
            const std::string its = user_of(id);
            if (user.empty()) user = its;
            (!its.empty() && its == user ? theirs : others).push_back(id);
        }
    }

    std::string user_of(const std::string& id) const
    {
        const json conversation = json::parse(upstream.conversation_json(id));
        return conversation["user"].is_object() ? conversation["user"].value("userId", "") : "";
    }

    std::string everything() const
    {
        std::string bytes;
        for (const auto& file :
             std::filesystem::directory_iterator(std::filesystem::path(home.mirror()).parent_path())) {
            std::ifstream stream(file.path(), std::ios::binary);
            bytes.append(std::istreambuf_iterator<char>(stream), {});
        }
        return bytes;
    }

    void expect_no_trace() const
    {
        const std::string bytes = everything();
        EXPECT_EQ(bytes.find(user), std::string::npos) << "the user's id is left";
        for (const std::string& id : theirs) EXPECT_EQ(bytes.find(id), std::string::npos) << id;
        for (const std::string& id : others) EXPECT_NE(bytes.find(id), std::string::npos) << id;
    }

    static std::string path_of(const std::string& id, const std::string& more = "")
    {
        return upstream::conversation_target(ConversationId{id}, more);
    }

    sandbox::Sandbox upstream{small_sandbox(60)};
    std::string user;
    std::vector<std::string> theirs, others;
    Home home;
};

TEST_F(PurgeCommand, ErasesBesideADaemonAndKeepsItFromComingBack)
{
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    ASSERT_FALSE(theirs.empty() || others.empty());
    EXPECT_NE(everything().find(user), std::string::npos) << "else nothing is proved";
    const auto dry = home.run({"purge", "--user", user, "--dry-run", "--json"});
    EXPECT_EQ(dry.code, 0) << dry.errors;
    EXPECT_EQ(json::parse(dry.output)["conversations"], theirs.size());
    for (const auto& more : {std::vector<std::string>{}, {"--json"}}) {
        std::vector<std::string> words{"purge", "--user", user};
        words.insert(words.end(), more.begin(), more.end());
        const auto asked = home.run(words);
        EXPECT_EQ(asked.code, 1) << "it asks first, and nobody said yes";
        EXPECT_THAT(asked.errors, HasSubstr("Erase? [y/N] "));
        EXPECT_THAT(asked.output, testing::Not(HasSubstr("Erase?")));
        EXPECT_TRUE(more.empty() || asked.output.empty()) << "who reads JSON is not asked in between";
    }
    EXPECT_EQ(daemon.get(path_of(theirs.front())).status, 200);

    const auto purged = home.run({"purge", "--user", user, "--yes"});
    EXPECT_EQ(purged.code, 0) << purged.errors;
    EXPECT_THAT(purged.output, HasSubstr("were erased"));
    expect_no_trace();
    const auto passes = upstream.requests().size();
    for (const std::string& id : theirs)
        for (const char* more : {"", "/chats", "/running"})
            EXPECT_EQ(daemon.get(path_of(id, more)).status, 404) << more;
    EXPECT_EQ(support::http(daemon.port, "PUT", path_of(theirs.front(), "/title"),
                            {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}}, R"({"title":"x"})")
                  .status,
              404);
    upstream.add_chat(theirs.front(), "USER", "once more");
    EXPECT_EQ(support::http(daemon.port, "POST", "/mirror/v1/sync", {{"API-KEY", "sandbox"}}).status, 202);
    daemon.wait_for([&](const json&) { return upstream.requests().size() > passes + 3; });
    expect_no_trace();
    for (const char* how : {"", "no-cache"}) { // a list that goes upstream is looked through too
        const auto list = support::http(daemon.port, "GET", "/webapi/v2/conversations?pageSize=50",
                                        {{"API-KEY", "sandbox"}, {"Cache-Control", how}});
        EXPECT_EQ(list.status, 200);
        EXPECT_EQ(list.body.find(user), std::string::npos) << how;
    }
    EXPECT_EQ(daemon.stop(), 0);
    expect_no_trace();
}

TEST_F(PurgeCommand, ErasesWithoutADaemonAndAMirrorMadeAnewStaysWithout)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const auto purged = home.run({"purge", "--user", user, "--yes", "--json"});
    ASSERT_EQ(purged.code, 0) << purged.errors;
    EXPECT_EQ(json::parse(purged.output)["conversations"], theirs.size());
    EXPECT_EQ(json::parse(purged.output)["logsEmptied"], true);
    expect_no_trace();
    ASSERT_EQ(home.run({"sync"}).code, 0);
    expect_no_trace();
    std::filesystem::remove(home.mirror());
    ASSERT_EQ(home.run({"sync"}).code, 0);
    expect_no_trace();
}

TEST_F(PurgeCommand, NamesEveryCopyThatMayHoldWhatWasErased)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    ASSERT_EQ(home.run({"backup"}).code, 0);
    const std::filesystem::path beside = std::filesystem::path(home.mirror()).parent_path();
    const std::vector<std::string> names{"mirror.db.damaged-2026-01-01T00:00:00Z",
                                         "outbox.db.replaced-2026-01-01T00:00:00Z"};
    for (const std::string& name : names) std::ofstream(beside / name) << "x";
    std::filesystem::create_directory(beside / "restore.prepared"); // of a restore that was killed
    std::ofstream(beside / "restore.prepared" / "mirror.db") << "x";
    const auto purged = home.run({"purge", "--user", user, "--yes", "--json"});
    ASSERT_EQ(purged.code, 0) << purged.errors;
    const json copies = json::parse(purged.output)["copies"];
    ASSERT_EQ(copies.size(), 3U) << copies.dump();
    EXPECT_EQ(copies[0], (beside / names[0]).string());
    EXPECT_EQ(copies[1], (beside / names[1]).string());
    EXPECT_THAT(copies[2].get<std::string>(), HasSubstr("/backups/alli-mirror-2"));
    for (const std::string& name : names) EXPECT_THAT(purged.errors, HasSubstr(name));
    EXPECT_FALSE(std::filesystem::exists(beside / "restore.prepared"));
}

TEST_F(PurgeCommand, SaysWhatIsWrong)
{
    EXPECT_EQ(home.run({"purge"}).code, 2);
    EXPECT_EQ(home.run({"purge", "--user", "x", "--before", "2020-01-01"}).code, 2);
    EXPECT_EQ(home.run({"purge", "--before", "soon"}).code, 2);
    EXPECT_EQ(home.run({"purge", "--user", "x"}).code, 1) << "there is no mirror";
}

TEST_F(PurgeCommand, IsNobodysButTheOwnersWithoutAKey)
{
    home.environment["ALLI_MIRROR_PROXY_AUTH"] = "none";
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const auto refused =
        support::http(daemon.port, "POST", "/mirror/v1/maintenance", {}, R"({"task":"purge","user":"x"})");
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(home.run({"purge", "--user", "nobody", "--yes"}).code, 0) << "over the socket it is the same user";
    for (const char* emptied : {"user", "conversation"}) {
        json request{{"task", "purge"}, {"before", "2000-01-01"}};
        request[emptied] = "";
        const auto said = support::run_process({"/usr/bin/curl", "-sS", "--unix-socket", home.path("proxy.sock"), "-d",
                                                request.dump(), "http://localhost/mirror/v1/maintenance"},
                                               {});
        EXPECT_THAT(said.output, HasSubstr("is given and empty")) << said.errors;
    }
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// Files that earlier programs left (make.py made them, with what those programs said of them), opened by today's: what
// was mirrored, waits or was purged is as it was, and goes on from there.
#include "cache/db/migrate.hpp"
#include "cache/db/writer.hpp"
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

#include <map>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::HasSubstr;

sandbox::Options same_sandbox()
{
    sandbox::Options options; // as make.py started it
    options.seed = 25, options.conversations = 12;
    return options;
}

sandbox::FaultRule away()
{
    sandbox::FaultRule rule;
    rule.kind = sandbox::FaultRule::Kind::reset_before;
    return rule;
}

class Upgrade : public testing::TestWithParam<const char*> {
  protected:
    Upgrade()
    {
        const std::string state = std::filesystem::path(home.mirror()).parent_path();
        std::filesystem::create_directories(state);
        std::filesystem::permissions(state, std::filesystem::perms(0700));
        const auto unpacked = support::run_process(
            {"/usr/bin/env", "tar", "xzf", std::string(ALLI_UPGRADE) + "/" + GetParam() + ".tar.gz", "-C", state},
            {{"PATH", "/usr/bin:/bin"}});
        if (unpacked.code != 0) throw std::runtime_error(unpacked.errors);
        about = json::parse(std::ifstream(state + "/about.json"));
        home.use(upstream);
        home.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "100ms";
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
        home.environment["ALLI_MIRROR_PROXY_TOKENS_FILE"] = state + "/tokens";
        for (const std::string& file : {home.mirror(), state + "/outbox.db"}) { // the port is another one
            const cache::Reader keeps_the_log(file, cache::Access::read);
            cache::Writer(file, "FULL").run("UPDATE fact SET value = ?1 WHERE name = 'url'", upstream.url());
        }
        for (const char* log : {"mirror.db-wal", "outbox.db-wal"})
            EXPECT_GT(std::filesystem::file_size(state + '/' + log), 0U) << "a program that was killed leaves it";
        upstream.set_faults({away()});
        upstream.edit_title(about["conflict"], "theirs"); // as it was then
    }

    std::map<std::string, json> exported() const
    {
        const support::Finished done = home.run({"export", "--format", "jsonl"});
        EXPECT_EQ(done.code, 0) << done.errors;
        std::map<std::string, json> conversations;
        std::istringstream lines(done.output);
        for (std::string line; std::getline(lines, line);) {
            json one = json::parse(line);
            const std::string id = one["conversation"]["id"];
            conversations.emplace(id, std::move(one));
        }
        return conversations;
    }

    std::vector<json> entries(const std::string& state) const
    {
        const support::Finished done = home.run({"outbox", "list", "--state", state, "--json"});
        EXPECT_EQ(done.code, 0) << done.errors;
        return json::parse(done.output)["entries"].get<std::vector<json>>();
    }

    void expect_what_waited() const
    {
        std::map<std::int64_t, json> waiting;
        for (const json& entry : entries("pending")) waiting[entry["id"]] = entry;
        EXPECT_EQ(waiting.size(), about["waiting"].size());
        for (const json& then : about["waiting"])
            for (const auto& [ours, theirs] : {std::pair("method", "method"), std::pair("path", "path"),
                                               std::pair("conversationId", "conversation")})
                EXPECT_EQ(waiting[then["id"]][ours], then[theirs]) << then;
        expect_the_conflict();
    }

    void expect_the_conflict() const
    {
        const std::vector<json> conflicts = entries("conflict");
        ASSERT_EQ(conflicts.size(), 1U);
        EXPECT_EQ(conflicts[0]["conversationId"], about["conflict"]);
    }

    void expect_what_was_mirrored() const
    {
        const auto now = exported();
        EXPECT_EQ(now.size(), about["export"].size());
        for (const json& then : about["export"]) {
            const auto found = now.find(then["conversation"]["id"]);
            ASSERT_NE(found, now.end()) << then["conversation"]["id"];
            EXPECT_EQ(found->second, then);
        }
    }

    static std::string words_of(const json& conversation)
    {
        std::string words;
        for (const json& chat : conversation["chats"]) {
            const std::string text = chat["message"];
            if (!text.starts_with('{')) words = '"' + text.substr(0, text.find('\n')) + '"'; // else it is Draft.js
        }
        return words;
    }

#ifdef ALLI_CRASH_PRELOAD
    /// Opens the files with a command that is killed at that call, if it comes to it; each goes on with what the one
    /// before left.
    bool kill_at(const char* call, int number) const
    {
        support::Process::Environment killing = home.environment;
        killing["LD_PRELOAD"] = ALLI_CRASH_PRELOAD;
        killing["ALLI_CRASH_DIRECTORY"] = std::filesystem::path(home.mirror()).parent_path();
        killing["ALLI_CRASH_AT"] = call;
        killing["ALLI_CRASH_NUMBER"] = std::to_string(number);
        return support::run_process(Home::words({"verify"}), killing).code == 128 + SIGKILL;
    }

    void interrupt() const
    {
        int kills = 0;
        for (const int number : {1, 3, 10, 30, 100}) kills += kill_at("write mirror.db-wal", number) ? 1 : 0;
        for (const char* file : {"sync outbox.db-wal", "write mirror.db"}) kills += kill_at(file, 1) ? 1 : 0;
        EXPECT_GE(kills, 4) << "bringing the files up to date was hardly interrupted";
    }
#else
    void interrupt() const {} // a sanitizer wants to be loaded first itself
#endif

    // Once the index is made anew, or a poll brought it.
    static void expect_found(const Daemon& daemon, const std::string& id, const std::string& words)
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        const std::string target = "/mirror/v1/search?limit=100&q=" + upstream::percent_encoded(words);
        std::string found = daemon.get(target).body;
        while (found.find(json(id).dump()) == found.npos && std::chrono::steady_clock::now() < deadline)
            found = daemon.get(target).body;
        EXPECT_THAT(found, HasSubstr(json(id).dump())) << words;
    }

    void expect_search_finds(const Daemon& daemon) const
    {
        for (const json& then : about["export"])
            expect_found(daemon, then["conversation"]["id"], words_of(then["conversation"]));
    }

    // The page of a poll that shows one of them shows the other, too.
    void touch_what_was_purged(const Daemon& daemon)
    {
        upstream.add_chat(about["purged"], "USER", "after the upgrade");
        const std::string another = about["waiting"][0]["conversation"];
        upstream.add_chat(another, "USER", "after the upgrade");
        expect_found(daemon, another, "\"after the upgrade\"");
    }

    void expect_token_works(const Daemon& daemon) const
    {
        const auto ask = [&](const char* method, const std::string& target) {
            return support::http(daemon.port, method, target, {{"API-KEY", about["token"]}}).status;
        };
        EXPECT_EQ(ask("GET", "/mirror/v1/status"), 200);
        if (!about.contains("scope")) return; // one that was written by hand has none, and may write
        EXPECT_EQ(ask("DELETE", upstream::conversation_target(ConversationId{about["conflict"]}, "")), 403);
    }

    // In the order of acceptance for each conversation; nothing twice.
    void expect_delivered() const
    {
        std::map<std::string, std::vector<std::string>> sent, accepted;
        for (const sandbox::WriteRecord& write : upstream.writes()) {
            EXPECT_EQ(write.repeats, 0) << write.operation << ' ' << write.body;
            sent[write.conversation_id].push_back(write.body);
        }
        for (const json& write : about["waiting"]) accepted[write["conversation"]].push_back(write["body"]);
        EXPECT_EQ(sent, accepted);
    }

    sandbox::Sandbox upstream{same_sandbox()};
    Home home;
    json about;
};

TEST_P(Upgrade, KeepsWhatWasMirroredWaitsOrWasPurgedAndDeliversIt)
{
    interrupt();
    {
        Daemon first(home, {"serve"}); // what it does to old files in the background is cut short
        first.process.send(SIGKILL);
        first.process.wait();
    }
    Daemon daemon(home, {"serve"});
    expect_what_was_mirrored();
    expect_what_waited();
    expect_token_works(daemon);
    expect_search_finds(daemon);
    const support::Finished verified = home.run({"verify"});
    EXPECT_EQ(verified.code, 0) << verified.output << verified.errors;

    upstream.set_faults({});
    daemon.wait_for([](const json& status) { return status["outbox"]["pending"] == 0; });
    daemon.wait_until_complete();
    expect_delivered();
    expect_the_conflict();
    if (about.contains("purged")) touch_what_was_purged(daemon);
    auto all = upstream.conversation_ids();
    if (about.contains("purged")) std::erase(all, about["purged"].get<std::string>());
    std::vector<std::string> held;
    for (const auto& [id, one] : exported()) held.push_back(id);
    EXPECT_THAT(held, testing::UnorderedElementsAreArray(all));
    EXPECT_EQ(daemon.stop(), 0);
    const auto before = exported();
    EXPECT_EQ(Daemon(home, {"serve"}).stop(), 0);
    EXPECT_EQ(exported(), before);
}

INSTANTIATE_TEST_SUITE_P(Of, Upgrade, testing::Values("schema-9", "v0.2.0", "schema-17"), [](const auto& one) {
    std::string name = one.param;
    std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
    return name;
});

/// Files of a program that is newer than this one: which of them are.
class NewerFiles : public testing::TestWithParam<std::vector<const char*>> {
  protected:
    std::string path_of(const std::string& name) const
    {
        return std::filesystem::path(home.mirror()).parent_path() / name;
    }

    std::map<std::string, std::string> bytes() const
    {
        std::map<std::string, std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(path_of(""))) {
            const std::string name = entry.path().filename();
            if (name.ends_with(".lock") || name.ends_with("-shm")) continue;
            std::ifstream file(entry.path(), std::ios::binary);
            std::string content{std::istreambuf_iterator<char>(file), {}};
            if (!name.ends_with("-wal") || !content.empty()) all.emplace(name, std::move(content));
        }
        return all;
    }

    sandbox::Sandbox upstream{same_sandbox()};
    Home home;
};

TEST_P(NewerFiles, AreRefusedInOneSentenceAndNothingIsChanged)
{
    home.use(upstream);
    ASSERT_EQ(home.run({"sync"}).code, 0);
    for (const char* name : GetParam()) {
        cache::Writer db(path_of(name), "FULL");
        const bool is_mirror = std::string_view(name) == "mirror.db";
        const auto known = (is_mirror ? cache::mirror_schema : cache::outbox_schema).steps.size();
        db.script("PRAGMA user_version = " + std::to_string(known + 1));
        db.checkpoint(cache::Writer::Checkpoint::truncate);
    }
    const auto before = bytes();
    using Words = std::vector<std::string>;
    for (const Words& words : {Words{"serve"}, Words{"sync"}, Words{"purge", "--user", "nobody", "--yes"},
                               Words{"verify", "--repair"}, Words{"backup", home.path("copy")}}) {
        const support::Finished refused = home.run(words);
        EXPECT_EQ(refused.code, 2) << words[0] << refused.errors;
        EXPECT_THAT(refused.errors, HasSubstr("this program knows")) << words[0];
        EXPECT_THAT(refused.errors, HasSubstr("or a newer one")) << words[0];
        EXPECT_EQ(std::count(refused.errors.begin(), refused.errors.end(), '\n'), 2) << refused.errors;
        EXPECT_TRUE(bytes() == before) << words[0];
    }
}

INSTANTIATE_TEST_SUITE_P(Of, NewerFiles,
                         testing::Values(std::vector{"mirror.db"}, std::vector{"outbox.db"},
                                         std::vector{"mirror.db", "outbox.db"}));

} // namespace
} // namespace alli::daemon

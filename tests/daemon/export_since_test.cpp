// SPDX-License-Identifier: Apache-2.0
// `export --since-last`: an export that goes on with its file. Whatever happened in between, and however often it was
// killed, the SQLite file holds what an export made anew holds; a text grows by what changed and what was deleted.
#include "alli/sync_wait.hpp"
#include "cache/conversations.hpp"
#include "cache/deletions.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/progress.hpp"
#include "cache/store.hpp"
#include "tests/daemon/home.hpp"
#include "tests/support/draws.hpp"
#include "tests/support/make.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <sstream>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExportSince : public testing::Test, protected ::support::Draws {
  protected:
    ExportSince()
    {
        home.environment["ALLI_MIRROR_MIRROR_PATH"] = path;
        open();
    }
    void open(const std::string& url = "http://127.0.0.1:1")
    {
        cache::StoreOptions options;
        options.mirror_path = path;
        options.url = url;
        options.threads = false;
        store = std::make_unique<cache::Store>(options);
    }

    void put(const std::string& id, const std::string& version, int chats = 3)
    {
        std::vector<Chat> made;
        for (int n = 0; n < chats; ++n) {
            json chat = ::support::chat_json(id, n, 1000 + n, version + " of " + std::to_string(n));
            if (n % 2 == 1) chat["citations"] = {{{"title", version}}};
            TimeUnit unit = TimeUnit::seconds;
            made.push_back(read_chat(chat.dump(), unit));
        }
        sync_wait(store->write([&](cache::Writer& db) {
            json more;
            more["title"] = version;
            cache::put_conversation(db, ::support::make_conversation(id, 1000 + chats, more));
            cache::put_chats(db, {id}, 0, made);
        }));
    }
    void erase(const std::string& id)
    {
        sync_wait(store->write([&](cache::Writer& db) { cache::mark_deleted(db, {id}, ::support::at_second(2000)); }));
    }

    support::Finished export_to(const std::string& file, const std::string& format, std::vector<std::string> more = {})
    {
        more.insert(more.begin(), {"export", "--since-last", "--format", format, "--output", file});
        return home.run(std::move(more));
    }
    static std::string read(const std::string& file)
    {
        std::ifstream in(file);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static std::vector<json> lines(const std::string& text)
    {
        std::vector<json> found;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) found.push_back(json::parse(line));
        return found;
    }
    static bool has_ended(int pid)
    {
        const std::string status = read("/proc/" + std::to_string(pid) + "/stat");
        return status.find(") Z") != std::string::npos || status.empty();
    }
    /// All rows of the file's tables.
    static std::string dumped(const std::string& file)
    {
        cache::Connection db(file, cache::Access::read);
        EXPECT_EQ(db.require<std::string>("PRAGMA integrity_check"), "ok");
        std::string all;
        for (const char* sql :
             {"SELECT json_array(conversation_id, title, raw, chats) FROM v_conversation ORDER BY 1",
              "SELECT json_array(conversation_id, ordinal, chat_id, message, time) FROM v_chat ORDER BY 1",
              "SELECT json_array(conversation_id, ordinal, position, title) FROM v_citation ORDER BY 1"})
            for (const std::string& row : db.all<std::string>(sql)) all += row + '\n';
        return all;
    }
    /// What a file made anew holds.
    std::string whole(std::vector<std::string> more = {})
    {
        const std::string file = home.path("whole.db");
        more.insert(more.begin(), {"export", "--format", "sqlite", "--output", file});
        EXPECT_EQ(home.run(std::move(more)).code, 0);
        return dumped(file);
    }

    Home home;
    std::string path = home.path("mirror.db");
    std::unique_ptr<cache::Store> store;
};

TEST_F(ExportSince, BringsASqliteFileUpToDateInItsPlace)
{
    const std::string file = home.path("alli.db");
    for (int n = 0; n < 10; ++n) put("c" + std::to_string(n), "first");
    EXPECT_THAT(export_to(file, "sqlite").errors, HasSubstr("10 conversations in"));
    EXPECT_EQ(dumped(file), whole());
    EXPECT_THAT(export_to(file, "sqlite").errors, HasSubstr("0 conversations changed, 0 deleted"));

    cache::Connection open_meanwhile(file, cache::Access::read);
    EXPECT_EQ(open_meanwhile.require<std::int64_t>("SELECT count(*) FROM v_conversation"), 10);
    put("c1", "second", 30);
    put("c2", "second", 2); // two of three chats differ, the third stays
    put("new", "first");
    erase("c3");
    const auto finished = export_to(file, "sqlite");
    EXPECT_EQ(finished.code, 0) << finished.errors;
    EXPECT_THAT(finished.errors, HasSubstr("3 conversations changed, 1 deleted"));
    EXPECT_EQ(dumped(file), whole());
    EXPECT_EQ(open_meanwhile.require<std::string>("SELECT title FROM v_conversation WHERE conversation_id = 'c1'"),
              "second")
        << "who has it open sees it";
    EXPECT_FALSE(std::filesystem::exists(file + "-journal"));
    EXPECT_EQ(open_meanwhile.require<std::string>("PRAGMA journal_mode"), "delete");

    erase("c1");
    put("c1", "third");
    EXPECT_EQ(export_to(file, "sqlite").code, 0);
    EXPECT_EQ(dumped(file), whole());
}

TEST_F(ExportSince, GoesOnAfterAnyKillAsIfNothingHadHappened)
{
    SCOPED_TRACE("ALLI_SEED=" + std::to_string(seed_));
    const std::string file = home.path("alli.db"), text = home.path("alli.jsonl");
    for (int n = 0; n < 60; ++n) put("c" + std::to_string(n), "first", 40);
    EXPECT_EQ(export_to(file, "sqlite").code, 0);
    EXPECT_EQ(export_to(text, "jsonl").code, 0);
    int killed = 0;
    for (int round = 0; round < 12; ++round) {
        for (int n = 0; n < 25; ++n) put("c" + std::to_string(any(60)), "round " + std::to_string(round), 40);
        if (any(2) == 0) erase("c" + std::to_string(any(60)));
        const bool sqlite = any(2) == 0;
        ::support::Process run(Home::words({"export", "--since-last", "--format", sqlite ? "sqlite" : "jsonl",
                                            "--output", sqlite ? file : text}),
                               home.environment);
        const auto size = std::filesystem::file_size(text);
        const auto writes = [&] {
            return sqlite ? std::filesystem::exists(file + "-journal") : std::filesystem::file_size(text) != size;
        };
        while (!writes() && !has_ended(run.pid())) {
        }
        for (auto calls = any(2000); calls > 0; --calls) writes(); // somewhere in between
        run.send(SIGKILL);
        killed += run.wait() == 0 ? 0 : 1;
    }
    EXPECT_EQ(export_to(file, "sqlite").code, 0);
    EXPECT_EQ(export_to(text, "jsonl").code, 0);
    EXPECT_EQ(dumped(file), whole());
    EXPECT_GT(killed, 0);
    std::map<std::string, json> last; // what a reader of all lines is left with
    for (const json& line : lines(read(text))) {
        const std::string id = line["conversation"]["id"];
        if (line.contains("deleted"))
            last.erase(id);
        else
            last[id] = line;
    }
    std::map<std::string, json> now;
    for (const json& line : lines(home.run({"export"}).output)) now[line["conversation"]["id"]] = line;
    EXPECT_EQ(last, now);
}

TEST_F(ExportSince, GrowsATextByWhatChangedAndWhatWasDeleted)
{
    const std::string file = home.path("alli.jsonl"), table = home.path("alli.csv");
    put("c1", "first");
    put("c2", "first");
    EXPECT_EQ(export_to(file, "jsonl").code, 0);
    EXPECT_EQ(export_to(table, "csv").code, 0);
    const std::string before = read(file), rows = read(table);
    EXPECT_EQ(lines(before).size(), 2U);
    EXPECT_THAT(rows, HasSubstr("citations,deleted\r\n"));
    EXPECT_EQ(export_to(file, "jsonl").code, 0);
    EXPECT_EQ(read(file), before) << "nothing changed";

    put("c2", "second");
    erase("c1");
    EXPECT_EQ(export_to(file, "jsonl").code, 0);
    EXPECT_EQ(export_to(table, "csv").code, 0);
    ASSERT_THAT(read(file), testing::StartsWith(before));
    const auto more = lines(read(file).substr(before.size()));
    ASSERT_EQ(more.size(), 2U);
    EXPECT_EQ(more[0]["conversation"]["title"], "second");
    EXPECT_EQ(more[0]["chats"].size(), 3U);
    EXPECT_EQ(more[1], json::parse(R"({"conversation":{"id":"c1"},"chats":[],"deleted":true})"));
    const std::string added = read(table).substr(rows.size());
    EXPECT_THAT(added, HasSubstr("second of 2"));
    EXPECT_THAT(added, testing::EndsWith("c1,,,,,,,,,,,,,,,,,,,,,true\r\n"));

    std::filesystem::rename(table, home.path("taken.csv")); // by who works on it
    EXPECT_EQ(export_to(table, "csv").code, 0);
    EXPECT_FALSE(std::filesystem::exists(table)) << "nothing changed";
    put("c2", "third");
    EXPECT_EQ(export_to(table, "csv").code, 0);
    EXPECT_THAT(read(table), testing::StartsWith("\xef\xbb\xbf"
                                                 "conversationId,"));
    EXPECT_THAT(read(table), HasSubstr("third of 0"));
    EXPECT_THAT(read(table), testing::Not(HasSubstr("second")));
}

TEST_F(ExportSince, FollowsASearchInASqliteFileAndInAText)
{
    const std::string file = home.path("found.db"), text = home.path("found.jsonl");
    put("c1", "zebra");
    put("c2", "lion");
    EXPECT_EQ(export_to(file, "sqlite", {"zebra"}).code, 0);
    EXPECT_EQ(export_to(text, "jsonl", {"zebra"}).code, 0);
    EXPECT_EQ(lines(read(text)).size(), 1U);
    put("c1", "lion"); // no longer
    put("c2", "zebra");
    put("c3", "lion");
    EXPECT_EQ(export_to(file, "sqlite", {"zebra"}).code, 0);
    EXPECT_EQ(dumped(file), whole({"zebra"}));
    EXPECT_THAT(dumped(file), testing::Not(HasSubstr("lion")));
    EXPECT_EQ(export_to(text, "jsonl", {"zebra"}).code, 0);
    const auto gone = [](const char* id) {
        return json{{"conversation", {{"id", id}}}, {"chats", json::array()}, {"deleted", true}};
    };
    const auto told = lines(read(text));
    ASSERT_EQ(told.size(), 4U);
    EXPECT_EQ(told[1]["conversation"]["id"], "c2");
    EXPECT_EQ(told[2], gone("c1")) << "or it would stand there for ever as it was";
    EXPECT_EQ(told[3], gone("c3"));
}

// What the index of words does not reach yet is found by no search: a text would never have it.
// A search is written anew each time: whoever may read the file may read the next one.
TEST_F(ExportSince, ANewFileInThePlaceOfOneIsReadByTheSamePeople)
{
    namespace fs = std::filesystem;
    const std::string file = home.path("out.db");
    put("a", "apple");
    ASSERT_EQ(export_to(file, "sqlite", {"apple"}).code, 0);
    EXPECT_EQ(fs::status(file).permissions(), fs::perms(0600));
    fs::permissions(file, fs::perms(0644));
    const bool is_root = ::geteuid() == 0;
    ASSERT_TRUE(!is_root || ::chown(file.c_str(), 4711, 4712) == 0);
    put("b", "apple");
    ASSERT_EQ(export_to(file, "sqlite", {"apple"}).code, 0);
    struct stat now = {};
    ASSERT_EQ(::stat(file.c_str(), &now), 0);
    EXPECT_EQ(now.st_mode & 0777U, 0644U);
    EXPECT_TRUE(!is_root || (now.st_uid == 4711 && now.st_gid == 4712));
    ASSERT_EQ(home.run({"export", "--format", "sqlite", "--output", file}).code, 0);
    EXPECT_EQ(fs::status(file).permissions(), fs::perms(0600)) << "one that is made anew is its owner's alone";
}

TEST_F(ExportSince, WaitsForAnIndexThatIsMadeAnewAndAllSayThatSomethingMayBeMissing)
{
    const std::string file = home.path("found.db"), text = home.path("found.jsonl");
    put("c1", "zebra");
    sync_wait(store->write([](cache::Writer& db) {
        const Instant now = ::support::at_second(5000);
        cache::cover(db, {Instant{}, now, now});
        cache::Progress progress;
        progress.unit = TimeUnit::seconds, progress.verified_at = now, progress.chatless_at = now;
        cache::save_progress(db, progress);
    }));
    const char* note = "there may be more";
    const auto say = [&](std::vector<std::string> words) { return home.run(std::move(words)).errors; };
    for (const bool reached : {true, false}) {
        if (!reached)
            sync_wait(
                store->write([](cache::Writer& db) { db.run("UPDATE word_index SET bound = 9223372036854775807"); }));
        for (const auto& words : {std::vector<std::string>{"search", "zebra"}, {"export", "zebra"}})
            EXPECT_EQ(say(words).find(note) == std::string::npos, reached) << words[0];
        const auto listed = json::parse(home.run({"list", "--user", "mina", "--json"}).output);
        EXPECT_EQ(listed["whole"], reached);
        const auto written = export_to(text, "jsonl", {"zebra"});
        EXPECT_EQ(written.code == 0, reached) << written.errors;
        EXPECT_EQ(written.errors.find("is being made anew") == std::string::npos, reached);
        EXPECT_EQ(lines(read(text)).size(), 1U);
        EXPECT_EQ(export_to(file, "sqlite", {"zebra"}).code, 0) << "it asks the search again each time";
        EXPECT_EQ(say({"export"}).find(note), std::string::npos) << "without a search nothing is missing";
    }
}

TEST_F(ExportSince, BeginsAnewWhereTheMirrorDid)
{
    const std::string file = home.path("alli.db"), text = home.path("alli.jsonl");
    put("c1", "first");
    put("c2", "first");
    EXPECT_EQ(export_to(file, "sqlite").code, 0);
    EXPECT_EQ(export_to(text, "jsonl").code, 0);
    store.reset();
    std::filesystem::remove(path);
    for (const char* ending : {"-wal", "-shm"}) std::filesystem::remove(path + ending);
    open();
    put("c2", "second");
    for (const auto& finished : {export_to(file, "sqlite"), export_to(text, "jsonl")}) {
        EXPECT_EQ(finished.code, 0);
        EXPECT_THAT(finished.errors, HasSubstr("everything is written anew"));
    }
    EXPECT_EQ(dumped(file), whole());
    EXPECT_EQ(lines(read(text)).size(), 1U);
}

TEST_F(ExportSince, RefusesWhatWouldMixTwoThingsInOneFile)
{
    const std::string file = home.path("alli.db"), text = home.path("alli.jsonl");
    put("c1", "first");
    EXPECT_EQ(export_to(file, "sqlite").code, 0);
    EXPECT_EQ(export_to(text, "jsonl").code, 0);
    for (const auto& wrong : {export_to(file, "sqlite", {"--mask"}), export_to(file, "sqlite", {"--rating", "bad"}),
                              export_to(text, "jsonl", {"zebra"}), export_to(text, "csv")}) {
        EXPECT_EQ(wrong.code, 2);
        EXPECT_THAT(wrong.errors, HasSubstr("was made by other arguments"));
    }
    EXPECT_EQ(home.run({"export", "--since-last"}).code, 2);
    EXPECT_EQ(export_to(home.path("a.md"), "markdown").code, 2);
    put("c1", "second");
    std::ofstream(text, std::ios::app) << "{}\n";
    const auto touched = export_to(text, "jsonl");
    EXPECT_EQ(touched.code, 1);
    EXPECT_THAT(touched.errors, HasSubstr("is not as the last export left it"));
    home.write("alli.jsonl.state", "{");
    EXPECT_THAT(export_to(text, "jsonl").errors, HasSubstr("cannot be read"));
    EXPECT_EQ(home.run({"export", "--output", text}).code, 0) << "without the option nothing is asked";
    home.write("foreign.db", "no database");
    EXPECT_EQ(export_to(home.path("foreign.db"), "sqlite").code, 0) << "as an export without the option does";
    EXPECT_EQ(dumped(home.path("foreign.db")), whole());
}

} // namespace
} // namespace alli::daemon

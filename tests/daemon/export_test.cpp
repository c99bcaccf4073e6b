// SPDX-License-Identifier: Apache-2.0
// `export` through the real program: every conversation once and whole, in each format; a file whole or not at all.
#include "cache/db/sqlite.hpp"
#include "cache/export/export_format.hpp"
#include "tests/daemon/home.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <set>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace alli::daemon {

using cache::csv_field;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Export : public testing::Test {
  protected:
    Export()
    {
        id = upstream.add_conversation(1);
        upstream.edit_title(id, "=HYPERLINK(\"http://evil\")");
        upstream.add_chat(id, "USER", "the zebrafish, \"swims\"\nand <b>rests</b>");
        long_id = upstream.add_conversation(1);
        for (int n = 0; n < 230; ++n) upstream.add_chat(long_id, "BOT", "line " + std::to_string(n));
        home.use(upstream);
        EXPECT_EQ(home.run({"sync"}).code, 0);
    }

    static std::string read(const std::string& path)
    {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    static std::vector<json> lines(const std::string& text)
    {
        std::vector<json> found;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) found.push_back(json::parse(line));
        return found;
    }

    sandbox::Sandbox upstream{small_sandbox(3)};
    std::string id, long_id;
    Home home;
};

TEST_F(Export, WritesEveryConversationWholeAsJsonLines)
{
    const auto finished = home.run({"export"});
    ASSERT_EQ(finished.code, 0) << finished.errors;
    std::set<std::string> ids;
    for (const json& line : lines(finished.output)) {
        const std::string one = line["conversation"]["id"];
        ids.insert(one);
        EXPECT_EQ(line["chats"].size(), upstream.chat_ids(one).size());
        EXPECT_EQ(line["chats"], json::parse(home.run({"show", one, "--json"}).output)["chats"]);
    }
    const auto all = upstream.conversation_ids();
    EXPECT_EQ(ids, std::set<std::string>(all.begin(), all.end()));
}

TEST_F(Export, WritesAPlainSqliteFileForOtherPrograms)
{
    const std::string file = home.path("alli.db");
    const auto finished = home.run({"export", "--format", "sqlite", "--output", file});
    ASSERT_EQ(finished.code, 0) << finished.errors;
    EXPECT_FALSE(std::filesystem::exists(file + "-wal"));
    {
        cache::Connection db(file, cache::Access::read);
        EXPECT_EQ(db.require<std::string>("PRAGMA integrity_check"), "ok");
        EXPECT_EQ(db.require<std::string>("PRAGMA journal_mode"), "delete");
        EXPECT_EQ(db.require<std::size_t>("SELECT count(*) FROM v_conversation"), upstream.conversation_ids().size());
        EXPECT_EQ(db.require<std::int64_t>("SELECT count(*) FROM v_chat WHERE conversation_id = ?1", long_id), 231);
        EXPECT_EQ(db.require<std::string>("SELECT title FROM v_conversation WHERE conversation_id = ?1", id),
                  "=HYPERLINK(\"http://evil\")");
        EXPECT_EQ(db.require<std::string>("SELECT raw ->> 'id' FROM v_conversation WHERE conversation_id = ?1", id),
                  id);
        EXPECT_EQ(db.require<std::int64_t>("SELECT sum(messages) FROM v_daily"),
                  db.require<std::int64_t>("SELECT count(*) FROM v_chat"));
        EXPECT_EQ(db.require<std::int64_t>("SELECT sum(conversations) FROM v_daily"),
                  db.require<std::int64_t>("SELECT count(*) FROM v_conversation"));
        EXPECT_EQ(db.require<std::int64_t>("SELECT sum(good + bad) FROM v_daily"),
                  db.require<std::int64_t>("SELECT count(*) FROM v_feedback WHERE rating <> ''"));
        EXPECT_THAT(db.require<std::string>("SELECT min(time) FROM v_chat"), testing::EndsWith("Z"));
        for (const char* columns :
             {"conversation_id, title, user_id, user_name, app_id, app_name, category, state, assignee, channel,"
              " created_at, raw FROM v_conversation",
              "conversation_id, chat_id, ordinal, sender, time, message, rating, agent_rating, feedback_selection,"
              " suggested_answer, citations, raw FROM v_chat",
              "chat_id, position, title, source, url, page FROM v_citation",
              "day, app_id, conversations, messages, good, bad FROM v_daily",
              "chat_id, rating, feedback_selection, suggested_answer FROM v_feedback"})
            EXPECT_NO_THROW(db.exists(std::string("SELECT ") + columns)) << columns;
    }
    EXPECT_EQ(home.run({"export", "--format", "sqlite", "--output", file, "zebrafish"}).code, 0);
    cache::Connection found(file, cache::Access::read);
    EXPECT_EQ(found.require<std::int64_t>("SELECT count(*) FROM v_conversation"), 1);
    EXPECT_EQ(home.run({"export", "--format", "sqlite"}).code, 2);
    EXPECT_EQ(home.run({"export", "--format", "sqlite", "--output", home.path("no/where")}).code, 1);
    EXPECT_EQ(home.run({"export", "--format", "sqlite", "--output", home.path("")}).code, 1);
}

TEST_F(Export, QuotesCsvSoThatNoSpreadsheetTakesItForAFormula)
{
    const std::string csv = home.run({"export", "--format", "csv", "zebrafish"}).output;
    EXPECT_THAT(csv, testing::StartsWith("conversationId,title,userId,userName,appId,appName,category,state,"));
    EXPECT_THAT(csv, HasSubstr(R"csv("'=HYPERLINK(""http://evil"")")csv"));
    EXPECT_THAT(csv, HasSubstr(",\"the zebrafish, \"\"swims\"\"\nand <b>rests</b>\","));
    EXPECT_THAT(csv, Not(HasSubstr("line 7")));
    const std::string nul("\0=1", 3), lone_nul("\0", 1);
    for (const std::string& bad : {std::string("=1"),
                                   std::string("+1"),
                                   std::string("-1"),
                                   std::string("@x"),
                                   std::string("\tx"),
                                   std::string("\rx"),
                                   std::string("\nx"),
                                   std::string("\n=1"),
                                   nul,
                                   lone_nul,
                                   std::string("＝1"),
                                   std::string("＋1"),
                                   std::string("－1"),
                                   std::string("＠x"),
                                   std::string("−1"),
                                   std::string(" =1"),
                                   std::string("\u3000＝1"),
                                   std::string("\u00a0+1"),
                                   std::string("\ufeff=1"),
                                   std::string("\u200b@x"),
                                   std::string("\x1b=1"),
                                   std::string("\x7f=1")})
        EXPECT_EQ(csv_field(bad), "\"'" + bad + "\"");
    for (const char* good : {"1 = 1", " 1", "a＝b", "여행", "\u3000여행", "\u200b", "\ufeff", ""})
        EXPECT_EQ(csv_field(good), good);
    EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
    EXPECT_EQ(csv_field("x;=cmd"), "\"x;=cmd\"");
    EXPECT_EQ(csv_field("x\t=cmd"), "\"x\t=cmd\"");
}

TEST_F(Export, BeginsAFileOfCsvSoThatExcelReadsIt)
{
    const std::string bom = "\xef\xbb\xbf", file = home.path("all.csv");
    const auto plain = home.run({"export", "--format", "csv"});
    EXPECT_THAT(plain.output, testing::StartsWith("conversationId,")) << "another program reads it";
    EXPECT_EQ(home.run({"export", "--format", "csv", "--output", file}).code, 0);
    EXPECT_EQ(read(file), bom + plain.output);
    EXPECT_EQ(home.run({"export", "--format", "csv", "--bom"}).output, bom + plain.output);
    EXPECT_EQ(home.run({"export", "--format", "csv", "--bom", "--output", "-"}).output, bom + plain.output);
    EXPECT_EQ(home.run({"export", "--format", "csv", "--no-bom", "--output", file}).code, 0);
    EXPECT_EQ(read(file), plain.output);
    EXPECT_EQ(home.run({"export", "--format", "csv", "--output", "-"}).output, plain.output);
    EXPECT_EQ(home.run({"export", "--format", "markdown", "--output", file}).code, 0);
    EXPECT_THAT(read(file), testing::StartsWith("# "));
    const auto wrong = home.run({"export", "--bom"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.errors, HasSubstr("it is for --format csv"));
}

TEST_F(Export, WritesMarkdownInWhichNoMessageIsMarkup)
{
    const std::string text = home.run({"export", "--format", "markdown", "zebrafish"}).output;
    EXPECT_THAT(text, HasSubstr("# `=HYPERLINK(\"http://evil\")`\n"));
    EXPECT_THAT(text, HasSubstr("\n> the zebrafish, \"swims\"  \n> and \\<b\\>rests\\</b\\>\n"));
    const std::string shown = home.run({"show", id, "--format", "markdown"}).output;
    EXPECT_EQ(text, shown + "\n") << "one rule for both";
}

TEST_F(Export, WritesTimesOfTheZoneThatIsAskedFor)
{
    const std::string csv = home.run({"export", "--format", "csv", "zebrafish", "--tz", "Asia/Seoul"}).output;
    EXPECT_THAT(csv, HasSubstr("+09:00,"));
    EXPECT_THAT(csv, Not(HasSubstr("Z,")));
    EXPECT_THAT(home.run({"export", "--format", "markdown", "zebrafish", "--tz", "Asia/Seoul"}).output,
                HasSubstr(" +09:00\n"));
    const auto dated = home.run({"export", "--after", "2001-01-01", "--tz", "asia/seoul"});
    EXPECT_THAT(dated.errors, HasSubstr("days are those of Asia/Seoul"));
    EXPECT_EQ(home.run({"export", "--tz", "Asia/Soul"}).code, 2);
}

TEST_F(Export, NarrowsByFiltersAlone)
{
    const std::string of_bots = home.run({"export", "--sender", "BOT"}).output;
    EXPECT_EQ(lines(of_bots).size(), 4U);
    EXPECT_THAT(of_bots, Not(HasSubstr("zebrafish")));
    EXPECT_EQ(home.run({"export", "--before", "2001-01-01"}).output, "");
    EXPECT_EQ(home.run({"export", "--before", "soon"}).code, 2);
}

TEST_F(Export, ReplacesAFileWholeOrNotAtAll)
{
    const std::string file = home.write("all.jsonl", "old");
    const auto finished = home.run({"export", "--output", file});
    EXPECT_EQ(finished.code, 0) << finished.errors;
    EXPECT_EQ(finished.output, "");
    EXPECT_THAT(finished.errors, HasSubstr("5 conversations in " + file));
    EXPECT_EQ(read(file), home.run({"export"}).output);
    struct stat status = {};
    EXPECT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    for (const auto& entry : std::filesystem::directory_iterator(home.path("")))
        EXPECT_THAT(entry.path().string(), Not(HasSubstr(".part-")));
    EXPECT_EQ(home.run({"export", "--output", home.path("")}).code, 1);
    EXPECT_EQ(home.run({"export", "--output", home.path("no/where")}).code, 1);
}

TEST_F(Export, TakesAwayWhatAKilledOneLeft)
{
    constexpr const char* dead = ".part-4194304"; // beyond any process's number
    const auto hour_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
    const auto left = [&](const std::string& name, bool old) {
        home.write(name, "half");
        if (old) std::filesystem::last_write_time(home.path(name), hour_ago);
    };
    for (const std::string file : {"all.jsonl", "all.db"}) {
        left(file + dead, true), left(file + dead + "-wal", true);
        left(file + ".part-4194305", false);                      // somebody may write to it, elsewhere
        left(file + ".part-" + std::to_string(::getpid()), true); // who makes it is there
        left(file + ".part-of-mine", true), left("x" + file + dead, true);
        EXPECT_EQ(
            home.run({"export", "--format", file == "all.db" ? "sqlite" : "jsonl", "--output", home.path(file)}).code,
            0);
        EXPECT_FALSE(std::filesystem::exists(home.path(file + dead)));
        EXPECT_FALSE(std::filesystem::exists(home.path(file + dead + "-wal")));
        for (const std::string& kept : {file + ".part-4194305", file + ".part-" + std::to_string(::getpid()),
                                        file + ".part-of-mine", "x" + file + dead})
            EXPECT_TRUE(std::filesystem::exists(home.path(kept))) << kept;
    }
}

TEST_F(Export, SaysSoWhereItsOutputCannotBeWritten)
{
    if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
    const auto finished = support::run_process(
        {"/bin/bash", "-c", std::string(ALLI_MIRROR_BINARY) + " export > /dev/full"}, home.environment);
    EXPECT_EQ(finished.code, 1);
    EXPECT_THAT(finished.errors, HasSubstr("cannot write the output"));
    const auto closed = support::run_process(
        {"/bin/bash", "-c", "set -o pipefail; " + std::string(ALLI_MIRROR_BINARY) + " export | true"},
        home.environment);
    EXPECT_THAT(closed.errors, Not(HasSubstr("terminate")));
}

} // namespace alli::daemon

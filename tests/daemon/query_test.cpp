// SPDX-License-Identifier: Apache-2.0
// `query` as an analyst runs it, through the real program: its formats, its notes, and beside a running daemon.
#include "daemon/output/display_width.hpp"
#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class QueryCommand : public testing::Test {
  protected:
    QueryCommand()
    {
        id = upstream.add_conversation(1);
        upstream.edit_title(id, "=여행\x1b[31m\n\"red\"");
        upstream.add_chat(id, "USER", "one, two");
        home.use(upstream);
        EXPECT_EQ(home.run({"sync"}).code, 0);
    }
    support::Finished ask(const std::string& sql, std::vector<std::string> more = {}) const
    {
        more.insert(more.begin(), {"query", sql});
        return home.run(std::move(more));
    }

    sandbox::Sandbox upstream{small_sandbox(3)};
    std::string id;
    Home home;
};

TEST_F(QueryCommand, PrintsATableThatATerminalCanTake)
{
    const auto found = ask("SELECT 1 AS n, '여행' AS word, NULL AS none, x'00ff' AS bytes UNION ALL"
                           " SELECT 22, 'a' || char(27) || '[31mb' || char(10) || 'c', 1.5, x''");
    EXPECT_EQ(found.code, 0) << found.errors;
    EXPECT_EQ(found.output, " n  word  none  bytes\n"
                            "--  ----  ----  -------\n"
                            " 1  여행  NULL  x'00ff'\n"
                            "22  ab c   1.5  x''\n");
    const auto title = ask("SELECT title FROM v_conversation WHERE title LIKE '%red%'");
    EXPECT_THAT(title.output, Not(HasSubstr("\x1b")));
    EXPECT_THAT(title.output, HasSubstr("=여행 \"red\"\n"));
    EXPECT_THAT(ask("SELECT CAST(x'ff41' AS TEXT) AS odd").output, HasSubstr("?A"));
    EXPECT_THAT(ask("SELECT 1 WHERE 0").output, HasSubstr("1\n-\n"));
}

TEST_F(QueryCommand, WritesCsvAndJsonForPrograms)
{
    const std::string sql = "SELECT title, NULL AS none, '' AS empty, -5 AS n, -0.5 AS x, x'0a' AS b, title FROM"
                            " v_conversation WHERE title LIKE '%red%'";
    EXPECT_EQ(ask(sql, {"--csv"}).output,
              "title,none,empty,n,x,b,title\r\n"
              "\"'=여행\x1b[31m\n\"\"red\"\"\",,\"\",-5,-0.5,x'0a',\"'=여행\x1b[31m\n\"\"red\"\"\"\r\n");
    const json rows = json::parse(ask(sql, {"--json"}).output);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0], (json{{"title", "=여행\x1b[31m\n\"red\""},
                             {"none", nullptr},
                             {"empty", ""},
                             {"n", -5},
                             {"x", -0.5},
                             {"b", "x'0a'"},
                             {"title:1", "=여행\x1b[31m\n\"red\""}}));
    EXPECT_EQ(ask("SELECT 1 WHERE 0", {"--json"}).output, "[\n]\n");
    EXPECT_EQ(json::parse(ask("SELECT 9e999 AS x, 9223372036854775807 AS n", {"--json"}).output)[0],
              (json{{"x", nullptr}, {"n", INT64_MAX}}));
    EXPECT_EQ(ask("SELECT 1", {"--csv", "--json"}).code, 2);
    const std::string file = home.path("rows.csv");
    EXPECT_EQ(ask("SELECT 1 AS a", {"--csv", "--output", file}).output, "");
    std::ifstream in(file);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "a\r\n1\r\n");
}

TEST_F(QueryCommand, TakesTheStatementFromStdinOrAFile)
{
    const std::string file = home.write("ask.sql", "\xef\xbb\xbfSELECT 'it''s' AS \"w\"\n;\n");
    EXPECT_THAT(home.run({"query", "--file", file}).output, HasSubstr("it's"));
    const auto piped = ::support::run_process(
        {"/bin/bash", "-c", std::string(ALLI_MIRROR_BINARY) + " query - --csv < " + file}, home.environment);
    EXPECT_EQ(piped.output, "w\r\nit's\r\n") << piped.errors;
    EXPECT_THAT(home.run({"query", "--file", home.path("none.sql")}).errors, HasSubstr("cannot be read"));
    const auto pieces = home.run({"query", "SELECT", "1"});
    EXPECT_EQ(pieces.code, 2);
    EXPECT_THAT(pieces.errors, HasSubstr("put the whole statement into quotes"));
    EXPECT_THAT(home.run({"query"}).errors, HasSubstr("v_conversation, v_chat"));
    EXPECT_EQ(home.run({"query"}).code, 2);
}

TEST_F(QueryCommand, SaysWhatIsWrongAndWhatWouldBeRight)
{
    const auto table = ask("SELECT * FROM conversation");
    EXPECT_EQ(table.code, 2);
    EXPECT_EQ(table.output, "");
    EXPECT_THAT(table.errors, HasSubstr("no such table: conversation"));
    EXPECT_THAT(table.errors, HasSubstr("did you mean v_conversation?"));
    EXPECT_EQ(ask("SELECT 1", {"--timeout", "soon"}).code, 2);
    EXPECT_EQ(ask("SELECT 1", {"--limit", "-1"}).code, 2);
    EXPECT_EQ(ask("SELECT 1", {"--timeout", "0"}).code, 0);
    const auto late = ask("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
                          {"--timeout", "300ms"});
    EXPECT_EQ(late.code, 1);
    EXPECT_EQ(late.output, "");
    EXPECT_THAT(late.errors, HasSubstr("longer than 0.3 s"));
}

TEST_F(QueryCommand, NotesWhatAReaderWouldMiss)
{
    home.environment["TZ"] = "Asia/Seoul";
    EXPECT_THAT(ask("SELECT count(*) FROM v_chat WHERE time > '2026-01-31'").errors,
                HasSubstr("begins at utc_time('2026-01-31')"));
    EXPECT_THAT(ask("SELECT count(*) FROM v_chat WHERE time > utc_time('2026-01-31')").errors, Not(HasSubstr("note")));
    home.environment["TZ"] = "UTC";
    EXPECT_THAT(ask("SELECT count(*) FROM v_chat WHERE time > '2026-01-31'").errors, Not(HasSubstr("utc_time")));
    const std::string many =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1500) SELECT i FROM n";
    const auto table = ask(many);
    EXPECT_EQ(std::count(table.output.begin(), table.output.end(), '\n'), 1002);
    EXPECT_THAT(table.errors, HasSubstr("only the first 1000 rows; --limit 0 gives all"));
    const std::string csv = ask(many, {"--csv"}).output;
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1501);
    EXPECT_THAT(ask(many, {"--csv", "--limit", "2"}).errors, HasSubstr("only the first 2 rows"));
}

TEST_F(QueryCommand, ListsTheViews)
{
    const std::string views = home.run({"query", "--views", "--json"}).output;
    EXPECT_TRUE(json::accept(views));
    EXPECT_THAT(views, HasSubstr(R"("view":"v_chat","column":"rating","type":"TEXT")"));
    EXPECT_THAT(home.run({"query", "--views"}).output, HasSubstr("v_daily"));
}

TEST_F(QueryCommand, RunsBesideADaemonAndSeesWhatItWrote)
{
    const Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const std::string fresh = upstream.add_conversation(3);
    EXPECT_EQ(::support::http(daemon.port, "POST", "/mirror/v1/sync", {{"API-KEY", "sandbox"}}).status / 100, 2);
    daemon.wait_for([&](const json& status) { return status["mirror"]["conversations"] == 5; });
    EXPECT_EQ(ask("SELECT count(*) AS n FROM v_conversation WHERE conversation_id = '" + fresh + "'", {"--csv"}).output,
              "n\r\n1\r\n");
}

TEST(DisplayWidth, CountsWhatATerminalShows)
{
    EXPECT_EQ(display_width("abc"), 3U);
    EXPECT_EQ(display_width("여행"), 4U);
    EXPECT_EQ(display_width("ｶﾅ"), 2U) << "half width";
    EXPECT_EQ(display_width("e\u0301"), 1U);
    EXPECT_EQ(display_width("\u200b"), 0U);
    EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
    EXPECT_EQ(cut_to_width("abcdefg", 6), "abcde…");
    EXPECT_EQ(cut_to_width("여행자들", 6), "여행…");
    EXPECT_EQ(cut_to_width("여행자", 6), "여행자");
}

} // namespace
} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// SQL over the documented views: the same numbers as the plainest count, nothing but the views in reach, bounded, and
// what is wrong with a statement said so that it can be mended.
#include "cache/query/query.hpp"

#include "alli/error.hpp"
#include "cache/export/sqlite_export.hpp"
#include "cache/query/time_functions.hpp"
#include "tests/cache/overlay_fixture.hpp"
#include "tests/support/draws.hpp"

#include <map>
#include <set>

namespace alli::cache {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Shown {
    json operator()(std::monostate) const { return nullptr; }
    json operator()(std::int64_t number) const { return number; }
    json operator()(double number) const { return number; }
    json operator()(const std::string& text) const { return text; }
    json operator()(const Blob& blob) const { return "blob of " + std::to_string(blob.bytes.size()); }
};

struct Failed {
    Fault fault = Fault::io;
    std::string what, hint;
};

class Query : public OverlayTest {
  protected:
    json ask(const std::string& sql, const QueryBounds& bounds = {})
    {
        json rows = json::array();
        const QueryOutput output{[&](const std::vector<std::string>& columns) { columns_ = columns; },
                                 [&](std::span<const Cell> row) {
                                     json shown = json::array();
                                     for (const Cell& cell : row) shown.push_back(std::visit(Shown(), cell));
                                     rows.push_back(std::move(shown));
                                 }};
        end_ = run_query(open_mirror(dir_ / "mirror.db"), sql, zone_, bounds, output);
        return rows;
    }
    json one(const std::string& sql) { return ask(sql).at(0).at(0); }

    Failed fail(const std::string& sql, const QueryBounds& bounds = {})
    {
        try {
            ADD_FAILURE() << sql << " went well: " << ask(sql, bounds).dump();
        } catch (const Error& error) {
            return {error.fault(), error.what(), error.hint()};
        }
        return {};
    }

    void put_json(const json& conversation, const std::vector<json>& chats)
    {
        TimeUnit unit = TimeUnit::seconds;
        std::vector<Chat> read;
        for (const json& chat : chats) read.push_back(read_chat(chat.dump(), unit));
        const Conversation made = read_conversation(conversation.dump(), unit);
        write([&](Writer& db) {
            put_conversation(db, made);
            put_chats(db, made.id, 0, read);
        });
    }

    Zone zone_;
    std::vector<std::string> columns_;
    QueryEnd end_;
};

class QueryCounts : public Query, protected support::Draws {};

json conversation_json(const std::string& id, std::int64_t created, std::int64_t last)
{
    return {{"id", id},
            {"title", "about " + id},
            {"createdAt", created},
            {"lastChatTime", last},
            {"chats", json::array()},
            {"user", {{"userId", "u1"}}}};
}

TEST_F(Query, TellsOfAConversationAndItsChatsWhatUpstreamSent)
{
    json conversation = conversation_json("c1", 1'700'000'000, 1'700'000'060);
    conversation["llmApp"] = {{"id", "a1"}, {"name", "Hotel"}};
    conversation["categories"] = {"x", "y"};
    conversation["state"] = "closed", conversation["assignee"] = "kim", conversation["channel"] = "WEB";
    json question = support::chat_json("c1", 0, 1'700'000'000, "어디?");
    json answer = support::chat_json("c1", 1, 0, "there");
    answer["timestamp"] = 1'700'000'060.25;
    answer["rating"] = false, answer["agentRating"] = true, answer["feedbackSelection"] = {"wrong", "old"};
    answer["suggestedAnswer"] = "here";
    answer["citations"] = {{{"title", "Map"}, {"source", "s"}, {"url", "http://m"}, {"pageNo", 3}}, "a book"};
    put_json(conversation, {question, answer});

    EXPECT_EQ(ask("SELECT conversation_id, title, user_id, user_name, app_id, app_name, category, state, assignee,"
                  " channel, created_at, last_chat_at, chats, raw ->> 'id' FROM v_conversation"),
              json::parse(R"([["c1","about c1","u1","","a1","Hotel","x; y","closed","kim","WEB",
                  "2023-11-14T22:13:20.000000Z","2023-11-14T22:14:20.000000Z",2,"c1"]])"));
    EXPECT_EQ(ask("SELECT conversation_id, chat_id, ordinal, sender, time, message, rating, agent_rating,"
                  " feedback_selection, suggested_answer, citations, raw ->> 'id' FROM v_chat ORDER BY ordinal"),
              json::parse(R"([["c1","c1/0",0,"USER","2023-11-14T22:13:20.000000Z","어디?","","","","","","c1/0"],
                  ["c1","c1/1",1,"BOT","2023-11-14T22:14:20.250000Z","there","bad","good","wrong; old","here",
                  "Map; a book","c1/1"]])"));
    EXPECT_EQ(ask("SELECT * FROM v_citation"), json::parse(R"([["c1/1",0,"Map","s","http://m",3,"c1",1],
                  ["c1/1",1,"a book","","",null,"c1",1]])"));
    EXPECT_EQ(ask("SELECT chat_id, rating, suggested_answer FROM v_feedback"),
              json::parse(R"([["c1/1","bad","here"]])"));
    EXPECT_EQ(ask("SELECT * FROM v_daily"), json::parse(R"([["2023-11-14","a1",1,2,0,1]])"));
}

TEST_F(QueryCounts, AreThoseOfThePlainestCount)
{
    std::map<std::pair<std::string, std::string>, std::array<std::int64_t, 4>> days;
    std::int64_t chats = 0, citations = 0, rated = 0;
    std::map<std::string, int> of_conversation;
    SCOPED_TRACE("ALLI_SEED=" + std::to_string(seed_));
    const auto day_of = [](std::int64_t at) { return to_rfc3339(support::at_second(at)).substr(0, 10); };
    for (int n = 0; n < 120; ++n) {
        const std::string id = "c" + std::to_string(n), app = "a" + std::to_string(any(3));
        const std::int64_t created = 1'700'000'000 + any(6 * 86'400);
        std::int64_t at = created;
        std::vector<json> made;
        const auto count = n == 7 ? 450 : any(45); // more than a piece, and than a segment
        for (int i = 0; i < count; ++i) {
            json chat = support::chat_json(id, i, at += any(4000), std::string(static_cast<std::size_t>(any(50)), 'x'));
            if (any(7) == 0) {
                chat["rating"] = any(2) == 0;
                ++rated;
                ++days[{day_of(at), app}][chat["rating"] == true ? 2 : 3];
            }
            for (auto more = any(3); more > 0 && i % 5 == 0; --more, ++citations)
                chat["citations"].push_back({{"title", "t"}});
            ++days[{day_of(at), app}][1];
            made.push_back(chat);
        }
        chats += count;
        of_conversation[id] = static_cast<int>(count);
        ++days[{day_of(created), app}][0];
        json conversation = conversation_json(id, created, at);
        conversation["llmApp"] = {{"id", app}, {"name", "App"}};
        put_json(conversation, made);
    }
    json expected = json::array();
    for (const auto& [key, sums] : days)
        expected.push_back({key.first, key.second, sums[0], sums[1], sums[2], sums[3]});
    EXPECT_EQ(ask("SELECT * FROM v_daily ORDER BY day, app_id"), expected);
    EXPECT_EQ(one("SELECT count(*) FROM v_conversation"), 120);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat"), chats) << "without a text";
    EXPECT_EQ(one("SELECT count(DISTINCT chat_id) FROM v_chat"), chats) << "with texts";
    EXPECT_EQ(one("SELECT count(*) FROM v_citation"), citations);
    EXPECT_EQ(one("SELECT count(*) FROM v_feedback"), rated);
    EXPECT_EQ(one("SELECT sum(c.chats = (SELECT count(*) FROM v_chat x WHERE x.conversation_id = c.conversation_id))"
                  " FROM v_conversation c"),
              120);
    EXPECT_EQ(one("SELECT count(*) FROM v_citation t JOIN v_chat c USING (chat_id)"), citations);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat a JOIN v_conversation b USING (conversation_id)"), chats);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE conversation_id IN ('c7', 'c8', 'c7', 'none')"),
              of_conversation["c7"] + of_conversation["c8"]);
    EXPECT_EQ(ask("SELECT ordinal FROM v_chat WHERE chat_id = 'c7/449'"), json::parse("[[449]]"));
    EXPECT_EQ(one("SELECT max(ordinal) FROM v_chat WHERE conversation_id = 'c7'"), 449);

    const std::string path = dir_ / "export.db";
    SqliteExport file(path);
    const auto mirror = open_mirror(dir_ / "mirror.db");
    for (int n = 0; n < 120; ++n) file.put(*mirror, ConversationId{"c" + std::to_string(n)});
    file.finish(export_state(*mirror, ""));
    Connection db(path, Access::read);
    for (const View& view : view_table()) {
        std::string columns;
        for (const ViewColumn& column : view.columns)
            columns += (columns.empty() ? "" : ", ") + std::string(column.name);
        const std::string sql =
            "SELECT json_array(" + columns + ") AS row FROM " + std::string(view.name) + " ORDER BY 1";
        json rows = json::array();
        for (const std::string& row : db.all<std::string>(sql)) rows.push_back({row});
        EXPECT_EQ(ask(sql), rows) << view.name << " of an exported file";
        EXPECT_FALSE(rows.empty());
    }
}

TEST_F(Query, ComparesIdsAsSqlDoes)
{
    put("C1", 1000, 2);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE conversation_id = 'c1'"), 0);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE conversation_id = 'c1' COLLATE NOCASE"), 2);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE conversation_id = NULL"), 0);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE conversation_id = x'4331'"), 0) << "a blob is no text";
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE chat_id = 'c1/1' COLLATE NOCASE"), 1);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE chat_id = 'none'"), 0);
    put("77", 1000, 3);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE conversation_id = 77"), 3);
    EXPECT_EQ(one("SELECT count(*) FROM v_conversation WHERE conversation_id = 77"), 1);
}

TEST_F(Query, ShowsWaitingWritesAndNothingThatIsDeleted)
{
    put("c1", 1000, 2);
    put("c2", 1000, 2);
    show(title(1, "c1", "another title"));
    write([](Writer& db) { erase_conversation(db, ConversationId{"c2"}); });
    EXPECT_EQ(ask("SELECT title, raw ->> 'title' FROM v_conversation"),
              json::parse(R"([["another title","another title"]])"));
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE conversation_id = 'c2'"), 0);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat"), 2);
}

TEST_F(Query, LetsNothingThroughButReadingTheViews)
{
    put("c1", 1000, 2);
    const std::string other = dir_ / "other.db";
    for (const std::string& sql : {std::string("ATTACH '" + other + "' AS o"),
                                   std::string("DETACH main"),
                                   std::string("PRAGMA user_version"),
                                   std::string("PRAGMA writable_schema = 1"),
                                   std::string("VACUUM"),
                                   "VACUUM INTO '" + other + "'",
                                   std::string("CREATE TABLE t (a)"),
                                   std::string("CREATE TEMP TABLE t AS SELECT * FROM v_chat"),
                                   std::string("CREATE VIRTUAL TABLE t USING v_chat"),
                                   std::string("DROP VIEW v_daily"),
                                   std::string("INSERT INTO v_chat (chat_id) VALUES ('x')"),
                                   std::string("UPDATE v_chat SET message = ''"),
                                   std::string("DELETE FROM v_conversation"),
                                   std::string("BEGIN"),
                                   std::string("SAVEPOINT s"),
                                   std::string("REINDEX"),
                                   std::string("ANALYZE"),
                                   std::string("SELECT load_extension('x')"),
                                   std::string("SELECT fts3_tokenizer('x')"),
                                   std::string("SELECT sqlite_compileoption_get(1)"),
                                   std::string("SELECT * FROM pragma_table_info('v_chat')"),
                                   std::string("SELECT * FROM pragma_database_list"),
                                   std::string("SELECT * FROM dbstat"),
                                   std::string("SELECT * FROM sqlite_stmt"),
                                   std::string("SELECT * FROM chat_segment"),
                                   std::string("SELECT * FROM main.conversation"),
                                   std::string("WITH x AS (SELECT 1) DELETE FROM v_chat"),
                                   std::string("SELECT 1; DROP VIEW v_daily"),
                                   std::string("EXPLAIN DELETE FROM v_chat")})
        EXPECT_EQ(fail(sql).fault, Fault::usage) << sql;
    EXPECT_FALSE(std::filesystem::exists(other));
    EXPECT_EQ(one("SELECT count(*) FROM v_chat"), 2);
    EXPECT_THAT(fail("ATTACH 'x' AS y").what, HasSubstr("ATTACH"));
    EXPECT_THAT(fail("SELECT load_extension('x')").what, HasSubstr("load_extension"));
    EXPECT_EQ(ask("SELECT j.value FROM json_each('[1,2]') j").size(), 2U) << "what is harmless is there";
    EXPECT_EQ(one("SELECT group_concat(upper(x), '-') FROM (SELECT 'a' x UNION ALL SELECT 'b')"), "A-B");
    EXPECT_EQ(ask("EXPLAIN QUERY PLAN SELECT 1 FROM v_daily").empty(), false);
}

TEST_F(Query, TakesOneStatementWithWhateverStandsAroundIt)
{
    for (const char* sql : {"SELECT 1;", "SELECT 1 ; ; ", "-- one\nSELECT 1 -- two\n", "/* a */ SELECT 1; /* b */",
                            "\n\tselect 1\n;\n", "VALUES (1)", "WITH a AS (SELECT 1) SELECT * FROM a"})
        EXPECT_EQ(one(sql), 1) << sql;
    EXPECT_THAT(fail("SELECT 1; SELECT 2").what, HasSubstr("more than one statement"));
    EXPECT_THAT(fail("SELECT 1; SELEC").what, HasSubstr("more than one statement"));
    for (const char* sql : {"", " ", ";", "-- nothing"})
        EXPECT_THAT(fail(sql).hint, HasSubstr("v_conversation")) << '"' << sql << '"';
    EXPECT_THAT(fail("SELECT * FROM v_chat WHERE rating = ?").what, HasSubstr("a parameter, ?"));
    EXPECT_THAT(fail("SELECT $HOME").what, HasSubstr("$HOME"));
    EXPECT_EQ(fail(std::string("SELECT 1\0x", 10)).fault, Fault::usage);
}

TEST_F(Query, SaysWhatWouldBeRight)
{
    put("c1", 1000, 2);
    const std::vector<std::array<const char*, 2>> wrong{
        {"SELECT * FROM conversation", "did you mean v_conversation?"},
        {"SELECT * FROM conversations", "did you mean v_conversation?"},
        {"SELECT * FROM messages", "did you mean v_chat?"},
        {"SELECT * FROM v_chats", "did you mean v_chat?"},
        {"SELECT * FROM V_Dayly", "did you mean v_daily?"},
        {"SELECT * FROM xyzzy_and_more", "there are v_conversation, v_chat, v_citation, v_feedback, v_daily"},
        {"SELECT titel FROM v_conversation", "did you mean title"},
        {"SELECT userName FROM v_conversation", "did you mean user_name"},
        {"SELECT title FROM v_chat", "it is a column of v_conversation"},
        {"SELECT * FROM v_chat WHERE rating = bad", "single quotes: 'bad'"},
        {"SELECT * FROM v_chat WHERE rating = \"bad\"", "single quotes: 'bad'"},
        {"SELECT * FROM v_chat WHERE rating IN (bad)", "single quotes: 'bad'"},
        {"SELECT * FROM v_chat WHERE rating = 'bad", "a quote is missing"},
        {"SELECT * FROM v_chat WHERE message LIKE 'it's'", "written twice"},
        {"SELECT count( FROM v_chat", "a name is missing before FROM"},
        {"SELECT * FROM v_chat WHERE", "breaks off"},
        {"SELECT TOP 10 * FROM v_chat", "one SELECT"},
        {"SELECT * FROM v_chat WHERE message ILIKE '%a%'", "LIKE"},
        {"SELECT date_trunc('month', time) FROM v_chat", "strftime"},
        {"SELECT now()", "datetime('now')"},
        {"SELECT lenght(message) FROM v_chat", "did you mean length?"},
        {"SELECT * FROM v_chat WHERE message REGEXP 'a'", "GLOB"},
        {"SHOW TABLES", "--views"},
        {"DESCRIBE v_chat", "--views"},
    };
    for (const auto& [sql, hint] : wrong) {
        const Failed failed = fail(sql);
        EXPECT_EQ(failed.fault, Fault::usage) << sql;
        EXPECT_THAT(failed.hint, HasSubstr(hint)) << sql << ": " << failed.what;
    }
    EXPECT_THAT(fail("SELECT 1\n, titel\nFROM v_conversation").what, HasSubstr("in line 2, at: titel"));
}

TEST_F(Query, EndsInTimeAndWithinItsMemory)
{
    for (int n = 0; n < 30; ++n) put("c" + std::to_string(n), 1000 + n, 30);
    const std::string endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT ";
    QueryBounds short_time;
    short_time.timeout = std::chrono::milliseconds(200);
    EXPECT_EQ(fail(endless + "count(*) FROM n", short_time).fault, Fault::canceled);
    EXPECT_THAT(fail(endless + "count(*) FROM n", short_time).hint, HasSubstr("--timeout"));
    EXPECT_EQ(fail("SELECT count(*) FROM v_chat a, v_chat b, v_chat c", short_time).fault, Fault::canceled);
    QueryBounds small;
    small.bytes = 64 * 1024 * 1024;
    const Failed large = fail(endless + "printf('%100000d', i) AS x FROM n ORDER BY x", small);
    EXPECT_EQ(large.fault, Fault::usage) << large.what;
    EXPECT_THAT(large.hint, HasSubstr("export --format sqlite"));
    EXPECT_EQ(one("SELECT count(*) FROM v_chat"), 900) << "and the next one runs";
    QueryBounds few;
    few.rows = 3;
    EXPECT_EQ(ask(endless + "i FROM n", few), json::parse("[[1],[2],[3]]"));
    EXPECT_TRUE(end_.cut);
    EXPECT_EQ(ask("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3", few).size(), 3U);
    EXPECT_FALSE(end_.cut);
}

TEST_F(Query, KnowsTheDaysOfAPlace)
{
    zone_ = Zone::load("Asia/Seoul");
    put("c1", 1'700'000'000, 1); // 2023-11-14 22:13:20 in London, 15 in Seoul
    EXPECT_EQ(one("SELECT utc_time('2023-11-15')"), "2023-11-14T15:00:00.000000Z");
    EXPECT_EQ(one("SELECT utc_time('2023-11-15 07:13')"), "2023-11-14T22:13:00.000000Z");
    EXPECT_EQ(one("SELECT utc_time('2023-11-15T07:13:20+09:00')"), "2023-11-14T22:13:20.000000Z");
    EXPECT_EQ(one("SELECT utc_time(NULL)"), nullptr);
    EXPECT_EQ(one("SELECT substr(local_time(time), 1, 10) FROM v_chat"), "2023-11-15");
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE time >= utc_time('2023-11-15')"), 1);
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE time >= '2023-11-15'"), 0);
    EXPECT_THAT(fail("SELECT utc_time('tomorrow')").what, HasSubstr("2026-01-31"));
    zone_ = Zone::load("Europe/London");
    EXPECT_EQ(one("SELECT utc_time('2026-03-29')"), "2026-03-29T00:00:00.000000Z");
    EXPECT_EQ(one("SELECT utc_time('2026-03-29 03:00')"), "2026-03-29T02:00:00.000000Z");
    EXPECT_EQ(one("SELECT utc_time('2026-03-29 00:30')"), "2026-03-29T00:30:00.000000Z");
    EXPECT_EQ(find_bare_date("SELECT * FROM v_chat WHERE time > '2026-01-31'"), "2026-01-31");
    EXPECT_EQ(find_bare_date("SELECT 'it''s', '2026-01-31T10:00:00Z'"), "2026-01-31");
    EXPECT_EQ(find_bare_date("SELECT utc_time('2026-01-31')"), "");
    EXPECT_EQ(find_bare_date("SELECT '2026', '12345-67-89', 2026-01-31"), "");
}

TEST_F(Query, TimesSortAsTheyCame)
{
    json conversation = conversation_json("c1", 1000, 1004);
    std::vector<json> chats;
    for (const double at : {1000.0, 1000.25, 1000.250001, 1001.0, 1004.0}) {
        chats.push_back(support::chat_json("c1", static_cast<int>(chats.size()), 0, "x"));
        chats.back()["timestamp"] = at;
    }
    put_json(conversation, chats);
    EXPECT_EQ(ask("SELECT ordinal FROM v_chat ORDER BY time"), json::parse("[[0],[1],[2],[3],[4]]"));
    EXPECT_EQ(one("SELECT count(*) FROM v_chat WHERE time >= '1970-01-01T00:16:40' AND time < '1970-01-01T00:16:41'"),
              3);
}

} // namespace
} // namespace alli::cache

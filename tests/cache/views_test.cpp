// SPDX-License-Identifier: Apache-2.0
// The documented views are an interface: names, types, order and meaning stay. A column that is added goes behind the
// others, here, in docs/sql.md, and raises views_version.
#include "cache/export/sqlite_export.hpp"
#include "tests/cache/fixture.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace alli::cache {
namespace {

constexpr std::string_view pinned = R"(
v_conversation: conversation_id TEXT, title TEXT, user_id TEXT, user_name TEXT, app_id TEXT, app_name TEXT,
 category TEXT, state TEXT, assignee TEXT, channel TEXT, created_at TEXT, raw TEXT, last_chat_at TEXT, chats INTEGER
v_chat: conversation_id TEXT, chat_id TEXT, ordinal INTEGER, sender TEXT, time TEXT, message TEXT, rating TEXT,
 agent_rating TEXT, feedback_selection TEXT, suggested_answer TEXT, citations TEXT, raw TEXT
v_citation: chat_id TEXT, position INTEGER, title TEXT, source TEXT, url TEXT, page INTEGER, conversation_id TEXT,
 ordinal INTEGER
v_feedback: conversation_id TEXT, chat_id TEXT, ordinal INTEGER, sender TEXT, time TEXT, message TEXT, rating TEXT,
 agent_rating TEXT, feedback_selection TEXT, suggested_answer TEXT
v_daily: day TEXT, app_id TEXT, conversations INTEGER, messages INTEGER, good INTEGER, bad INTEGER
)";

std::string unfolded(std::string_view text) // a view a line
{
    std::string one(text);
    for (std::size_t at = one.find("\n "); at != one.npos; at = one.find("\n ")) one.erase(at, 1);
    return one;
}

using Views = CacheTest;

TEST_F(Views, AreWhatTheyWere)
{
    std::string found = "\n";
    for (const View& view : view_table()) {
        found += std::string(view.name) + ':';
        for (const ViewColumn& column : view.columns)
            found += (&column == view.columns.data() ? " " : ", ") + std::string(column.name) + ' ' +
                     std::string(column.type);
        found += '\n';
    }
    EXPECT_EQ(found, unfolded(pinned));
    EXPECT_EQ(views_version, 1);
}

TEST_F(Views, AreTheSameInAnExportedFile)
{
    put("c1", 1000, 3);
    const std::string path = dir_ / "export.db";
    store_->read([&](Reader& db) {
        SqliteExport file(path);
        db.script("COMMIT"); // the export has snapshots of its own
        EXPECT_TRUE(file.put(db, ConversationId{"c1"}));
        EXPECT_FALSE(file.put(db, ConversationId{"none"}));
        file.finish(export_state(db, ""));
        db.script("BEGIN");
    });
    Connection file(path, Access::read);
    for (const View& view : view_table()) {
        std::vector<std::string> names, expected;
        for (const Row row : file.query("SELECT name, type FROM pragma_table_info(?1)", view.name))
            names.push_back(std::string(row.text(0)) + (view.sql.empty() ? ' ' + std::string(row.text(1)) : ""));
        for (const ViewColumn& column : view.columns)
            expected.push_back(std::string(column.name) + (view.sql.empty() ? ' ' + std::string(column.type) : ""));
        EXPECT_EQ(names, expected) << view.name;
        for (const ViewColumn& column : view.columns) { // whatever is declared, what is in it is of that type
            const std::string type = column.type == "INTEGER" ? "integer" : "text";
            EXPECT_EQ(file.require<std::int64_t>("SELECT count(*) FROM " + std::string(view.name) + " WHERE typeof(" +
                                                 std::string(column.name) + ") NOT IN ('null', '" + type + "')"),
                      0)
                << view.name << '.' << column.name;
        }
    }
    EXPECT_EQ(file.require<std::int64_t>("SELECT count(*) FROM v_chat"), 3);
}

TEST_F(Views, AreDocumented)
{
    std::ifstream page(std::string(ALLI_SOURCE) + "/docs/sql.md");
    std::stringstream text;
    text << page.rdbuf();
    for (const View& view : view_table()) {
        EXPECT_THAT(text.str(), testing::HasSubstr("`" + std::string(view.name) + "`"));
        for (const ViewColumn& column : view.columns)
            EXPECT_THAT(text.str(),
                        testing::HasSubstr("| `" + std::string(column.name) + "` | " + std::string(column.type) +
                                           " | " + std::string(column.meaning) + " |"));
    }
}

// Another program may have opened it so, and was killed.
TEST_F(Views, AnExportedFileThatIsReplacedLeavesNoLogToTheNewOne)
{
    const std::string path = dir_ / "export.db";
    const auto export_one = [&](const std::string& id) {
        store_->read([&](Reader& db) {
            SqliteExport file(path);
            db.script("COMMIT"); // the export has snapshots of its own
            EXPECT_TRUE(file.put(db, ConversationId{id}));
            file.finish(export_state(db, ""));
            db.script("BEGIN");
        });
    };
    put("c1", 1000, 3), put("c2", 1000, 3);
    export_one("c1");
    {
        Connection other(path, Access::write); // turns it into a file with a log, which stays when it is closed
        other.run("CREATE TABLE notes AS SELECT hex(randomblob(20000))");
    }
    ASSERT_TRUE(std::filesystem::exists(path + "-wal"));
    export_one("c2");
    Connection file(path, Access::read);
    EXPECT_EQ(file.require<std::string>("PRAGMA integrity_check"), "ok");
    EXPECT_FALSE(file.exists("SELECT 1 FROM sqlite_schema WHERE name = 'notes'"));
    EXPECT_EQ(file.require<std::string>("SELECT conversation_id FROM v_conversation"), "c2");
}

} // namespace
} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
// A mirror of the first schema goes on under the present one.
#include "cache/chat_detail.hpp"
#include "cache/db/migrate.hpp"
#include "cache/lists/list.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/conversation_json.hpp"
#include "tests/cache/fixture.hpp"

#include <algorithm>
#include <limits>

namespace alli::cache {
namespace {

TEST(Migration, KeepsCategoriesAndFindsByThemInOrder)
{
    const support::TempDir dir;
    const std::string path = dir / "mirror.db";
    {
        Writer old(path);
        old.script(mirror_schema.steps.front());
        old.script("PRAGMA user_version = 1");
        for (const int n : {1, 2, 3}) {
            old.run("INSERT INTO conversation (pk, id, raw, user_name, memo, last_chat_at, created_at, is_end)"
                    " VALUES (?1, ?2, ?3, '', '', ?4, ?4, 0)",
                    n, "c" + std::to_string(n), "{\"id\":\"c" + std::to_string(n) + "\"}", 1000 - n);
            if (n != 2) old.run("INSERT INTO category (name, conversation) VALUES ('kept', ?1)", n);
        }
    }
    Store store({path, "http://127.0.0.1:1", false});
    ListFilter filter;
    filter.category_id = "kept";
    const ListPage page = store.read([&](Reader& db) { return list_conversations(db, filter, 50, std::nullopt); });
    EXPECT_EQ(page.body, R"({"conversations":[{"id":"c1"},{"id":"c3"})");
    EXPECT_FALSE(store.read([](Reader& db) { return find_chat(db, {"c1"}, {"none"}); }));
}

TEST(Migration, KeepsTheFeedWithItsNumbers)
{
    const support::TempDir dir;
    const std::string path = dir / "mirror.db";
    const auto slims = [](std::string_view step) { return step.find("CREATE TABLE new_change") != step.npos; };
    const auto end = std::find_if(mirror_schema.steps.begin(), mirror_schema.steps.end(), slims);
    {
        Writer old(path);
        for (auto step = mirror_schema.steps.begin(); step != end; ++step) old.script(*step);
        old.script(fmt::format("PRAGMA user_version = {}", end - mirror_schema.steps.begin()));
        for (const int n : {1, 2})
            old.run("INSERT INTO conversation (pk, id, raw, user_name, memo, is_end) VALUES (?1, ?2, '{}', '', '', 0)",
                    n, n == 1 ? "7" : "b");
        old.script("INSERT INTO change (seq, conversation, kind) VALUES (3, '7', 'chats'), (5, 'b', 'conversation'),"
                   " (6, '1', 'deleted'), (8, '', 'outbox'), (9, 'gone', 'deleted');"
                   "DELETE FROM change WHERE seq = 9; INSERT INTO fact VALUES ('feed_first', 2)");
    }
    Store store({path, "http://127.0.0.1:1", false});
    const auto changes = store.read([](Reader& db) { return load_changes(db, 0, 100); });
    std::string all;
    for (const Change& change : changes)
        all += fmt::format("{} {} {};", change.seq, change.kind, change.conversation.value);
    EXPECT_EQ(all, "3 chats 7;5 conversation b;6 deleted 1;8 outbox ;");
    EXPECT_EQ(store.read([](Reader& db) { return load_feed_bounds(db); }).last, 9) << "no number comes twice";
}

TEST(Migration, KeepsEachChatWithItsTextAndDetail)
{
    const support::TempDir dir;
    const std::string path = dir / "mirror.db";
    {
        Writer old(path);
        for (std::size_t step = 0; step < 7; ++step) old.script(mirror_schema.steps[step]);
        old.script("PRAGMA user_version = 7");
        for (const int n : {1, 2})
            old.run("INSERT INTO conversation (pk, id, raw, chats_at, user_name, memo, is_end, held)"
                    " VALUES (?1, ?2, '{\"chats\":[]}', 10, '', '', 0, 2)",
                    n, "c" + std::to_string(n));
        for (const int n : {4, 3, 2, 1})
            old.run("INSERT INTO chat (pk, conversation, ordinal, id, raw, sender, sent_at, completed)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, 'USER', ?1 * 1000000, 1)",
                    100 - n, n % 2 + 1, (n - 1) / 2, "k" + std::to_string(n),
                    "{\"id\":\"k" + std::to_string(n) + "\",\"message\":\"word" + std::to_string(n) + "\"}");
        old.run("INSERT INTO chat_detail (chat, of, raw) VALUES (99, 1, '{}')");
    }
    Store store({path, "http://127.0.0.1:1", false});
    store.read([](Reader& db) {
        EXPECT_EQ(find_chat_page(db, {"c2"}, 1),
                  R"({"chats":[{"id":"k1","message":"word1"},{"id":"k3","message":"word3"}]})");
        EXPECT_EQ(find_chat_page(db, {"c2"}, 2), R"({"chats":[]})");
        EXPECT_EQ(find_chat_page(db, {"c1"}, std::numeric_limits<int>::max()), R"({"chats":[]})");
        EXPECT_EQ(find_chat(db, {"c1"}, {"k4"})->raw, R"({"id":"k4","message":"word4"})");
        EXPECT_TRUE(db.query("SELECT 1 FROM chat_detail WHERE chat = 99").step());
    });
}

} // namespace
} // namespace alli::cache

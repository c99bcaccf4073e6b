// SPDX-License-Identifier: Apache-2.0
// A mirror of the first schema goes on under the present one.
#include "cache/detail.hpp"
#include "cache/list.hpp"
#include "cache/migrate.hpp"
#include "tests/cache/fixture.hpp"

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

} // namespace
} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
// How many statements a list page costs: the mirror is asked about all conversations of a page together, and a commit
// looks up nothing that it does not need for each.
#include "alli/sync_wait.hpp"
#include "tests/sync/engine_fixture.hpp"

#include <sqlite3.h>

#include <map>

namespace alli::sync {
namespace {

class PageQueries : public EngineTest {
  protected:
    using Counts = std::map<std::string, std::size_t>; // by their text

    ~PageQueries() override { store_.reset(); } // its connections count into members of this

    static void watch(cache::Connection& db, Counts& counts)
    {
        const auto count = [](unsigned, void* into, void* statement, void*) {
            const char* sql = sqlite3_sql(static_cast<sqlite3_stmt*>(statement));
            ++(*static_cast<Counts*>(into))[sql ? sql : ""];
            return 0;
        };
        sqlite3_trace_v2(db.handle(), SQLITE_TRACE_STMT, count, &counts);
    }

    /// From now on.
    void count_statements()
    {
        store_->read([&](cache::Reader& db) { watch(db, reads_); });
        const auto job = [&](cache::Writer& db) { watch(db, writes_); };
        sync_wait(store_->write(job));
        reads_.clear();
        writes_.clear();
        model_.targets.clear();
    }

    static std::size_t sum(const Counts& counts)
    {
        std::size_t all = 0;
        for (const auto& [sql, count] : counts) all += count;
        return all;
    }

    /// Of those that only look something up.
    static std::size_t sum_selects(const Counts& counts)
    {
        std::size_t all = 0;
        for (const auto& [sql, count] : counts) all += sql.starts_with("SELECT") || sql.starts_with("WITH") ? count : 0;
        return all;
    }

    void fill_pages(int pages)
    {
        for (int n = 0; n < pages * 50; ++n) model_.add("c" + std::to_string(n), 10'000 + n * 10, 3);
    }

    Counts reads_, writes_;
};

TEST_F(PageQueries, AreAFewAPageInABackfill)
{
    fill_pages(20);
    count_statements();
    pass();
    const std::size_t conversations = model_.conversations.size(), pages = model_.lists();
    EXPECT_LE(sum(reads_), 12 * pages) << "not one for each conversation";
    EXPECT_LE(sum_selects(writes_), 7 * conversations) << "of each: its row, its chats, what waits for it";
}

TEST_F(PageQueries, AreOneForEachPageOfChatsBesides)
{
    model_.embedded = 0;
    fill_pages(20);
    count_statements();
    pass();
    EXPECT_GE(model_.chat_pages(), model_.conversations.size());
    EXPECT_LE(sum(reads_), 12 * model_.lists() + 3 * model_.chat_pages()); // in a transaction of its own
}

TEST_F(PageQueries, AreAFewAPageWhereAllIsKnown)
{
    fill_pages(4);
    model_.now = 20'000;
    options_.overlap = std::chrono::hours(10);
    pass();
    count_statements();
    pass();
    EXPECT_LE(sum(reads_), 25 * model_.lists()) << testing::PrintToString(reads_);
}

} // namespace
} // namespace alli::sync

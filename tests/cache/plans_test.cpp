// SPDX-License-Identifier: Apache-2.0
// How SQLite goes about what the proxy reads: always by an index, and in the order of the index where a list may be
// long.
#include "cache/chat_detail.hpp"
#include "cache/lists/daily_counts.hpp"
#include "cache/lists/list.hpp"
#include "cache/lists/list_plan.hpp"
#include "cache/rows/conversation_json.hpp"
#include "cache/rows/hmac_key.hpp"
#include "cache/rows/progress.hpp"
#include "tests/cache/fixture.hpp"

#include <spdlog/fmt/fmt.h>

#include <sqlite3.h>

#include <set>

namespace alli::cache {
namespace {

using testing::HasSubstr;
using testing::Not;

// Tables of a few rows, and what is no table.
bool may_be_scanned(std::string_view step)
{
    for (const char* small :
         {"SCAN progress", "SCAN coverage", "SCAN problem", "SCAN json_each", "SCAN CONSTANT ROW", "SCAN (subquery"})
        if (step.starts_with(small)) return true;
    return step.find("INDEX") != step.npos || !step.starts_with("SCAN");
}

std::vector<std::string> plan_of(Connection& db, const std::string& sql)
{
    std::vector<std::string> steps;
    for (const Row row : db.query("EXPLAIN QUERY PLAN " + sql)) steps.emplace_back(row.text(3));
    return steps;
}

std::vector<std::string> prepared(Connection& db)
{
    std::vector<std::string> all;
    for (sqlite3_stmt* one = nullptr; (one = sqlite3_next_stmt(db.handle(), one));) all.emplace_back(sqlite3_sql(one));
    return all;
}

// All filters there are, alone and together.
std::vector<ListFilter> filters()
{
    std::vector<ListFilter> made;
    for (unsigned bits = 0; bits < 256; ++bits) {
        ListFilter filter;
        if (bits & 1) filter.user_ids = {"u1"};
        if (bits & 2) filter.user_ids.push_back("u2");
        if (bits & 4) filter.app_id = "app";
        if (bits & 8) filter.category_id = "x";
        if (bits & 16) filter.started_at = support::at_second(1), filter.end_at = support::at_second(500);
        if (bits & 32) filter.first_started_at = support::at_second(1), filter.first_end_at = support::at_second(500);
        if (bits & 64) filter.active_only = true;
        if (bits & 128) filter.search_term = "about";
        made.push_back(std::move(filter));
    }
    return made;
}

constexpr std::array every_order{Order::last_chat_desc, Order::last_chat_asc, Order::created_desc, Order::created_asc};

class Plans : public CacheTest {
  protected:
    static std::vector<std::pair<Part, std::optional<ListKey>>> places()
    {
        const ListKey timed{support::at_second(500), "x", std::nullopt}, timeless{std::nullopt, "x", std::nullopt};
        return {{Part::timed, std::nullopt}, {Part::timed, timed}, {Part::timeless, timed}, {Part::timeless, timeless}};
    }

    void SetUp() override
    {
        put("a", 100, 1, {{"user", {{"userId", "u1"}}}, {"categories", {"x"}}});
        put("b", 200, 2, {{"llmApp", {{"id", "app"}}}});
        put("n", 0, 0);
    }
};

TEST_F(Plans, ReadByAnIndexWhateverIsAsked)
{
    store_->read([&](Reader& db) {
        std::set<std::string> statements;
        for (ListFilter filter : filters())
            for (const Order order : every_order) {
                filter.order = order;
                for (const auto& [part, after] : places()) {
                    statements.insert(plan_list(db, filter, part, after, std::nullopt, 51).sql);
                    statements.insert(plan_list(db, filter, part, after, support::at_second(900), 51).sql);
                    statements.insert(plan_list(db, filter, part, after, std::nullopt, 51, support::at_second(50)).sql);
                }
                list_conversations(db, filter, 2, std::nullopt);
            }
        find_conversation(db, {"a"});
        find_chat_page(db, {"a"}, 1);
        find_chat(db, {"a"}, {"a/0"});
        count_daily(db, std::chrono::sys_days{}, std::chrono::sys_days{} + std::chrono::days{3});
        load_covered(db);
        load_hmac_key(db);
        for (const std::string& sql : prepared(db)) statements.insert(sql);
        std::size_t looked_at = 0;
        for (const std::string& sql : statements) {
            if (!sql.starts_with("SELECT")) continue;
            ++looked_at;
            for (const std::string& step : plan_of(db, sql)) EXPECT_TRUE(may_be_scanned(step)) << step << "\n" << sql;
        }
        EXPECT_GT(looked_at, 1000U);
    });
}

TEST_F(Plans, AreKeptForTheFirstFewHundredStatementsOnly)
{
    store_->read([&](Reader& db) {
        for (int n = 0; n < 1000; ++n) {
            const std::vector<Value> values{std::int64_t{n}};
            for (const Row row : db.query_values(fmt::format("SELECT ?1 + {}", n), values))
                EXPECT_EQ(row.integer(0), 2 * n);
        }
        EXPECT_LT(prepared(db).size(), 400U);
    });
}

TEST_F(Plans, NeverSortALongListInItsUsualOrder)
{
    store_->read([&](Reader& db) {
        for (const ListFilter& filter : filters()) {
            const bool several = filter.user_ids.size() > 1 || filter.first_started_at || filter.category_id;
            if (several) continue; // those are sorted where they are few
            for (const Part part : {Part::timed, Part::timeless}) {
                if (part == Part::timeless && !has_timeless(db, filter)) continue;
                const ListStatement statement =
                    plan_list(db, filter, part, std::nullopt, std::nullopt, 51, support::at_second(50));
                const auto steps = plan_of(db, statement.sql);
                EXPECT_THAT(fmt::format("{}", fmt::join(steps, "; ")), Not(HasSubstr("TEMP B-TREE"))) << statement.sql;
            }
        }
    });
}

TEST_F(Plans, FindACategoryAloneInItsOrder)
{
    store_->read([&](Reader& db) {
        ListFilter filter;
        filter.category_id = "x";
        filter.started_at = support::at_second(1);
        const auto statement = plan_list(db, filter, Part::timed, std::nullopt, std::nullopt, 51);
        const std::string plan = fmt::format("{}", fmt::join(plan_of(db, statement.sql), "; "));
        EXPECT_THAT(plan, HasSubstr("category_by_last_chat (name=? AND last_chat_at>?)"));
        EXPECT_THAT(plan, Not(HasSubstr("TEMP B-TREE")));
    });
}

} // namespace
} // namespace alli::cache

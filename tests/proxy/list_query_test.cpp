// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/list_query.hpp"

#include "alli/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

ListQuery read(std::string_view query, TimeUnit unit = TimeUnit::milliseconds)
{
    return read_list_query(read_query(query), unit);
}

TEST(ListQuery, HasTheDefaultsOfTheContract)
{
    const ListQuery query = read("");
    EXPECT_EQ(query.page_size, 50);
    EXPECT_EQ(query.filter.order, cache::Order::last_chat_desc);
    EXPECT_FALSE(query.filter.active_only);
    EXPECT_TRUE(query.variables.empty());
    EXPECT_EQ(query.cursor, std::nullopt);
}

TEST(ListQuery, ReadsEveryFilter)
{
    const ListQuery query =
        read("userIds=u1&userIds=u+2&llmAppId=app&categoryId=c&startedAt=1615246647609.666&endAt=2e12"
             "&firstChatStartedAt=1&firstChatEndAt=-5&activeOnly=true&order=CREATED_AT_ASC&pageSize=7&cursor=x+y");
    EXPECT_THAT(query.filter.user_ids, testing::ElementsAre("u1", "u 2"));
    EXPECT_EQ(query.filter.app_id, "app");
    EXPECT_EQ(query.filter.category_id, "c");
    EXPECT_EQ(query.filter.started_at, Instant{std::chrono::microseconds{1'615'246'647'609'666}});
    EXPECT_EQ(query.filter.end_at, Instant{std::chrono::seconds{2'000'000'000}});
    EXPECT_EQ(query.filter.first_started_at, Instant{std::chrono::milliseconds{1}});
    EXPECT_EQ(query.filter.first_end_at, Instant{std::chrono::milliseconds{-5}});
    EXPECT_TRUE(query.filter.active_only);
    EXPECT_EQ(query.filter.order, cache::Order::created_asc);
    EXPECT_EQ(query.page_size, 7);
    EXPECT_EQ(query.cursor, "x+y");
}

TEST(ListQuery, ReadsTimesInTheUnitOfTheProject)
{
    EXPECT_EQ(read("endAt=1700000000", TimeUnit::seconds).filter.end_at, Instant{std::chrono::seconds{1'700'000'000}});
    EXPECT_EQ(read("endAt=1700000000", TimeUnit::unknown).filter.end_at, Instant{std::chrono::seconds{1'700'000'000}});
    EXPECT_EQ(read("endAt=1700000000000", TimeUnit::unknown).filter.end_at,
              Instant{std::chrono::seconds{1'700'000'000}});
}

TEST(ListQuery, NamesTheParameterThatIsWrongAndNotItsValue)
{
    const std::vector<std::pair<std::string, std::string>> bad{{"pageSize", "0"},
                                                               {"pageSize", "51"},
                                                               {"pageSize", "-1"},
                                                               {"pageSize", "1x"},
                                                               {"pageSize", "99999999999999999999"},
                                                               {"order", "NEWEST"},
                                                               {"activeOnly", "yes"},
                                                               {"startedAt", "now"},
                                                               {"endAt", "1,5"},
                                                               {"firstChatStartedAt", "nan"},
                                                               {"firstChatEndAt", "inf"},
                                                               {"startedAt", "0x10"},
                                                               {"endAt", "1e400"},
                                                               {"pageSize", "1.0"},
                                                               {"startedAt", "1e30"}};
    for (const auto& [name, value] : bad) {
        try {
            read(name + "=" + value);
            ADD_FAILURE() << name << " " << value;
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::usage);
            EXPECT_THAT(error.what(), testing::StartsWith(name));
            EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr(value + " "))) << value;
        }
    }
}

TEST(ListQuery, TakesAnEmptyValueAsAbsent)
{
    const ListQuery query = read("pageSize=&order=&userIds=&llmAppId=&searchTerm=&variables=&cursor=");
    EXPECT_EQ(query.page_size, 50);
    EXPECT_TRUE(query.filter.user_ids.empty());
    EXPECT_EQ(query.filter.app_id, std::nullopt);
}

TEST(ListQuery, TakesANameOfAVariableEachTimeItIsGiven)
{
    EXPECT_THAT(read("variables=b&variables=a%2Cc&variables=b&variables=").variables, testing::ElementsAre("b", "a,c"));
}

TEST(ListQuery, FoldsTheCaseOfATerm)
{
    EXPECT_EQ(read("searchTerm=%C3%9CBER").filter.search_term, "über");
}

} // namespace
} // namespace alli::proxy

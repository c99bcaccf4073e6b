// SPDX-License-Identifier: Apache-2.0
#include "tests/sandbox/visitor.hpp"

#include <algorithm>
#include <set>

namespace alli::sandbox {
namespace {

const Options few_chats{.embedded_chats = 1}; // what is embedded matters to one test alone

std::set<std::string> sorted(const std::vector<std::string>& ids)
{
    return {ids.begin(), ids.end()};
}

// The order of a list as the contract has it, worked out the slow way.
bool stands_before(const Json& left, const Json& right, const char* field, bool descending)
{
    const Json& a = left.at(field);
    const Json& b = right.at(field);
    if (a.is_null() != b.is_null()) return b.is_null();
    if (a != b) return descending ? a > b : a < b;
    return descending ? left.at("id") > right.at("id") : left.at("id") < right.at("id");
}

TEST(List, HoldsEveryConversationOnceInEveryOrder)
{
    for (const TimeStyle style : {TimeStyle::seconds, TimeStyle::milliseconds, TimeStyle::milliseconds_fraction}) {
        Visitor visitor{{.time_style = style, .embedded_chats = 1}};
        for (const std::string order :
             {"LAST_CHAT_TIME_DESC", "LAST_CHAT_TIME_ASC", "CREATED_AT_DESC", "CREATED_AT_ASC"}) {
            const auto items = visitor.walk("pageSize=37&order=" + order);
            EXPECT_EQ(items.size(), 200u);
            EXPECT_EQ(sorted(ids_of(items)), sorted(visitor.sandbox.conversation_ids()));
            const char* field = order.starts_with("LAST") ? "lastChatTime" : "createdAt";
            for (std::size_t i = 1; i < items.size(); ++i)
                EXPECT_TRUE(stands_before(items[i - 1], items[i], field, order.ends_with("DESC"))) << order << ' ' << i;
        }
    }
}

// By key and by position, also where a page ends among them.
TEST(List, PutsThoseWithoutAChatWhereItIsTold)
{
    for (const Chatless chatless : {Chatless::behind, Chatless::oldest, Chatless::newest, Chatless::nowhere})
        for (const CursorKind kind : {CursorKind::key, CursorKind::position})
            for (const bool descending : {true, false}) {
                Visitor visitor{{.cursor = kind, .embedded_chats = 1, .chatless = chatless}};
                for (int n = 0; n < 5; ++n) visitor.sandbox.add_conversation(0);
                const std::string order = descending ? "LAST_CHAT_TIME_DESC" : "LAST_CHAT_TIME_ASC";
                const auto items = visitor.walk("pageSize=3&order=" + order);
                std::string shown; // a letter each: with a chat, or without
                for (const Json& item : items) shown += item.at("lastChatTime").is_null() ? '-' : 'c';
                const auto without = static_cast<std::size_t>(std::count(shown.begin(), shown.end(), '-'));
                const bool first = chatless == (descending ? Chatless::newest : Chatless::oldest);
                EXPECT_EQ(without, chatless == Chatless::nowhere ? 0U : 7U);
                EXPECT_EQ(shown.find(first ? 'c' : '-'), without == 0 ? shown.npos : first ? without : 198U);
                EXPECT_EQ(sorted(ids_of(items)).size(), items.size());
                const auto dated = visitor.walk("pageSize=30&endAt=99999999999999&order=" + order);
                EXPECT_EQ(dated.size(), 198U);
                EXPECT_EQ(visitor.walk("order=CREATED_AT_DESC").size(), 205U);
            }
}

TEST(List, IsByLastChatTimeNewestFirstUnlessAskedOtherwise)
{
    Visitor visitor{few_chats};
    EXPECT_EQ(ids_of(visitor.walk("")), ids_of(visitor.walk("order=LAST_CHAT_TIME_DESC")));
}

TEST(List, GivesFiftyAPageAndNoCursorOnTheLast)
{
    Visitor visitor{few_chats};
    std::size_t pages = 0;
    visitor.walk("", &pages);
    EXPECT_EQ(pages, 4u); // 200 fill four pages: no fifth, empty one
    EXPECT_EQ(visitor.get(list_path).at("conversations").size(), 50u);
}

TEST(List, WalksTheSameByPositionAsByKey)
{
    Visitor by_key{{.seed = 5, .embedded_chats = 1}},
        by_position{{.seed = 5, .cursor = CursorKind::position, .embedded_chats = 1}};
    for (const std::string query : {"pageSize=9", "pageSize=7&activeOnly=true", "pageSize=11&order=CREATED_AT_ASC"})
        EXPECT_EQ(ids_of(by_key.walk(query)), ids_of(by_position.walk(query)));
}

TEST(List, ShiftsUnderAPositionCursorAndNotUnderAKey)
{
    for (const CursorKind kind : {CursorKind::key, CursorKind::position}) {
        Visitor visitor{{.cursor = kind, .embedded_chats = 1}};
        const auto all = ids_of(visitor.walk(""));
        const std::string cursor = visitor.get(std::string{list_path} + "?pageSize=10").at("cursor");
        visitor.sandbox.add_chat(all[150], "USER", "back to the front");
        const Json next = visitor.get(std::string{list_path} + "?pageSize=10&cursor=" + cursor);
        EXPECT_EQ(next.at("conversations").at(0).at("id"), kind == CursorKind::key ? all[10] : all[9]);
    }
}

TEST(List, KeepsAKeyCursorGoodWhenItsConversationIsGone)
{
    Visitor visitor{few_chats};
    const auto all = ids_of(visitor.walk(""));
    const std::string cursor = visitor.get(std::string{list_path} + "?pageSize=10").at("cursor");
    visitor.sandbox.erase(all[9]);
    EXPECT_EQ(visitor.get(std::string{list_path} + "?cursor=" + cursor).at("conversations").at(0).at("id"), all[10]);
}

TEST(List, LeavesTheBoundsOfAWindowOutUnlessToldOtherwise)
{
    for (const bool inclusive : {false, true}) {
        for (const std::string order : {"LAST_CHAT_TIME_DESC", "LAST_CHAT_TIME_ASC", "CREATED_AT_ASC"}) {
            Visitor visitor{{.bounds_inclusive = inclusive, .embedded_chats = 1}};
            const auto all = visitor.walk("");
            const std::string from = all[20].at("lastChatTime").dump(), to = all[10].at("lastChatTime").dump();
            const auto some = visitor.walk("pageSize=4&order=" + order + "&startedAt=" + from + "&endAt=" + to);
            const std::vector<Json> expected{all.begin() + (inclusive ? 10 : 11), all.begin() + (inclusive ? 21 : 20)};
            EXPECT_EQ(sorted(ids_of(some)), sorted(ids_of(expected))) << order;
            EXPECT_EQ(some.size(), expected.size());
        }
    }
}

TEST(List, FiltersByTheFirstChatsTime)
{
    Visitor visitor{few_chats};
    const auto all = visitor.walk("order=CREATED_AT_ASC");
    const std::string chats = path_of(all[50].at("id").get<std::string>(), "/chats");
    const Json first = visitor.get(chats).at("chats").at(0).at("timestamp");
    const auto before = visitor.walk("firstChatEndAt=" + first.dump()),
               after = visitor.walk("firstChatStartedAt=" + first.dump());
    std::size_t silent = 0;
    for (const Json& item : all) silent += item.at("lastChatTime").is_null() ? 1u : 0u;
    EXPECT_GT(silent, 0u);
    EXPECT_EQ(before.size() + after.size() + 1 + silent, all.size());
    for (const Json& item : before) EXPECT_LT(item.at("createdAt"), first);
}

TEST(List, PutsAConversationWithoutAChatLastAndInNoWindow)
{
    Visitor visitor{few_chats};
    const std::string id = visitor.sandbox.add_conversation(0);
    for (const std::string order : {"LAST_CHAT_TIME_DESC", "LAST_CHAT_TIME_ASC"}) {
        const auto items = visitor.walk("order=" + order);
        EXPECT_TRUE(items.back().at("lastChatTime").is_null());
        const auto ids = ids_of(items);
        EXPECT_NE(std::find(ids.end() - 3, ids.end(), id), ids.end());
        EXPECT_EQ(visitor.walk("startedAt=0&order=" + order).size(), items.size() - 3); // two of its own 200
    }
}

TEST(List, FiltersByUsersAppsCategoriesAndState)
{
    Visitor visitor{few_chats};
    const auto all = visitor.walk("");
    const auto users = visitor.sandbox.user_ids();
    const auto apps = visitor.sandbox.app_ids();
    const auto count = [&](const std::string& query, auto matches) {
        const auto expected = std::count_if(all.begin(), all.end(), matches);
        EXPECT_GT(expected, 0) << query;
        EXPECT_EQ(std::ssize(visitor.walk(query)), expected) << query;
    };
    const auto user_is = [](const Json& item, const std::string& id) {
        return item["user"].is_object() && item["user"]["userId"] == id;
    };
    count("userIds=" + users[0] + "&userIds=" + users[1],
          [&](const Json& item) { return user_is(item, users[0]) || user_is(item, users[1]); });
    count("llmAppId=" + escaped(apps[1]),
          [&](const Json& item) { return item["llmApp"].is_object() && item["llmApp"]["id"] == apps[1]; });
    count("categoryId=" + escaped(visitor.category_id("archive")), [](const Json& item) {
        const auto categories = item["categories"].get<std::vector<std::string>>();
        return std::find(categories.begin(), categories.end(), "archive") != categories.end();
    });
    count("activeOnly=true", [](const Json& item) { return item["isEnd"] == false; });
    count("activeOnly=false", [](const Json&) { return true; });
    EXPECT_TRUE(visitor.walk("userIds=nobody").empty());
}

TEST(List, FindsATermInTitlesAndNamesWhateverItsCase)
{
    Visitor visitor{{.conversations = 1}};
    const std::string id = visitor.sandbox.add_conversation(1);
    visitor.sandbox.edit_title(id, "Über ÄPFEL and 여행");
    for (const std::string term : {"%C3%BCBER", "%C3%A4pfel", "%EC%97%AC%ED%96%89", "AND+%EC%97%AC"})
        EXPECT_EQ(visitor.walk("searchTerm=" + term).size(), 1u) << term;
    EXPECT_TRUE(visitor.walk("searchTerm=zzzz").empty());
}

TEST(List, CarriesOnlyTheVariablesThatWereAskedFor)
{
    Visitor visitor{few_chats};
    EXPECT_FALSE(visitor.get(list_path).at("conversations").at(0).contains("variables"));
    const Json item = visitor.walk("variables=plan&variables=nothing").front();
    EXPECT_EQ(item.at("variables").size(), 1u);
    EXPECT_TRUE(item.at("variables").at("plan").is_string());
    const Json one = visitor.get(path_of(item.at("id").get<std::string>()) + "?variables=plan,visits");
    EXPECT_EQ(one.at("variables").size(), 2u);
}

TEST(List, RefusesBadParametersInTheServicesShape)
{
    Visitor visitor{few_chats};
    for (const std::string query : {"pageSize=0", "pageSize=51", "pageSize=x", "order=TITLE_ASC", "startedAt=yesterday",
                                    "activeOnly=maybe", "cursor=abc", "cursor=!!", "endAt=1e", "searchTerm=%zz"}) {
        const HttpReply reply = visitor.send("GET", std::string{list_path} + '?' + query);
        EXPECT_EQ(reply.status, 400) << query;
        const Json error = Json::parse(reply.body);
        EXPECT_EQ(error.at("type"), "APIError");
        EXPECT_EQ(error.at("code"), 7003);
        EXPECT_TRUE(error.at("message").is_string());
    }
}

TEST(List, RefusesACursorOfAnotherOrder)
{
    Visitor visitor{few_chats};
    const std::string cursor = visitor.get(std::string{list_path} + "?pageSize=3").at("cursor");
    EXPECT_EQ(visitor.status(std::string{list_path} + "?order=CREATED_AT_ASC&cursor=" + cursor), 400);
}

TEST(List, CanRefuseEveryOrderButTheDefault)
{
    Visitor visitor{{.refuse_orders = true}};
    EXPECT_EQ(visitor.status(std::string{list_path} + "?order=LAST_CHAT_TIME_DESC"), 200);
    EXPECT_EQ(visitor.status(std::string{list_path} + "?order=LAST_CHAT_TIME_ASC"), 400);
}

TEST(List, CanHaveEmptyPagesThatGoOn)
{
    for (const CursorKind kind : {CursorKind::key, CursorKind::position}) {
        Visitor visitor{{.cursor = kind, .embedded_chats = 1, .empty_pages = true}};
        std::size_t pages = 0;
        EXPECT_EQ(visitor.walk("pageSize=5", &pages).size(), 200u);
        EXPECT_GT(pages, 42u);
        EXPECT_LT(pages, 75u);
    }
}

TEST(List, EmbedsAsManyChatsAsToldOldestFirst)
{
    for (const int embedded : {0, 3, 20}) {
        Visitor visitor{{.embedded_chats = embedded}};
        for (const Json& item : visitor.walk("")) {
            const auto count =
                std::min<std::size_t>(item.at("chatCount").get<std::size_t>(), static_cast<std::size_t>(embedded));
            ASSERT_EQ(item.at("chats").size(), count);
            if (count == 0) continue;
            EXPECT_EQ(item.at("chats").back().at("timestamp"), item.at("lastChatTime"));
        }
    }
}

TEST(DailyCount, CountsByCreationAndNamesEmptyDays)
{
    Visitor visitor{{.clock = [] { return *from_rfc3339("2026-03-01T12:00:00Z"); }}};
    const Json counts =
        visitor.get(std::string{list_path} + "/daily_count?startDate=2024-12-01&endDate=2026-03-01").at("counts");
    EXPECT_EQ(counts.size(), 456u);
    EXPECT_EQ(counts.front().at("date"), "2024-12-01");
    EXPECT_EQ(counts.back().at("date"), "2026-03-01");
    int total = 0;
    for (const Json& day : counts) total += day.at("count").get<int>();
    EXPECT_EQ(total, 200);
    EXPECT_EQ(counts.front().at("count"), 0);
}

TEST(DailyCount, RefusesWhatIsNoRange)
{
    Visitor visitor{few_chats};
    for (const std::string query :
         {"", "?startDate=2026-01-01", "?startDate=2026-01-02&endDate=2026-01-01", "?startDate=1&endDate=2026-01-01"})
        EXPECT_EQ(visitor.status(std::string{list_path} + "/daily_count" + query), 400) << query;
}

} // namespace
} // namespace alli::sandbox

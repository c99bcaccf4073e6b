// SPDX-License-Identifier: Apache-2.0
// Lists: every filter, order and page size, and what a cursor promises.
#include "tests/contract/subject.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

namespace alli::contract {
namespace {

using nlohmann::json;

struct Walk {
    std::vector<std::string> items; // their text
    std::size_t pages = 0;
};

class List : public Contract {
  protected:
    template <class Get>
    static Walk walk(Get get, const std::string& query, int page_size)
    {
        Walk walk;
        std::string cursor;
        do {
            std::string target =
                fmt::format("{}?pageSize={}{}{}", list_path, page_size, query.empty() ? "" : "&", query);
            if (!cursor.empty()) target += "&cursor=" + escaped(cursor);
            const support::HttpReply reply = get(target);
            EXPECT_EQ(reply.status, 200) << target << ' ' << reply.body.substr(0, 300);
            if (reply.status != 200) return walk;
            const auto page = nlohmann::ordered_json::parse(reply.body);
            for (const auto& item : page.at("conversations")) walk.items.push_back(item.dump());
            EXPECT_LE(page["conversations"].size(), static_cast<std::size_t>(page_size));
            cursor = page.at("cursor").is_null() ? "" : page["cursor"].get<std::string>();
            ++walk.pages;
        } while (!cursor.empty() && walk.pages < 1000);
        return walk;
    }

    static Walk walk_subject(const std::string& query, int page_size)
    {
        return walk([](const std::string& target) { return subject().get(target); }, query, page_size);
    }

    static void expect_same_walk(const std::string& query, int page_size)
    {
        const Walk found = walk_subject(query, page_size);
        const Walk expected = walk([](const std::string& target) { return subject().truth(target); }, query, page_size);
        EXPECT_EQ(found.pages, expected.pages) << query << " by " << page_size;
        ASSERT_EQ(found.items.size(), expected.items.size()) << query << " by " << page_size;
        for (std::size_t i = 0; i < found.items.size(); ++i)
            ASSERT_EQ(found.items[i], expected.items[i]) << query << " by " << page_size << ", item " << i;
    }

    static std::vector<json> everything()
    {
        std::vector<json> items;
        for (const std::string& item :
             walk([](const std::string& target) { return subject().truth(target); }, "", 50).items)
            items.push_back(json::parse(item));
        return items;
    }

    static std::string time_of(const json& item) { return item.at("lastChatTime").dump(); }
};

TEST_P(List, IsUpstreamsInEveryOrderAndPageSize)
{
    for (const char* order :
         {"", "order=LAST_CHAT_TIME_DESC", "order=LAST_CHAT_TIME_ASC", "order=CREATED_AT_DESC", "order=CREATED_AT_ASC"})
        for (const int size : {7, 49, 50}) expect_same_walk(order, size);
    expect_same_walk("", 1);
}

TEST_P(List, FiltersAsUpstreamDoes)
{
    const auto users = subject().twin().user_ids();
    const auto apps = subject().twin().app_ids();
    const auto items = everything();
    const std::string old = time_of(items[items.size() * 3 / 4]), young = time_of(items[items.size() / 4]);
    const auto categories = nlohmann::json::parse(subject().truth("/webapi/v2/conversation_categories").body);
    const auto category = escaped(categories.at("categories").back().at("categoryId").get<std::string>());
    const std::vector<std::string> queries{
        "userIds=" + escaped(users[0]),
        fmt::format("userIds={}&userIds={}&userIds=nobody", escaped(users[1]), escaped(users[2])),
        "llmAppId=" + escaped(apps[0]),
        "categoryId=" + category,
        "activeOnly=true",
        "activeOnly=false",
        "startedAt=" + old,
        "endAt=" + young,
        fmt::format("startedAt={}&endAt={}", old, young),
        fmt::format("startedAt={}&endAt={}", young, old),
        "firstChatStartedAt=" + old,
        "firstChatEndAt=" + young,
        fmt::format("llmAppId={}&activeOnly=true&startedAt={}", escaped(apps[1]), old),
        fmt::format("categoryId={}&llmAppId={}", category, escaped(apps[0])),
        fmt::format("userIds={}&startedAt={}", escaped(users[0]), old),
        "userIds=nobody",
        "startedAt=0",
    };
    if (offline()) // which conversations bear a category that nobody knows only upstream can say
        EXPECT_EQ(subject().get(std::string(list_path) + "?categoryId=nothing").status, 504);
    else
        expect_same_walk("categoryId=nothing", 9);
    for (const std::string& query : queries) {
        expect_same_walk(query, 9);
        expect_same_walk(query + "&order=CREATED_AT_ASC", 50);
        expect_same_walk(query + "&order=LAST_CHAT_TIME_ASC", 50);
    }
}

TEST_P(List, FindsASearchTermInTitlesAndNames)
{
    const auto items = everything();
    std::set<std::string> terms{"zzzzzz", "ZOË", "o'neill", "김", "müller"};
    for (std::size_t i = 0; i < items.size(); i += 16)
        if (items[i]["title"].is_string()) terms.insert(items[i]["title"].get<std::string>());
    for (const std::string& term : terms) {
        expect_same_walk("searchTerm=" + escaped(term), 8);
        expect_same_walk("searchTerm=" + escaped(term) + "&order=CREATED_AT_ASC&activeOnly=true", 50);
    }
}

TEST_P(List, CarriesTheVariablesThatAreAskedFor)
{
    for (const int size : {50, 9}) {
        expect_same_walk("variables=plan", size);
        expect_same_walk("variables=visits&variables=plan&activeOnly=true", size);
    }
}

// What a parameter that is not in the contract asks for, upstream alone knows.
TEST_P(List, LeavesWhatItDoesNotKnowToUpstreamAndIgnoresWhatIsEmpty)
{
    for (const std::string unknown : {"unknown=1&another", "order=CREATED_AT_ASC&order=CREATED_AT_DESC"})
        if (offline())
            EXPECT_EQ(subject().get(std::string(list_path) + '?' + unknown).status, 504) << unknown;
        else
            expect_same_walk(unknown, 50);
    expect_same_walk("llmAppId=&categoryId=&startedAt=&searchTerm=", 50);
}

TEST_P(List, EndsWithANullCursorExactlyAtTheEnd)
{
    const std::size_t all = everything().size();
    for (std::size_t size = 1; size <= 50; ++size)
        if (all % size == 0) {
            EXPECT_EQ(walk_subject("", static_cast<int>(size)).pages, all / size) << size;
        }
}

TEST_P(List, RefusesBadParameters)
{
    for (const char* query : {"pageSize=0", "pageSize=51", "pageSize=x", "pageSize=-1", "pageSize=1.5",
                              "pageSize=99999999999999999999", "startedAt=yesterday", "endAt=1e", "firstChatEndAt=--1",
                              "activeOnly=maybe", "activeOnly=1", "searchTerm=%zz", "userIds=%4"})
        expect_refusal(std::string(list_path) + '?' + query, 400);
    // Orders are not all known, and what runs now is not in a mirror: upstream judges.
    for (const char* query : {"order=TITLE_ASC", "order=last_chat_time_desc", "backgroundRunning=perhaps"})
        if (offline())
            EXPECT_EQ(subject().get(std::string(list_path) + '?' + query).status, 504) << query;
        else
            expect_refusal(std::string(list_path) + '?' + query, 400);
}

TEST_P(List, ReadsBooleansWhateverTheirCase)
{
    expect_same_walk("activeOnly=TRUE", 50);
    expect_same_walk("activeOnly=False", 50);
}

TEST_P(List, RefusesACursorOfAnotherOrder)
{
    const auto page = json::parse(subject().get(std::string(list_path) + "?pageSize=3").body);
    const std::string cursor = escaped(page.at("cursor").get<std::string>());
    expect_refusal(std::string(list_path) + "?order=CREATED_AT_ASC&cursor=" + cursor, 400);
}

TEST_P(List, RefusesACursorThatIsNone)
{
    const std::string target = std::string(list_path) + "?cursor=abc";
    if (!offline()) return expect_refusal(target, 400);
    EXPECT_EQ(subject().get(target).status, 504) << "upstream's cursors are upstream's to read";
}

ALLI_EVERY_WAY(List);

} // namespace
} // namespace alli::contract

// SPDX-License-Identifier: Apache-2.0
// One conversation, its chats, one chat, the daily counts.
#include "tests/contract/subject.hpp"

namespace alli::contract {
namespace {

using nlohmann::json;

class Items : public Contract {
  protected:
    static std::vector<std::string> ids() { return subject().twin().conversation_ids(); }
};

TEST_P(Items, AreUpstreamsByteForByte)
{
    for (const std::string& id : ids()) expect_truth(path_of(id));
}

TEST_P(Items, AreFoundHoweverTheirIdIsSpelled)
{
    int odd = 0;
    for (const std::string& id : ids()) {
        if (id.find('/') == id.npos) continue;
        std::string raw;
        for (const char c : id) raw += c == '/' ? "%2f" : std::string(1, c);
        expect_truth(std::string(list_path) + '/' + raw);
        ++odd;
    }
    EXPECT_GT(odd, 0) << "ids with a slash and a plus are what this is about";
}

TEST_P(Items, HaveTheirChatsInPagesOfAHundred)
{
    int long_ones = 0;
    for (const std::string& id : ids()) {
        const std::size_t chats = subject().twin().chat_ids(id).size();
        long_ones += chats > 100 ? 1 : 0;
        expect_truth(path_of(id, "/chats"));
        for (std::size_t page = 1; page <= chats / 100 + 2; ++page)
            expect_truth(path_of(id, "/chats?pageNo=" + std::to_string(page)));
    }
    EXPECT_GT(long_ones, 0);
}

TEST_P(Items, AreNotFoundByAnUnknownId)
{
    for (const char* rest : {"", "/chats", "/chats/unknown"}) expect_refusal(path_of("unknown", rest), 404);
    expect_refusal(path_of(ids().front(), "/chats/unknown"), 404);
}

TEST_P(Items, RefuseABadPageNumber)
{
    for (const char* page : {"0", "-1", "x", "1.5", "99999999999999999999"})
        expect_refusal(path_of(ids().front(), std::string("/chats?pageNo=") + page), 400);
}

// A chat alone may tell more than a page of chats does; without upstream the page's version is what there is.
TEST_P(Items, TellAllOfOneChat)
{
    int with_steps = 0;
    const std::vector<std::string> all = ids();
    for (std::size_t i = 0; i < all.size(); i += 16) {
        const std::string& id = all[i];
        for (const std::string& chat : subject().twin().chat_ids(id)) {
            const std::string target = path_of(id, "/chats/" + escaped(chat));
            const auto truth = json::parse(subject().truth(target).body);
            with_steps += truth.contains("intermediateSteps") ? 1 : 0;
            if (!offline()) {
                expect_truth(target);
                continue;
            }
            auto expected = truth;
            expected.erase("intermediateSteps");
            const auto reply = subject().get(target);
            ASSERT_EQ(reply.status, 200) << target << reply.body;
            EXPECT_EQ(json::parse(reply.body), expected);
        }
    }
    EXPECT_GT(with_steps, 0);
}

TEST_P(Items, AnswerHeadWithoutABody)
{
    const std::string id = ids().front();
    for (const std::string& target : {path_of(id), path_of(id, "/chats"), std::string(list_path)}) {
        const auto whole = subject().get(target), head = subject().send("HEAD", target);
        EXPECT_EQ(head.status, 200) << target;
        EXPECT_EQ(head.body, "");
        EXPECT_EQ(head.header("Content-Length"), std::to_string(whole.body.size())) << target;
        EXPECT_EQ(head.header("Content-Type"), whole.header("Content-Type"));
    }
}

TEST_P(Items, CarryTheVariablesThatAreAskedFor)
{
    const std::string id = ids().front();
    for (const char* names : {"plan", "plan,visits", "nothing", "plan,,nothing"})
        expect_truth(path_of(id, std::string("?variables=") + names));
    expect_truth(path_of(id, "?variables="));
}

TEST_P(Items, AreCountedByDay)
{
    const auto day = [](std::chrono::days back) {
        return to_rfc3339(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()) - back).substr(0, 10);
    };
    const std::string daily = std::string(list_path) + "/daily_count";
    expect_truth(daily + "?startDate=" + day(std::chrono::days{400}) + "&endDate=" + day(std::chrono::days{0}));
    expect_truth(daily + "?startDate=" + day(std::chrono::days{3}) + "&endDate=" + day(std::chrono::days{3}));
    expect_truth(daily + "?startDate=1999-12-31&endDate=2000-03-01");
    for (const char* query :
         {"", "?startDate=2026-01-01", "?startDate=2026-01-02&endDate=2026-01-01", "?startDate=1&endDate=2026-01-01",
          "?startDate=2026-02-30&endDate=2026-03-01", "?startDate=2026-01-01T00:00:00Z&endDate=2026-01-02",
          "?startDate=1900-01-01&endDate=2026-01-01"})
        expect_refusal(daily + query, 400);
}

TEST_P(Items, TellWhetherAConversationRuns)
{
    const std::string target = path_of(ids().front(), "/running");
    if (!offline()) return expect_truth(target);
    EXPECT_EQ(subject().get(target).status, 504);
}

ALLI_EVERY_WAY(Items);

} // namespace
} // namespace alli::contract

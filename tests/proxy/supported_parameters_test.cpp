// SPDX-License-Identifier: Apache-2.0
// What the mirror does not understand is upstream's: parameters of every mirrored read.
#include "proxy/reads/supported_parameters.hpp"

#include "proxy/request/unsupported_parameters.hpp"
#include "tests/proxy/fixture.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;

const std::vector<std::string> ignored{"_"};

std::string not_listed(std::string_view query)
{
    return find_unsupported_in_list(read_query(query), ignored).value_or("");
}

TEST(SupportedParameters, IsWhatTheContractNames)
{
    EXPECT_EQ(not_listed(""), "");
    EXPECT_EQ(not_listed("userIds=a&userIds=b&llmAppId=x&categoryId=y&startedAt=1&endAt=2&firstChatStartedAt=3"
                         "&firstChatEndAt=4&searchTerm=a,b&cursor=c&variables=d&variables=e&pageSize=5&activeOnly=true"
                         "&order=CREATED_AT_ASC"),
              "");
    EXPECT_EQ(not_listed("_=1700000000&pageSize=5"), "") << "it only breaks caches";
    EXPECT_EQ(not_listed("order=&pageSize="), "") << "as if it were not there";
}

TEST(SupportedParameters, IsNotWhatTheContractDoesNotName)
{
    for (const char* name : {"appIds", "userIds[]", "anything", "pagesize", "userids", "__"})
        EXPECT_EQ(not_listed("pageSize=5&" + std::string(name) + "=x"), name);
    EXPECT_EQ(not_listed("flag"), "flag") << "without a value it may still narrow";
    EXPECT_EQ(not_listed("order=MODIFIED_AT_DESC"), "order");
    EXPECT_EQ(not_listed("order=last_chat_time_desc"), "order");
    EXPECT_EQ(not_listed("backgroundRunning=false"), "backgroundRunning");
}

TEST(SupportedParameters, IsNotWhatCanBeReadInTwoWays)
{
    EXPECT_EQ(not_listed("llmAppId=a&llmAppId=b"), "llmAppId");
    EXPECT_EQ(not_listed("llmAppId=a&llmAppId=a"), "");
    EXPECT_EQ(not_listed("pageSize=5&pageSize="), "pageSize");
    EXPECT_EQ(not_listed("userIds=a,b"), "userIds");
    EXPECT_EQ(not_listed("variables=a%2Cb"), "variables");
    const auto of_one = [](std::string_view query) {
        return find_unsupported(read_query(query), SupportedParameters::conversation, ignored).value_or("");
    };
    EXPECT_EQ(of_one("variables=a,b"), "");
    EXPECT_EQ(of_one("variables=a&variables=b"), "variables");
    EXPECT_EQ(of_one("pageNo=1"), "pageNo");
}

TEST(UnsupportedParameters, NamesWhatComesOftenAndForgetsIt)
{
    UnsupportedParameters unsupported_parameters;
    const auto at = [](int minutes) { return Instant{std::chrono::minutes(minutes)}; };
    for (int i = 0; i < 12; ++i) unsupported_parameters.note("appIds", at(i));
    unsupported_parameters.note("rare", at(3));
    const auto frequent = unsupported_parameters.find_frequent(at(12));
    ASSERT_EQ(frequent.size(), 1U);
    EXPECT_EQ(frequent[0].name, "appIds");
    EXPECT_EQ(frequent[0].reads, 12U);
    EXPECT_EQ(frequent[0].since, at(0));
    EXPECT_TRUE(unsupported_parameters.find_frequent(at(11 + 60)).empty());
}

TEST(UnsupportedParameters, IsBoundedAndFitForATerminal)
{
    UnsupportedParameters unsupported_parameters;
    const std::string odd = "\x1b[31m`\xff" + std::string(1000, 'x');
    for (int i = 0; i < 10; ++i) unsupported_parameters.note(odd, Instant{});
    for (int i = 0; i < 1000; ++i) unsupported_parameters.note("n" + std::to_string(i), Instant{});
    const auto frequent = unsupported_parameters.find_frequent(Instant{});
    ASSERT_EQ(frequent.size(), 1U);
    EXPECT_EQ(frequent[0].name.size(), UnsupportedParameters::longest_name);
    EXPECT_EQ(frequent[0].name.substr(0, 7), "?[31m??");
}

class Beyond : public ProxyTest {
  protected:
    void fill()
    {
        put("a", 100, 2);
        put("b", 200, 3);
        cover(0, 1000);
        start();
    }
};

constexpr const char* list = "/webapi/v2/conversations";
const std::vector<std::string> asked{std::string(list) + "?appIds=x",
                                     std::string(list) + "?userIds[]=u",
                                     std::string(list) + "?anything=1",
                                     std::string(list) + "?order=NEW",
                                     std::string(list) + "?startedAt=50&after=1",
                                     std::string(list) + "/a?fields=id",
                                     std::string(list) + "/a/chats?x=",
                                     std::string(list) + "/a?variables=v&variables=w",
                                     std::string(list) + "/daily_count?from=2026-01-01&to=2026-01-02"};

TEST_F(Beyond, GoesUpstreamByteForByteAndIsNeverAnsweredFromTheMirror)
{
    fill();
    for (const std::string& target : asked) {
        const auto reply = get(target);
        EXPECT_EQ(reply.body, R"({"from":"upstream"})") << target;
        EXPECT_EQ(reply.header("Cache-Status"), "alli-mirror; fwd=miss") << target;
        EXPECT_EQ(upstream_.requests.back().target, target);
    }
    for (const std::string& target : asked)
        EXPECT_EQ(get(target, {{"Cache-Control", "only-if-cached"}}).status, 504) << target;
    EXPECT_EQ(upstream_.requests.size(), asked.size());
}

TEST_F(Beyond, IsA504WithoutUpstreamWhateverTheRequestWouldTake)
{
    upstream_.away = true;
    upstream_.state.reachable = false;
    fill();
    for (const std::string& target : asked) {
        EXPECT_EQ(get(target).status, 504) << target;
        EXPECT_EQ(get(target, {{"Cache-Control", "max-stale"}}).status, 504) << target;
    }
    EXPECT_EQ(get(std::string(list) + "/unknown?fields=id").status, 504) << "not a 404 of ours";
    EXPECT_EQ(get(std::string(list) + "?_=5").status, 200) << "what only breaks caches";
}

TEST_F(Beyond, IsNotKept)
{
    upstream_.reply.body = R"({"conversations":[{"id":"z"}],"cursor":null})";
    fill();
    EXPECT_EQ(get(std::string(list) + "?fields=id").status, 200);
    const auto held = store_.read([](cache::Reader& db) { return cache::find_conversation(db, ConversationId{"z"}); });
    EXPECT_FALSE(held.has_value()) << "less than a whole row";
}

TEST_F(Beyond, IsNoPartOfAListThatACursorOfOursGoesOnWith)
{
    fill();
    const json page = json::parse(get(std::string(list) + "?pageSize=1").body);
    const std::string next = std::string(list) + "?pageSize=1&cursor=" + page["cursor"].get<std::string>();
    EXPECT_EQ(get(next).status, 200);
    EXPECT_EQ(get(next + "&appIds=x").status, 400);
    EXPECT_EQ(get(next + "&_=7").status, 200);
    EXPECT_TRUE(upstream_.requests.empty());
}

TEST_F(Beyond, IsNamedOnceItComesOften)
{
    fill();
    for (int i = 0; i < 10; ++i) get(std::string(list) + "?appIds=x");
    const auto frequent = server_->unsupported_parameters();
    ASSERT_EQ(frequent.size(), 1U);
    EXPECT_EQ(frequent[0].name, "appIds");
}

} // namespace
} // namespace alli::proxy

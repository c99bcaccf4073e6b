// SPDX-License-Identifier: Apache-2.0
// The project's categories: read from the mirror, and what a filter by one of them is answered with.
#include "cache/rows/categories.hpp"
#include "tests/proxy/fixture.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* path = "/webapi/v2/conversation_categories";
constexpr const char* list = "/webapi/v2/conversations";
const std::string two = R"({"categories": [{"categoryId":"c1","name":"Billing"},{"categoryId":"c2","name":"Travel"}]})";

class CategoriesRead : public ProxyTest {
  protected:
    void know(const std::string& raw, std::int64_t second = 1990)
    {
        write([&](cache::Writer& db) {
            cache::put_category_list(db, raw, read_categories(raw), support::at_second(second));
        });
    }
    /// "a" bears a name, "b" an id, "d" another's name.
    void fill()
    {
        put("a", 100, 1, {{"categories", {"Billing"}}});
        put("b", 200, 1, {{"categories", {"c1"}}});
        put("d", 300, 1, {{"categories", {"Travel"}}});
        cover(0, 1000);
        start();
    }
    std::string status(const ::support::HttpReply& reply) { return std::string(reply.header("Cache-Status")); }
    std::vector<std::string> ids(const ::support::HttpReply& reply)
    {
        std::vector<std::string> found;
        const json page = json::parse(reply.body);
        for (const json& one : page["conversations"]) found.push_back(one["id"]);
        return found;
    }
    ::support::HttpReply filtered(const std::string& id) { return get(std::string(list) + "?categoryId=" + id); }
};

TEST_F(CategoriesRead, IsAnsweredFromTheMirrorByteForByte)
{
    fill();
    know(two);
    const auto reply = get(path);
    EXPECT_EQ(reply.body, two);
    EXPECT_THAT(status(reply), HasSubstr("hit"));
    EXPECT_EQ(get(path, {{"If-None-Match", std::string(reply.header("ETag"))}}).status, 304);
    EXPECT_TRUE(upstream_.requests.empty());
    EXPECT_EQ(status(get(std::string(path) + "?lang=ko")), "alli-mirror; fwd=miss") << "what is not understood";
}

TEST_F(CategoriesRead, IsUpstreamsWhereItIsNotHeldOrOldAndIsKept)
{
    fill();
    upstream_.reply.body = two;
    EXPECT_EQ(status(get(path)), "alli-mirror; fwd=miss; stored");
    EXPECT_THAT(status(get(path)), HasSubstr("hit"));
    clock_.seconds = 2100;
    upstream_.reply.body = R"({"categories":[]})";
    EXPECT_EQ(get(path).body, upstream_.reply.body);
    upstream_.away = true;
    upstream_.state.reachable = false;
    clock_.seconds = 9999;
    const auto offline = get(path);
    EXPECT_EQ(offline.body, upstream_.reply.body);
    EXPECT_THAT(status(offline), HasSubstr("detail=offline"));
}

TEST_F(CategoriesRead, IsAbsentOrUnreadableAsUpstreamSaysIt)
{
    fill();
    for (const auto& [code, body] : {std::pair{404, R"({"type":"APIError","code":7003,"message":"no"})"},
                                     std::pair{200, R"({"categories":[{"name":"without an id"}]})"}}) {
        upstream_.reply.status = code;
        upstream_.reply.body = body;
        EXPECT_EQ(get(path).status, code);
        EXPECT_EQ(get(path).body, body);
        EXPECT_EQ(status(get(path)), "alli-mirror; fwd=miss") << "and nothing is kept";
    }
    upstream_.away = true;
    upstream_.state.reachable = false;
    EXPECT_EQ(get(path).status, 504);
}

TEST_F(CategoriesRead, ShowsWhatAnAppHasJustChanged)
{
    fill();
    know(two, 1999);
    EXPECT_THAT(status(get(path)), HasSubstr("hit"));
    upstream_.reply.body = R"({"categoryId":"c3","name":"New"})";
    EXPECT_EQ(send("POST", path, {}, R"({"name":"New"})").status, 200);
    EXPECT_EQ(upstream_.category_refreshes, 1);
    upstream_.reply.body = R"({"categories":[{"categoryId":"c3","name":"New"}]})";
    EXPECT_EQ(get(path).body, upstream_.reply.body);
    clock_.seconds = 2001;
    get(path);
    EXPECT_THAT(status(get(path)), HasSubstr("hit"));
    clock_.seconds = 2002;
    EXPECT_EQ(send("DELETE", std::string(path) + "/c3").status, 200);
    EXPECT_EQ(status(get(path)), "alli-mirror; fwd=miss; stored");
}

TEST_F(CategoriesRead, FilterMatchesTheIdAndTheNameThatBelongsToIt)
{
    fill();
    know(two);
    const auto both = filtered("c1");
    EXPECT_THAT(status(both), HasSubstr("hit"));
    EXPECT_THAT(ids(both), ElementsAre("b", "a"));
    EXPECT_THAT(ids(filtered("c2")), ElementsAre("d"));
    EXPECT_THAT(ids(get(std::string(list) + "?categoryId=c1&order=CREATED_AT_ASC&activeOnly=false")),
                testing::UnorderedElementsAre("a", "b"));
    const auto first = get(std::string(list) + "?categoryId=c1&pageSize=1");
    EXPECT_THAT(ids(first), ElementsAre("b"));
    const std::string cursor = json::parse(first.body)["cursor"];
    EXPECT_THAT(ids(get(std::string(list) + "?categoryId=c1&pageSize=1&cursor=" + cursor)), ElementsAre("a"));
    EXPECT_TRUE(upstream_.requests.empty());
    EXPECT_EQ(upstream_.category_refreshes, 0);
}

TEST_F(CategoriesRead, FilterByWhatIsNotCertainIsUpstreams)
{
    fill();
    struct Case {
        const char* known;
        const char* asked;
    };
    const Case cases[] = {
        {R"({"categories":[]})", "c1"},
        {R"({"categories":[{"categoryId":"c1","name":"Billing"}]})", "Billing"}, // a name is no id
        {R"({"categories":[{"categoryId":"c1","name":"Billing"},{"categoryId":"c2","name":"Billing"}]})", "c1"},
        {R"({"categories":[{"categoryId":"c1","name":"c2"},{"categoryId":"c2","name":"x"}]})", "c1"},
        {R"({"categories":[{"categoryId":"c1","name":"x"},{"categoryId":"c2","name":"c1"}]})", "c1"},
    };
    upstream_.reply.body = R"({"conversations":[],"cursor":null})";
    int asked = 0;
    for (const Case& one : cases) {
        upstream_.away = false;
        upstream_.state.reachable = true;
        know(one.known);
        EXPECT_EQ(status(filtered(one.asked)), "alli-mirror; fwd=miss") << one.known;
        EXPECT_EQ(upstream_.category_refreshes, ++asked) << "the engine looks whether there are new ones";
        upstream_.away = true;
        upstream_.state.reachable = false;
        EXPECT_EQ(filtered(one.asked).status, 504) << one.known;
        ++asked;
    }
}

TEST_F(CategoriesRead, KeptListFollowsAChangeOfTheNames)
{
    fill();
    know(two);
    EXPECT_THAT(ids(filtered("c2")), ElementsAre("d"));
    know(R"({"categories":[{"categoryId":"c1","name":"Travel"},{"categoryId":"c2","name":"Billing"}]})");
    EXPECT_THAT(ids(filtered("c2")), ElementsAre("a"));
}

TEST_F(CategoriesRead, WaitingWriteIsAnsweredWithNamesWhereConversationsBearThem)
{
    fill();
    know(two);
    const auto reply = send("PUT", std::string(list) + "/nobody", {}, R"({"categoryIds":["c2","other"]})");
    EXPECT_EQ(reply.status, 202);
    EXPECT_EQ(json::parse(reply.body)["categories"], json::parse(R"(["Travel","other"])"));
}

} // namespace
} // namespace alli::proxy

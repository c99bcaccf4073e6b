// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/search_body.hpp"
#include "tests/proxy/fixture.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;

const std::string path = "/mirror/v1/search";

class MirrorSearch : public ProxyTest {
  protected:
    ::support::HttpReply post(std::string_view body, const std::string& type = "application/json")
    {
        return send("POST", path, {{"Content-Type", type}}, body);
    }

    static std::string repeated(std::string_view piece, int count)
    {
        std::string text;
        for (int n = 0; n < count; ++n) text += piece;
        return text;
    }

    static std::string percent_encoded(std::string_view text)
    {
        std::string target;
        for (const char c : text) target += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        return target;
    }
};

TEST_F(MirrorSearch, FindsWordsAndSaysHowFarItLooked)
{
    put("a", 100, 2);
    cover(0, 1000);
    start();
    const auto reply = get("/mirror/v1/search?q=chat+1&limit=5&sort=relevance");
    ASSERT_EQ(reply.status, 200) << reply.body;
    const json body = json::parse(reply.body);
    EXPECT_EQ(body.at("query"), "chat 1");
    EXPECT_EQ(body.at("total"), 1);
    EXPECT_TRUE(body.at("next").is_null());
    ASSERT_EQ(body.at("results").size(), 1u);
    const json& hit = body["results"][0];
    EXPECT_EQ(hit.at("conversationId"), "a");
    EXPECT_EQ(hit.at("chatId"), "a/1");
    EXPECT_EQ(hit.at("timestamp"), "1970-01-01T00:01:40Z");
    EXPECT_THAT(hit.at("snippet").get<std::string>(), testing::HasSubstr("<mark>"));
    for (const char* name : {"title", "sender", "user", "score"}) EXPECT_TRUE(hit.contains(name)) << name;
    EXPECT_EQ(body.at("coverage"),
              json::parse(R"({"complete":true,"from":"1970-01-01T00:00:00Z","through":"1970-01-01T00:16:40Z"})"));
}

TEST_F(MirrorSearch, TakesAnythingAsAQueryButNotAsANumber)
{
    start();
    for (const char* query : {"", "?q=", "?q=%22", "?q=NEAR(", "?q=*", "?q=%27+OR+1%3D1--", "?q=%ff"})
        EXPECT_EQ(get(std::string("/mirror/v1/search") + query).status, 200) << query;
    for (const char* bad : {"?q=a&limit=0", "?q=a&limit=1001", "?q=a&sort=best"}) {
        const auto reply = get(std::string("/mirror/v1/search") + bad);
        EXPECT_EQ(reply.status, 400) << bad;
        EXPECT_EQ(reply.header("Content-Type"), "application/problem+json");
    }
}

TEST_F(MirrorSearch, TakesByPostWhatIsTooLongForATarget)
{
    const std::string emoji = repeated("👍🎉", 400);
    put("a", 100, 1, {{"title", emoji}});
    cover(0, 1000);
    start();
    EXPECT_EQ(get(path + "?q=" + percent_encoded(emoji)).status, 414);
    const auto reply = post(json{{"q", emoji}}.dump());
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.header("Content-Type"), "application/json");
    const json body = json::parse(reply.body);
    EXPECT_EQ(body.at("query"), emoji);
    EXPECT_EQ(body.at("total"), 1);
    EXPECT_TRUE(upstream_.requests.empty());
}

TEST_F(MirrorSearch, AnswersByPostAsByGet)
{
    put("a", 100, 5), put("b", 200, 5);
    cover(0, 1000);
    start();
    const std::vector<std::pair<std::string, json>> same{
        {"?q=chat", {{"q", "chat"}}},
        {"?q=chat+of&limit=3&sort=relevance", {{"q", "chat of"}, {"limit", 3}, {"sort", "relevance"}}},
        {"?q=chat&context=2&group=conversation", {{"q", "chat"}, {"context", 2}, {"group", "conversation"}}},
        {"?q=chat&cursor=&sort=", {{"q", "chat"}, {"cursor", nullptr}, {"sort", ""}}},
        {"", json::object()},
    };
    for (const auto& [query, body] : same) EXPECT_EQ(post(body.dump()).body, get(path + query).body) << query;
    EXPECT_EQ(post(R"({"q":"chat"})", "Application/JSON; charset=utf-8").status, 200);
}

TEST_F(MirrorSearch, GoesOnWithACursorOfEitherWay)
{
    put("a", 100, 5);
    cover(0, 1000);
    start();
    const json first = json::parse(get(path + "?q=chat&limit=2").body);
    const json second = json::parse(post(json{{"q", "chat"}, {"limit", 2}, {"cursor", first.at("next")}}.dump()).body);
    const json third = json::parse(get(path + "?q=chat&limit=2&cursor=" + second.at("next").get<std::string>()).body);
    std::vector<std::string> ids;
    for (const json& page : {first, second, third})
        for (const json& hit : page.at("results")) ids.push_back(hit.at("chatId"));
    EXPECT_THAT(ids, testing::ElementsAre("a/4", "a/3", "a/2", "a/1", "a/0"));
    EXPECT_EQ(post(json{{"q", "other"}, {"cursor", first.at("next")}}.dump()).status, 400);
}

TEST_F(MirrorSearch, RefusesBodiesThatAreNoSearch)
{
    start();
    const std::string deep = repeated("[", 200'000), nested = repeated(R"({"q":)", 10'000);
    for (const std::string& body :
         {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("\"hotel\""),
          std::string("q=hotel"), std::string(R"({"q":["hotel"]})"), std::string(R"({"q":{"a":1}})"),
          std::string(R"({"q":true})"), std::string(R"({"q":"a","limit":"20"})"),
          std::string(R"({"q":"a","limit":2.5})"), std::string(R"({"q":"a","limit":0})"),
          std::string(R"({"q":"a","limit":99999999999999999999})"), std::string(R"({"q":"a","limit":-1})"),
          std::string(R"({"q":"a","sort":"best"})"), std::string(R"({"q":"a","group":"user"})"),
          std::string("{\"q\":\"\xff\"}"), std::string(R"({"q":"a"} x)"), nested.substr(0, 60'000)}) {
        const auto reply = post(body);
        EXPECT_EQ(reply.status, 400) << body.substr(0, 60);
        EXPECT_EQ(reply.header("Content-Type"), "application/problem+json");
    }
    EXPECT_EQ(post(deep.substr(0, 60'000)).status, 400);
    EXPECT_EQ(post(deep).status, 413);
    EXPECT_EQ(post(json{{"q", repeated("a", 70'000)}}.dump()).status, 413);
    EXPECT_EQ(send("POST", path + "?q=hotel", {{"Content-Type", "application/json"}}, "{}").status, 400);
}

TEST_F(MirrorSearch, TakesHalfAnEmojiForACharacterThatNobodyCanRead)
{
    put("a", 100, 1);
    start();
    for (const char* body :
         {R"({"q":"chat \ud83d"})", R"({"q":"\udc00 chat"})", R"({"q":"\ud83d\ud83d\ude00 chat"})"}) {
        const auto reply = post(body);
        ASSERT_EQ(reply.status, 200) << reply.body;
        EXPECT_NE(json::parse(reply.body).at("query").get<std::string>().find("\ufffd"), std::string::npos) << body;
    }
    EXPECT_EQ(json::parse(post(R"({"q":"\ud83d\ude00 \\ud83d"})").body).at("query"), "\U0001f600 \\ud83d");
}

TEST_F(MirrorSearch, TakesNoTypeThatAForeignFormCouldSend)
{
    start();
    for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                             "application/jsonp", "text/plain; application/json"})
        EXPECT_EQ(post(R"({"q":"chat"})", type).status, 415) << type;
    EXPECT_EQ(send("POST", path, {}, R"({"q":"chat"})").status, 415);
    const ::support::Headers foreign{{"Content-Type", "application/json"}, {"Origin", "http://evil.test"}};
    EXPECT_EQ(send("POST", path, foreign, R"({"q":"chat"})").status, 403);
    const ::support::Headers site{{"Content-Type", "application/json"}, {"Sec-Fetch-Site", "cross-site"}};
    EXPECT_EQ(send("POST", path, site, R"({"q":"chat"})").status, 403);
    EXPECT_EQ(
        ::support::http(port_, "POST", path, {{"Host", host_}, {"Content-Type", "application/json"}}, "{}").status,
        401);
}

TEST_F(MirrorSearch, TakesDaysInTheZoneThatIsGiven)
{
    put("early", 54'000, 1); // 1970-01-01T15:00:00Z: the 2nd in Seoul
    put("late", 86'400, 1);
    start();
    const auto ask = [&](const std::string& tz) {
        return json::parse(get(path + "?q=after:1970-01-02" + (tz.empty() ? "" : "&tz=" + tz)).body);
    };
    EXPECT_EQ(ask("UTC").at("total"), 1);
    const json seoul = ask("Asia%2FSeoul");
    EXPECT_EQ(seoul.at("total"), 2);
    EXPECT_EQ(seoul.at("tz"), "Asia/Seoul");
    EXPECT_EQ(ask("asia/seoul").at("tz"), "Asia/Seoul");
    EXPECT_EQ(ask("").at("tz"), Zone::of_host().name());
    EXPECT_EQ(json::parse(post(R"({"q":"after:1970-01-02","tz":"Asia/Seoul"})").body).at("total"), 2);
    EXPECT_EQ(json::parse(post(R"({"q":"after:1970-01-02","tz":null})").body).at("tz"), Zone::of_host().name());
}

TEST_F(MirrorSearch, NamesTheZoneThatWasMeant)
{
    start();
    for (const auto& [tz, hint] : std::vector<std::array<std::string, 2>>{{"Asia/Soul", "did you mean Asia/Seoul?"},
                                                                          {"KST", "did you mean Asia/Seoul?"},
                                                                          {"+09:00", "for example Asia/Seoul"}}) {
        for (const auto& reply :
             {get(path + "?q=a&tz=" + percent_encoded(tz)), post(json{{"q", "a"}, {"tz", tz}}.dump())}) {
            EXPECT_EQ(reply.status, 400) << tz;
            EXPECT_EQ(json::parse(reply.body).value("hint", ""), hint) << tz;
            EXPECT_EQ(reply.body.find(tz + "\""), std::string::npos) << "it is not repeated";
        }
    }
}

TEST_F(MirrorSearch, BindsACursorToTheZone)
{
    for (const char* id : {"a", "b"}) put(id, 90'000, 1);
    start();
    const json first = json::parse(get(path + "?q=after:1970-01-02&limit=1&tz=UTC").body);
    const std::string next = first.at("next");
    EXPECT_EQ(get(path + "?q=after:1970-01-02&limit=1&tz=UTC&cursor=" + next).status, 200);
    EXPECT_EQ(get(path + "?q=after:1970-01-02&limit=1&tz=Asia%2FSeoul&cursor=" + next).status, 400);
}

TEST_F(MirrorSearch, NamesTheParameterThatWasMeant)
{
    start();
    for (const auto& [query, body, hint] : std::vector<std::array<std::string, 3>>{
             {"?q=a&limt=5", R"({"q":"a","limt":5})", "did you mean limit?"},
             {"?q=a&Sort=newest", R"({"q":"a","Sort":"newest"})", "did you mean sort?"},
             {"?query=a", R"({"query":"a"})", "it takes q, tz, sort, limit, cursor, context, group"},
             {"?q=a&_=17", R"({"q":"a","_":17})", "it takes q, tz, sort, limit, cursor, context, group"},
         }) {
        for (const auto& reply : {get(path + query), post(body)}) {
            EXPECT_EQ(reply.status, 400) << query;
            EXPECT_EQ(json::parse(reply.body).value("hint", ""), hint) << query;
        }
    }
}

TEST_F(MirrorSearch, SaysWhichMethodsItTakes)
{
    start();
    const auto reply = send("PUT", path);
    EXPECT_EQ(reply.status, 405);
    EXPECT_EQ(reply.header("Allow"), "GET, HEAD, POST, OPTIONS");
}

} // namespace
} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
#include "tests/proxy/fixture.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;

class HighlightTest : public ProxyTest {
  protected:
    ::support::HttpReply ask(const std::string& body, const std::string& type = "application/json")
    {
        return send("POST", "/mirror/v1/highlight", {{"Content-Type", type}}, body);
    }

    json ranges(const std::string& query, const std::vector<std::string>& texts)
    {
        const auto reply = ask(json{{"q", query}, {"texts", texts}}.dump());
        EXPECT_EQ(reply.status, 200) << reply.body;
        return json::parse(reply.body).at("ranges");
    }
};

TEST_F(HighlightTest, SaysWhereTheWordsStandByTheRulesOfTheIndex)
{
    start();
    const auto one = [&](const std::string& query, const std::string& text) { return ranges(query, {text}).at(0); };
    EXPECT_EQ(one("cafe", "the café"), json::parse("[[4,8]]"));
    EXPECT_EQ(one("don't", "I don’t know"), json::parse("[[2,7]]"));
    EXPECT_EQ(one("cat", "concatenate"), json::parse("[]"));
    EXPECT_EQ(one("cat", "con\u2063cat\u2063enate"), json::parse("[[4,7]]"));
    EXPECT_EQ(one("여행", "서울여행지"), json::parse("[[2,4]]"));
    EXPECT_EQ(one("ｶﾀｶﾅ", "カタカナ"), json::parse("[[0,4]]"));
    EXPECT_EQ(one("hot*", "hot hotel shot"), json::parse("[[0,3],[4,9]]"));
    EXPECT_EQ(one("\"ocean view\" -view user:mina", "view of ocean view"), json::parse("[[8,18]]"));
    EXPECT_EQ(one("😀 b", "😀a b"), json::parse("[[0,2],[4,5]]")) << "in UTF-16 code units";
    EXPECT_EQ(ranges("a", {"a", "", "b a"}), json::parse("[[[0,1]],[],[[2,3]]]"));
}

TEST_F(HighlightTest, MarksWhatTheSnippetMarks)
{
    start();
    put("a", 100, 3);
    const json hit = json::parse(get("/mirror/v1/search?q=chat").body).at("results").at(0);
    std::string snippet = hit.at("snippet");
    const std::size_t from = snippet.find("<mark>"), to = snippet.find("</mark>") - 6;
    for (const char* tag : {"</mark>", "<mark>"})
        if (const auto at = snippet.find(tag); at != snippet.npos) snippet.erase(at, std::string_view(tag).size());
    EXPECT_EQ(ranges("chat", {snippet}).at(0).at(0), json::array({from, to}));
}

TEST_F(HighlightTest, RefusesWhatIsNoRequestAndBoundsWhatItAnswers)
{
    start();
    for (const char* body :
         {"", "[]", "{", R"({"q":"a"})", R"({"texts":[]})", R"({"q":1,"texts":[]})", R"({"q":"a","texts":"b"})",
          R"({"q":"a","texts":[1]})", R"({"q":"a","texts":[],"sort":"x"})"})
        EXPECT_EQ(ask(body).status, 400) << body;
    EXPECT_EQ(ask(R"({"q":"a","texts":["a"]})", "text/plain").status, 415);
    EXPECT_EQ(ask(json{{"q", "a"}, {"texts", std::vector<std::string>(1001, "a")}}.dump()).status, 400);
    EXPECT_EQ(ask(R"({"q":"a \ud83d","texts":["a \ud83d a"]})").status, 200);
    std::string many;
    for (int n = 0; n < 10'000; ++n) many += "a b ";
    EXPECT_EQ(ranges("a", {many, many}).at(0).size() + ranges("a", {many, many}).at(1).size(), 5000u);
    EXPECT_EQ(get("/mirror/v1/highlight").status, 405);
}

} // namespace
} // namespace alli::proxy

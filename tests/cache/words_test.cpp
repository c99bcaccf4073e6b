// SPDX-License-Identifier: Apache-2.0
// What of a conversation and its chats can be searched for, kind by kind.
#include "cache/search/search.hpp"
#include "cache/text/markdown.hpp"
#include "cache/text/words.hpp"
#include "tests/cache/fixture.hpp"

#include <fstream>

namespace alli::cache {
namespace {

using nlohmann::json;

class WordsTest : public CacheTest {
  protected:
    void put_one(json chat, const json& conversation = json::object())
    {
        json made = support::chat_json("c", 0, 100, "");
        made.update(chat);
        TimeUnit unit = TimeUnit::seconds;
        const std::vector<Chat> chats{read_chat(made.dump(), unit)};
        const Conversation whole = support::make_conversation("c", 100, conversation);
        write([&](Writer& db) {
            put_conversation(db, whole);
            put_chats(db, whole.id, 0, chats);
        });
    }

    std::string snippet_of(const std::string& text)
    {
        SearchQuery query;
        query.text = text;
        const auto found = store_->read([&](Reader& db) { return search(db, query); });
        return found.hits.empty() ? "" : found.hits.front().snippet;
    }
};

TEST_F(WordsTest, FindTheMessage)
{
    put_one({{"message", "온천 여행을 예약하고 싶어요"}});
    EXPECT_EQ(snippet_of("여행"), "온천 <mark>여행</mark>을 예약하고 싶어요");
}

TEST_F(WordsTest, FindTheBlocksOfDraftJs)
{
    const json draft{{"blocks", {{{"text", "first line"}}, {{"text", "溫泉 second"}}}}, {"entityMap", json::object()}};
    put_one({{"message", draft.dump()}});
    EXPECT_EQ(snippet_of("second"), "first line 溫泉 <mark>second</mark>");
    EXPECT_EQ(snippet_of("entityMap"), "");
}

TEST_F(WordsTest, FindAnAddressByItsHostAndItsPath)
{
    put_one({{"message", "see https://docs.example.com/guides/getting-started?lang=ko#install"}});
    for (const char* part : {"docs", "example", "docs.example.com", "guides", "getting-started", "lang", "install"})
        EXPECT_NE(snippet_of(part), "") << part;
}

TEST_F(WordsTest, FindWhatMarkdownPartsWithItsMarks)
{
    put_one({{"message", "**서울**에서 `apt`로 *이탤릭*체 그리고 ~~지운~~것, 2*3*4 = 24"}});
    EXPECT_EQ(snippet_of("서울에서").substr(0, 26), "<mark>서울에서</mark> ");
    for (const char* part : {"apt로", "이탤릭체", "지운것", "\"**서울**에서\"", "24"})
        EXPECT_NE(snippet_of(part), "") << part;
}

TEST_F(WordsTest, FindTitlesAndTextsOfCitations)
{
    put_one({{"message", "see there"},
             {"citations", {{{"title", "Handbook of hotels"}, {"text", "breakfast is **in**cluded"}}}}});
    EXPECT_EQ(snippet_of("handbook"), "<mark>Handbook</mark> of hotels breakfast is included");
    EXPECT_EQ(snippet_of("cluded"), "Handbook of hotels breakfast is in<mark>cluded</mark>");
    EXPECT_EQ(snippet_of("included"), "Handbook of hotels breakfast is <mark>included</mark>");
}

TEST_F(WordsTest, FindTitleUserAndMemo)
{
    put_one(json::object(), {{"title", "Lost luggage"},
                             {"memo", "call back 월요일"},
                             {"user", {{"userId", "emp-4711"}, {"firstName", "Mina"}, {"lastName", "Kim"}}}});
    for (const char* part : {"luggage", "월요일", "emp-4711", "4711", "mina", "kim"})
        EXPECT_NE(snippet_of(part), "") << part;
}

TEST(Marks, GoOnlyInPairsThatEncloseSomething)
{
    for (const auto& [text, left] : std::vector<std::pair<std::string, std::string>>{
             {"**a**b", "a\u2063b"},
             {"**Hotel**is **Total**100", "Hotel\u2063is Total\u2063100"},
             {"a`b`c", "a\u2063b\u2063c"},
             {"**é**t **서울**b a**서울**", "é\u2063t 서울b a서울"},
             {"**a**`b`~~c~~", "a\u2063b\u2063c"},
             {"**a**, b", "a, b"},
             {"a * b * c", "a * b * c"},
             {"2*3*4", "2*3*4"},
             {"* item\n* item", "* item\n* item"},
             {"안녕~~ 반가워~~", "안녕~~ 반가워~~"},
             {"`a*b*`", "a*b*"},
             {"**open", "**open"},
             {"***", "***"},
             {"", ""},
             {"**a\nb**", "**a\nb**"},
         })
        EXPECT_EQ(strip_markdown(text), left);
}

TEST(Marks, AreThoseOfThePageByOneTableOfExamples)
{
    std::ifstream file(std::string(ALLI_SOURCE) + "/tests/page/marks.json");
    const json table = json::parse(file);
    ASSERT_GT(table.size(), 20u);
    for (const json& example : table) {
        std::string text = strip_markdown(example.at(0).get<std::string>());
        for (std::size_t at = text.find("\u2063"); at != text.npos; at = text.find("\u2063")) text.erase(at, 3);
        std::erase(text, '\\'); // a sign of its own to the index, which parts words
        EXPECT_EQ(text, example.at(1).get<std::string>());
    }
}

} // namespace
} // namespace alli::cache

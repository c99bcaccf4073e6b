// SPDX-License-Identifier: Apache-2.0
// Every example of docs/search.md, put to a real index as a message.
#include "cache/search/search.hpp"
#include "tests/cache/fixture.hpp"
#include "tests/cache/plain_scan.hpp"

#include <fstream>

namespace alli::cache {
namespace {

/// What stands between backticks.
std::vector<std::string> examples_in(const std::string& cell)
{
    std::vector<std::string> found;
    for (std::size_t at = cell.find('`'); at != cell.npos;) {
        const std::size_t end = cell.find('`', at + 1);
        if (end == cell.npos) break;
        found.push_back(cell.substr(at + 1, end - at - 1));
        at = cell.find('`', end + 1);
    }
    return found;
}

struct Rule {
    std::string written;
    std::vector<std::string> finds, misses;
};

std::vector<std::string> lines_of_the_page()
{
    std::ifstream page(std::string(ALLI_SOURCE) + "/docs/search.md");
    std::vector<std::string> lines;
    for (std::string line; std::getline(page, line);) lines.push_back(line);
    return lines;
}

std::vector<Rule> rules()
{
    std::vector<Rule> made;
    bool in_table = false;
    for (const std::string& line : lines_of_the_page()) {
        std::vector<std::string> cells;
        for (std::size_t at = line.find('|'); at != line.npos && line.find('|', at + 1) != line.npos;
             at = line.find('|', at + 1))
            cells.push_back(line.substr(at + 1, line.find('|', at + 1) - at - 1));
        in_table = !cells.empty() && (in_table || cells.front() == " written ");
        if (!in_table || cells.size() < 3 || examples_in(cells[0]).size() != 1) continue;
        made.push_back({examples_in(cells[0]).front(), examples_in(cells[1]), examples_in(cells[2])});
    }
    return made;
}

class SearchRules : public CacheTest {
  protected:
    void put_text(const std::string& id, const std::string& text)
    {
        const Conversation made = support::make_conversation(id, 100, {{"title", nullptr}});
        const std::vector<Chat> chats{support::make_chat(id, 0, 100, text)};
        write([&](Writer& db) {
            put_conversation(db, made);
            put_chats(db, made.id, 0, chats);
        });
    }

    std::optional<std::string> snippet(const std::string& id, const std::string& text)
    {
        SearchQuery query;
        query.text = text, query.limit = 1000;
        for (const SearchHit& hit : store_->read([&](Reader& db) { return search(db, query); }).hits)
            if (hit.conversation_id == id && hit.chat_id) return hit.snippet;
        return std::nullopt;
    }
};

TEST_F(SearchRules, HoldForEveryExampleOfThePage)
{
    const std::vector<Rule> all = rules();
    ASSERT_GT(all.size(), 40u);
    for (std::size_t n = 0; n < all.size(); ++n) put_text(std::to_string(n), all[n].written);
    for (std::size_t n = 0; n < all.size(); ++n) {
        SCOPED_TRACE(all[n].written);
        EXPECT_FALSE(all[n].finds.empty());
        for (const std::string& query : all[n].finds) {
            const std::string found = snippet(std::to_string(n), query).value_or("nothing");
            EXPECT_NE(found.find("<mark>"), std::string::npos) << query << ": " << found;
        }
        for (const std::string& query : all[n].misses)
            EXPECT_FALSE(snippet(std::to_string(n), query)) << "found by " << query;
    }
}

TEST_F(SearchRules, FindEveryKanjiOfThePageByItsFormInUse)
{
    int pairs = 0;
    for (const std::string& line : lines_of_the_page()) {
        const std::u32string text = plain_scan::decode(line);
        if (text.size() < 6 || text.substr(0, 4) != U"    " || text[4] < 0x4e00) continue;
        for (std::size_t at = 4; at + 1 < text.size(); at += 3) {
            const std::string id = std::to_string(pairs++);
            put_text(id, plain_scan::to_utf8({text[at]}));
            EXPECT_TRUE(snippet(id, plain_scan::to_utf8({text[at + 1]}))) << line.substr(0, 20) << " at " << at;
        }
    }
    EXPECT_GT(pairs, 250);
}

TEST_F(SearchRules, MarkWhatWasWrittenNotWhatItIsFoldedTo)
{
    for (const auto& [text, query, marked] : std::vector<std::array<std::string, 3>>{
             {"Alli™ 도입", "alli", "<mark>Alli</mark>™ 도입"},
             {"①AI", "1", "<mark>①</mark>AI"},
             {"쌀 5㎏당", "5kg", "쌀 <mark>5㎏</mark>당"},
             {"10㌔メートル", "キロ", "10<mark>㌔</mark>メートル"},
             {"아 ㅋㅋㅠㅠ", "ㅠㅠ", "아 ㅋㅋ<mark>ㅠㅠ</mark>"},
             {"이 ﾻﾻ", "ㅋㅋ", "이 <mark>ﾻﾻ</mark>"},
             {"a نَصٌّ b", "نص", "a <mark>نَصٌّ</mark> b"},
             {"a مـــدرسة b", "مدرسه", "a <mark>مـــدرسة</mark> b"},
             {"שָׁלוֹם!", "שלום", "<mark>שָׁלוֹם</mark>!"},
             {"ho\u00adtel x", "hotel", "<mark>ho\u00adtel</mark> x"},
             {"v1.2", "1.2", "v<mark>1.2</mark>"},
             {"so C++, no", "c++", "so <mark>C++</mark>, no"},
             {"**Hotel**is", "is", "Hotel<mark>is</mark>"},
             {"un**believ**able", "unbeliev*", "<mark>unbelievable</mark>"},
             {"國廣様", "国広", "<mark>國廣</mark>様"},
             {"そのサーバの", "サーバー", "その<mark>サーバ</mark>の"},
             {"\u1112\u1161\u11ab\u1100\u1173\u11af!", "한글", "<mark>\u1112\u1161\u11ab\u1100\u1173\u11af</mark>!"},
         }) {
        put_text("c", text);
        EXPECT_EQ(snippet("c", query).value_or("(nothing)"), marked) << query;
    }
}

} // namespace
} // namespace alli::cache

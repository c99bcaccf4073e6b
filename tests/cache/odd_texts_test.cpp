// SPDX-License-Identifier: Apache-2.0
// Search against a plain scan of texts and titles made of whatever scripts, signs and marks do together.
#include "cache/search/search.hpp"
#include "tests/cache/fixture.hpp"
#include "tests/cache/plain_scan.hpp"

#include <cstdlib>
#include <random>
#include <set>

namespace alli::cache {
namespace {

using plain_scan::plain;
using plain_scan::stands_in;

const std::vector<std::string>& pieces()
{
    static const std::vector<std::string> all{" ",
                                              " ",
                                              " ",
                                              " ",
                                              "  ",
                                              "\n",
                                              ". ",
                                              ", ",
                                              "-",
                                              "/",
                                              "_",
                                              "~",
                                              "(",
                                              ")",
                                              "·",
                                              "'",
                                              "+",
                                              "#",
                                              "*",
                                              "**",
                                              "**",
                                              "~~",
                                              "`",
                                              "a",
                                              "b",
                                              "c",
                                              "v",
                                              "V",
                                              "v1",
                                              "1",
                                              "2",
                                              "3",
                                              "30",
                                              "1.2",
                                              "2024",
                                              "C++",
                                              "c#",
                                              "Hotel",
                                              "is",
                                              "Alli",
                                              "AI",
                                              "é",
                                              "e\u0301",
                                              "ß",
                                              "Ł",
                                              "ﬁ",
                                              "Ａ",
                                              "１",
                                              "𝐀",
                                              "İ",
                                              "ſ",
                                              "ᵗ",
                                              "여행",
                                              "을",
                                              "한",
                                              "글",
                                              "시",
                                              "간",
                                              "분",
                                              "시간",
                                              "가",
                                              "각",
                                              "ㅋ",
                                              "ㅋㅋ",
                                              "ㅠ",
                                              "ㅇ",
                                              "ﾻ",
                                              "ￂ",
                                              "\u1112\u1161\u11ab",
                                              "\u110f",
                                              "\u1172",
                                              "\u11a8",
                                              "\u3164",
                                              "温泉",
                                              "日",
                                              "日本",
                                              "間",
                                              "國",
                                              "国",
                                              "辺",
                                              "邊",
                                              "髙",
                                              "⽇",
                                              "カ",
                                              "カタ",
                                              "ｶ",
                                              "ﾞ",
                                              "ー",
                                              "サーバー",
                                              "サーバ",
                                              "ひ",
                                              "の",
                                              "\u3099",
                                              "゛",
                                              "、",
                                              "。",
                                              "・",
                                              "™",
                                              "①",
                                              "㈜",
                                              "㎏",
                                              "㎡",
                                              "㌔",
                                              "㍿",
                                              "㊙",
                                              "㉠",
                                              "㉮",
                                              "²",
                                              "₂",
                                              "½",
                                              "℃",
                                              "№",
                                              "Ⅳ",
                                              "❶",
                                              "ⓐ",
                                              "🅰",
                                              "🈁",
                                              "ª",
                                              "1\ufe0f\u20e3",
                                              "ℹ\ufe0f",
                                              "👍",
                                              "👍🏽",
                                              "👩\u200d👧",
                                              "🇰🇷",
                                              "❤\ufe0f",
                                              "نص",
                                              "\u064e",
                                              "\u0651",
                                              "أ",
                                              "آ",
                                              "ٱ",
                                              "إلى",
                                              "ة",
                                              "ه",
                                              "ؤ",
                                              "و",
                                              "\u0654",
                                              "ی",
                                              "ي",
                                              "ك",
                                              "ک",
                                              "\u0640",
                                              "٣",
                                              "\u06db",
                                              "ۀ",
                                              "\u0670",
                                              "شلום",
                                              "של\u05d5\u05b9",
                                              "\u05e9\u05c1",
                                              "שׁ",
                                              "\u05be",
                                              "ที่",
                                              "นี่",
                                              "น้ำ",
                                              "๓",
                                              "हिन्दी",
                                              "क़",
                                              "२",
                                              "\u00ad",
                                              "\u200b",
                                              "\u200c",
                                              "\u200d",
                                              "\u2060",
                                              "\ufe0f",
                                              "\u202e",
                                              "\U000e0100"};
    return all;
}

class OddTexts : public CacheTest {
  protected:
    std::string draw_text(std::size_t most)
    {
        std::string text;
        for (std::size_t n = 1 + random_() % most; n > 0; --n) text += pieces()[random_() % pieces().size()];
        return text;
    }

    void load(int texts)
    {
        for (int n = 0; n < texts; ++n) {
            texts_.push_back(draw_text(16)), titles_.push_back(draw_text(8));
            plain_texts_.push_back(plain(plain_scan::without_emphasis(texts_.back())));
            plain_titles_.push_back(plain(titles_.back()));
        }
        write([&](Writer& db) {
            for (std::size_t n = 0; n < texts_.size(); ++n) {
                const std::string id = std::to_string(n);
                const nlohmann::json titled{{"title", titles_[n]}};
                put_conversation(db, support::make_conversation(id, 1000 + static_cast<std::int64_t>(n), titled));
                const std::vector<Chat> chats{
                    support::make_chat(id, 0, 1000 + static_cast<std::int64_t>(n), texts_[n])};
                put_chats(db, ConversationId{id}, 0, chats);
            }
        });
    }

    std::u32string draw_part()
    {
        const auto& from = random_() % 3 == 0 ? titles_ : texts_;
        const std::u32string text = plain_scan::decode(from[random_() % from.size()]);
        return text.substr(random_() % text.size(), 1 + random_() % 10);
    }

    std::string draw_query()
    {
        std::u32string made = draw_part();
        if (random_() % 3 == 0) made += (random_() % 2 ? U" " : U"") + draw_part();
        if (random_() % 4 == 0) made = plain(plain_scan::to_utf8(made));
        return plain_scan::to_utf8(made);
    }

    using Found = std::set<std::pair<std::string, bool>>; // which conversation, and whether by its title

    Found ask(const std::string& query_text)
    {
        SearchQuery query;
        query.text = query_text, query.limit = 1000;
        Found found;
        for (const SearchHit& hit : store_->read([&](Reader& db) { return search(db, query); }).hits) {
            found.insert({hit.conversation_id, !hit.chat_id});
            EXPECT_NE(hit.snippet.find("<mark>"), std::string::npos) << query_text << " in " << hit.snippet;
        }
        return found;
    }

    Found scan(const std::u32string& term)
    {
        Found found;
        for (std::size_t n = 0; n < texts_.size(); ++n) {
            if (stands_in(plain_texts_[n], term)) found.insert({std::to_string(n), false});
            if (stands_in(plain_titles_[n], term)) found.insert({std::to_string(n), true});
        }
        return found;
    }

    void expect_same(const std::string& query)
    {
        const std::u32string term = plain(plain_scan::without_emphasis(query));
        if (term.find_first_not_of(U' ') == term.npos) return;
        const Found found = ask('"' + query + '"'), truth = scan(term);
        if (found == truth) return;
        for (const auto& [id, titled] : truth)
            if (!found.count({id, titled})) fail(query, "missed", id, titled);
        for (const auto& [id, titled] : found)
            if (!truth.count({id, titled})) fail(query, "wrong", id, titled);
    }

    void fail(const std::string& query, const char* what, const std::string& id, bool titled)
    {
        const std::size_t n = std::stoul(id);
        ++failures_;
        ADD_FAILURE() << what << ": [" << query << "] in " << (titled ? "title [" + titles_[n] : "text [" + texts_[n])
                      << "]\n"
                      << plain_scan::to_utf8(plain(query)) << " | "
                      << plain_scan::to_utf8(titled ? plain_titles_[n] : plain_texts_[n]);
    }

    static constexpr unsigned seed = 19;
    static constexpr int most_failures = 10; // to read at once
    int failures_ = 0;
    std::mt19937 random_{seed};
    std::vector<std::string> texts_, titles_;
    std::vector<std::u32string> plain_texts_, plain_titles_;
};

TEST_F(OddTexts, AreFoundByAPhraseExactlyWhereAPlainScanFindsIt)
{
    load(600);
    const char* wanted = std::getenv("ALLI_SEARCH_QUERIES");
    for (int n = wanted ? std::atoi(wanted) : 1500; n > 0 && failures_ < most_failures; --n) expect_same(draw_query());
}

} // namespace
} // namespace alli::cache

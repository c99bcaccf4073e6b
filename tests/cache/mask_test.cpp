// SPDX-License-Identifier: Apache-2.0
#include "cache/export/export_row.hpp"
#include "cache/export/mask_json.hpp"
#include "cache/text/mask.hpp"
#include "sandbox/dialogues.hpp"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <regex>

namespace alli::cache {
namespace {

struct Made {
    std::string text, kind;
};

/// Numbers by the tables of forms below: # is any digit, X one that makes the check right.
class Maker {
  public:
    std::string digits(std::string_view form)
    {
        std::string made;
        for (const char c : form) made += c == '#' ? digit() : c;
        return made;
    }
    std::string card()
    {
        std::string number = digits(pick({"4###", "5###", "35##", "6###"}) + "-####-####-###");
        for (char check = '0'; check <= '9'; ++check)
            if (luhn(number + check)) return number + check;
        return number;
    }
    std::string rrn()
    {
        return fmt::format("{:02}{:02}{:02}-{}", random_() % 100, random_() % 12 + 1, random_() % 28 + 1,
                           digits(pick({"1######", "2######", "3######", "4######"})));
    }
    std::string mynumber(std::string_view form)
    {
        const std::string eleven = digits("###########");
        int sum = 0;
        for (int n = 1; n <= 11; ++n)
            sum += (eleven[static_cast<std::size_t>(11 - n)] - '0') * (n <= 6 ? n + 1 : n - 5);
        const std::string all = eleven + std::to_string(sum % 11 <= 1 ? 0 : 11 - sum % 11);
        std::string made;
        std::size_t at = 0;
        for (const char c : form) made += c == '#' ? all[at++] : c;
        return made;
    }
    std::string pick(std::initializer_list<std::string> from) { return *(from.begin() + random_() % from.size()); }

  private:
    char digit() { return static_cast<char>('0' + random_() % 10); }
    static bool luhn(const std::string& text)
    {
        int sum = 0, place = 0;
        for (auto it = text.rbegin(); it != text.rend(); ++it) {
            if (*it == '-') continue;
            int value = *it - '0';
            if (place++ % 2 == 1) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
            sum += value;
        }
        return sum % 10 == 0;
    }
    std::mt19937 random_{7};
};

std::vector<Made> make_all(int of_each_form)
{
    Maker maker;
    std::vector<Made> all;
    for (int n = 0; n < of_each_form; ++n) {
        for (const char* form :
             {"010-####-####",    "010 #### ####",   "010########",      "010.####.####",   "+82-10-####-####",
              "+82 10 #### ####", "02-###-####",     "02-####-####",     "(02) ###-####",   "031-###-####",
              "070-####-####",    "1588-####",       "090-####-####",    "080########",     "03-####-####",
              "(03)####-####",    "0120-###-###",    "+81-90-####-####", "+1 212-5##-####", "(415) 5##-####",
              "415-5##-####",     "+44 20 #### ####"})
            all.push_back({maker.digits(form), "[phone]"});
        for (const char* form : {"mina@example.com", "mina.park+x@mail.example.co.kr", "m_p-1@ex-ample.jp", "a@b.io"})
            all.push_back({form, "[email]"});
        all.push_back({maker.card(), "[card]"});
        all.push_back({maker.rrn(), "[rrn]"});
        for (const char* form : {"#### #### ####", "####-####-####"})
            all.push_back({maker.mynumber(form), "[mynumber]"});
    }
    return all;
}

TEST(Mask, ReplacesWhatIdentifiesWhereverItStands)
{
    int missed = 0, count = 0;
    for (const auto& [text, kind] : make_all(14))
        for (const char* around : {"{}", "연락처는 {}입니다", "お電話は{}まで。", "call {}, please", "a: {}\nb"}) {
            ++count;
            const std::string whole = fmt::format(fmt::runtime(around), text);
            if (mask_text(whole) != fmt::format(fmt::runtime(around), kind)) {
                ++missed;
                ADD_FAILURE_AT(__FILE__, __LINE__) << whole << " became " << mask_text(whole);
            }
        }
    EXPECT_GT(count, 400);
    EXPECT_LE(missed * 100, count);
}

TEST(Mask, LeavesOtherNumbersAndSignsAlone)
{
    for (const char* text : {"2026-01-05 10:30",
                             "05-12-2026",
                             "09:00-18:00",
                             "1,234,567원",
                             "주문 번호 A-12345",
                             "order 2024123456",
                             "192.168.0.1",
                             "v1.2.3",
                             "0.12345678",
                             "3.14159265358979",
                             "100-200",
                             "서울 04524",
                             "〒100-0001",
                             "100 000 000",
                             "12월 25일",
                             "@mina hello",
                             "a @ b",
                             "x@y",
                             "50% @ 10",
                             "1234-5678",
                             "123-456",
                             "0x1234567890",
                             "ISBN 978-89-1234-567-8",
                             "http://x.test/2024/01/02",
                             "20260105103000",
                             ""})
        EXPECT_EQ(mask_text(text), text);
}

/// Addresses and phone numbers as another reads them: by expressions, not by what mask.cpp knows of forms.
std::vector<std::string> identities_in(const std::string& text)
{
    if (text.find('@') == text.npos &&
        std::count_if(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; }) < 9)
        return {};
    static const std::regex expression(
        R"([\w.+-]+@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}|(\+\d{1,3}[ -]?)?\(?0\d{1,3}\)?[ .-]?\d{3,4}[ .-]?\d{4})");
    std::vector<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at)
        found.push_back(at->str());
    return found;
}

std::vector<std::string> load_real_texts()
{
    const std::string path = std::string(ALLI_SOURCE) + "/../shared/data/dialogues.jsonl.gz";
    std::vector<std::string> texts;
    if (!std::filesystem::exists(path)) return texts;
    for (const auto& dialogue : sandbox::read_corpus(path))
        for (const auto& turn : dialogue.turns) texts.push_back(turn.text);
    return texts;
}

TEST(MaskOfDialogues, FindsWhatIdentifiesAndNextToNothingElse)
{
    const std::vector<std::string> texts = load_real_texts();
    if (texts.empty()) GTEST_SKIP() << "no real dialogues here";
    std::size_t there = 0, missed = 0, wrong = 0;
    for (const std::string& text : texts) {
        const std::string masked = mask_text(text);
        const auto found = identities_in(text);
        if (found.empty() && masked != text) ++wrong;
        for (const std::string& one : found) ++there, missed += masked.find(one) != masked.npos ? 1U : 0U;
    }
    fmt::print("{} messages: {} with nothing to mask were changed; of {} addresses and numbers {} were missed\n",
               texts.size(), wrong, there, missed);
    EXPECT_GT(texts.size(), 10'000U);
    EXPECT_LE(wrong * 1000, texts.size());
    EXPECT_LE(missed * 100, there);
}

// Few people write an address to a stranger: so they are put between what people did write.
TEST(MaskOfDialogues, FindsWhatStandsBetweenTheirWords)
{
    const std::vector<std::string> texts = load_real_texts();
    if (texts.empty()) GTEST_SKIP() << "no real dialogues here";
    const std::vector<Made> all = make_all(14);
    std::size_t count = 0, missed = 0;
    for (std::size_t n = 1; n < texts.size(); n += 5) {
        const Made& one = all[count++ % all.size()];
        const std::string before = texts[n - 1] + ' ', after = ' ' + texts[n];
        const std::string masked = mask_text(before) + one.kind + mask_text(after);
        missed += mask_text(before + one.text + after) == masked ? 0U : 1U;
    }
    fmt::print("of {} put into messages {} were missed\n", count, missed);
    EXPECT_GT(count, 4000U);
    EXPECT_LE(missed * 100, count);
}

TEST(Mask, TakesFullWidthFormsForWhatTheyAre)
{
    EXPECT_EQ(mask_text("電話０９０－１２３４－５６７８です"), "電話[phone]です");
    EXPECT_EQ(mask_text("ｍｉｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ"), "[email]");
    EXPECT_EQ(mask_text("010‐1234‐5678"), "[phone]");
    EXPECT_EQ(mask_text("\xff\xfe 010-1234-5678 \xe3\x81"), "\xff\xfe [phone] \xe3\x81"); // no UTF-8
}

TEST(Mask, KeepsIdsButThoseThatAreAddresses)
{
    EXPECT_EQ(mask_id("Q29udmVyc2F0aW9uOjYwMDY="), "Q29udmVyc2F0aW9uOjYwMDY=");
    EXPECT_EQ(mask_id("user-0102223333"), "user-0102223333");
    EXPECT_TRUE(mask_id("mina@example.com").starts_with("user-"));
    EXPECT_EQ(mask_id("mina@example.com"), mask_id("mina@example.com"));
    EXPECT_NE(mask_id("mina@example.com"), mask_id("jun@example.com"));
}

TEST(Mask, LosesTheMarksOfASnippetInWhichItFindsSomething)
{
    EXPECT_EQ(mask_snippet("call <mark>mina</mark>@example.com &amp; wait"), "call [email] &amp; wait");
    EXPECT_EQ(mask_snippet("<mark>call</mark> &lt;now&gt;"), "<mark>call</mark> &lt;now&gt;");
}

TEST(Mask, GoesThroughAJsonDocumentWhateverItHolds)
{
    EXPECT_EQ(
        mask_json_text(R"({"id":"010-1234-5678","userId":"a@b.io","user":"a@b.io","n":1,"deep":[{"text":"a@b.io"}]})"),
        R"({"id":"010-1234-5678","userId":")" + mask_id("a@b.io") + R"(","user":")" + mask_id("a@b.io") +
            R"(","n":1,"deep":[{"text":"[email]"}]})");
    EXPECT_EQ(mask_json_text("a@b.io").find("a@b.io"), std::string::npos);
}

TEST(Mask, LeavesNoStringOfARowAsItIs)
{
    ConversationRow row;
    const auto texts = {&ConversationRow::id,        &ConversationRow::title,    &ConversationRow::user_id,
                        &ConversationRow::user_name, &ConversationRow::app_name, &ConversationRow::categories,
                        &ConversationRow::state,     &ConversationRow::assignee, &ConversationRow::channel,
                        &ConversationRow::raw};
    for (const auto text : texts) row.*text = "a@b.io";
    row.id = "c1";
    mask(row);
    for (const auto text : texts) EXPECT_EQ((row.*text).find("a@b.io"), std::string::npos);
    ReadableChat chat{"h1", "a@b.io", "a@b.io", {}, "\"a@b.io\""};
    mask(chat);
    EXPECT_EQ(chat.sender + ' ' + chat.text + ' ' + chat.raw, "[email] [email] \"[email]\"");
}

} // namespace
} // namespace alli::cache

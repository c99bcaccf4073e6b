// SPDX-License-Identifier: Apache-2.0
#include "cache/text/case_fold.hpp"

#include <gtest/gtest.h>

#include <random>

namespace alli::cache {
namespace {

bool holds(std::string_view text, std::string_view term)
{
    return holds_term(text, folded_case(term));
}

TEST(Fold, TakesLettersOfEveryCaseForEqual)
{
    EXPECT_EQ(folded_case("Über ÄPFEL, ΣΊΣΥΦΟΣ, Жук"), "über äpfel, σίσυφοσ, жук");
    EXPECT_EQ(folded_case("여행 温泉 カタカナ"), "여행 温泉 カタカナ");
    EXPECT_TRUE(holds("Über Äpfel", "ÜBER ä"));
    EXPECT_TRUE(holds("about the Espresso", "ESPRESSO"));
    EXPECT_TRUE(holds("서울 여행 계획", "여행"));
    EXPECT_TRUE(holds("mixed 여행 Text", "행 TEXT"));
    EXPECT_FALSE(holds("Apfel", "äpfel")) << "a mark is no case";
    EXPECT_TRUE(holds("300 \xe2\x84\xaa", "300 k")) << "the Kelvin sign";
    EXPECT_TRUE(holds("anything", ""));
    EXPECT_FALSE(holds("", "x"));
}

TEST(Fold, PassesWhatIsNoUtf8AsItIs)
{
    EXPECT_EQ(folded_case("A\xff\xc3"), "a\xff\xc3");
    EXPECT_TRUE(holds("a\xffZ", "\xffz"));
    EXPECT_FALSE(holds("\xc3", "\xc3\xa4"));
}

TEST(Fold, FindsExactlyWhatTheFoldedTextHolds)
{
    const unsigned seed = 7;
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const std::vector<std::string> letters{"a",  "A", "k", "K", "\xe2\x84\xaa", "ä", "Ä",
                                           "여", "ſ", "S", " ", "\xff",         "ß", "İ"};
    const auto text = [&](std::size_t most) {
        std::string made;
        for (std::size_t n = random() % (most + 1); n > 0; --n) made += letters[random() % letters.size()];
        return made;
    };
    for (int i = 0; i < 20'000; ++i) {
        const std::string whole = text(12), part = folded_case(text(3));
        EXPECT_EQ(holds_term(whole, part), folded_case(whole).find(part) != std::string::npos)
            << whole << " | " << part;
    }
}

} // namespace
} // namespace alli::cache

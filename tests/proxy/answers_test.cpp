// SPDX-License-Identifier: Apache-2.0
#include "proxy/answers.hpp"

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

Answer of(std::size_t size, char letter = 'x')
{
    return make_answer(std::string(size, letter), std::nullopt);
}

TEST(Answers, AreGoodUntilTheNextCommit)
{
    Answers answers(100'000);
    answers.put("/a", 7, of(10));
    ASSERT_TRUE(answers.find("/a", 7));
    EXPECT_EQ(*answers.find("/a", 7)->body, "xxxxxxxxxx");
    EXPECT_FALSE(answers.find("/b", 7));
    EXPECT_FALSE(answers.find("/a", 8));
    EXPECT_FALSE(answers.find("/a", 7)) << "what is out of date is not kept";
    EXPECT_EQ(answers.bytes(), 0U);
}

TEST(Answers, ReplaceTheOneOfTheSameTarget)
{
    Answers answers(100'000);
    answers.put("/a", 1, of(10, 'x'));
    answers.put("/a", 2, of(20, 'y'));
    EXPECT_EQ(answers.find("/a", 2)->body->size(), 20U);
    EXPECT_LT(answers.bytes(), 400U);
}

TEST(Answers, LetTheLeastUsedGoWhenTheyGrowTooBig)
{
    Answers answers(10'000);
    for (const char* target : {"/a", "/b", "/c", "/d"}) answers.put(target, 1, of(2000));
    EXPECT_TRUE(answers.find("/a", 1));
    answers.put("/e", 1, of(2000));
    EXPECT_TRUE(answers.find("/a", 1)) << "used since";
    EXPECT_FALSE(answers.find("/b", 1));
    EXPECT_LE(answers.bytes(), 10'000U);
    answers.put("/big", 1, of(9000));
    EXPECT_FALSE(answers.find("/big", 1)) << "it would push out all others";
    EXPECT_TRUE(answers.find("/e", 1));
}

TEST(Answers, TellBodiesApartByTheirTags)
{
    EXPECT_EQ(of(10).tag, of(10).tag);
    EXPECT_NE(of(10).tag, of(11).tag);
    EXPECT_NE(of(10, 'x').tag, of(10, 'y').tag);
    EXPECT_EQ(of(1).tag.front(), '"');
}

} // namespace
} // namespace alli::proxy

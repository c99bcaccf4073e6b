// SPDX-License-Identifier: Apache-2.0
#include "alli/headers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli {
namespace {

using testing::ElementsAre;

TEST(Headers, AreFoundWithoutRegardToCase)
{
    Headers headers{{"Accept", "a"}, {"X-Two", "1"}, {"x-two", "2"}, {"Empty", ""}};
    EXPECT_EQ(headers.first("accept"), "a");
    EXPECT_EQ(headers.first("X-TWO"), "1");
    EXPECT_EQ(headers.count("x-Two"), 2u);
    EXPECT_EQ(headers.joined("x-two"), "1, 2");
    EXPECT_EQ(headers.joined("x-three"), "");
    EXPECT_EQ(headers.first("Accep"), "");
    EXPECT_EQ(headers.find("Accept-"), nullptr);
    ASSERT_NE(headers.find("empty"), nullptr);
    EXPECT_EQ(*headers.find("empty"), "");
    EXPECT_TRUE(headers.any("X-Two", [](std::string_view value) { return value == "2"; }));
    EXPECT_FALSE(headers.any("Accept", [](std::string_view value) { return value == "2"; }));
}

TEST(Headers, KeepTheirOrder)
{
    Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
    headers.add("C", "4");
    headers.erase("A");
    ASSERT_EQ(headers.size(), 2u);
    EXPECT_EQ(headers[0].name, "B");
    EXPECT_EQ(headers[1].value, "4");
}

TEST(Headers, AreListsOfElements)
{
    EXPECT_THAT(list_elements("a, b ,\tc"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(list_elements(",a,"), ElementsAre("", "a", ""));
    EXPECT_THAT(list_elements(""), ElementsAre(""));
}

} // namespace
} // namespace alli

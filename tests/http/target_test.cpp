// SPDX-License-Identifier: Apache-2.0
#include "http/target.hpp"

#include "alli/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::http {
namespace {

using testing::ElementsAre;

TEST(Segment, IsDecodedOnceAndKeepsItsPlus)
{
    EXPECT_EQ(decode_segment("Q29u%2FdmVy%3D%3D"), "Q29u/dmVy==");
    EXPECT_EQ(decode_segment("Q29u=="), "Q29u==");
    EXPECT_EQ(decode_segment("a+b%2Bc"), "a+b+c");
    EXPECT_EQ(decode_segment("%252F"), "%2F");
    EXPECT_EQ(decode_segment("%EC%97%AC"), "여");
    EXPECT_EQ(decode_segment("..."), "...");
}

TEST(Segment, IsRefusedWhenItCannotBeAnId)
{
    for (const char* bad : {"%", "%4", "%zz", "a%", "%00", "%0a", "%0d%0aAPI-KEY:x", "%7f", "%c0%af", "%ff",
                            "%ed%a0%80", "..", ".", "%2e%2e", "%2E", ".%2e", "..%2f", "..%2fetc", "a%2f..%2fb"})
        EXPECT_THROW(decode_segment(bad), Error) << bad;
}

TEST(Path, IsSplitAtEverySlash)
{
    EXPECT_THAT(split_path("/a/b"), ElementsAre("a", "b"));
    EXPECT_THAT(split_path("/a//b/"), ElementsAre("a", "", "b", ""));
    EXPECT_THAT(split_path("/"), ElementsAre(""));
}

TEST(Query, IsReadInOrderWithFormBlanks)
{
    const auto query = read_query("userIds=a%26b&userIds=c+d&&flag&x=1=2");
    ASSERT_EQ(query.size(), 4u);
    EXPECT_EQ(query[0].value, "a&b");
    EXPECT_EQ(query[1].value, "c d");
    EXPECT_EQ(query[2].name, "flag");
    EXPECT_EQ(query[2].value, "");
    EXPECT_EQ(query[3].value, "1=2");
}

TEST(Query, LeavesThePlusOfACursor)
{
    EXPECT_EQ(read_query("cursor=abc+/==").at(0).value, "abc+/==");
}

TEST(Query, RefusesABrokenEscape)
{
    EXPECT_THROW(read_query("a=%4"), Error);
}

TEST(Target, IsSplitAtTheFirstQuestionMark)
{
    EXPECT_EQ(split_target("/a?b?c").path, "/a");
    EXPECT_EQ(split_target("/a?b?c").query, "b?c");
    EXPECT_EQ(split_target("/a").query, "");
}

TEST(Target, HasAnOriginFormAndAnAuthority)
{
    EXPECT_EQ(origin_form("http://h:1/a?b"), "/a?b");
    EXPECT_EQ(origin_form("HTTP://h"), "/");
    EXPECT_EQ(origin_form("/a"), "/a");
    EXPECT_EQ(target_authority("Http://h:1/a?b"), "h:1");
    EXPECT_EQ(target_authority("http://h?b"), "h");
    EXPECT_EQ(target_authority("/a"), std::nullopt);
}

} // namespace
} // namespace alli::http

// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/edit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::cache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Edit, SetsTheMembersThatTheBodyNames)
{
    EXPECT_THAT(patch_of(EditKind::update, R"({"state":"OPEN","categoryIds":["a","b"],"title":null,"other":1})"),
                ElementsAre(Pair("state", R"("OPEN")"), Pair("categories", R"(["a","b"])"), Pair("title", "null")));
    EXPECT_THAT(patch_of(EditKind::title, R"({"title":"여행","state":"no"})"), ElementsAre(Pair("title", R"("여행")")));
    EXPECT_THAT(patch_of(EditKind::feedback, R"({"rating":null,"suggestedAnswer":"x"})"),
                ElementsAre(Pair("rating", "null"), Pair("suggestedAnswer", R"("x")")));
    EXPECT_THAT(patch_of(EditKind::bulk_update, R"({"userIds":["u"],"conversationInfo":{"assignee":"me"}})"),
                ElementsAre(Pair("assignee", R"("me")")));
}

TEST(Edit, TakesNothingFromWhatSetsNothing)
{
    EXPECT_THAT(patch_of(EditKind::update, R"({"categoryIds":null})"), IsEmpty()); // upstream leaves them alone too
    for (const char* body : {"", "null", "[]", "{", R"({"conversationInfo":7})"}) {
        EXPECT_THAT(patch_of(EditKind::update, body), IsEmpty()) << body;
        EXPECT_THAT(patch_of(EditKind::bulk_update, body), IsEmpty()) << body;
    }
    EXPECT_THAT(patch_of(EditKind::remove, R"({"title":"x"})"), IsEmpty());
}

TEST(Edit, ChangesItsMembersAndNoOtherByte)
{
    const std::string raw = R"({ "id":"c" , "title" : "a \"b\" }", "n": 1615246647609.666, "chats":[]  })";
    EXPECT_EQ(with_patch(raw, {{"title", R"("new")"}}),
              R"({ "id":"c" , "title" : "new", "n": 1615246647609.666, "chats":[]  })");
    EXPECT_EQ(with_patch(R"({"a":{"title":1},"title":[1,{"x":2}]})", {{"title", "null"}, {"a", "5"}}),
              R"({"a":5,"title":null})");
    EXPECT_EQ(with_patch(R"({"id":"c"})", {{"state", R"("x")"}}), R"({"id":"c","state":"x"})");
    EXPECT_EQ(with_patch("{}", {{"a", "1"}, {"b", "2"}}), R"({"a":1,"b":2})");
    EXPECT_EQ(with_patch("not json", {{"a", "1"}}), "not json");
}

TEST(Edit, FindsTheValuesThatAreThere)
{
    EXPECT_THAT(values_of(R"({"title":"t","categories":["a"]})", {{"categories", ""}, {"state", ""}, {"title", ""}}),
                ElementsAre(Pair("categories", R"(["a"])"), Pair("state", "null"), Pair("title", R"("t")")));
}

TEST(Edit, ComesBackAsItWasWritten)
{
    const Patch patch{{"title", R"("a\"b")"}, {"categories", "[]"}};
    EXPECT_EQ(read_patch(write_patch(patch)), patch);
}

TEST(Edit, ComparesValuesAndNotTheirSpelling)
{
    EXPECT_TRUE(same_value(R"({"a":1,"b":2})", R"({ "b": 2, "a": 1 })"));
    EXPECT_TRUE(same_value(R"("é")", R"("\u00e9")"));
    EXPECT_FALSE(same_value(R"(["a","b"])", R"(["b","a"])"));
    EXPECT_FALSE(same_value("nonsense", "more nonsense"));
}

TEST(Edit, ReadsWhatABulkUpdateSelects)
{
    const Selection selection = read_selection(R"({"userIds":["u",3],"conversationIds":["c","d"],"llmAppIds":null})");
    EXPECT_THAT(selection.users, ElementsAre("u"));
    EXPECT_THAT(selection.conversations, ElementsAre("c", "d"));
    EXPECT_TRUE(selection.given());
    EXPECT_FALSE(read_selection(R"({"conversationInfo":{}})").given());
}

} // namespace
} // namespace alli::cache

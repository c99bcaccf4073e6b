// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/entry_summary.hpp"

#include <gmock/gmock.h>

namespace alli::cache {
namespace {

std::string say(EditKind kind, const std::string& body, const std::string& base = "")
{
    Entry entry;
    entry.kind = kind, entry.body = body;
    if (!base.empty()) entry.base = base;
    return say_change(entry);
}

TEST(EntrySummary, SaysWhatAWriteWouldChange)
{
    EXPECT_EQ(say(EditKind::title, R"({"title":"Y"})", R"({"title":"X"})"), R"(rename "X" to "Y")");
    EXPECT_EQ(say(EditKind::title, R"({"title":"Y"})"), R"(rename to "Y")");
    EXPECT_EQ(say(EditKind::title, R"({"title":"Y"})", R"({"title":null})"), R"(rename to "Y")");
    EXPECT_EQ(say(EditKind::update, R"({"state":"closed","assignee":null})", R"({"state":"open","assignee":"mina"})"),
              R"(set state from "open" to "closed", set assignee from "mina" to nothing)");
    EXPECT_EQ(say(EditKind::update, R"({"categoryIds":["a","b"]})"), "set categories to a, b");
    EXPECT_EQ(say(EditKind::update, R"({"categoryIds":[]})"), "set categories to none");
    EXPECT_EQ(say(EditKind::feedback, R"({"rating":true})"), "rate good");
    EXPECT_EQ(say(EditKind::feedback, R"({"rating":false,"suggestedAnswer":"yes"})"),
              R"(rate bad, set suggestedAnswer to "yes")");
    EXPECT_EQ(say(EditKind::feedback, R"({"rating":null})"), "take the rating back");
    EXPECT_EQ(say(EditKind::remove, ""), "delete the conversation");
    EXPECT_EQ(say(EditKind::stop, ""), "stop the run");
    EXPECT_EQ(say(EditKind::bulk_update, R"({"conversationIds":["a","b"],"conversationInfo":{"state":"closed"}})"),
              R"(set state to "closed" of conversations named (2))");
}

TEST(EntrySummary, SaysTheOperationWhereTheBodyCannotBeRead)
{
    EXPECT_EQ(say(EditKind::update, R"({"state":"clo)"), "update the conversation");
    EXPECT_EQ(say(EditKind::title, "[]"), "update the conversation");
    EXPECT_EQ(say(EditKind::feedback, ""), "rate the conversation");
    EXPECT_EQ(say(EditKind::bulk_update, R"({"conversationIds":["a")"), "update of many conversations");
    EXPECT_EQ(say(EditKind::update, R"({"state":)" + std::string(2000, '[') + std::string(2000, ']') + "}"),
              "update the conversation");
}

TEST(EntrySummary, CutsALongValueBetweenCharacters)
{
    std::string title;
    for (int n = 0; n < 100; ++n) title += "여";
    const std::string said = say(EditKind::title, R"({"title":")" + title + "\"}");
    EXPECT_LT(said.size(), 160U);
    EXPECT_THAT(said, testing::EndsWith("여...\""));
}

} // namespace
} // namespace alli::cache

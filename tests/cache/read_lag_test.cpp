// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/read_lag.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::cache {
namespace {

using namespace std::chrono_literals;

constexpr auto lag = 10s;

Delivered title(const std::string& written, const std::vector<std::string>& before)
{
    return {{{"title", written}}, {{"title", before}}};
}

TEST(ReadLag, LastsAsLongAsItIsSetTo)
{
    const Clock::Steady answered{100s};
    EXPECT_TRUE(may_lag(Clock::Steady{90s}, answered, lag)) << "asked for before the answer came";
    EXPECT_TRUE(may_lag(Clock::Steady{110s}, answered, lag));
    EXPECT_FALSE(may_lag(Clock::Steady{110s} + 1ns, answered, lag));
    EXPECT_FALSE(may_lag(Clock::Steady{100s} + 1ns, answered, 0s));
}

TEST(ReadLag, IsTheStateBeforeAWriteAndNothingElse)
{
    const std::vector<Delivered> one{title(R"("new")", {R"("old")"})};
    EXPECT_EQ(judge_reading(one, "title", R"("new")"), Reading::current);
    EXPECT_EQ(judge_reading(one, "title", R"("old")"), Reading::lagging);
    EXPECT_EQ(judge_reading(one, "title", R"("theirs")"), Reading::changed);
    EXPECT_EQ(judge_reading(one, "state", R"("old")"), Reading::current) << "we did not set that one";
    EXPECT_EQ(judge_reading({}, "title", R"("old")"), Reading::current);
}

TEST(ReadLag, OfSeveralWritesIsAnyStateBeforeTheLast)
{
    const std::vector<Delivered> two{title(R"("a")", {R"("old")"}), title(R"("b")", {R"("a")"})};
    for (const char* value : {R"("old")", R"("a")"}) EXPECT_EQ(judge_reading(two, "title", value), Reading::lagging);
    EXPECT_EQ(judge_reading(two, "title", R"("b")"), Reading::current);
    EXPECT_EQ(judge_reading(two, "title", R"("theirs")"), Reading::changed);
    EXPECT_EQ(*find_written(two, "title"), R"("b")");
    EXPECT_EQ(find_written(two, "state"), nullptr);
}

TEST(ReadLag, TakesAValueThatWasSetBackForTheCurrentOne)
{
    const std::vector<Delivered> back{title(R"("a")", {R"("old")"}), title(R"("old")", {R"("a")"})};
    EXPECT_EQ(judge_reading(back, "title", R"("old")"), Reading::current);
    EXPECT_EQ(judge_reading(back, "title", R"("a")"), Reading::lagging);
}

// Nothing can be told from its value then, and holding on to ours for ten seconds harms nobody.
TEST(ReadLag, IsWhateverIsNotOursWhereTheStateBeforeIsNotKnown)
{
    Delivered blind;
    blind.written = {{"title", R"("new")"}};
    const std::vector<Delivered> one{blind};
    EXPECT_EQ(judge_reading(one, "title", R"("new")"), Reading::current);
    EXPECT_EQ(judge_reading(one, "title", R"("anything")"), Reading::lagging);
}

TEST(ReadLag, IsNothingWhereTheWriteChangedNothing)
{
    const std::vector<Delivered> one{title(R"("same")", {})};
    EXPECT_EQ(judge_reading(one, "title", R"("same")"), Reading::current);
    EXPECT_EQ(judge_reading(one, "title", R"("theirs")"), Reading::changed);
}

TEST(ReadLag, ComparesValuesAndNotTheirSpelling)
{
    const std::vector<Delivered> one{{{{"categories", R"(["x","y"])"}}, {{"categories", {R"(["\u0061"])"}}}}};
    EXPECT_EQ(judge_reading(one, "categories", R"([ "x", "y" ])"), Reading::current);
    EXPECT_EQ(judge_reading(one, "categories", R"(["a"])"), Reading::lagging);
    EXPECT_TRUE(any_lagging(one, {{"title", "null"}, {"categories", R"(["a"])"}}));
    EXPECT_FALSE(any_lagging(one, {{"title", "null"}, {"categories", R"(["b"])"}}));
}

TEST(ReadLag, IsKeptAsText)
{
    Delivered write{{{"title", "null"}}, {{"title", {R"("a \"b\"")", "null"}}, {"state", {}}}};
    Delivered again;
    read_before(write_before(write), again);
    EXPECT_EQ(again.before, write.before);
    Delivered nothing;
    for (const char* text : {"", "[]", "{", R"({"title":7})"}) read_before(text, nothing);
    EXPECT_TRUE(nothing.before.empty());
}

} // namespace
} // namespace alli::cache

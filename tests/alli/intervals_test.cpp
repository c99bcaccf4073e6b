// SPDX-License-Identifier: Apache-2.0
#include "alli/intervals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace alli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Instant at(int micros)
{
    return Instant{std::chrono::microseconds(micros)};
}

Span span(int from, int through)
{
    return {at(from), at(through)};
}

TEST(Span, IsHalfOpen)
{
    EXPECT_TRUE(span(5, 5).empty());
    EXPECT_TRUE(span(6, 5).empty());
    EXPECT_FALSE(span(1, 3).overlaps(span(3, 5))) << "they touch";
    EXPECT_TRUE(span(1, 4).overlaps(span(3, 5)));
    EXPECT_TRUE(span(1, 5).contains(span(1, 5)));
    EXPECT_FALSE(span(1, 5).contains(span(1, 6)));
}

struct Cut {
    Span from, taken;
    std::vector<Span> left;
};

TEST(Span, LeavesWhatLiesOutsideAnother)
{
    for (const Cut& row : {
             Cut{span(10, 20), span(12, 15), {span(10, 12), span(15, 20)}},
             Cut{span(10, 20), span(5, 15), {span(15, 20)}},
             Cut{span(10, 20), span(15, 25), {span(10, 15)}},
             Cut{span(10, 20), span(10, 20), {}},
             Cut{span(10, 20), span(5, 25), {}},
             Cut{span(10, 20), span(20, 30), {span(10, 20)}},
             Cut{span(10, 20), span(0, 10), {span(10, 20)}},
         })
        EXPECT_EQ(row.from.without(row.taken), row.left);
}

struct Addition {
    IntervalSet before;
    Span added;
    IntervalSet after;
};

TEST(IntervalSet, JoinsWhatTouchesAndKeepsTheRestApart)
{
    const IntervalSet two{span(10, 20), span(30, 40)};
    for (const Addition& row : {
             Addition{{}, span(10, 20), {span(10, 20)}},
             Addition{{}, span(20, 20), {}},
             Addition{two, span(20, 30), {span(10, 40)}},
             Addition{two, span(20, 29), {span(10, 29), span(30, 40)}},
             Addition{two, span(21, 29), {span(10, 20), span(21, 29), span(30, 40)}},
             Addition{two, span(12, 15), two},
             Addition{two, span(0, 50), {span(0, 50)}},
             Addition{two, span(0, 5), {span(0, 5), span(10, 20), span(30, 40)}},
             Addition{two, span(45, 50), {span(10, 20), span(30, 40), span(45, 50)}},
         }) {
        IntervalSet set = row.before;
        set.add(row.added);
        EXPECT_EQ(set, row.after);
    }
}

TEST(IntervalSet, NamesTheGapsOfASpan)
{
    const IntervalSet set{span(10, 20), span(30, 40)};
    EXPECT_THAT(set.gaps(span(0, 50)), ElementsAre(span(0, 10), span(20, 30), span(40, 50)));
    EXPECT_THAT(set.gaps(span(10, 40)), ElementsAre(span(20, 30)));
    EXPECT_THAT(set.gaps(span(12, 15)), IsEmpty());
    EXPECT_THAT(set.gaps(span(22, 25)), ElementsAre(span(22, 25)));
    EXPECT_THAT(set.gaps(span(45, 50)), ElementsAre(span(45, 50)));
    EXPECT_THAT(IntervalSet{}.gaps(span(1, 2)), ElementsAre(span(1, 2)));
    EXPECT_THAT(set.gaps(span(35, 35)), IsEmpty());
}

TEST(IntervalSet, ContainsWhatOneOfItsSpansContains)
{
    const IntervalSet set{span(10, 20), span(30, 40)};
    EXPECT_TRUE(set.contains(span(12, 20)));
    EXPECT_FALSE(set.contains(span(15, 35))) << "there is a gap between";
    EXPECT_TRUE(set.contains(IntervalSet{span(10, 12), span(39, 40)}));
    EXPECT_FALSE(set.contains(IntervalSet{span(10, 12), span(39, 41)}));
    EXPECT_TRUE(set.contains(IntervalSet{}));
}

TEST(IntervalSet, AgreesWithASetOfMicroseconds)
{
    std::mt19937 random(7);
    std::uniform_int_distribution<int> any(0, 30);
    for (int round = 0; round < 300; ++round) {
        IntervalSet set;
        std::set<int> plain;
        for (int n = 0; n < 6; ++n) {
            const int from = any(random), through = any(random);
            set.add(span(from, through));
            for (int t = from; t < through; ++t) plain.insert(t);
        }
        const Span whole = span(any(random), any(random));
        for (int t = 0; t < 30; ++t) {
            const auto holds = [t](const Span& it) { return it.contains(span(t, t + 1)); };
            EXPECT_EQ(set.contains(span(t, t + 1)), plain.contains(t));
            const auto gaps = set.gaps(whole);
            EXPECT_EQ(std::any_of(gaps.begin(), gaps.end(), holds), holds(whole) && !plain.contains(t));
        }
    }
}

} // namespace
} // namespace alli

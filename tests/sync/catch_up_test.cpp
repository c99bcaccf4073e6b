// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/catch_up.hpp"
#include "tests/support/make.hpp"

#include <gtest/gtest.h>

namespace alli::sync {
namespace {

/// A list item that counts `count` chats and carries the last `embedded` of them.
Conversation listed(std::int64_t count, int embedded)
{
    Conversation made;
    made.id.value = "c";
    made.chat_count = count;
    made.last_chat_at = support::at_second(count);
    for (std::int64_t n = count - embedded; n < count; ++n)
        made.chats.push_back(support::make_chat("c", static_cast<int>(n), n, "text"));
    return made;
}

std::optional<cache::Held> held(std::int64_t count)
{
    cache::Held made;
    made.chats = count;
    made.last_chat_at = support::at_second(count);
    return made;
}

std::vector<ChatId> tail(std::int64_t from, std::int64_t to)
{
    std::vector<ChatId> ids;
    for (std::int64_t n = from; n < to; ++n) ids.push_back({"c/" + std::to_string(n)});
    return ids;
}

void expect_pages(const Missing& missing, int first, int last)
{
    EXPECT_EQ(missing.first_page, first);
    EXPECT_EQ(missing.last_page, last);
}

TEST(Missing, IsNothingWhereTheItemCarriesWhatIsNew)
{
    expect_pages(find_missing(listed(5, 5), std::nullopt, {}), 1, 0);
    expect_pages(find_missing(listed(235, 20), held(230), tail(215, 230)), 1, 0);
    expect_pages(find_missing(listed(235, 5), held(230), {}), 1, 0);
    expect_pages(find_missing(listed(5, 0), held(5), {}), 1, 0);
    expect_pages(find_missing(listed(0, 0), std::nullopt, {}), 1, 0);
}

TEST(Missing, IsThePagesBetweenWhatIsHeldAndWhatIsCarried)
{
    expect_pages(find_missing(listed(235, 0), held(230), {}), 3, 3);
    expect_pages(find_missing(listed(235, 20), held(150), {}), 2, 3);
    expect_pages(find_missing(listed(120, 20), std::nullopt, {}), 1, 1);
    expect_pages(find_missing(listed(121, 20), std::nullopt, {}), 1, 2);
    expect_pages(find_missing(listed(301, 0), held(100), {}), 2, 4);
}

TEST(Missing, IsEverythingWhereTheHeldChatsAreNotTheirs)
{
    EXPECT_TRUE(find_missing(listed(235, 20), held(230), tail(216, 231)).to_the_end);
    EXPECT_TRUE(find_missing(listed(5, 5), held(8), tail(0, 8)).to_the_end);
    Conversation uncounted = listed(5, 5);
    uncounted.chat_count.reset();
    EXPECT_TRUE(find_missing(uncounted, std::nullopt, {}).to_the_end);
}

TEST(Missing, IsTheLastPageWhereSomethingMovedThatCannotBeSeen)
{
    Conversation moved = listed(150, 0);
    moved.last_chat_at = support::at_second(151);
    expect_pages(find_missing(moved, held(150), {}), 2, 2);
    auto growing = held(150);
    growing->last_completed = false;
    expect_pages(find_missing(listed(150, 0), growing, {}), 2, 2);
}

TEST(Missing, TakesACountThatCannotBeForNone)
{
    for (const std::int64_t count :
         {std::int64_t{-1}, std::int64_t{1} << 24, std::int64_t{220'000'000'000}, INT64_MAX}) {
        Conversation odd = listed(5, 5);
        odd.chat_count = count;
        EXPECT_TRUE(find_missing(odd, std::nullopt, {}).to_the_end) << count;
        EXPECT_FALSE(find_missing(odd, std::nullopt, {}).embedded_at) << count;
        EXPECT_TRUE(find_all(odd, std::nullopt).to_the_end) << count;
        EXPECT_EQ(tail_start(odd, std::nullopt), 0) << count;
    }
}

} // namespace
} // namespace alli::sync

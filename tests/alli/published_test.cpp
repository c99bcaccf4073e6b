// SPDX-License-Identifier: Apache-2.0
#include "alli/published.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>
#include <vector>

namespace alli {
namespace {

TEST(Published, KeepsWhatAReaderHoldsWhileItIsReplaced)
{
    Published<std::vector<int>> value(std::make_shared<const std::vector<int>>(3, 7));
    const auto held = value.load();
    value.store(std::make_shared<const std::vector<int>>());
    EXPECT_EQ(*held, (std::vector<int>{7, 7, 7}));
    EXPECT_TRUE(value.load()->empty());
}

TEST(Published, LosesNoChangeOfSeveralThreads)
{
    constexpr int changes = 2000;
    Published<std::vector<int>> value;
    const auto add = [&] {
        for (int i = 0; i < changes; ++i)
            value.update([](std::vector<int>& list) {
                if (list.size() >= 8) list = {std::accumulate(list.begin(), list.end(), 0)};
                list.push_back(1);
            });
    };
    bool never_shrinks = true;
    std::thread first(add), second(add), reader([&] {
        for (int seen = 0, i = 0; i < changes; ++i) {
            const auto list = value.load();
            const int sum = std::accumulate(list->begin(), list->end(), 0);
            never_shrinks = never_shrinks && sum >= seen;
            seen = sum;
        }
    });
    first.join();
    second.join();
    reader.join();
    const auto list = value.load();
    EXPECT_EQ(std::accumulate(list->begin(), list->end(), 0), 2 * changes);
    EXPECT_TRUE(never_shrinks);
}

} // namespace
} // namespace alli

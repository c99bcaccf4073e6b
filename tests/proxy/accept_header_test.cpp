// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/accept_header.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace alli::proxy {

TEST(Accepted, ReadsAWeightWhereverItStands)
{
    struct Case {
        const char* list;
        int weight; // -1: not there
    };
    for (const auto& [list, weight] : std::to_array<Case>({
             {"gzip", 1000},
             {"br, GZIP", 1000},
             {"gzip;q=0", 0},
             {"gzip;q=0.0", 0},
             {"gzip ; q=0.000 , br", 0},
             {"gzip;Q=0", 0},
             {"gzip; q = 0", 0},
             {"gzip;level=5;q=0", 0},
             {"gzip;q=0.001", 1},
             {"gzip;q=0.25", 250},
             {"gzip;q=.5", 1000}, // unreadable
             {"gzip;q=", 1000},
             {"gzip;q=-1", 1000},
             {"gzip;q=0.0000", 1000},
             {"gzip;q=1.000", 1000},
             {"gzip;", 1000},
             {"x-gzip", -1},
             {"br;q=0, deflate", -1},
             {"*", -1},
             {"", -1},
             {",,;q=0,", -1},
         }))
        EXPECT_EQ(weight_of(list, "gzip").value_or(-1), weight) << list;
}

TEST(Accepted, PrefersTheNearestNameOfAType)
{
    const std::string json = "application/json";
    EXPECT_EQ(weight_of_type("*/*;q=0.1, application/*;q=0.2, application/json;q=0.3", json), 300);
    EXPECT_EQ(weight_of_type("*/*;q=0.1, application/*;q=0.2", json), 200);
    EXPECT_EQ(weight_of_type("*/*;q=0.1", json), 100);
    EXPECT_EQ(weight_of_type("*/*, application/json;q=0", json), 0);
    EXPECT_EQ(weight_of_type("text/html", json), std::nullopt);
}

} // namespace alli::proxy

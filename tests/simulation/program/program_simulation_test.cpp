// SPDX-License-Identifier: Apache-2.0
// As many histories of the whole program as fit into half a minute, sixty at most; ALLI_HISTORIES: so many. ALLI_SEED:
// the first, or the only one to replay; 0: drawn anew, and printed.
#include "tests/simulation/program/program_history.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>

namespace simulation {
namespace {

constexpr std::uint64_t most = 60; // in a run that is not asked for more

std::uint64_t number_from(const char* name, std::uint64_t otherwise)
{
    const char* text = std::getenv(name);
    return text ? std::stoull(text) : otherwise;
}

// A history is mostly commits: they need no disk.
[[maybe_unused]] const bool in_memory = [] {
    return ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", 0) == 0;
}();

void print(std::uint64_t passed, std::uint64_t first, const Figures& all)
{
    std::printf(
        "%llu histories of the program from seed %llu on, hash %016llx\n"
        "  lives ended: %lld stops, %lld kills, %lld power cuts; %lld purges; %lld pages lost, %lld noticed, with %lld "
        "writes\n"
        "  looked at: %lld writes acknowledged, %lld applied; %lld items, %lld ratings, %lld lists, %lld walks, %lld "
        "hits, "
        "%lld purged ones; %lld changes of the feed, begun anew %lld times\n",
        static_cast<unsigned long long>(passed), static_cast<unsigned long long>(first),
        static_cast<unsigned long long>(all.hash), static_cast<long long>(all.stops), static_cast<long long>(all.kills),
        static_cast<long long>(all.power_cuts), static_cast<long long>(all.purges), static_cast<long long>(all.damages),
        static_cast<long long>(all.noticed), static_cast<long long>(all.lost), static_cast<long long>(all.writes),
        static_cast<long long>(all.applied), static_cast<long long>(all.items), static_cast<long long>(all.ratings),
        static_cast<long long>(all.lists), static_cast<long long>(all.walks), static_cast<long long>(all.hits),
        static_cast<long long>(all.purged), static_cast<long long>(all.changes), static_cast<long long>(all.resets));
}

TEST(ProgramSimulation, WhatIsPromisedHoldsAtEachStep)
{
    using std::chrono::steady_clock;
    const auto until = steady_clock::now() + std::chrono::seconds(30);
    std::uint64_t first = number_from("ALLI_SEED", 1);
    const std::uint64_t asked = number_from("ALLI_HISTORIES", std::getenv("ALLI_SEED") ? 1 : 0);
    if (first == 0) first = std::random_device()() % 1'000'000;
    Figures all;
    std::uint64_t passed = 0;
    for (; passed < asked || (!asked && passed < most && steady_clock::now() < until); ++passed) {
        ProgramHistory history(first + passed);
        const std::string wrong = history.run();
        ASSERT_EQ(wrong, "") << "replay it with ALLI_SEED=" << first + passed;
        all += history.figures();
    }
    print(passed, first, all);
}

// After a restart of the feed nobody could read all of it page by page (12); a power cut that took all commits since
// the start was taken for an orderly stop (34).
TEST(ProgramSimulation, PassesTheHistoriesThatOnceFailed)
{
    for (const std::uint64_t seed : {12, 34})
        EXPECT_EQ(ProgramHistory(seed, Breadth::narrow).run(), "") << "ALLI_SEED=" << seed;
}

TEST(ProgramSimulation, OneSeedIsOneHistory)
{
    Figures twice[2];
    for (Figures& one : twice) {
        ProgramHistory history(7);
        ASSERT_EQ(history.run(), "");
        one = history.figures();
    }
    EXPECT_EQ(twice[0].hash, twice[1].hash);
    EXPECT_EQ(twice[0].items, twice[1].items);
}

} // namespace
} // namespace simulation

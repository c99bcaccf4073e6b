// SPDX-License-Identifier: Apache-2.0
// As many histories of three nodes as fit into eight seconds; ALLI_HISTORIES: so many. ALLI_SEED: the first, or the
// only one to replay.
#include "tests/simulation/cluster/cluster_history.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <cstdlib>

namespace simulation {
namespace {

std::uint64_t number_from(const char* name, std::uint64_t otherwise)
{
    const char* text = std::getenv(name);
    return text ? std::stoull(text) : otherwise;
}

// A history is mostly commits: they need no disk.
[[maybe_unused]] const bool in_memory = [] {
    return ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", 0) == 0;
}();

TEST(ClusterSimulation, AllMirrorsAndUpstreamAreTheSameAfterAnyHistory)
{
    using std::chrono::steady_clock;
    const auto until = steady_clock::now() + std::chrono::seconds(8);
    const std::uint64_t first = number_from("ALLI_SEED", 1);
    const std::uint64_t asked = number_from("ALLI_HISTORIES", std::getenv("ALLI_SEED") ? 1 : 0);
    const std::uint64_t least = asked ? asked : 5;
    std::uint64_t passed = 0;
    for (; passed < least || (!asked && steady_clock::now() < until); ++passed) {
        const std::string wrong = ClusterHistory(first + passed).run();
        ASSERT_EQ(wrong, "") << "replay it with ALLI_SEED=" << first + passed;
    }
    std::printf("%llu histories from seed %llu on\n", static_cast<unsigned long long>(passed),
                static_cast<unsigned long long>(first));
}

} // namespace
} // namespace simulation

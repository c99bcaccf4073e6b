// SPDX-License-Identifier: Apache-2.0
// ALLI_HISTORIES: how many; ALLI_SEED: the first, or the only one to replay.
#include "sync/mutant.hpp"
#include "tests/simulation/history.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace simulation {
namespace {

using alli::sync::Mutant;

std::uint64_t number_from(const char* name, std::uint64_t otherwise)
{
    const char* text = std::getenv(name);
    return text ? std::stoull(text) : otherwise;
}

TEST(Simulation, MirrorAndUpstreamAreTheSameAfterAnyHistory)
{
    const std::uint64_t first = number_from("ALLI_SEED", 1);
    const std::uint64_t count = number_from("ALLI_HISTORIES", std::getenv("ALLI_SEED") ? 1 : 100);
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const std::string wrong = History(seed).run();
        ASSERT_EQ(wrong, "") << "replay it with ALLI_SEED=" << seed;
    }
}

class Planted : public testing::TestWithParam<Mutant> {
  protected:
    void SetUp() override { alli::sync::planted_mutant = GetParam(); }
    void TearDown() override { alli::sync::planted_mutant = Mutant::none; }
};

TEST_P(Planted, FaultIsCaughtWithinTwoHundredHistories)
{
    for (std::uint64_t seed = 1; seed <= 200; ++seed)
        if (const std::string wrong = History(seed).run(); !wrong.empty()) {
            std::printf("caught by seed %llu: %s\n", static_cast<unsigned long long>(seed), wrong.c_str());
            return;
        }
    ADD_FAILURE() << "no history noticed it";
}

INSTANTIATE_TEST_SUITE_P(, Planted,
                         testing::Values(Mutant::boundary_from_data, Mutant::no_overlap, Mutant::exclusive_edge,
                                         Mutant::cursor_before_commit, Mutant::absence_is_deletion,
                                         Mutant::error_swallowed));

} // namespace
} // namespace simulation

// SPDX-License-Identifier: Apache-2.0
// The real program is killed at named points: before or after an operation on one of its files, in each phase that
// changes more than one of them. Each point is met ALLI_CRASH_KILLS times (5) at calls drawn by ALLI_SEED.
#include "tests/powercut/budget.hpp"
#include "tests/powercut/crash_phases.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <map>

namespace alli::powercut {
namespace {

constexpr int killed = 128 + SIGKILL;
constexpr int most_tries = 4; // to meet a call that a run may do without

int kills_a_point()
{
    const char* wanted = std::getenv("ALLI_CRASH_KILLS");
    return wanted != nullptr ? std::atoi(wanted) : 5;
}

class CrashPoints : public testing::TestWithParam<CrashPhase> {
  protected:
    static void SetUpTestSuite() { use_memory(); }

    // How often each is met in a run that nobody kills.
    std::map<std::string, int> find_points()
    {
        const auto whole = GetParam().make();
        EXPECT_EQ(whole->run({}), 0);
        std::map<std::string, int> points;
        for (const std::string& name : whole->calls()) ++points[name];
        return points;
    }

    void kill_at(const std::string& name, int times)
    {
        for (int tries = 0; tries < most_tries; ++tries) {
            CrashPoint point{name, 1, chance_.random_.below(2) == 1};
            // Another run may have fewer of them: the last try takes the first.
            if (tries + 1 < most_tries)
                point.number += static_cast<int>(chance_.random_.below(static_cast<std::uint64_t>(times)));
            const auto crash = GetParam().make();
            const bool met = crash->run(point) == killed;
            kills_ += met ? 1 : 0;
            if (const auto wrong = crash->refute())
                ADD_FAILURE() << GetParam().name << ", " << (point.after ? "after " : "before ") << name << " number "
                              << point.number << ": " << *wrong << "; ALLI_SEED=" << chance_.seed_;
            if (met) return;
        }
        ADD_FAILURE() << GetParam().name << ": " << name << " was never met";
    }

    Chance chance_;
    int kills_ = 0;
};

TEST_P(CrashPoints, LeaveWhatTheNextRunMakesGood)
{
    const auto points = find_points();
    EXPECT_GE(points.size(), 3U);
    for (const auto& [name, times] : points)
        for (int n = 0; n < kills_a_point() && !HasFailure(); ++n) kill_at(name, times);
    fmt::print("{}: {} crash points, {} kills; seed {}\n", GetParam().name, points.size(), kills_, chance_.seed_);
    RecordProperty("points", std::to_string(points.size()));
}

INSTANTIATE_TEST_SUITE_P(Of, CrashPoints, testing::ValuesIn(crash_phases().begin(), crash_phases().end()),
                         [](const auto& one) { return one.param.name; });

} // namespace
} // namespace alli::powercut

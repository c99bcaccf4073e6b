// SPDX-License-Identifier: Apache-2.0
// The time at which the kernel ends a process, tried on processes of its own.
#include "daemon/process/deadline.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

namespace alli::daemon {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

/// Runs `work` in a process of its own; how that ended, and after how long.
std::pair<int, Steady::duration> run_apart(const std::function<void()>& work)
{
    const auto begun = Steady::now();
    const pid_t child = ::fork();
    if (child == 0) {
        work();
        ::_exit(0);
    }
    int how = 0;
    ::waitpid(child, &how, 0);
    return {how, Steady::now() - begun};
}

TEST(Deadline, EndsAProcessThatIsStopped)
{
    const auto [how, took] = run_apart([] {
        Deadline deadline;
        deadline.set(Steady::now() + 100ms);
        ::raise(SIGSTOP);
    });
    ASSERT_TRUE(WIFSIGNALED(how));
    EXPECT_EQ(WTERMSIG(how), SIGKILL);
    EXPECT_GE(took, 100ms);
}

TEST(Deadline, OneThatHasPassedEndsItAtOnce)
{
    const auto [how, took] = run_apart([] {
        Deadline deadline;
        deadline.set(Steady::now() - 1h);
        ::pause();
    });
    EXPECT_TRUE(WIFSIGNALED(how));
}

TEST(Deadline, IsPutOffAndTakenBack)
{
    const auto [how, took] = run_apart([] {
        Deadline deadline;
        const auto begun = Steady::now();
        while (Steady::now() < begun + 200ms) deadline.set(Steady::now() + 10s);
        deadline.set(Steady::now() + 50ms);
        deadline.set(std::nullopt);
        timespec longer{0, 100'000'000};
        ::nanosleep(&longer, nullptr);
        Deadline other;
        other.set(Steady::now() + 50ms);
    });
    EXPECT_TRUE(WIFEXITED(how));
}

} // namespace
} // namespace alli::daemon

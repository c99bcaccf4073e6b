// SPDX-License-Identifier: Apache-2.0
// One thread of the daemon is held, as a deadlock or a disk that hangs holds it: the watchdog must go hungry.
#include "tests/daemon/daemon.hpp"
#include "tests/daemon/notify_socket.hpp"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <thread>

namespace alli::daemon {
namespace {

using namespace std::chrono_literals;

/// Keeps one thread of another process from running while it lives.
class HeldThread {
  public:
    explicit HeldThread(pid_t thread) : thread_(thread)
    {
        held_ = ::ptrace(PTRACE_SEIZE, thread_, 0, 0) == 0 && ::ptrace(PTRACE_INTERRUPT, thread_, 0, 0) == 0;
        if (held_) ::waitpid(thread_, nullptr, __WALL);
    }
    ~HeldThread()
    {
        if (held_) ::ptrace(PTRACE_DETACH, thread_, 0, 0);
    }
    HeldThread(const HeldThread&) = delete;
    HeldThread& operator=(const HeldThread&) = delete;
    bool is_held() const noexcept { return held_; }

  private:
    pid_t thread_;
    bool held_ = false;
};

std::vector<pid_t> threads_of(int pid)
{
    std::vector<pid_t> threads;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task"))
        threads.push_back(std::stoi(entry.path().filename().string()));
    std::sort(threads.begin(), threads.end());
    return threads;
}

} // namespace

class Watchdog : public testing::Test {
  protected:
    Watchdog()
    {
        home_.use(upstream_);
        home_.environment["NOTIFY_SOCKET"] = home_.path("notify.sock");
        home_.environment["WATCHDOG_USEC"] = "100000";
    }

    /// What is fed goes on being fed. Some signs may have been under way, or held up by the thread that was held
    /// before.
    bool goes_hungry() const
    {
        for (int signs = 0; signs < 50; ++signs)
            if (manager_.next(700ms) == "nothing") return true;
        return false;
    }

    const sandbox::Sandbox upstream_{small_sandbox()};
    Home home_;
    const NotifySocket manager_{home_.path("notify.sock")};
};

TEST_F(Watchdog, IsNotFedWhileALoopOrACommittingThreadHangs)
{
    Daemon daemon(home_, {"serve"});
    daemon.wait_until_complete();
    if (!HeldThread(daemon.process.pid()).is_held()) GTEST_SKIP() << "no leave to hold another process's thread";
    const std::size_t vital = 4 + std::max(std::thread::hardware_concurrency(), 1U); // main, engine, two files; loops
    std::size_t hungry = 0;
    for (const pid_t thread : threads_of(daemon.process.pid())) {
        {
            const HeldThread held(thread);
            if (!held.is_held()) continue; // it has ended
            hungry += goes_hungry();
        }
        EXPECT_EQ(manager_.next(), "WATCHDOG=1") << "it goes on as if nothing had been";
    }
    EXPECT_GE(hungry, vital);
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::daemon

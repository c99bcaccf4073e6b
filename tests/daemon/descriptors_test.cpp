// SPDX-License-Identifier: Apache-2.0
// How many loops the proxy has, and that the units leave room for all threads.
#include "daemon/service/descriptors.hpp"
#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace alli::daemon {

static int loops(int processors, int setting, int limit = 4096)
{
    DescriptorsAtHand at_hand{limit, 20, 4};
    at_hand.processors = processors;
    at_hand.loops = setting;
    return plan_descriptors(at_hand).loops;
}

TEST(Descriptors, MakeALoopAProcessorUpToEight)
{
    EXPECT_EQ(loops(0, 0), 1) << "a system that does not say";
    EXPECT_EQ(loops(2, 0), 2);
    EXPECT_EQ(loops(8, 0), 8);
    EXPECT_EQ(loops(128, 0), 8);
    EXPECT_EQ(loops(2, 1), 1);
    EXPECT_EQ(loops(2, 64), 64) << "as it is set";
    EXPECT_EQ(loops(128, 64, 256), 4) << "as far as there are descriptors";
}

static int threads_of(int pid)
{
    const auto tasks = std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task");
    return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

static int tasks_max(const std::string& unit)
{
    std::ifstream file(std::string(ALLI_UNITS) + "/" + unit);
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("TasksMax=")) return std::stoi(line.substr(9));
    ADD_FAILURE() << unit << " does not say";
    return 0;
}

TEST(Descriptors, StartOnAMachineOfManyProcessorsWithinTheUnitsLimit)
{
    constexpr int others = 8, names = 68; // threads that are no loops; a lookup each, at the most
    for (const auto& [setting, most_loops] : std::vector<std::pair<std::string, int>>{{"0", 8}, {"64", 64}}) {
        Home home;
        home.environment["LD_PRELOAD"] = ALLI_MANY_PROCESSORS;
        home.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0";
        home.environment["ALLI_MIRROR_PROXY_LOOPS"] = setting;
        Daemon daemon(home, {"serve", "--sandbox", "--conversations", "2"});
        const int threads = threads_of(daemon.process.pid());
        EXPECT_GT(threads, most_loops) << "the processors were not heeded";
        EXPECT_LE(threads, most_loops + others);
        for (const char* unit : {"alli-mirror.service.in", "alli-mirror-user.service.in"})
            EXPECT_LE(threads + names, tasks_max(unit)) << unit;
        EXPECT_EQ(daemon.stop(), 0);
    }
}

} // namespace alli::daemon

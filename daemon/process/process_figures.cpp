// SPDX-License-Identifier: Apache-2.0
#include "daemon/process/process_figures.hpp"

#include "alli/process_memory.hpp"

#include <filesystem>
#include <sys/resource.h>

namespace alli::daemon {

static double seconds(const timeval& time)
{
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

static std::int64_t count_entries_of(const char* directory)
{
    std::error_code gone;
    const std::filesystem::directory_iterator entries(directory, gone);
    return gone ? 0 : std::distance(begin(entries), end(entries));
}

ProcessFigures read_process_figures()
{
    ProcessFigures figures;
    const ProcessMemory memory = read_process_memory();
    figures.virtual_bytes = memory.virtual_bytes;
    figures.resident_bytes = memory.resident_bytes;
    figures.open_descriptors = count_entries_of("/proc/self/fd");
    figures.threads = count_entries_of("/proc/self/task");
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.most_descriptors = static_cast<std::int64_t>(limit.rlim_cur);
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) == 0) figures.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
    return figures;
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/disk_state.hpp"

#include "cache/db/free_space.hpp"
#include "cache/db/log_bound.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::daemon {

std::optional<DiskFull> find_disk_full()
{
    const auto full = cache::find_no_space();
    if (!full) return std::nullopt;
    return DiskFull{fmt::format("there is no room to write {}: writes are refused (507), and nothing new is mirrored",
                                cache::name_of(full->file)),
                    "free some space where it lies, or raise the quota; reads go on, nothing acknowledged is lost, and "
                    "it goes on by itself",
                    full->since};
}

void add_disk(Json& status)
{
    const auto full = find_disk_full();
    status["disk"]["full"] = full.has_value();
    status["disk"]["since"] = full ? time_json(full->since) : Json(nullptr);
    if (!full) return;
    Json problem;
    problem["what"] = full->what;
    problem["since"] = time_json(full->since);
    problem["hint"] = full->hint;
    status["problems"].push_back(std::move(problem));
}

void add_long_logs(Json& problems)
{
    for (const cache::LongLog& log : cache::find_long_logs()) {
        Json problem;
        problem["what"] =
            fmt::format("the log of {} has grown to {} MiB and cannot be emptied, for {} keeps reading it",
                        cache::name_of(log.file), log.bytes / (1024 * 1024), log.held_by);
        problem["since"] = time_json(log.since);
        problem["hint"] = "end that reader, or wait until it is done; the log is emptied by itself then";
        problems.push_back(std::move(problem));
    }
}

} // namespace alli::daemon

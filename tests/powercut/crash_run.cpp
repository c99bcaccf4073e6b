// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/crash_run.hpp"

#include <sys/wait.h>

#include <fstream>

namespace alli::powercut {

namespace fs = std::filesystem;

bool has_ended(const support::Process& process)
{
    siginfo_t ended{};
    return ::waitid(P_PID, static_cast<id_t>(process.pid()), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == process.pid();
}

std::vector<std::string> program(std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), ALLI_MIRROR_BINARY);
    return arguments;
}

CrashRun::CrashRun(const std::string& prepared, const std::string& url) : files_(home_ / "files")
{
    if (prepared.empty())
        fs::create_directory(files_);
    else
        fs::copy(prepared, files_, fs::copy_options::recursive);
    fs::permissions(files_, fs::perms(0700));
    plain_ = {{"HOME", home_.path()},
              {"ALLI_MIRROR_MIRROR_PATH", files_ + "/mirror.db"},
              {"ALLI_MIRROR_PROXY_LISTEN", "127.0.0.1:0"},
              {"ALLI_MIRROR_UPSTREAM_URL", url},
              {"ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND", "0"},
              {"ALLI_MIRROR_UPSTREAM_READ_LAG", "50ms"},
              {"ALLI_API_KEY", "sandbox"}};
}

support::Process::Environment CrashRun::environment(const std::optional<CrashPoint>& point) const
{
    auto environment = plain_;
    environment["LD_PRELOAD"] = ALLI_CRASH_PRELOAD;
    environment["ALLI_CRASH_DIRECTORY"] = files_;
    if (!point) {
        environment["ALLI_CRASH_LOG"] = home_ / "calls";
        return environment;
    }
    environment["ALLI_CRASH_AT"] = point->name;
    environment["ALLI_CRASH_NUMBER"] = std::to_string(point->number);
    if (point->after) environment["ALLI_CRASH_AFTER"] = "1";
    return environment;
}

support::Process::Environment CrashRun::waiting_environment(const std::optional<CrashPoint>& point) const
{
    auto waiting = environment(point);
    waiting["ALLI_CRASH_ARMED"] = home_ / "armed";
    return waiting;
}

void CrashRun::arm() const
{
    std::ofstream(home_ / "armed") << "now";
}

std::vector<std::string> CrashRun::calls() const
{
    std::vector<std::string> names;
    std::ifstream log(home_ / "calls");
    for (std::string line; std::getline(log, line);) names.push_back(line);
    return names;
}

support::Finished CrashRun::run(std::vector<std::string> arguments,
                                const support::Process::Environment& environment) const
{
    return support::run_process(program(std::move(arguments)), environment);
}

} // namespace alli::powercut

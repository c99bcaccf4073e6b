// SPDX-License-Identifier: Apache-2.0
// `doctor`: a line for each check (ok, warning, failed) and what to do; the exit code of the first that failed.
#include "daemon/commands/commands.hpp"
#include "daemon/doctor/doctor.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/settings/api_key.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>

namespace alli::daemon {

struct DoctorArguments {
    bool json = false, offline = false;
};

static std::int64_t count(const std::vector<Diagnosis>& all, Health health)
{
    return std::count_if(all.begin(), all.end(), [&](const Diagnosis& one) { return one.health == health; });
}

static Json to_json(const std::vector<Diagnosis>& all)
{
    Json json{{"failed", count(all, Health::failed)}, {"warnings", count(all, Health::warning)}};
    json["checks"] = Json::array();
    for (const Diagnosis& one : all)
        json["checks"].push_back({{"check", one.check},
                                  {"state", std::string(name_of(one.health))},
                                  {"what", one.what},
                                  {"hint", one.hint.empty() ? Json(nullptr) : Json(one.hint)}});
    return json;
}

static void print(const std::vector<Diagnosis>& all)
{
    for (const Diagnosis& one : all)
        fmt::print("{:<8} {:<10} {}{}{}\n", name_of(one.health), one.check, printable_line(one.what),
                   one.hint.empty() ? "" : ": ", printable_line(one.hint));
}

static int see(const DoctorArguments& arguments, const Context& from)
{
    harden_process();
    std::signal(SIGPIPE, SIG_IGN);
    const Context context = remembering(from); // the key is looked at twice
    const std::vector<Diagnosis> all = diagnose(context, arguments.offline);
    if (arguments.json)
        print_json(dump(to_json(all), 2));
    else
        print(all);
    for (const Diagnosis& one : all)
        if (one.health == Health::failed)
            throw Error(one.fault, "see above", "{} of {} checks failed", count(all, Health::failed), all.size());
    return 0;
}

Action add_doctor(CLI::App& arguments)
{
    auto chosen = std::make_shared<DoctorArguments>();
    arguments.add_flag("--offline", chosen->offline, "do not ask upstream");
    arguments.add_flag("--json", chosen->json, "as JSON");
    return [chosen](const Context& context) { return see(*chosen, context); };
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/doctor/doctor.hpp"

#include "alli/clock.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/descriptors.hpp"
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/duration.hpp"
#include "daemon/settings/settings_check.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace alli::daemon {
namespace {

void check_settings(const DoctorContext& cx, CheckResults& results)
{
    std::vector<Error> faults;
    const Settings settings =
        load_settings(cx.context.settings_file, cx.context.environment, cx.context.flags, &faults);
    if (!cx.is_hidden()) // what the settings name is the service's
        for (Error& fault : find_faults(settings, cx.context.environment)) faults.push_back(std::move(fault));
    for (const Error& fault : faults) results.fail(fault);
    if (faults.empty()) results.ok(settings.file.empty() ? "no settings file: defaults" : settings.file);
    for (const std::string& note : settings.notes)
        results.warn(note, "write it so; the old name goes with a later version");
}

bool daemon_has_key(const DoctorContext& cx)
{
    return cx.status.is_object() && cx.status["upstream"].value("keyAccepted", Json()) == Json(true);
}

// The service manager reads the file as root and passes a private copy, so the daemon never sees its mode.
void check_key_file(const DoctorContext& cx, CheckResults& results)
{
    const std::string& file = cx.settings.config.api_key_file;
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
        results.warn(fmt::format("{} can be read by others", file), fmt::format("chmod 600 {}", file));
}

void check_key(const DoctorContext& cx, CheckResults& results)
{
    if (cx.place.sandbox) return results.ok("a sandbox needs none");
    check_key_file(cx, results);
    try {
        load_api_key(cx.settings, cx.context.environment);
        results.ok("there is one, and nobody else can read it");
    } catch (const Error&) {
        if (!daemon_has_key(cx)) throw;
        results.ok("the running daemon has one, which upstream accepts; there is none in this environment");
    }
}

// The limit of the running daemon, else of this process.
rlim_t most_descriptors(const DoctorContext& cx)
{
    if (cx.owner && !cx.is_hidden()) {
        std::ifstream limits(fmt::format("/proc/{}/limits", *cx.owner));
        constexpr std::string_view name = "Max open files";
        for (std::string line; std::getline(limits, line);)
            if (line.starts_with(name)) {
                rlim_t soft = 0;
                std::istringstream(line.substr(name.size())) >> soft;
                if (soft > 0) return soft;
            }
    }
    struct rlimit limit = {};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

void check_limits(const DoctorContext& cx, CheckResults& results)
{
    constexpr int open = 24; // what a daemon holds before anybody calls
    const auto most = static_cast<int>(std::min<rlim_t>(most_descriptors(cx), 1 << 20));
    const Config& config = cx.settings.config;
    DescriptorsAtHand at_hand = find_descriptors(config.max_connections, config.proxy_loops);
    at_hand.limit = most; // the daemon's, where one runs
    at_hand.open = open;
    const DescriptorPlan plan = plan_descriptors(at_hand);
    if (plan.connections < most_local_connections)
        results.warn(fmt::format("{} open files at most: room for {} local connections instead of {}", most,
                                 plan.connections, most_local_connections),
                     "LimitNOFILE=4096 in the unit, or ulimit -n 4096 before it starts");
    else
        results.ok(fmt::format("{} open files at most", most));
}

std::string why_silent(const DoctorContext& cx)
{
    const Json daemon = cx.status.is_object() ? cx.status["daemon"] : Json();
    return daemon.is_object() && daemon["why"].is_string() ? daemon["why"].get<std::string>() : "no answer";
}

std::string say_owner(const DoctorContext& cx)
{
    return cx.is_hidden() ? "the service" : fmt::format("process {}", *cx.owner);
}

void check_daemon(const DoctorContext& cx, CheckResults& results)
{
    if (!cx.owner)
        return results.warn("none runs: reads by commands work, local apps get no answer",
                            "alli-mirror serve, or systemctl start alli-mirror");
    const bool answered = cx.status.is_object() && cx.status["daemon"].value("answered", false);
    if (!answered)
        throw Error(Fault::io, "see its log; let it listen on a Unix socket that this user may use (proxy.listen)",
                    "{} owns the mirror, but does not tell its status: {}", say_owner(cx), why_silent(cx));
    results.ok(fmt::format("{} answers, version {}", say_owner(cx), cx.status.value("version", "unknown")));
}

std::string text_of(const Json& json, const char* name)
{
    return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : "";
}

// A recent comparison also shows that the daemon's loops make progress, as the watchdog requires.
void check_freshness(const DoctorContext& cx, CheckResults& results)
{
    if (!cx.status.is_object()) return results.warn("there is no mirror yet", "alli-mirror serve, or sync, makes one");
    const auto verified = from_rfc3339(text_of(cx.status["upstream"], "lastVerifiedAt"));
    if (!verified)
        return results.warn("the mirror was never compared with upstream", "let serve or sync run; see upstream below");
    SystemClock clock;
    const auto age = std::chrono::floor<std::chrono::seconds>(clock.now() - *verified);
    const std::string said = fmt::format("compared with upstream {} ago", say_duration(age));
    const auto enough =
        std::chrono::ceil<std::chrono::seconds>(cx.settings.config.sync_interval) * 3 + std::chrono::minutes(1);
    if (cx.owner && age > enough)
        results.warn(said + ", though a daemon runs", "see upstream below, and the daemon's log");
    else if (!cx.owner && age > std::chrono::hours(24))
        results.warn(said, "alli-mirror sync brings it up to date, serve keeps it so");
    else
        results.ok(said);
}

void check_problems(const DoctorContext& cx, CheckResults& results)
{
    if (!cx.status.is_object()) return;
    for (const Json& problem : cx.status["problems"]) results.warn(text_of(problem, "what"), text_of(problem, "hint"));
    if (results.list.empty()) results.ok("none");
}

struct Check {
    std::string_view name;
    void (*look)(const DoctorContext&, CheckResults&);
    bool of_files = false; // which only their owner and root see
};
// THE table.
constexpr auto checks = std::to_array<Check>({
    {"settings", &check_settings},
    {"key", &check_key},
    {"directory", &check_directory, true},
    {"disk", &check_disk},
    {"limits", &check_limits, true},
    {"mirror", &check_mirror, true},
    {"outbox", &check_outbox, true},
    {"damage", &check_damage, true},
    {"daemon", &check_daemon},
    {"socket", &check_socket},
    {"tokens", &check_tokens, true},
    {"freshness", &check_freshness},
    {"problems", &check_problems},
    {"cluster", &check_cluster},
    {"network", &check_network},
    {"upstream", &check_upstream},
});

// An unusable mirror.path is reported by the first check.
MirrorLocation find_place(const Settings& settings, const Environment& environment)
{
    try {
        return find_mirror_location(settings, environment);
    } catch (const Error&) {
        return {mirror_path(settings, environment), false};
    }
}

// Unreadable settings are reported by the first check; the others use the readable rest.
DoctorContext make_context(const Context& context, bool offline)
{
    std::vector<Error> faults;
    Settings settings = load_settings(context.settings_file, context.environment, context.flags, &faults);
    MirrorLocation place = find_place(settings, context.environment);
    DoctorContext cx{context, std::move(settings), std::move(place), {}, {}, offline};
    cx.owner = find_owner(cx.place.mirror_path);
    try {
        const bool has_mirror = cx.is_hidden() || std::filesystem::exists(cx.place.mirror_path);
        if (faults.empty() && has_mirror) cx.status = load_status(context);
    } catch (const Error&) {
        cx.status = nullptr; // which the checks of the files say in detail
    }
    return cx;
}

} // namespace

std::string_view name_of(Health health) noexcept
{
    constexpr std::array<std::string_view, 3> names{"ok", "warning", "failed"};
    return names[static_cast<std::size_t>(health)];
}

std::vector<Diagnosis> diagnose(const Context& from, bool offline)
{
    const DoctorContext cx = make_context(from, offline);
    std::vector<Diagnosis> all;
    for (const Check& check : checks) {
        CheckResults results(check.name);
        try {
            if (check.of_files && cx.is_hidden())
                results.ok("the service's alone: root's doctor looks at it");
            else
                check.look(cx, results);
        } catch (const Error& error) {
            results.fail(error);
        }
        all.insert(all.end(), results.list.begin(), results.list.end());
    }
    return all;
}

} // namespace alli::daemon

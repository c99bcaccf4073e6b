// SPDX-License-Identifier: Apache-2.0
// `status`: from the running daemon where one answers, else from the mirror's file alone.
#include "alli/clock.hpp"
#include "cache/store.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/paths.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>

namespace alli::daemon {

static Json load_status(const Settings& settings, const MirrorLocation& place, const Environment& environment)
{
    const std::optional<int> owner = find_owner(place.mirror_path);
    const DaemonReading answer =
        owner ? read_from_daemon(settings, place, environment, *owner, "/mirror/v1/status") : DaemonReading{};
    Json status = answer.body ? Json::parse(*answer.body, nullptr, false) : Json();
    if (!status.is_object()) {
        const auto db = cache::open_mirror(place.mirror_path);
        const auto outbox = cache::open_outbox(place.mirror_path);
        status = make_status(*db, *outbox, place.sandbox ? "sandbox" : settings.config.upstream_url, nullptr);
    }
    Json daemon;
    daemon["running"] = owner.has_value();
    daemon["pid"] = owner && *owner != hidden_owner ? Json(*owner) : Json(nullptr);
    daemon["answered"] = answer.body.has_value();
    daemon["why"] = answer.why.empty() ? Json(nullptr) : Json(answer.why);
    status["daemon"] = daemon;
    return status;
}

Json load_status(const Context& context)
{
    const Settings settings = context.settings();
    return load_status(settings, find_mirror_location(settings, context.environment), context.environment);
}

static std::string say_daemon(const Json& daemon)
{
    if (!daemon["running"].get<bool>())
        return "no daemon runs: alli-mirror serve, or alli-mirror sync, brings it up to date";
    const Json& pid = daemon["pid"];
    const std::string runs = pid.is_null() ? "runs" : fmt::format("runs (process {})", pid.get<int>());
    if (daemon["answered"].get<bool>()) return runs;
    return fmt::format("{}, but did not tell: {}", runs, printable_line(daemon["why"].get<std::string>()));
}

static int status(bool json, const Context& context)
{
    const Settings settings = context.settings();
    const MirrorLocation place = find_mirror_location(settings, context.environment);
    const Json status = load_status(settings, place, context.environment);
    if (json) {
        print_json(dump(status, 2));
        return 0;
    }
    fmt::print("file      {}{}\n", place.mirror_path, place.sandbox ? " (the sandbox's mirror)" : "");
    fmt::print("daemon    {}\n", say_daemon(status["daemon"]));
    fmt::print("{}", say_status(status, SystemClock().now()));
    return 0;
}

Action add_status(CLI::App& arguments)
{
    auto json = std::make_shared<bool>(false);
    arguments.add_flag("--json", *json, "as JSON");
    return [json](const Context& context) { return status(*json, context); };
}

} // namespace alli::daemon

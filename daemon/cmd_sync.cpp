// SPDX-License-Identifier: Apache-2.0
// `sync`: one pass until the mirror is complete, with a bar on a terminal and a line every few seconds elsewhere.
#include "alli/error.hpp"
#include "daemon/api_key.hpp"
#include "daemon/commands.hpp"
#include "daemon/daemon_probe.hpp"
#include "daemon/duration.hpp"
#include "daemon/instance.hpp"
#include "daemon/log.hpp"
#include "daemon/places.hpp"
#include "daemon/status.hpp"
#include "daemon/sync_progress.hpp"
#include "upstream/site.hpp"

#include <CLI/CLI.hpp>

#include <csignal>

namespace alli::daemon {

struct SyncArguments {
    std::string since;
    bool json = false, accept_deletions = false;
};

static std::unique_ptr<Instance> open_instance(InstanceOptions options)
{
    try {
        return std::make_unique<Instance>(std::move(options));
    } catch (const Error& error) {
        if (error.fault() != Fault::busy) throw;
        throw Error(Fault::busy, "a running daemon keeps the mirror up to date by itself: see alli-mirror status", "{}",
                    error.what());
    }
}

// A running daemon does it, over its Unix socket.
static bool told_daemon(const Settings& settings, const Context& context)
{
    const ReadPlace place = find_read_place(settings, context.environment);
    if (!find_owner(place.mirror_path)) return false;
    const auto status = tell_daemon(socket_addresses(settings, place, context.environment), "POST",
                                    "/mirror/v1/sync?acceptDeletions=true");
    if (status != 202)
        throw Error(
            Fault::busy,
            "let it listen on a Unix socket (proxy.listen), or ask it: POST /mirror/v1/sync?acceptDeletions=true",
            "a daemon owns the mirror, but did not take the word over a Unix socket");
    fmt::print("the running daemon was told: what upstream no longer has is deleted with the next comparison\n");
    return true;
}

static int sync(const SyncArguments& arguments, const Context& context)
{
    if (!arguments.since.empty() && !from_rfc3339(arguments.since))
        throw Error(Fault::usage, "write it as 2026-01-31, or as 2026-01-31T09:30:00Z", "--since {} is no date",
                    arguments.since);
    harden_process();
    std::signal(SIGPIPE, SIG_IGN);
    const Settings settings = context.settings();
    start_log(settings.config, context.environment);
    if (arguments.accept_deletions && told_daemon(settings, context)) return 0;

    InstanceOptions options;
    options.accept_deletions = arguments.accept_deletions;
    options.config = settings.config;
    if (!arguments.since.empty()) options.config.backfill_since = arguments.since;
    options.api_key = load_api_key(settings, context.environment);
    options.mirror_path = mirror_path(settings, context.environment);
    options.identity = upstream::read_site(settings.config.upstream_url).base;
    make_directory_of(options.mirror_path);

    const auto instance = open_instance(std::move(options));
    SyncProgress progress(arguments.json);
    instance->run_once([&](const sync::State& state) { progress.show(state); });
    progress.finish(*instance->state());
    return 0;
}

Action add_sync(CLI::App& arguments)
{
    auto chosen = std::make_shared<SyncArguments>();
    arguments.add_option("--since", chosen->since, "mirror only conversations active since then")->type_name("DATE");
    arguments.add_flag("--accept-deletions", chosen->accept_deletions,
                       "delete what upstream says is gone, however much it is");
    arguments.add_flag("--json", chosen->json, "progress as JSON, one object a line");
    return [chosen](const Context& context) { return sync(*chosen, context); };
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// `sync`: one pass until the mirror is complete, in a daemon where one owns it; with a bar on a terminal and a line
// every few seconds elsewhere.
#include "alli/error.hpp"
#include "daemon/arguments/search_arguments.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/commands/daemon_sync.hpp"
#include "daemon/commands/sync_progress.hpp"
#include "daemon/output/log.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/instance.hpp"
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/egress.hpp"
#include "daemon/settings/paths.hpp"
#include "daemon/settings/settings_check.hpp"
#include "upstream/curl/origin.hpp"

#include <CLI/CLI.hpp>

#include <csignal>

namespace alli::daemon {

struct SyncArguments {
    std::string since;
    bool json = false, accept_deletions = false, accept_key = false;
};

// What it mirrors is its own settings' to say.
static void require_no_since(const SyncArguments& arguments)
{
    if (!arguments.since.empty())
        throw Error(Fault::usage, "set sync.backfill_since and restart it, or stop it first",
                    "a daemon owns the mirror: it does not take --since");
}

static int sync(const SyncArguments& arguments, const Context& context)
{
    const auto since = read_before("--since", arguments.since, Zone::of_host()); // that instant itself is mirrored
    harden_process();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    const Settings settings = context.settings();
    start_log(settings.config, context.environment);
    require_sound(settings, context.environment, {"upstream", "mirror", "outbox"});
    if (find_owner(find_mirror_location(settings, context.environment).mirror_path)) {
        require_no_since(arguments);
        sync_in_daemon(context, {arguments.accept_deletions, arguments.accept_key}, arguments.json);
        return 0;
    }

    if (settings.config.cluster.enabled())
        throw Error(Fault::refused, "alli-mirror serve follows the leader, and leads in its turn",
                    "this is a node of a cluster: its files follow the leader's, which alone asks upstream");

    InstanceOptions options;
    options.accept_deletions = arguments.accept_deletions;
    options.accept_key = arguments.accept_key;
    options.config = settings.config;
    if (since) options.config.backfill_since = to_rfc3339(*since);
    options.api_key = load_api_key(settings, context.environment);
    options.proxy = load_forward_proxy(settings, context.environment);
    options.mirror_path = mirror_path(settings, context.environment);
    options.identity = upstream::read_origin(settings.config.upstream_url).base;
    claim_directory_of(options.mirror_path);

    Instance instance(std::move(options));
    SyncProgress progress(arguments.json);
    instance.run_once([&](const sync::State& state) { progress.show(state); });
    progress.finish(*instance.state());
    return 0;
}

Action add_sync(CLI::App& arguments)
{
    auto chosen = std::make_shared<SyncArguments>();
    arguments.add_option("--since", chosen->since, "mirror only conversations active since then")->type_name("DATE");
    arguments.add_flag("--accept-deletions", chosen->accept_deletions,
                       "delete what upstream says is gone, however much it is");
    arguments.add_flag("--accept-key", chosen->accept_key, "mirror from now on whatever project the changed key opens");
    arguments.add_flag("--json", chosen->json, "progress as JSON, one object a line");
    return [chosen](const Context& context) { return sync(*chosen, context); };
}

} // namespace alli::daemon

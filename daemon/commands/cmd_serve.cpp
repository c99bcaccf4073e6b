// SPDX-License-Identifier: Apache-2.0
// `serve`: the daemon. The main thread waits for a signal, watches the engine and tells the service manager; the engine
// and the proxy have threads of their own.
#include "alli/error.hpp"
#include "alli/log.hpp"
#include "daemon/cluster/shared_settings.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/log.hpp"
#include "daemon/process/restart.hpp"
#include "daemon/process/systemd.hpp"
#include "daemon/service/descriptors.hpp"
#include "daemon/service/disk_state.hpp"
#include "daemon/service/instance.hpp"
#include "daemon/service/reload.hpp"
#include "daemon/service/socket_unit.hpp"
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/cluster_settings.hpp"
#include "daemon/settings/egress.hpp"
#include "daemon/settings/operations.hpp"
#include "daemon/settings/paths.hpp"
#include "daemon/settings/sandbox_home.hpp"
#include "daemon/settings/settings_check.hpp"
#include "daemon/settings/webhook_settings.hpp"
#include "upstream/curl/origin.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <csignal>

namespace alli::daemon {

struct ServeArguments {
    bool sandbox = false;
    SandboxChoice choice;
};

/// What a run of the daemon is made of; the sandbox, where there is one, outlives what mirrors it.
struct Plan {
    std::unique_ptr<sandbox::Sandbox> sandbox;
    InstanceOptions instance;
    ListenConfig doors;
    std::string note; // about them; empty: none
    Config read;      // the settings as they were read, to be compared at a reload
    std::unique_ptr<SandboxLeftovers> leftovers;
    std::unique_ptr<Restart> restart; // after a restore; none: a sandbox begins anew anyway
};

/// Sockets of the service manager's take the place of all addresses.
static void choose_doors(Plan& plan, const Listen& wanted)
{
    plan.doors.passed = take_passed_sockets();
    if (!plan.doors.passed.empty()) return;
    plan.doors.listen = wanted.addresses;
    plan.note = wanted.note;
}

static MirrorLocation location_of(const Plan& plan)
{
    return {plan.instance.mirror_path, plan.sandbox != nullptr};
}

static void read_tokens(Plan& plan, const Environment& environment)
{
    plan.doors.tokens_place = find_tokens_file(plan.read, location_of(plan));
    plan.doors.tokens = tokens_of(load_token_lines(plan.doors.tokens_place, environment));
    plan.doors.environment = environment;
}

/// None: this machine alone.
static std::optional<ClusterOptions> plan_cluster(const Settings& settings, const Environment& environment,
                                                  const Plan& plan)
{
    const ClusterSettings& cluster = settings.config.cluster;
    if (!cluster.enabled()) return std::nullopt;
    claim_directory_of(plan.instance.mirror_path); // a node's name may be kept there
    const std::string node = load_node_name(cluster, plan.instance.mirror_path);
    ClusterOptions options{postgres_options(cluster, load_cluster_password(settings, environment), node),
                           node_options(cluster, node, plan.doors.listen)};
    options.node.read_lag = settings.config.read_lag;
    options.node.settings = shared_settings(settings.config);
    require_same_settings(session_options(settings, environment), options.node.settings);
    return options;
}

static Plan plan_service(const Settings& settings, const Environment& environment)
{
    require_sound(settings, environment, {"upstream", "mirror", "proxy", "outbox", "cluster"});
    Plan plan;
    plan.read = plan.instance.config = settings.config;
    const bool is_variable = find_key_source(settings, environment).kind == KeySource::Kind::variable;
    plan.instance.api_key = load_api_key(settings, environment);
    plan.instance.proxy = load_forward_proxy(settings, environment);
    plan.instance.webhooks = read_webhooks(settings, environment);
    plan.instance.mirror_path = mirror_path(settings, environment);
    plan.instance.notes = settings.notes;
    plan.instance.identity = upstream::read_origin(settings.config.upstream_url).base;
    choose_doors(plan, listen_addresses(settings, environment));
    plan.instance.cluster = plan_cluster(settings, environment, plan);
    plan.restart = std::make_unique<Restart>(plan.doors.passed, is_variable ? plan.instance.api_key : "");
    read_tokens(plan, environment);
    return plan;
}

static Plan plan_sandbox(const Settings& settings, const Environment& environment, const SandboxChoice& choice)
{
    forget_api_key(); // nor are the service's webhooks and tokens for a sandbox
    Settings own = settings;
    own.config.mirror_path = sandbox_mirror_path(environment);
    own.config.tokens_file.clear();
    require_sound(own, environment, {"proxy", "outbox"});
    Plan plan;
    plan.read = plan.instance.config = settings.config;
    plan.instance.mirror_path = own.config.mirror_path;
    plan.leftovers = std::make_unique<SandboxLeftovers>(plan.instance.mirror_path);
    const std::string directory = prepare_sandbox_home(plan.instance.mirror_path, choice.keep);
    if (!choice.keep) plan.leftovers->watch();
    plan.sandbox = start_sandbox(choice);
    plan.instance.config.upstream_url = plan.sandbox->url();
    plan.instance.config.ca_file.clear(); // nor is there a proxy: it is in this very process
    plan.instance.config.requests_per_second = 0;
    reset_operations(plan.instance.config);
    plan.instance.config.cluster = {};
    plan.instance.api_key = sandbox_key;
    plan.instance.identity = "sandbox:"; // its port changes at every start
    choose_doors(plan, sandbox_listen_addresses(settings, directory));
    read_tokens(plan, environment);
    return plan;
}

static void say_hello(const Plan& plan, const std::vector<std::string>& addresses)
{
    log_event<Event::ready>(std::string_view(ALLI_VERSION), fmt::format("{}", fmt::join(addresses, ", ")),
                            plan.instance.mirror_path);
    if (!plan.sandbox || plan.instance.config.log_format == "json") return;
    fmt::print(stderr, "it mirrors a sandbox at {} (key: {})\ntry, in another terminal:\n", plan.sandbox->url(),
               sandbox_key);
    for (const std::string& address : addresses) {
        if (address.starts_with("unix:")) continue;
        fmt::print(stderr, "  curl -H 'API-KEY: {}' 'http://{}/webapi/v2/conversations?pageSize=2'\n", sandbox_key,
                   address);
        break;
    }
    fmt::print(stderr, "  alli-mirror search football\n  alli-mirror search 여행\n  alli-mirror status\n");
}

/// Once when it begins, once when it ends.
static void tell_disk(bool& known)
{
    const auto full = find_disk_full();
    if (full.has_value() == std::exchange(known, full.has_value())) return;
    if (!full) return log_event<Event::disk_writable>();
    log_event<Event::disk_full>(full->what, full->hint);
}

// While upstream is away nobody knows, and it stays as it was.
static void tell_key(bool& known, const sync::State& state)
{
    if (state.key_accepted && !state.error.empty()) return;
    if (state.key_accepted == std::exchange(known, state.key_accepted)) return;
    if (known)
        log_event<Event::key_accepted>();
    else
        log_event<Event::key_refused>();
}

/// Says in the log when upstream goes away or comes back, or refuses the key, and likewise the room on the disk and the
/// cluster: once each, not at every try.
static Task<> watch_engine(SystemClock& clock, Instance& instance)
{
    std::string known;
    bool full = false, accepted = true;
    for (;;) {
        tell_disk(full);
        const auto state = instance.state();
        tell_key(accepted, *state);
        if (state->error != known) {
            known = state->error;
            if (known.empty())
                log_event<Event::upstream_back>();
            else
                log_event<Event::upstream_lost>(known, state->hint);
        }
        instance.tell_cluster();
        log_repeats();
        tell_lost_lines();
        co_await clock.sleep(std::chrono::seconds(1));
    }
}

/// Twice as often as the watchdog asks; a hung loop or committing thread gives no sign of life. The manager is told
/// from here: one that does not listen for a while must not hold up a loop that answers requests.
static Task<> feed_watchdog(asio::io_context& loop, SystemClock& clock, Instance& instance,
                            std::chrono::microseconds period)
{
    for (;;) {
        instance.probe([&loop] { asio::post(loop, &notify_watchdog); });
        co_await clock.sleep(period / 2);
    }
}

/// At each SIGHUP, for as long as the loop runs.
static Task<> reload_on_signal(asio::signal_set& hangups, const Context& context, Plan& plan, Instance& instance)
{
    const Adjust adjust = [&](const Config& config, std::vector<proxy::Token> tokens, TokensFile place) {
        instance.adjust(config, std::move(tokens), std::move(place));
    };
    for (;;) {
        co_await hangups.async_wait(asio::use_awaitable);
        notify_reloading();
        reload_settings(context, location_of(plan), plan.read, adjust);
        notify_ready("settings read again");
    }
}

/// Local apps and commands go by the settings; the service manager's sockets count.
static void compare_passed_sockets(const Settings& settings, const std::vector<std::string>& addresses)
{
    const std::string difference = find_difference(settings, addresses);
    if (!difference.empty())
        log_event<Event::listens_elsewhere>(difference, "name the same in proxy.listen and in the socket unit "
                                                        "(systemctl edit alli-mirror.socket)");
}

/// True if it is to be started anew.
static bool run_until_stopped(Plan& plan, const Context& context, const Settings& settings)
{
    asio::io_context loop(1);
    std::atomic<bool> restarts{false};
    if (plan.restart)
        plan.instance.restart = [&] {
            restarts = true;
            asio::post(loop, [&] { loop.stop(); });
        };
    asio::signal_set signals(loop, SIGTERM, SIGINT); // before any thread, so that none ends the process the hard way
    asio::signal_set hangups(loop, SIGHUP);
    std::exception_ptr failure;
    Instance instance(plan.instance);
    instance.serve(plan.doors, [&](std::exception_ptr error) {
        asio::post(loop, [&, error] {
            failure = error;
            loop.stop();
        });
    });
    if (plan.leftovers) plan.leftovers->keep();
    say_hello(plan, instance.addresses());
    if (!plan.doors.passed.empty()) compare_passed_sockets(settings, instance.addresses());
    notify_ready("answers on " + instance.addresses().front());

    SystemClock clock;
    asio::co_spawn(loop, watch_engine(clock, instance), asio::detached);
    const auto watchdog = watchdog_period();
    if (watchdog) asio::co_spawn(loop, feed_watchdog(loop, clock, instance, *watchdog), asio::detached);
    asio::co_spawn(loop, reload_on_signal(hangups, context, plan, instance), asio::detached);
    signals.async_wait([&](const boost::system::error_code&, int) { loop.stop(); });
    loop.run();

    signals.clear();                  // a second signal ends the process at once: nothing is lost by that
    if (!restarts) notify_stopping(); // for the service manager it goes on
    log_event<Event::stopping>();
    instance.stop();
    log_repeats(true);
    tell_lost_lines();
    if (failure) std::rethrow_exception(failure);
    return restarts;
}

/// A socket that nobody asked for must not keep the program from starting.
static void make_socket_directories(Plan& plan, bool asked_for)
{
    std::vector<std::string> usable;
    for (const std::string& address : plan.doors.listen) try {
            if (address.starts_with("unix:")) make_directory_of(address.substr(5), "proxy.listen");
            usable.push_back(address);
        } catch (const Error& error) {
            if (asked_for) throw;
            plan.note = fmt::format("no Unix socket: {}", error.what());
        }
    plan.doors.listen = std::move(usable);
}

static int serve(const ServeArguments& arguments, const Context& context)
{
    harden_process();
    raise_descriptor_limit();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // a file that may grow no more is a failed write
    const Settings settings = context.settings();
    start_log(settings.config, context.environment);

    Plan plan = arguments.sandbox ? plan_sandbox(settings, context.environment, arguments.choice)
                                  : plan_service(settings, context.environment);
    make_socket_directories(plan, settings.is_set("proxy.listen"));
    claim_directory_of(plan.instance.mirror_path);
    if (!plan.note.empty()) log_event<Event::no_socket>(plan.note);
    if (run_until_stopped(plan, context, settings)) plan.restart->run();
    return 0;
}

Action add_serve(CLI::App& arguments)
{
    auto chosen = std::make_shared<ServeArguments>();
    CLI::Option* sandbox = arguments.add_flag("--sandbox", chosen->sandbox, "mirror a look-alike: no account needed");
    for (CLI::Option* option : add_sandbox_choice(arguments, chosen->choice)) option->needs(sandbox);
    arguments.add_flag("--keep", chosen->choice.keep, "do not begin with an empty mirror of the sandbox")
        ->needs(sandbox);
    return [chosen](const Context& context) { return serve(*chosen, context); };
}

} // namespace alli::daemon

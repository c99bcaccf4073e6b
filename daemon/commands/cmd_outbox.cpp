// SPDX-License-Identifier: Apache-2.0
// `outbox list|show|retry|discard`: the writes that wait or failed. Looking works beside a daemon and without one;
// changing is done by the daemon where one runs, asked as daemon_call.hpp does, else here, under the lock.
#include "alli/error.hpp"
#include "alli/sync_wait.hpp"
#include "cache/outbox/entry_json.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/store.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/paths.hpp"
#include "upstream/curl/origin.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>

namespace alli::daemon {

struct OutboxArguments {
    std::string state;
    int limit = 100;
    std::int64_t id = 0;
    bool json = false, yes = false;
};

static std::string say_line(const cache::Entry& entry)
{
    std::string line = fmt::format("{:>6}  {:<9}  {}  {:<6} {}", entry.id, cache::name_of(entry.state),
                                   say_time(entry.created_at), entry.method, printable_line(entry.path));
    if (entry.last_error) line += "\n        " + printable_line(*entry.last_error);
    return line;
}

static int list(const OutboxArguments& arguments, const Context& context)
{
    const auto db = cache::open_outbox(find_mirror_location(context.settings(), context.environment).mirror_path);
    cache::EntryQuery query;
    query.limit = arguments.limit;
    if (!arguments.state.empty()) query.state = cache::find_entry_state(arguments.state);
    const auto entries = cache::list_entries(*db, query);
    if (arguments.json) {
        print_json(cache::entries_json(entries, query.limit));
        return 0;
    }
    for (const cache::Entry& entry : entries) fmt::print("{}\n", say_line(entry));
    if (entries.empty()) fmt::print("nothing {}\n", arguments.state.empty() ? "in the outbox" : "in that state");
    return 0;
}

[[noreturn]] static void fail_absent(std::int64_t id)
{
    throw Error(Fault::refused, "alli-mirror outbox list shows what there is", "there is no write {} in the outbox",
                id);
}

static cache::Entry load_entry(const OutboxArguments& arguments, const MirrorLocation& place)
{
    const auto db = cache::open_outbox(place.mirror_path);
    const auto entry = cache::find_entry(*db, arguments.id);
    if (!entry) fail_absent(arguments.id);
    return *entry;
}

static int show(const OutboxArguments& arguments, const Context& context)
{
    const cache::Entry entry = load_entry(arguments, find_mirror_location(context.settings(), context.environment));
    if (arguments.json) {
        print_json(cache::entry_json(entry));
        return 0;
    }
    fmt::print("{}\n{}\n", say_line(entry), printable(Json::parse(cache::entry_json(entry)).dump(2)));
    return 0;
}

enum class Deed { retry, discard };

/// Without a daemon: the two files, in the order in which a daemon changes them.
static cache::OperatorResult do_here(Deed deed, std::int64_t id, const Settings& settings, const MirrorLocation& place)
{
    cache::StoreOptions options;
    options.mirror_path = place.mirror_path;
    options.url = place.sandbox ? "sandbox:" : upstream::read_origin(settings.config.upstream_url).base;
    options.threads = false;
    cache::Store store(options);
    cache::OperatorResult outcome{};
    const auto steer = [&](cache::Writer& db) {
        outcome = deed == Deed::retry ? cache::retry_entry(db, id).outcome : cache::discard_entry(db, id);
    };
    const auto show_it = [&](cache::Writer& db) {
        const auto entry = store.read_outbox([&](cache::Reader& outbox) { return cache::find_entry(outbox, id); });
        if (entry)
            cache::show_edit(db, *entry);
        else
            cache::drop_edit(db, id);
    };
    sync_wait(store.write_outbox(steer));
    if (outcome == cache::OperatorResult::done) sync_wait(store.write(show_it));
    return outcome;
}

static cache::OperatorResult outcome_of(int status, std::int64_t id)
{
    if (status == 202 || status == 204) return cache::OperatorResult::done;
    if (status == 404) return cache::OperatorResult::absent;
    if (status == 409) return cache::OperatorResult::wrong_state;
    throw Error(Fault::io, "its log has the reason (journalctl -u alli-mirror)",
                "the daemon answered {} when asked about write {}", status, id);
}

static cache::OperatorResult steer(Deed deed, std::int64_t id, const MirrorLocation& place, const Context& context)
{
    if (!find_owner(place.mirror_path)) return do_here(deed, id, context.settings(), place);
    DaemonRequest request;
    request.method = deed == Deed::retry ? "POST" : "DELETE";
    request.target = fmt::format("/mirror/v1/outbox/{}{}", id, deed == Deed::retry ? "/retry" : "");
    return outcome_of(call_daemon(context, request).status, id);
}

static bool agrees(const cache::Entry& entry)
{
    fmt::print("{}\nIt will not be sent, and what it changed is taken back. Discard it? [y/N] ", say_line(entry));
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

static int change(Deed deed, const OutboxArguments& arguments, const Context& context)
{
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    const cache::Entry entry = load_entry(arguments, place);
    if (deed == Deed::discard && !arguments.yes && !agrees(entry)) {
        fmt::print("\nnothing was discarded\n");
        return 1;
    }
    const cache::OperatorResult outcome = steer(deed, arguments.id, place, context);
    if (outcome == cache::OperatorResult::absent) fail_absent(arguments.id);
    if (outcome == cache::OperatorResult::wrong_state)
        throw Error(Fault::refused, "alli-mirror outbox show says how it stands",
                    "write {} is being sent, or was delivered", arguments.id);
    fmt::print("write {} {}\n", arguments.id, deed == Deed::retry ? "will be sent again" : "was discarded");
    return 0;
}

Action add_outbox(CLI::App& arguments)
{
    auto chosen = std::make_shared<OutboxArguments>();
    auto action = std::make_shared<Action>();
    arguments.require_subcommand(1);
    const auto add = [&](const char* name, const char* help, bool one, Action does) {
        CLI::App* sub = arguments.add_subcommand(name, help);
        if (one) sub->add_option("ID", chosen->id, "number of the write")->required()->type_name("WRITE");
        sub->callback([action, does] { *action = does; });
        return sub;
    };
    CLI::App* all = add("list", "what waits, failed, or was delivered within a day", false,
                        [chosen](const Context& context) { return list(*chosen, context); });
    all->add_option("--state", chosen->state, "only these")
        ->check(CLI::IsMember({"pending", "sending", "conflict", "failed", "delivered"}));
    all->add_option("--limit", chosen->limit, "how many")->check(CLI::Range(1, 1000));
    all->add_flag("--json", chosen->json, "as JSON");
    add("show", "one with its request and upstream's answer", true, [chosen](const Context& context) {
        return show(*chosen, context);
    })->add_flag("--json", chosen->json, "as JSON");
    add("retry", "send a failed one again, or one in conflict whatever upstream has", true,
        [chosen](const Context& context) { return change(Deed::retry, *chosen, context); });
    add("discard", "give one up: it is not sent, and what it changed is taken back", true,
        [chosen](const Context& context) { return change(Deed::discard, *chosen, context); })
        ->add_flag("--yes", chosen->yes, "do not ask");
    return [action](const Context& context) { return (*action)(context); };
}

} // namespace alli::daemon

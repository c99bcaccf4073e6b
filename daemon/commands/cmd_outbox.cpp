// SPDX-License-Identifier: Apache-2.0
// `outbox list|show|retry|discard`: the writes that wait or failed, one or all of a state.
#include "alli/error.hpp"
#include "daemon/access/outbox_access.hpp"
#include "daemon/commands/commands.hpp"

#include "daemon/output/question.hpp"
#include "daemon/output/terminal.hpp"
#include <CLI/CLI.hpp>

namespace alli::daemon {

struct OutboxArguments {
    std::string state;
    int limit = 100;
    std::int64_t id = 0;
    bool json = false, yes = false, all = false;
};

static std::string text_of(const Json& entry, const char* name)
{
    const auto found = entry.find(name);
    return found != entry.end() && found->is_string() ? printable_line(found->get<std::string>()) : "";
}

// A daemon of an older version does not say what would change.
static std::string say_deed(const Json& entry)
{
    const std::string change = text_of(entry, "change");
    return change.empty() ? text_of(entry, "method") + ' ' + text_of(entry, "path") : change;
}

static std::string say_line(const Json& entry)
{
    const std::string conversation = text_of(entry, "conversationId");
    std::string line = fmt::format("{:>6}  {:<9}  {}  {}", entry.value("id", std::int64_t{0}), text_of(entry, "state"),
                                   say_time(from_rfc3339(text_of(entry, "createdAt"))), say_deed(entry));
    if (!conversation.empty()) line += "  (" + conversation + ")";
    const std::string error = text_of(entry, "lastError");
    if (!error.empty()) line += "\n        " + error;
    return line;
}

static int list(const OutboxArguments& arguments, const Context& context)
{
    const Json page = OutboxAccess(context).list(arguments.state, arguments.limit);
    if (arguments.json) {
        print_json(dump(page));
        return 0;
    }
    for (const Json& entry : page["entries"]) fmt::print("{}\n", say_line(entry));
    if (page["entries"].empty())
        fmt::print("nothing {}\n", arguments.state.empty() ? "in the outbox" : "in that state");
    return 0;
}

static int show(const OutboxArguments& arguments, const Context& context)
{
    const Json entry = OutboxAccess(context).load(arguments.id);
    if (arguments.json)
        print_json(dump(entry));
    else
        fmt::print("{}\n{}\n", say_line(entry), printable(dump(entry, 2)));
    return 0;
}

static bool agrees(const Json& entry)
{
    return confirm(
        fmt::format("{}\nIt will not be sent, and what it changed is taken back. Discard it?", say_line(entry)));
}

static bool agrees(const std::vector<Json>& entries, Deed deed)
{
    std::string question;
    for (const Json& entry : entries) question += say_line(entry) + '\n';
    question +=
        fmt::format("{} {}", entries.size(),
                    deed == Deed::retry ? "will be sent again, whatever upstream has now. Retry them?"
                                        : "will not be sent, and what they changed is taken back. Discard them?");
    return confirm(question);
}

static int change_one(Deed deed, const OutboxArguments& arguments, OutboxAccess& outbox)
{
    const Json entry = outbox.load(arguments.id);
    if (deed == Deed::discard && !arguments.yes && !agrees(entry)) {
        fmt::print("\nnothing was discarded\n");
        return 1;
    }
    const cache::OperatorResult outcome = outbox.steer(deed, arguments.id);
    if (outcome == cache::OperatorResult::absent) fail_absent(arguments.id);
    if (outcome == cache::OperatorResult::wrong_state)
        throw Error(Fault::refused, "alli-mirror outbox show says how it stands",
                    "write {} is being sent, or was delivered", arguments.id);
    fmt::print("write {} {}\n", arguments.id, deed == Deed::retry ? "will be sent again" : "was discarded");
    return 0;
}

// What was settled or taken away meanwhile is not counted.
static int change_all(Deed deed, const OutboxArguments& arguments, OutboxAccess& outbox)
{
    const std::vector<Json> entries = outbox.list_all(arguments.state);
    if (entries.empty()) {
        fmt::print("nothing in that state\n");
        return 0;
    }
    if (!arguments.yes && !agrees(entries, deed)) {
        fmt::print("\nnothing was {}\n", deed == Deed::retry ? "retried" : "discarded");
        return 1;
    }
    std::size_t done = 0;
    for (const Json& entry : entries)
        if (outbox.steer(deed, entry["id"].get<std::int64_t>()) == cache::OperatorResult::done) ++done;
    fmt::print("{} of {} writes {}\n", done, entries.size(),
               deed == Deed::retry ? "will be sent again" : "were discarded");
    return 0;
}

static int change(Deed deed, const OutboxArguments& arguments, const Context& context)
{
    const std::string name = deed == Deed::retry ? "retry" : "discard";
    if (arguments.all != (arguments.id == 0) || arguments.all == arguments.state.empty())
        throw Error(Fault::usage,
                    fmt::format("alli-mirror outbox {} 12, or outbox {} --state failed --all", name, name),
                    "{} takes the number of a write, or --all with --state", name);
    OutboxAccess outbox(context);
    return arguments.all ? change_all(deed, arguments, outbox) : change_one(deed, arguments, outbox);
}

static void add_change(CLI::App* sub, const std::shared_ptr<OutboxArguments>& chosen, std::set<std::string> states)
{
    sub->add_option("ID", chosen->id, "number of the write")->type_name("WRITE")->check(CLI::PositiveNumber);
    sub->add_flag("--all", chosen->all, "every one in that state, the oldest first");
    sub->add_option("--state", chosen->state, "with --all: only these")->check(CLI::IsMember(std::move(states)));
    sub->add_flag("--yes", chosen->yes, "do not ask");
}

Action add_outbox(CLI::App& arguments)
{
    auto chosen = std::make_shared<OutboxArguments>();
    auto action = std::make_shared<Action>();
    arguments.require_subcommand(1);
    const auto add = [&](const char* name, const char* help, Action does) {
        CLI::App* sub = arguments.add_subcommand(name, help);
        sub->callback([action, does] { *action = does; });
        return sub;
    };
    CLI::App* all = add("list", "what waits, failed, or was delivered within a day, and what each would change",
                        [chosen](const Context& context) { return list(*chosen, context); });
    all->add_option("--state", chosen->state, "only these")
        ->check(CLI::IsMember({"pending", "sending", "conflict", "failed", "delivered"}));
    all->add_option("--limit", chosen->limit, "how many")->check(CLI::Range(1, 1000));
    all->add_flag("--json", chosen->json, "as JSON");
    CLI::App* one = add("show", "one with its request and upstream's answer",
                        [chosen](const Context& context) { return show(*chosen, context); });
    one->add_option("ID", chosen->id, "number of the write")->required()->type_name("WRITE");
    one->add_flag("--json", chosen->json, "as JSON");
    add_change(add("retry", "send a failed one again, or one in conflict whatever upstream has",
                   [chosen](const Context& context) { return change(Deed::retry, *chosen, context); }),
               chosen, {"failed", "conflict"});
    add_change(add("discard", "give one up: it is not sent, and what it changed is taken back",
                   [chosen](const Context& context) { return change(Deed::discard, *chosen, context); }),
               chosen, {"pending", "failed", "conflict"});
    return [action](const Context& context) { return (*action)(context); };
}

} // namespace alli::daemon

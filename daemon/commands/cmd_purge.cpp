// SPDX-License-Identifier: Apache-2.0
// `purge`: erases for good, here and not upstream, and keeps it from coming back. Asks first.
#include "alli/error.hpp"
#include "alli/printable.hpp"
#include "daemon/access/maintain.hpp"
#include "daemon/arguments/search_arguments.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/question.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/status.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

struct PurgeArguments {
    std::string user, conversation, before, tz;
    bool retention = false, dry_run = false, yes = false, json = false;
};

static Json request_of(const PurgeArguments& arguments, bool dry_run)
{
    Json request{{"task", "purge"}, {"dryRun", dry_run}};
    if (!arguments.user.empty()) request["user"] = arguments.user;
    if (!arguments.conversation.empty()) request["conversation"] = arguments.conversation;
    const Zone zone = read_zone(arguments.tz); // the daemon's may be another
    if (const auto before = read_before("--before", arguments.before, zone)) request["before"] = to_rfc3339(*before);
    check_task(request);
    return request;
}

static std::string count(const Json& report, const char* name, std::string_view what)
{
    const std::int64_t number = report.value(name, std::int64_t{0});
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

static std::string say(const Json& report)
{
    std::string text = fmt::format("{} with {}, and {}", count(report, "conversations", "conversation"),
                                   count(report, "chats", "chat"), count(report, "writes", "write"));
    if (report.value("waitingWrites", 0) > 0)
        text += fmt::format(", of which {} not delivered", report.value("waitingWrites", 0));
    return text;
}

static bool agrees(const Json& plan, const PurgeArguments& arguments)
{
    std::string which;
    if (!arguments.before.empty()) {
        const Zone zone = read_zone(arguments.tz);
        which = fmt::format("all whose last chat was before {}: ",
                            say_time(read_before("--before", arguments.before, zone), zone));
    }
    return confirm(
        fmt::format("{}{}\nwill be erased here for good and not come back with a sync; upstream keeps its own.\nErase?",
                    which, say(plan)));
}

static void warn(const Json& report)
{
    if (!report.value("logsEmptied", true))
        fmt::print(stderr,
                   "warning: a reader held the log, which may still hold what was erased; it is emptied when the "
                   "reader ends: run this again to be sure\n");
    if (!report.value("sharedWithNodes", true))
        fmt::print(stderr, "warning: the shared database is away: it still holds writes that name it, and the other "
                           "nodes erase theirs when it is back\n");
    for (const Json& copy : report.value("copies", Json::array()))
        fmt::print(stderr, "warning: {} may hold what was erased: delete it\n",
                   printable_line(copy.get<std::string>()));
    fmt::print(stderr, "note: backups and exports made before still hold it\n");
}

static std::string say_retention(const Json& report)
{
    std::string text =
        fmt::format("{} with {} whose last chat was before {}", count(report, "conversations", "conversation"),
                    count(report, "chats", "chat"), say_time(from_rfc3339(report.value("horizon", ""))));
    if (const auto kept = report.value("kept", std::int64_t{0}); kept > 0)
        text += fmt::format(" ({} stay: a write of theirs waits, failed or conflicts)", kept);
    return text;
}

static bool agrees(const Json& plan)
{
    return confirm(
        fmt::format("{}\nwill be erased here; upstream keeps its own, and one with a new chat comes back.\nErase?",
                    say_retention(plan)));
}

// By the settings of this command: those of a daemon that was not restarted since may be others.
static int keep_to_retention(const PurgeArguments& arguments, const Context& context)
{
    if (!arguments.user.empty() || !arguments.conversation.empty() || !arguments.before.empty())
        throw Error(Fault::usage, "", "--retention goes with none of --user, --conversation and --before");
    const Settings settings = context.settings();
    const MirrorLocation place = find_mirror_location(settings, context.environment);
    Json request{{"task", "retention"}, {"keep", settings.config.retention}, {"dryRun", true}};
    check_task(request);
    require_mirror(place);
    const Json plan = maintain(context, place, request);
    if (!arguments.dry_run && !arguments.yes && !agrees(plan)) {
        fmt::print(arguments.json ? stderr : stdout, "\nnothing was erased\n");
        return 1;
    }
    request["dryRun"] = false;
    const Json report = arguments.dry_run ? plan : maintain(context, place, request);
    if (arguments.json)
        print_json(dump(report));
    else
        fmt::print("{} {} erased\n", say_retention(report), arguments.dry_run ? "would be" : "were");
    return 0;
}

static int purge(const PurgeArguments& arguments, const Context& context)
{
    if (arguments.retention) return keep_to_retention(arguments, context);
    const Json plan_request = request_of(arguments, true);
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    require_mirror(place);
    if (arguments.dry_run || !arguments.yes) {
        const Json plan = maintain(context, place, plan_request);
        if (arguments.dry_run) {
            if (arguments.json)
                print_json(dump(plan));
            else
                fmt::print("{} would be erased\n", say(plan));
            return 0;
        }
        if (!agrees(plan, arguments)) {
            fmt::print(arguments.json ? stderr : stdout, "\nnothing was erased\n");
            return 1;
        }
    }
    const Json report = maintain(context, place, request_of(arguments, false));
    if (arguments.json)
        print_json(dump(report));
    else
        fmt::print("{} were erased\n", say(report));
    warn(report);
    return 0;
}

Action add_purge(CLI::App& arguments)
{
    auto chosen = std::make_shared<PurgeArguments>();
    arguments.add_option("--user", chosen->user, "every conversation of this user (userId), and what is still to come")
        ->type_name("ID");
    arguments.add_option("--conversation", chosen->conversation, "this one")->type_name("CONVERSATION");
    arguments.add_option("--before", chosen->before, "all whose last chat was before that day or time")
        ->type_name("DATE");
    arguments.add_flag("--retention", chosen->retention,
                       "what mirror.retention does not keep, now instead of a day after it was announced");
    add_zone(arguments, chosen->tz);
    arguments.add_flag("--dry-run", chosen->dry_run, "say what it would erase, and erase nothing");
    arguments.add_flag("--yes", chosen->yes, "do not ask");
    arguments.add_flag("--json", chosen->json, "what was erased, as JSON");
    return [chosen](const Context& context) { return purge(*chosen, context); };
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// `verify`: the files, their rows and the index of words against each other; exit code 5 where something is wrong and
// was not put right.
#include "alli/error.hpp"
#include "daemon/access/maintain.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/status.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>

namespace alli::daemon {

struct VerifyArguments {
    bool repair = false, json = false;
};

// What a person does about it depends on what is wrong.
static std::string advice(const Json& report)
{
    if (report["restart"].get<bool>())
        return "restart the program (serve, or sync): it sets the damaged file aside and makes a new one";
    return "alli-mirror verify --repair repairs it, or has the next start fetch the mirror again";
}

static void print(const Json& report)
{
    for (const Json& finding : report["findings"])
        fmt::print("{}: {}\n", finding["where"].get<std::string>(), printable_line(finding["what"].get<std::string>()));
    if (report["findings"].empty()) fmt::print("the files, their rows and the index of words agree\n");
    if (report["repaired"].get<bool>()) fmt::print("this was repaired\n");
}

static int verify(const VerifyArguments& arguments, const Context& context)
{
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    require_mirror(place);
    const Json report = maintain(context, place, Json{{"task", "verify"}, {"repair", arguments.repair}});
    if (arguments.json)
        print_json(dump(report));
    else
        print(report);
    if (report["damaged"].get<bool>())
        throw Error(Fault::damaged, advice(report), "something is wrong beside {}", place.mirror_path);
    return 0;
}

Action add_verify(CLI::App& arguments)
{
    auto chosen = std::make_shared<VerifyArguments>();
    arguments.add_flag(
        "--repair", chosen->repair,
        "make wrong indexes and counts again; where rows are lost, have the next start fetch the mirror again");
    arguments.add_flag("--json", chosen->json, "what was found, as JSON");
    return [chosen](const Context& context) { return verify(*chosen, context); };
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// `open`: a one-time link to the page, from the running daemon; on a desktop the browser opens it.
#include "alli/error.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/status.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

namespace alli::daemon {

struct OpenArguments {
    bool print = false, json = false;
};

static bool has_desktop(const Environment& environment)
{
    return !environment("DISPLAY").value_or("").empty() || !environment("WAYLAND_DISPLAY").value_or("").empty();
}

/// The desktop's own opener, which ends by itself. False: there is none.
static bool open_in_browser(const std::string& link)
{
    std::string opener = "xdg-open", address = link;
    std::array<char*, 3> words{opener.data(), address.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0); // it is not our output
    pid_t child = 0;
    const int failure = posix_spawnp(&child, opener.c_str(), &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    return failure == 0;
}

static int open(const OpenArguments& arguments, const Context& context)
{
    const DaemonAnswer answer = call_daemon(context, {"POST", "/mirror/v1/session", ""});
    const Json body = Json::parse(answer.body, nullptr, false);
    if (answer.status != 201 || !body.is_object() || !body.contains("link")) throw refused_by_daemon(answer);
    const auto link = body["link"].get<std::string>();
    if (arguments.json) {
        print_json(dump(body));
        return 0;
    }
    fmt::print("{}\n", link);
    std::fflush(stdout);
    fmt::print(stderr, "it works once, within the next {} seconds\n", body.value("expiresInSeconds", 60));
    if (!arguments.print && has_desktop(context.environment) && !open_in_browser(link))
        fmt::print(stderr, "note: there is no xdg-open; open the link yourself\n");
    return 0;
}

Action add_open(CLI::App& arguments)
{
    auto chosen = std::make_shared<OpenArguments>();
    arguments.add_flag("--print", chosen->print, "only print the link");
    arguments.add_flag("--json", chosen->json, "only print the link, as JSON");
    return [chosen](const Context& context) {
        OpenArguments given = *chosen;
        given.print = given.print || given.json;
        return open(given, context);
    };
}

} // namespace alli::daemon

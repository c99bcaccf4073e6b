// SPDX-License-Identifier: Apache-2.0
// `mcp`: a Model Context Protocol server on standard input and output, one JSON message a line, for an assistant on
// this machine. Reads ahead what has come, so that a request that waits can be called off.
#include "daemon/access/service_reads.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/mcp/mcp_tools.hpp"
#include "daemon/output/line_input.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <unistd.h>

namespace alli::daemon {

static constexpr std::size_t longest_line = 4 * 1024 * 1024, most_ahead = 1000; // lines read

static bool write_line(std::string line)
{
    line += '\n';
    return std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fflush(stdout) == 0;
}

static int mcp(bool allow_writes, const Context& context)
{
    require_files(find_mirror_location(context.settings(), context.environment), "mcp");
    std::signal(SIGPIPE, SIG_IGN);
    McpServer server(make_mcp_tools(context, allow_writes));
    LineInput input(STDIN_FILENO, longest_line);
    std::deque<InputLine> lines;
    for (bool open = true; open || !lines.empty();) {
        const std::size_t known = lines.size();
        if (open && known < most_ahead) open = input.read_some(lines.empty(), lines);
        for (std::size_t i = known; i < lines.size(); ++i) server.look_ahead(lines[i].text);
        if (lines.empty()) continue;
        const auto reply = lines.front().too_long ? McpServer::refuse("a message is at most 4 MiB long")
                                                  : server.answer(lines.front().text);
        lines.pop_front();
        if (reply && !write_line(*reply)) return 0; // the other end has gone, which is how this ends
    }
    return 0;
}

Action add_mcp(CLI::App& arguments)
{
    auto allow_writes = std::make_shared<bool>(false);
    arguments.add_flag("--allow-writes", *allow_writes, "offer renaming and rating too, through the running daemon");
    return [allow_writes](const Context& context) { return mcp(*allow_writes, context); };
}

} // namespace alli::daemon

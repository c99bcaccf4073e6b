// SPDX-License-Identifier: Apache-2.0
// `mcp`: a Model Context Protocol server on standard input and output, one JSON message a line, for an assistant on
// this machine. Reads ahead what has come, so that a request that waits can be called off.
#include "alli/error.hpp"
#include "daemon/commands.hpp"
#include "daemon/mcp_tools.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <csignal>
#include <deque>
#include <poll.h>
#include <unistd.h>

namespace alli::daemon {

static constexpr std::size_t longest_line = 4 * 1024 * 1024;

/// Lines of standard input as they come.
class LineInput {
  public:
    /// Takes in what is there, waiting for something where `wait`. False: nothing more will come.
    bool read_some(bool wait, std::deque<std::string>& lines)
    {
        pollfd asked{STDIN_FILENO, POLLIN, 0};
        if (::poll(&asked, 1, wait ? -1 : 0) <= 0) return true; // nothing yet, or a signal
        std::array<char, 65536> piece{};
        const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
        if (count < 0 && errno == EINTR) return true;
        if (count <= 0) return false;
        text_.append(piece.data(), static_cast<std::size_t>(count));
        for (std::size_t end = text_.find('\n'); end != text_.npos; end = text_.find('\n')) {
            if (end > 0) lines.push_back(text_.substr(0, end));
            text_.erase(0, end + 1);
        }
        if (text_.size() > longest_line) throw Error(Fault::usage, "", "a message of more than 4 MiB came in");
        return true;
    }

  private:
    std::string text_;
};

static bool write_line(std::string line)
{
    line += '\n';
    return std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fflush(stdout) == 0;
}

static int mcp(bool allow_writes, const Context& context)
{
    std::signal(SIGPIPE, SIG_IGN);
    McpServer server(make_mcp_tools(context, allow_writes));
    LineInput input;
    std::deque<std::string> lines;
    for (bool open = true; open || !lines.empty();) {
        const std::size_t known = lines.size();
        if (open) open = input.read_some(lines.empty(), lines);
        for (std::size_t i = known; i < lines.size(); ++i) server.look_ahead(lines[i]);
        if (lines.empty()) continue;
        const auto reply = server.answer(lines.front());
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

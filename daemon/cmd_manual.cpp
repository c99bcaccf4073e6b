// SPDX-License-Identifier: Apache-2.0
// `manual PAGE`: for the build, which installs the pages of man, and for the tables in docs/.
#include "daemon/commands.hpp"
#include "daemon/manual.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

Action add_manual(CLI::App& arguments)
{
    auto page = std::make_shared<std::string>();
    arguments.add_option("PAGE", *page, "which one")
        ->required()
        ->check(CLI::IsMember({"settings.md", "logs.md", "alli-mirror.1", "alli-mirror.toml.5"}));
    return [page](const Context&) {
        if (*page == "settings.md")
            fmt::print("{}", settings_markdown());
        else if (*page == "logs.md")
            fmt::print("{}", log_markdown());
        else
            fmt::print("{}", *page == "alli-mirror.1" ? command_page(read_commands()) : settings_page());
        return 0;
    };
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// `manual PAGE`: for the build, which installs the man pages, and for the pages in docs/ that tables make.
#include "daemon/commands/commands.hpp"
#include "daemon/commands/manual.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

Action add_manual(CLI::App& arguments)
{
    auto page = std::make_shared<std::string>();
    arguments.add_option("PAGE", *page, "which one")->required()->check(CLI::IsMember(manual_pages()));
    return [page](const Context&) {
        fmt::print("{}", write_manual_page(*page));
        return 0;
    };
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// `completions bash|zsh|fish`: what the shell needs to complete commands and options.
#include "daemon/commands.hpp"
#include "daemon/completions.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

Action add_completions(CLI::App& arguments)
{
    auto shell = std::make_shared<std::string>();
    arguments.add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    arguments.footer("bash: source <(alli-mirror completions bash)\n"
                     "zsh:  alli-mirror completions zsh > a directory of $fpath/_alli-mirror\n"
                     "fish: alli-mirror completions fish > ~/.config/fish/completions/alli-mirror.fish");
    return [shell](const Context&) {
        const CommandText program = read_commands();
        const std::string text = *shell == "bash"  ? bash_completions(program)
                                 : *shell == "zsh" ? zsh_completions(program)
                                                   : fish_completions(program);
        fmt::print("{}", text);
        return 0;
    };
}

} // namespace alli::daemon

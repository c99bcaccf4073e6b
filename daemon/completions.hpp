// SPDX-License-Identifier: Apache-2.0
// Completions for a shell, made from the table of commands. Pure.
#pragma once

#include "daemon/command_tree.hpp"

namespace alli::daemon {

std::string bash_completions(const CommandText& program);
std::string zsh_completions(const CommandText& program);
std::string fish_completions(const CommandText& program);

} // namespace alli::daemon

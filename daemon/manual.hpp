// SPDX-License-Identifier: Apache-2.0
// The manual, made from the tables of commands, settings and events: docs/settings.md, docs/logs.md and the pages of
// man. Pure.
#pragma once

#include "daemon/command_tree.hpp"

namespace alli::daemon {

std::string settings_markdown();                      // docs/settings.md
std::string log_markdown();                           // docs/logs.md
std::string command_page(const CommandText& program); // alli-mirror(1)
std::string settings_page();                          // alli-mirror.toml(5)

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// The manual, written once in Markdown from the tables of commands, settings and events: docs/*.md as it is, and man
// pages by way of man_page.hpp. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::daemon {

std::vector<std::string> manual_pages(); // "settings.md", "alli-mirror.1", ...
/// Throws std::out_of_range for a name that is not among them.
std::string write_manual_page(const std::string& name);

} // namespace alli::daemon

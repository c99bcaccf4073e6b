// SPDX-License-Identifier: Apache-2.0
// A settings file as a flat list of what stands in it, with lines. The only include of toml++.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace alli::daemon {

/// A value as it was written; monostate for what no setting can be (a date, a table in a list).
using Raw = std::variant<std::monostate, std::string, std::int64_t, double, bool, std::vector<std::string>>;

struct TomlEntry {
    std::string key; // "section.name"
    Raw value;
    unsigned line = 0;
};

/// Throws Error{settings}: not readable, not TOML (file, line, what), or others may write it.
std::vector<TomlEntry> read_toml(const std::string& path);

} // namespace alli::daemon

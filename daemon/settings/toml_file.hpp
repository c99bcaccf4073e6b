// SPDX-License-Identifier: Apache-2.0
// Reads a settings file as a flat list of entries with line numbers. The only include of toml++.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace alli::daemon {

/// A value; monostate for a type that no setting has (a date, a table in a list).
using Raw = std::variant<std::monostate, std::string, std::int64_t, double, bool, std::vector<std::string>>;

struct TomlEntry {
    std::string key; // "section.name"
    Raw value;
    unsigned line = 0;
    int item = -1; // of "webhook" and "webhook.name": in which of the [[webhook]] tables; the table itself has no value
};

/// Throws Error{settings} if the file is not readable, not valid TOML (file, line, reason), or writable by others.
std::vector<TomlEntry> read_toml(const std::string& path);

} // namespace alli::daemon

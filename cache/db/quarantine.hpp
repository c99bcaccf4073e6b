// SPDX-License-Identifier: Apache-2.0
// Quarantine: damaged files are renamed with a time stamp; of the mirror the latest few are kept, of the outbox all. A
// damage marker beside a file tells the next start that a process found damage in it and stopped: it quarantines the
// file before anything else.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

/// Renames a file that nobody has open, with its -wal and -shm, and returns the new name. Throws Error{io}.
std::string quarantine(const std::string& path);
/// Removes all but the latest `most` quarantined copies of the file. One that cannot be removed is left for the next
/// call.
void drop_older_quarantined(const std::string& path, std::size_t most);
/// The quarantined copies of the file, by name; empty where the directory cannot be read.
std::vector<std::string> quarantined_files(const std::string& path);

// The damage marker: a file of its own, because the database cannot be trusted.
void put_damage_marker(const std::string& path, const std::string& why) noexcept;
std::optional<std::string> find_damage_marker(const std::string& path); // why
void clear_damage_marker(const std::string& path) noexcept;

// Notices: text files beside a database that say what happened to it while the program ran, or what was missing at a
// start, until a person removes them.
void write_notice(const std::string& path, const std::string& what) noexcept;
struct Notice {
    std::string file, what;
};
std::vector<Notice> find_notices(const std::string& path); // the oldest first

/// Files beside `path` whose name goes on with `ending`, without logs; by name.
std::vector<std::string> files_beside(const std::string& path, const std::string& ending);

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
// Damaged files: renamed with the time; of the mirror the latest few are kept, of the outbox all. A mark beside a file
// says that a process met damage in it and stopped; the next one sets it aside before anything else.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

/// Renames the file with its -wal and -shm; nobody has it open. The new name. Throws Error{io}.
std::string set_aside(const std::string& path);
/// Removes what was set aside of that file before the latest `most`. What cannot be removed is tried again by the next.
void drop_older_aside(const std::string& path, std::size_t most);
/// What was set aside of that file, by name. Nothing where the directory cannot be read.
std::vector<std::string> files_aside(const std::string& path);

// The mark. Written without the database, for that is what cannot be trusted.
void mark_damaged(const std::string& path, const std::string& why) noexcept;
std::optional<std::string> find_mark(const std::string& path); // why
void clear_mark(const std::string& path) noexcept;

// Notices: what befell a file while the program ran, or was found missing at a start; a text beside it, for as long as
// nobody has removed it.
void write_notice(const std::string& path, const std::string& what) noexcept;
struct Notice {
    std::string file, what;
};
std::vector<Notice> find_notices(const std::string& path); // the oldest first

/// Files beside `path` whose name goes on with `ending`, without logs; by name.
std::vector<std::string> files_beside(const std::string& path, const std::string& ending);

} // namespace alli::cache

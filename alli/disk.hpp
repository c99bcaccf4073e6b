// SPDX-License-Identifier: Apache-2.0
// What this program does to files by itself, past SQLite: what is to survive a power cut, and the names of databases.
// Tests look on by a DiskObserver, and let calls fail.
#pragma once

#include <string>
#include <system_error>

namespace alli {

struct DiskCall {
    enum class Kind { sync, rename, remove, write };
    Kind kind;
    const std::string& path;
    std::string to = {};   // of a rename: the new name
    std::string text = {}; // of a write: all of the file
};

class DiskObserver {
  public:
    virtual ~DiskObserver() = default;
    virtual std::error_code before(const DiskCall& call) = 0; // an error: the call fails with it
    virtual void after(const DiskCall& call) = 0;             // it went well
};
/// For tests, before any thread is started; null: nobody looks on.
void observe_disk(DiskObserver* observer) noexcept;

/// A file's bytes, or a directory's names, on the disk itself. Throws Error{io}: what was written is then not safe.
void sync_to_disk(const std::string& path);

/// Onto whatever has the new name. Neither name is synced.
std::error_code rename_file(const std::string& from, const std::string& to);
/// The same, with the new name on the disk. Throws Error{io}.
void rename_synced(const std::string& from, const std::string& to);
/// A file, or a directory with everything in it; no error where there is none.
std::error_code remove_path(const std::string& path);
/// The same; throws Error{io}.
void require_removed(const std::string& path);
/// A small text, mode 0600, synced with its name.
std::error_code write_file(const std::string& path, const std::string& text);

/// Where the name of `path` stands.
std::string parent_directory(const std::string& path);

} // namespace alli

// SPDX-License-Identifier: Apache-2.0
// What was done to the files of one directory, call by call, and what a disk may hold of it after a power cut: only
// what was synced is certain. Paths are relative to that directory.
#pragma once

#include "alli/random.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace support {

struct LoggedCall {
    enum class Kind {
        create,         // an empty file, or one that is emptied
        write,          // `bytes` at `at`
        truncate,       // to `at` bytes
        sync,           // of the file
        failed_sync,    // of the file: the kernel drops what it could not write, and says so once
        sync_directory, // of its names
        rename,         // to `to`, a whole directory too
        remove,         // a whole directory too
    };
    Kind kind;
    std::string path;
    std::int64_t at = 0;
    std::string bytes = {}, to = {};
};
std::string_view name_of(LoggedCall::Kind kind);

/// What a power cut takes.
enum class Loss {
    all_unsynced, // nothing that was not synced is left, no name either
    nothing,      // as when the process alone is killed
    some_writes,  // each unsynced write by itself, and names from a moment on
    torn_write,   // of the last write to each file a few sectors are left, of those before all
    reordered,    // each page is of another moment since the last sync
};
inline constexpr std::array losses{Loss::all_unsynced, Loss::nothing, Loss::some_writes, Loss::torn_write,
                                   Loss::reordered};
std::string_view name_of(Loss loss);

/// The page cache and the disk below it, as the calls change them one after the other.
class DiskModel {
  public:
    /// What stands in the directory now is on the disk.
    void load(const std::string& directory);
    void apply(const LoggedCall& call);
    /// With contents of its own; before anything was applied.
    DiskModel copy() const;
    /// Writes what the disk may hold when the power goes now.
    void write_remains(const std::string& directory, Loss loss, alli::Random& random) const;

  private:
    struct File {
        std::string on_disk;
        std::vector<LoggedCall> unsynced; // writes and truncations
    };
    using Names = std::map<std::string, std::shared_ptr<File>>;
    struct NameChange {
        LoggedCall call;
        std::shared_ptr<File> file; // of a creation
    };

    static void change(Names& names, const NameChange& change);
    static void rename(Names& names, const std::string& from, const std::string& to);
    static void remove(Names& names, const std::string& path);
    static std::string remains_of(const File& file, Loss loss, alli::Random& random);
    static std::string mix_pages(const File& file, alli::Random& random);
    void create(const LoggedCall& call);
    void change_name(NameChange change);
    void sync_names(const std::string& directory);
    Names names_after(Loss loss, alli::Random& random) const;

    Names names_, on_disk_;
    std::vector<NameChange> unsynced_;
};

} // namespace support

// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/vacuum.hpp"

#include "alli/error.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <mutex>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;

// Memory would hold a copy of the whole file, and /tmp is no place for it. Where temporary files go SQLite keeps once
// for the process; nobody else's connection writes any.
class TemporaryFiles {
  public:
    explicit TemporaryFiles(Writer& db) : hold_(one_at_a_time()), db_(db)
    {
        sqlite3_temp_directory = sqlite3_mprintf("%s", fs::path(db.path()).parent_path().c_str());
        db_.script("PRAGMA temp_store = FILE");
    }
    ~TemporaryFiles()
    {
        sqlite3_free(sqlite3_temp_directory);
        sqlite3_temp_directory = nullptr;
        sqlite3_exec(db_.handle(), "PRAGMA temp_store = MEMORY", nullptr, nullptr, nullptr);
    }
    TemporaryFiles(const TemporaryFiles&) = delete;
    TemporaryFiles& operator=(const TemporaryFiles&) = delete;

  private:
    static std::mutex& one_at_a_time()
    {
        static std::mutex mutex;
        return mutex;
    }
    std::lock_guard<std::mutex> hold_;
    Writer& db_;
};

void require_room(Writer& db)
{
    std::error_code unknown;
    const fs::space_info space = fs::space(fs::path(db.path()).parent_path(), unknown);
    const std::int64_t needed = room_to_rewrite(db);
    if (unknown || space.available >= static_cast<std::uintmax_t>(needed)) return;
    throw Error(Fault::disk_full, "free some space, then give the same command again; what it deleted stays deleted",
                "{}: {} MB must be free to write it anew without what was deleted", db.path(), needed / 1'000'000 + 1);
}

} // namespace

std::int64_t room_to_rewrite(Writer& db)
{
    constexpr std::int64_t margin = 1 << 20;
    const std::int64_t pages =
        db.require<std::int64_t>("PRAGMA page_count") - db.require<std::int64_t>("PRAGMA freelist_count");
    return 2 * pages * db.require<std::int64_t>("PRAGMA page_size") + margin;
}

void rewrite_file(Writer& db)
{
    require_room(db);
    const TemporaryFiles here(db);
    db.script("VACUUM");
}

} // namespace alli::cache

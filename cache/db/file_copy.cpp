// SPDX-License-Identifier: Apache-2.0
#include "cache/db/file_copy.hpp"

#include "alli/error.hpp"

#include <sqlite3.h>

#include <sys/stat.h>

#include <utility>

namespace alli::cache {

FileCopy::FileCopy(std::string to) : path_(std::move(to))
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    const int code = sqlite3_open_v2(path_.c_str(), &to_, flags, nullptr);
    if (code != SQLITE_OK) {
        close();
        fail(code);
    }
    ::chmod(path_.c_str(), 0600);
    // A copy that is cut short is thrown away: it needs no journal. It is synced when it is whole.
    sqlite3_exec(to_, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", nullptr, nullptr, nullptr);
}

FileCopy::~FileCopy()
{
    close();
}

int FileCopy::close() noexcept
{
    int code = SQLITE_OK;
    if (backup_) code = sqlite3_backup_finish(std::exchange(backup_, nullptr));
    if (to_) sqlite3_close_v2(std::exchange(to_, nullptr));
    return code;
}

int FileCopy::copy_some(Writer& from, int pages) noexcept
{
    if (!backup_) backup_ = sqlite3_backup_init(to_, "main", from.handle(), "main");
    if (!backup_) return sqlite3_extended_errcode(to_);
    const int code = sqlite3_backup_step(backup_, pages);
    total_ = sqlite3_backup_pagecount(backup_);
    done_ = total_ - sqlite3_backup_remaining(backup_);
    return code;
}

bool FileCopy::step(Writer& from, int pages) noexcept
{
    const int code = copy_some(from, pages);
    if (code == SQLITE_OK) return true;
    const int end = close();
    failure_ = code == SQLITE_DONE ? end : code;
    return false;
}

void FileCopy::require_whole() const
{
    if (failure_ != SQLITE_OK) fail(failure_);
}

void FileCopy::fail(int code) const
{
    throw Error((code & 0xff) == SQLITE_FULL ? Fault::disk_full : Fault::io,
                "see whether there is room for a copy beside the mirror", "cannot make the copy {}: {}", path_,
                sqlite3_errstr(code));
}

} // namespace alli::cache

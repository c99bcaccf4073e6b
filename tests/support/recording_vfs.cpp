// SPDX-License-Identifier: Apache-2.0
#include "tests/support/recording_vfs.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>

namespace support {
namespace {

using Kind = LoggedCall::Kind;
using Coming = ComingCall::Kind;

RecordingVfs* recorder = nullptr;
sqlite3_vfs* below = nullptr;

// What SQLite allocates for us; the file below lies behind it.
struct File {
    sqlite3_file base;
    std::string* path;   // within the directory; null: not recorded
    bool name_is_synced; // of a new log SQLite syncs the directory with the first sync
    int why;             // errno of what was made to fail
    sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File& of(sqlite3_file* file)
{
    return *reinterpret_cast<File*>(file);
}

DiskFault ask(File& file, Coming kind)
{
    if (!file.path) return DiskFault::none;
    const DiskFault fault = recorder->ask(kind, *file.path);
    file.why = fault == DiskFault::none ? 0 : fault == DiskFault::io ? EIO : ENOSPC;
    return fault;
}

void note(const File& file, Kind kind, std::int64_t at = 0, std::string bytes = {})
{
    if (file.path) recorder->note({kind, *file.path, at, std::move(bytes)});
}

std::string directory_of(const std::string& path)
{
    return std::filesystem::path(path).parent_path().string();
}

int close(sqlite3_file* file)
{
    File& self = of(file);
    const int code = self.below()->pMethods->xClose(self.below());
    delete self.path;
    self.path = nullptr;
    return code;
}

int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at)
{
    if (ask(of(file), Coming::read) != DiskFault::none) return SQLITE_IOERR_READ;
    return of(file).below()->pMethods->xRead(of(file).below(), to, size, at);
}

int write_below(File& file, const void* bytes, int size, sqlite3_int64 at)
{
    const int code = file.below()->pMethods->xWrite(file.below(), bytes, size, at);
    if (code == SQLITE_OK)
        note(file, Kind::write, at, std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)));
    return code;
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at)
{
    File& self = of(file);
    const DiskFault fault = ask(self, Coming::write);
    if (fault == DiskFault::none) return write_below(self, bytes, size, at);
    if (fault == DiskFault::short_write) write_below(self, bytes, size / 2, at);
    return fault == DiskFault::io ? SQLITE_IOERR_WRITE : SQLITE_FULL;
}

int truncate(sqlite3_file* file, sqlite3_int64 size)
{
    if (ask(of(file), Coming::truncate) != DiskFault::none) return SQLITE_IOERR_TRUNCATE;
    const int code = of(file).below()->pMethods->xTruncate(of(file).below(), size);
    if (code == SQLITE_OK) note(of(file), Kind::truncate, size);
    return code;
}

int sync(sqlite3_file* file, int flags)
{
    File& self = of(file);
    if (ask(self, Coming::sync) != DiskFault::none) {
        note(self, Kind::failed_sync);
        return SQLITE_IOERR_FSYNC;
    }
    const int code = self.below()->pMethods->xSync(self.below(), flags);
    if (code != SQLITE_OK) return code;
    note(self, Kind::sync);
    if (self.path && !self.name_is_synced) recorder->note({Kind::sync_directory, directory_of(*self.path)});
    self.name_is_synced = true;
    return code;
}

int file_size(sqlite3_file* file, sqlite3_int64* size)
{
    return of(file).below()->pMethods->xFileSize(of(file).below(), size);
}

int lock(sqlite3_file* file, int level)
{
    return of(file).below()->pMethods->xLock(of(file).below(), level);
}

int unlock(sqlite3_file* file, int level)
{
    return of(file).below()->pMethods->xUnlock(of(file).below(), level);
}

int check_reserved_lock(sqlite3_file* file, int* held)
{
    return of(file).below()->pMethods->xCheckReservedLock(of(file).below(), held);
}

// A hint of size makes the VFS below write by itself: unheard.
int file_control(sqlite3_file* file, int what, void* argument)
{
    if (what == SQLITE_FCNTL_SIZE_HINT) return SQLITE_OK;
    if (what == SQLITE_FCNTL_LAST_ERRNO && of(file).why != 0) {
        *static_cast<int*>(argument) = of(file).why;
        return SQLITE_OK;
    }
    return of(file).below()->pMethods->xFileControl(of(file).below(), what, argument);
}

int sector_size(sqlite3_file* file)
{
    return of(file).below()->pMethods->xSectorSize(of(file).below());
}

int device_characteristics(sqlite3_file* file)
{
    return of(file).below()->pMethods->xDeviceCharacteristics(of(file).below());
}

int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** memory)
{
    return of(file).below()->pMethods->xShmMap(of(file).below(), region, size, extend, memory);
}

int shm_lock(sqlite3_file* file, int offset, int count, int flags)
{
    return of(file).below()->pMethods->xShmLock(of(file).below(), offset, count, flags);
}

void shm_barrier(sqlite3_file* file)
{
    of(file).below()->pMethods->xShmBarrier(of(file).below());
}

int shm_unmap(sqlite3_file* file, int remove)
{
    return of(file).below()->pMethods->xShmUnmap(of(file).below(), remove);
}

// Version 2: nothing is mapped.
const sqlite3_io_methods methods{2,
                                 &close,
                                 &read,
                                 &write,
                                 &truncate,
                                 &sync,
                                 &file_size,
                                 &lock,
                                 &unlock,
                                 &check_reserved_lock,
                                 &file_control,
                                 &sector_size,
                                 &device_characteristics,
                                 &shm_map,
                                 &shm_lock,
                                 &shm_barrier,
                                 &shm_unmap,
                                 nullptr,
                                 nullptr};

bool is_new_log(int flags)
{
    return (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0;
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags)
{
    auto* self = new (file) File{};
    const auto path = name ? recorder->within(name) : std::nullopt;
    const bool there = path && std::filesystem::exists(name);
    if (path && recorder->ask(Coming::open, *path) != DiskFault::none) return SQLITE_CANTOPEN;
    const int code = below->xOpen(below, name, self->below(), flags, out_flags);
    if (code != SQLITE_OK) return code;
    self->base.pMethods = &methods;
    self->name_is_synced = there || !is_new_log(flags);
    if (path) self->path = new std::string(*path);
    if (path && !there) note(*self, Kind::create);
    return code;
}

int remove(sqlite3_vfs*, const char* name, int sync_directory)
{
    const auto path = recorder->within(name);
    if (path && recorder->ask(Coming::other, *path) != DiskFault::none) return SQLITE_IOERR_DELETE;
    const int code = below->xDelete(below, name, sync_directory);
    if (code != SQLITE_OK || !path) return code;
    recorder->note({Kind::remove, *path});
    if (sync_directory != 0) recorder->note({Kind::sync_directory, directory_of(*path)});
    return code;
}

// The rest is that of the VFS below, which looks at nothing of what is ours.
sqlite3_vfs make_vfs()
{
    sqlite3_vfs vfs = *below;
    vfs.szOsFile = static_cast<int>(sizeof(File)) + below->szOsFile;
    vfs.zName = "recording";
    vfs.pNext = nullptr;
    vfs.xOpen = &open;
    vfs.xDelete = &remove;
    return vfs;
}

sqlite3_vfs ours;

int error_of(DiskFault fault)
{
    return fault == DiskFault::io ? EIO : ENOSPC;
}

} // namespace

RecordingVfs::RecordingVfs(std::string directory) : directory_(std::move(directory) + '/')
{
    if (recorder) throw std::logic_error("there is one recording already");
    recorder = this;
    below = sqlite3_vfs_find(nullptr);
    ours = make_vfs();
    sqlite3_vfs_register(&ours, 1);
    alli::observe_disk(this);
}

RecordingVfs::~RecordingVfs()
{
    alli::observe_disk(nullptr);
    sqlite3_vfs_unregister(&ours);
    sqlite3_vfs_register(below, 1);
    recorder = nullptr;
}

std::optional<std::string> RecordingVfs::within(const std::string& path) const
{
    if (path + '/' == directory_) return "";
    if (!path.starts_with(directory_)) return std::nullopt;
    return path.substr(directory_.size());
}

void RecordingVfs::note(LoggedCall call)
{
    const std::lock_guard hold(mutex_);
    log_.push_back(std::move(call));
}

DiskFault RecordingVfs::ask(ComingCall::Kind kind, const std::string& path)
{
    return decide_ ? decide_({kind, path}) : DiskFault::none;
}

std::error_code RecordingVfs::before(const alli::DiskCall& call)
{
    const auto path = within(call.path);
    if (!path) return {};
    using Made = alli::DiskCall::Kind;
    const Coming kind = call.kind == Made::sync    ? Coming::sync
                        : call.kind == Made::write ? Coming::write
                                                   : Coming::other;
    const DiskFault fault = ask(kind, *path);
    if (fault == DiskFault::none) return {};
    if (kind == Coming::sync) note({Kind::failed_sync, *path});
    return {error_of(fault), std::generic_category()};
}

void RecordingVfs::after(const alli::DiskCall& call)
{
    using Made = alli::DiskCall::Kind;
    const auto path = within(call.path);
    if (!path) return;
    if (call.kind == Made::remove) note({Kind::remove, *path});
    if (call.kind == Made::rename) note({Kind::rename, *path, 0, {}, within(call.to).value_or("")});
    if (call.kind == Made::sync)
        note({std::filesystem::is_directory(call.path) ? Kind::sync_directory : Kind::sync, *path});
    if (call.kind != Made::write) return;
    note({Kind::create, *path});
    note({Kind::write, *path, 0, call.text});
}

} // namespace support

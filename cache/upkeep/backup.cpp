// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/backup.hpp"

#include "alli/clock.hpp"
#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "cache/conversations.hpp"
#include "cache/db/file_copy.hpp"
#include "cache/db/meta.hpp"
#include "cache/restore.hpp"
#include "cache/restored_writes.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = ".alli-mirror-backup-"; // nobody else's
constexpr int step_pages = 1024;                            // 4 MiB: a few milliseconds

/// Gone with everything in it unless it was kept.
class TemporaryDirectory {
  public:
    explicit TemporaryDirectory(std::string path) : path_(std::move(path))
    {
        if (::mkdir(path_.c_str(), 0700) != 0)
            throw Error(Fault::io, "the state directory must be writable by the program's user", "cannot make {}: {}",
                        path_, std::strerror(errno));
    }
    ~TemporaryDirectory()
    {
        if (!kept_) remove_path(path_); // what cannot be removed is tried again by the next backup
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    std::string operator/(const std::string& name) const { return path_ + '/' + name; }
    const std::string& keep()
    {
        kept_ = true;
        return path_;
    }

  private:
    std::string path_;
    bool kept_ = false;
};

void require_whole(Connection& db)
{
    if (const auto found = db.require<std::string>("PRAGMA integrity_check(1)"); found != "ok")
        throw Error(Fault::damaged, "alli-mirror verify says more", "the copy of {} is damaged: {}",
                    fs::path(db.path()).filename().string(), found);
}

std::int64_t hold_writes(Writer& outbox, Instant now)
{
    note_backup_time(outbox, now);
    return hold_restored(outbox, say_held(now));
}

class Backup {
  public:
    Backup(Store& store, const std::string& name, BackupHooks hooks)
        : store_(store), hooks_(std::move(hooks)), original_(store.mirror_path()), made_at_(SystemClock().now()),
          directory_((directory() / (std::string(prefix) + name)).string())
    {}

    // The outbox last: where both tell of a write, it is the one that is believed.
    Task<BackupReport> make()
    {
        const std::string mirror = directory_ / original_.filename().string(), outbox = directory_ / "outbox.db";
        co_await copy(Store::File::mirror, mirror);
        co_await copy(Store::File::outbox, outbox);
        go_on("checking the copy", 0, 0);
        std::exception_ptr failure;
        const auto check = [&](Reader&) { failure = finish_both(mirror, outbox); }; // on a thread that may take long
        co_await store_.read_long(check);
        if (failure) std::rethrow_exception(failure);
        report_.made_at = made_at_;
        report_.directory = directory_.keep();
        sync_to_disk(report_.directory);
        co_return report_;
    }

  private:
    fs::path directory() const { return original_.has_parent_path() ? original_.parent_path() : "."; }

    Task<> copy(Store::File file, const std::string& to)
    {
        FileCopy work(to);
        const auto some = [&](Writer& from) { return work.step(from, step_pages); };
        const std::string name = fs::path(to).filename().string();
        for (bool more = true; more; go_on(name, work.done(), work.total()))
            more = co_await store_.between_commits(file, some);
        work.require_whole();
    }

    // What is wrong with a copy is returned: thrown there it would be taken for damage of the file that is open.
    std::exception_ptr finish_both(const std::string& mirror, const std::string& outbox)
    {
        try {
            finish(mirror, [&](Writer& db) {
                const Totals totals = load_totals(db);
                report_.conversations = totals.conversations, report_.chats = totals.chats;
            });
            finish(outbox, [&](Writer& db) { report_.held_writes = hold_writes(db, made_at_); });
            return nullptr;
        } catch (...) {
            return std::current_exception();
        }
    }

    // Checks it, and leaves one file without a log.
    template <class F>
    void finish(const std::string& path, F work)
    {
        {
            Writer db(path, "FULL");
            db.interrupt_when(hooks_.stopping);
            require_whole(db);
            in_transaction(db, [&] { work(db); });
            empty_log(db);
        }
        for (const char* suffix : {"-wal", "-shm"}) require_removed(path + suffix);
        sync_to_disk(path);
        report_.bytes += static_cast<std::int64_t>(fs::file_size(path));
    }

    void go_on(std::string_view what, std::int64_t done, std::int64_t total) const
    {
        hooks_.report(what, done, total);
        if (hooks_.stopping()) throw Error(Fault::canceled, "", "the backup was interrupted");
    }

    Store& store_;
    BackupHooks hooks_;
    fs::path original_;
    Instant made_at_;
    TemporaryDirectory directory_;
    BackupReport report_;
};

} // namespace

bool is_backup_name(std::string_view name) noexcept
{
    return name.starts_with(prefix);
}

Task<BackupReport> back_up(Store& store, std::string name, BackupHooks hooks)
{
    remove_left_backups(store.mirror_path());
    Backup work(store, name, std::move(hooks));
    co_return co_await work.make();
}

void note_last_backup(Writer& outbox, Instant at)
{
    put_meta(outbox, "last_backup_at", at);
}

std::optional<Instant> find_last_backup(Connection& outbox)
{
    return find_meta<Instant>(outbox, "last_backup_at");
}

namespace {

// One of the future is old: the clock was set back.
bool is_older(const fs::directory_entry& entry, std::chrono::seconds age)
{
    std::error_code gone;
    const auto since = fs::file_time_type::clock::now() - entry.last_write_time(gone);
    return !gone && (since >= age || since < std::chrono::seconds(-1));
}

} // namespace

void remove_left_backups(const std::string& mirror_path, std::chrono::seconds age)
{
    const fs::path beside = fs::path(mirror_path).parent_path();
    std::error_code unreadable; // then nothing can be made there either
    std::vector<fs::path> left;
    for (const auto& entry : fs::directory_iterator(beside.empty() ? "." : beside, unreadable))
        if (entry.is_directory() && is_backup_name(entry.path().filename().string()) && is_older(entry, age))
            left.push_back(entry.path());
    for (const fs::path& path : left) remove_path(path);
}

} // namespace alli::cache

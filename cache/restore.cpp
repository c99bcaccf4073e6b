// SPDX-License-Identifier: Apache-2.0
#include "cache/restore.hpp"

#include "alli/clock.hpp"
#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "cache/backup_source.hpp"
#include "cache/db/meta.hpp"
#include "cache/db/migrate.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/outbox/outbox_identity.hpp"
#include "cache/restore_suppressions.hpp"
#include "cache/restored_writes.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/totals.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prepared_name = "restore.prepared", pending_name = "restore.pending";

std::string outbox_beside(const std::string& mirror_path)
{
    return parent_directory(mirror_path) + "/outbox.db";
}

std::string prepared_directory(const std::string& mirror_path)
{
    return parent_directory(mirror_path) + '/' + std::string(prepared_name);
}

std::string pending_directory(const std::string& mirror_path)
{
    return parent_directory(mirror_path) + '/' + std::string(pending_name);
}

// --- preparing ---------------------------------------------------------------------------------------------------

/// Removed unless it was kept.
class Staging {
  public:
    explicit Staging(const RestoreRequest& request) : path_(prepared_directory(request.mirror_path))
    {
        require_removed(path_);
        if (::mkdir(path_.c_str(), 0700) != 0) fail_copy(path_, std::strerror(errno));
    }
    ~Staging()
    {
        if (!kept_) remove_path(path_);
    }
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + '/' + name; }
    void keep()
    {
        sync_to_disk(path_);
        kept_ = true;
    }

  private:
    std::string path_;
    bool kept_ = false;
};

/// The mirror may have a name of its own; a backup of it has that too.
fs::path find_mirror_in(const fs::path& directory, const std::string& mirror_path)
{
    for (const fs::path& name : {fs::path(mirror_path).filename(), fs::path("mirror.db")})
        if (fs::exists(directory / name)) return directory / name;
    throw Error(Fault::usage, "name the directory that `alli-mirror backup` made", "{} holds no mirror.db",
                directory.string());
}

void open_with_log(std::deque<BackupSource>& sources, const fs::path& from, const std::string& name)
{
    if (!fs::exists(from))
        throw Error(Fault::usage, "name the directory that `alli-mirror backup` made", "{} is not there",
                    from.string());
    sources.emplace_back(from.string(), name);
    if (const fs::path log = from.string() + "-wal"; fs::exists(log)) sources.emplace_back(log.string(), name + "-wal");
}

void require_ours(Connection& db, const std::string& name, const std::string& url)
{
    const auto owner = find_meta<std::string>(db, "url");
    if (owner && *owner != url)
        throw Error(Fault::settings, "restore it where upstream.url is that of the backup",
                    "the backup's {} belongs to {}, not to {}", name, *owner, url);
}

// What is wrong with a copy is said of the backup: the copy goes.
template <class F>
void open_copy(const std::string& path, const Schema& schema, const std::string& url, F work)
{
    const std::string name = fs::path(path).filename().string();
    {
        Writer db(path, "FULL");
        if (const auto found = db.require<std::string>("PRAGMA integrity_check(1)"); found != "ok")
            throw Error(Fault::damaged, "take an older backup", "the backup's {} is damaged: {}", name, found);
        migrate(db, schema);
        db.row_changes().clear();
        require_ours(db, name, url);
        in_transaction(db, [&] { work(db); });
        empty_log(db);
    }
    for (const char* suffix : {"-wal", "-shm"}) require_removed(path + suffix);
    sync_to_disk(path);
}

std::int64_t hold_writes(Writer& outbox, std::optional<Instant> made_at)
{
    return hold_restored(outbox, say_held(made_at));
}

std::int64_t count_held(Connection& outbox)
{
    return outbox.require<std::int64_t>("SELECT count(*) FROM entry WHERE state = 'conflict'");
}

} // namespace

std::string say_held(std::optional<Instant> made_at)
{
    return fmt::format("from a backup{}: it may have been sent since; retry it, or discard it",
                       made_at ? " of " + to_rfc3339(*made_at) : "");
}

void note_backup_time(Connection& outbox, Instant at)
{
    put_meta(outbox, "backed_up_at", at);
}

PreparedRestore prepare_restore(const RestoreRequest& request)
{
    const fs::path from = request.directory;
    const std::string name = fs::path(request.mirror_path).filename().string();
    const fs::path mirror = find_mirror_in(from, request.mirror_path);
    std::deque<BackupSource> sources;
    open_with_log(sources, mirror, name);
    open_with_log(sources, from / "outbox.db", "outbox.db");
    request.opened();
    Staging staging(request);
    request.report("copying");
    for (const BackupSource& source : sources) source.copy_into(staging.path());
    PreparedRestore prepared;
    BackupProjectCheck project(outbox_beside(request.mirror_path), request.api_key);
    request.report("checking");
    open_copy(staging / "outbox.db", outbox_schema, request.url, [&](Writer& db) {
        prepared.made_at = find_meta<Instant>(db, "backed_up_at");
        for (const char* former : {"restored", "restored_at", "restoring"}) drop_meta(db, former);
        drop_meta(db, cluster_writes_position_name); // what waited is in conflict here alone
        hold_writes(db, prepared.made_at);
        prepared.held_writes = count_held(db);
        project.inspect_outbox(db);
    });
    open_copy(staging / name, mirror_schema, request.url, [&](Writer& db) {
        const Totals totals = load_totals(db);
        prepared.conversations = totals.conversations, prepared.chats = totals.chats;
        project.inspect(db);
    });
    prepared.project = project.answer();
    for (const std::string& file : {name, std::string("outbox.db")})
        prepared.bytes += static_cast<std::int64_t>(fs::file_size(staging / file));
    staging.keep();
    return prepared;
}

void commit_restore(const std::string& mirror_path)
{
    if (!fs::exists(prepared_directory(mirror_path)))
        throw Error(Fault::usage, "alli-mirror restore DIR prepares it", "no backup was prepared for a restore");
    require_removed(pending_directory(mirror_path));
    rename_synced(prepared_directory(mirror_path), pending_directory(mirror_path));
}

void abandon_restore(const std::string& mirror_path)
{
    remove_path(prepared_directory(mirror_path));
}

bool is_restore_prepared(const std::string& mirror_path)
{
    std::error_code hidden;
    return fs::exists(prepared_directory(mirror_path), hidden);
}

bool is_restore_pending(const std::string& mirror_path)
{
    std::error_code hidden;
    return fs::exists(pending_directory(mirror_path), hidden);
}

std::optional<RestoreNote> find_restore_note(Connection& outbox)
{
    const auto at = find_meta<Instant>(outbox, "restored_at");
    const auto what = find_meta<std::string>(outbox, "restored");
    if (!at || !what) return std::nullopt;
    return RestoreNote{*at, *what};
}

// --- taking it in ------------------------------------------------------------------------------------------------

namespace {

/// Writes that the replaced outbox has and the backup does not.
struct LaterWrites {
    std::int64_t count = 0, waiting = 0, first = 0, last = 0;
    bool unknown = false; // that outbox is not there, or cannot be read
};

LaterWrites find_later(Connection& live, Connection& backup, std::int64_t last, std::optional<Instant> made_at)
{
    LaterWrites later;
    const bool same = find_outbox_id(live) == find_outbox_id(backup);
    const std::int64_t known = same ? last : 0;
    const auto since = same || !made_at ? Instant{} : *made_at;
    for (const Row row :
         live.query("SELECT count(*), coalesce(sum(state <> 'delivered'), 0), min(id), max(id) FROM entry"
                    " WHERE id > ?1 AND created_at >= ?2",
                    known, since))
        later = {row.integer(0), row.integer(1), row.integer(2), row.integer(3), false};
    return later;
}

std::string say_later(const LaterWrites& later, const std::string& since, const std::string& aside)
{
    if (later.unknown) return fmt::format("writes accepted since {} are not in it", since);
    if (later.count == 0) return "no write was accepted since that the outbox still had";
    return fmt::format("{} {} since {} (number {} to {}) {} not in it, {} of them not delivered: see {}", later.count,
                       later.count == 1 ? "write accepted" : "writes accepted", since, later.first, later.last,
                       later.count == 1 ? "is" : "are", later.waiting, aside);
}

bool is_file_there(const std::string& path)
{
    return fs::exists(path) || fs::exists(path + "-wal");
}

/// The database last, as quarantine() does it.
void set_aside(const std::string& path, const std::string& aside)
{
    for (const char* suffix : {"-wal", "-shm", ""}) {
        const std::error_code fault = rename_file(path + suffix, aside + suffix);
        if (fault && fault != std::errc::no_such_file_or_directory)
            throw Error(Fault::io, "the directory must be writable by the program's user", "cannot set {} aside: {}",
                        path + suffix, fault.message());
    }
    clear_damage_marker(path);
}

class Restore {
  public:
    explicit Restore(const std::string& mirror_path)
        : mirror_(mirror_path), outbox_(outbox_beside(mirror_path)), pending_(pending_directory(mirror_path)),
          new_mirror_(pending_ + '/' + fs::path(mirror_path).filename().string()), new_outbox_(pending_ + "/outbox.db")
    {
        now_ = clock_.now();
    }

    void finish()
    {
        if (fs::exists(new_outbox_)) merge();
        replace(new_mirror_, mirror_);
        replace(new_outbox_, outbox_);
        require_removed(pending_);
        sync_to_disk(parent_directory(mirror_));
    }

  private:
    std::string aside(const std::string& path) const { return path + ".replaced-" + to_rfc3339(now_); }

    // Once: that it is done is noted in the file itself, and prepare_restore() takes such a note out.
    void merge()
    {
        Writer outbox(new_outbox_, "FULL");
        if (find_meta<int>(outbox, "restoring")) {
            now_ = find_meta<Instant>(outbox, "restored_at").value_or(now_); // what is aside has one name
            return;
        }
        const auto made_at = find_meta<Instant>(outbox, "backed_up_at");
        const std::string since = made_at ? to_rfc3339(*made_at) : "it was made";
        std::string what = fmt::format("restored from a backup{}", made_at ? " of " + to_rfc3339(*made_at) : "");
        LaterWrites later;
        {
            Writer mirror(new_mirror_, "FULL");
            // A file that was closed in order says that it has all that was ever told of it. This one has not.
            in_transaction(mirror, [&] { restart_feed(mirror, now_); });
            in_transaction(outbox, [&] {
                later = take_from_live(outbox, made_at);
                what += "; " + say_later(later, since, aside(outbox_));
                what += "; " + merge_suppressions(outbox, mirror, {outbox_, mirror_}, since);
                put_meta(outbox, "restored_at", now_);
                put_meta(outbox, "restored", what);
                put_meta(outbox, "restoring", 1);
                drop_meta(outbox, "backed_up_at");
            });
            mirror.row_changes().clear();
            empty_log(mirror);
        }
        empty_log(outbox);
        if (later.waiting > 0) write_notice(outbox_, what); // a problem in `status` until a person removes it
    }

    // Numbers that were given out are not given out again.
    LaterWrites take_from_live(Writer& outbox, std::optional<Instant> made_at) const
    {
        LaterWrites later;
        later.unknown = true;
        const std::int64_t last = last_outbox_number(outbox); // as the backup has it
        ask(outbox_, [&](Writer& live) { raise_number(outbox, last_outbox_number(live)); });
        ask(mirror_, [&](Writer& mirror) { raise_number(outbox, known_outbox_number(mirror)); });
        ask(outbox_, [&](Writer& live) { later = find_later(live, outbox, last, made_at); });
        return later;
    }

    // One that is replaced may be damaged, or no database: it stays aside.
    template <class F>
    static void ask(const std::string& replaced, F work)
    {
        if (!is_file_there(replaced)) return;
        try {
            Writer live(replaced, "FULL");
            work(live);
        } catch (const Error& error) {
            if (error.fault() == Fault::disk_full) throw;
        }
    }

    void replace(const std::string& from, const std::string& to)
    {
        if (!fs::exists(from)) return; // done before
        if (is_file_there(to)) set_aside(to, aside(to));
        clear_damage_marker(to);
        for (const char* suffix : {"-wal", "-shm"}) require_removed(from + suffix);
        rename_synced(from, to);
    }

    SystemClock clock_;
    Instant now_;
    std::string mirror_, outbox_, pending_, new_mirror_, new_outbox_;
};

} // namespace

void take_in_restore(const std::string& mirror_path)
{
    if (is_restore_pending(mirror_path)) Restore(mirror_path).finish();
}

} // namespace alli::cache

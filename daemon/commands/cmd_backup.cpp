// SPDX-License-Identifier: Apache-2.0
// `backup [DIR]`: a copy of both files, made beside them by whoever owns them and moved to where it is wanted, under
// the time of its making.
#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "alli/printable.hpp"
#include "cache/upkeep/backup.hpp"
#include "daemon/access/maintain.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/dated_backups.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/status.hpp"

#include <CLI/CLI.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace alli::daemon {

namespace fs = std::filesystem;

struct BackupArguments {
    std::string directory;
    int keep = 0;
    bool json = false;
};

/// What is not whole goes, wherever the copying ends; under its last name it is another's.
struct Discarded {
    explicit Discarded(const fs::path& path) : path_(path.string()) {}
    Discarded(const Discarded&) = delete;
    Discarded& operator=(const Discarded&) = delete;
    ~Discarded() { remove_path(path_); }

  private:
    std::string path_;
};

static Error no_copy(const fs::path& named)
{
    return Error(Fault::io, "see its log; nothing but that copy was touched",
                 "the daemon names what is no copy beside the mirror: {}", printable_line(named.string()));
}

/// A service that was taken over may answer anything, and this may be root: of its answer the name alone is taken, and
/// that must be one of a copy beside the mirror.
static fs::path find_made(const Json& report, const std::string& mirror_path)
{
    const auto directory = report.find("directory");
    const bool has_one = directory != report.end() && directory->is_string();
    const fs::path named = has_one ? directory->get<std::string>() : "";
    const fs::path made = fs::path(parent_directory(mirror_path)) / named.filename();
    std::error_code absent;
    const bool is_copy = cache::is_backup_name(named.filename().string()) &&
                         fs::equivalent(parent_directory(named), made.parent_path(), absent) &&
                         fs::is_directory(fs::symlink_status(made, absent));
    if (!is_copy) throw no_copy(named);
    return made;
}

static Instant read_time_made(const Json& report)
{
    const auto at = report.find("madeAt");
    const auto time = at != report.end() && at->is_string() ? from_rfc3339(at->get<std::string>()) : std::nullopt;
    constexpr std::array<const char*, 3> counts{"conversations", "chats", "heldWrites"};
    const bool is_whole = std::all_of(counts.begin(), counts.end(),
                                      [&](const char* name) { return report.value(name, Json()).is_number_integer(); });
    if (!time || !is_whole) throw Error(Fault::io, "see its log", "the daemon's answer cannot be read");
    return *time;
}

// Onto another file system: under another name first, so that what has the name is whole.
static void copy_over(const fs::path& from, const fs::path& to)
{
    const fs::path half = to.string() + partial_backup;
    require_removed(half);
    const Discarded torn(half);
    if (::mkdir(half.c_str(), 0700) != 0)
        throw Error(Fault::io, "choose a place that you can write", "cannot make {}: {}", half.string(),
                    std::strerror(errno));
    for (const auto& file : fs::directory_iterator(from)) {
        if (!fs::is_regular_file(file.symlink_status())) throw no_copy(file.path());
        const fs::path copy = half / file.path().filename();
        fs::copy_file(file.path(), copy);
        fs::permissions(copy, fs::perms(0600));
        sync_to_disk(copy);
    }
    sync_to_disk(half);
    rename_synced(half, to);
    require_removed(from);
}

static void move(const fs::path& from, const fs::path& to)
{
    const Discarded left(from);
    try {
        const std::error_code fault = rename_file(from, to);
        if (fault == std::errc::cross_device_link)
            copy_over(from, to);
        else if (fault)
            throw fs::filesystem_error("cannot move the copy", from, to, fault);
        sync_to_disk(to.parent_path());
    } catch (const fs::filesystem_error& error) {
        throw Error(Fault::io, "run it as root, or as the daemon's user, and choose a place that this user can write",
                    "{}", error.what());
    }
}

// Backups lie in it side by side; it is made where it is not there.
static std::string backups_directory(const std::string& named)
{
    fs::path directory = fs::absolute(named).lexically_normal();
    if (!directory.has_filename()) directory = directory.parent_path();
    if (fs::is_directory(directory)) return directory.string();
    if (fs::exists(directory))
        throw Error(Fault::usage, "name a directory: one that is there, or one that is to appear", "{} is a file",
                    directory.string());
    if (!fs::is_directory(directory.parent_path()))
        throw Error(Fault::usage, "make it first", "there is no directory {}", directory.parent_path().string());
    if (::mkdir(directory.c_str(), 0700) != 0)
        throw Error(Fault::io, "choose a place that you can write", "cannot make {}: {}", directory.string(),
                    std::strerror(errno));
    return directory.string();
}

static void print(const Json& report)
{
    fmt::print("{}: {} conversations with {} chats, checked\n", report["directory"].get<std::string>(),
               report["conversations"].get<std::int64_t>(), report["chats"].get<std::int64_t>());
    if (const int removed = report.value("removed", 0); removed > 0) fmt::print("{} older removed\n", removed);
    if (const auto held = report["heldWrites"].get<std::int64_t>(); held > 0)
        fmt::print("{} waiting writes are in it as conflicts: after a restore, retry or discard each\n", held);
}

// Made by the daemon beside its own files, and moved to where it is wanted.
static Json back_up_to(const std::string& directory, int keep, const Context& context, const MirrorLocation& place)
{
    if (find_owner(place.mirror_path) == hidden_owner)
        throw Error(Fault::refused, "run it as root; or without a directory: then it stays with the service's files",
                    "the service's copies are for root and its own user alone");
    remove_partial_backups(directory); // there need be no room for them and this one
    Json report = maintain(context, place, Json{{"task", "backup"}});
    const fs::path made = find_made(report, place.mirror_path);
    const std::string to = dated_backup_path(directory, read_time_made(report));
    move(made, to);
    report["directory"] = to;
    if (keep > 0) report["removed"] = drop_older_backups(to, keep);
    maintain(context, place, Json{{"task", "note_backup"}, {"madeAt", report["madeAt"]}});
    return report;
}

static int back_up(const BackupArguments& arguments, const Context& from)
{
    const Context context = remembering(from);
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    require_mirror(place);
    Json beside{{"task", "backup"}, {"stays", true}};
    if (arguments.keep > 0) beside["keep"] = arguments.keep;
    const Json report = arguments.directory.empty()
                            ? maintain(context, place, beside)
                            : back_up_to(backups_directory(arguments.directory), arguments.keep, context, place);
    if (arguments.json)
        print_json(dump(report));
    else
        print(report);
    return 0;
}

Action add_backup(CLI::App& arguments)
{
    auto chosen = std::make_shared<BackupArguments>();
    arguments.add_option("DIR", chosen->directory,
                         "where backups lie, each in a directory named after its time; without it they stay beside the "
                         "mirror");
    arguments.add_option("--keep", chosen->keep, "remove all but the latest of them")
        ->type_name("N")
        ->check(CLI::Range(1, 10'000));
    arguments.add_flag("--json", chosen->json, "what was copied, as JSON");
    return [chosen](const Context& context) { return back_up(*chosen, context); };
}

} // namespace alli::daemon

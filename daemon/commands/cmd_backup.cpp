// SPDX-License-Identifier: Apache-2.0
// `backup DIR`: a copy of both files, made beside them by whoever owns them and moved to where it is wanted.
#include "alli/clock.hpp"
#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/commands/maintain.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/status.hpp"

#include <CLI/CLI.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace alli::daemon {

namespace fs = std::filesystem;

struct BackupArguments {
    std::string directory;
    bool json = false;
};

// Onto another file system: under another name first, so that what has the name is whole.
static void copy_over(const fs::path& from, const fs::path& to)
{
    const fs::path half = to.string() + ".partial";
    require_removed(half);
    if (::mkdir(half.c_str(), 0700) != 0)
        throw Error(Fault::io, "choose a place that you can write", "cannot make {}: {}", half.string(),
                    std::strerror(errno));
    for (const auto& file : fs::directory_iterator(from)) {
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
    try {
        const std::error_code fault = rename_file(from, to);
        if (fault == std::errc::cross_device_link)
            copy_over(from, to);
        else if (fault)
            throw fs::filesystem_error("cannot move the copy", from, to, fault);
        sync_to_disk(to.parent_path());
    } catch (const fs::filesystem_error& error) {
        throw Error(Fault::io,
                    "run it as root, or as the daemon's user, and choose a place that this user can write; the copy "
                    "is removed by the next backup",
                    "{}", error.what());
    }
}

// A directory that is there gets the copy into it, under the time of its making.
static fs::path wanted_place(const std::string& directory)
{
    fs::path place = fs::absolute(directory).lexically_normal();
    if (!place.has_filename()) place = place.parent_path();
    if (fs::is_directory(place)) {
        SystemClock clock;
        std::string time = to_rfc3339(clock.now());
        std::replace(time.begin(), time.end(), ':', '-');
        place /= "alli-mirror-" + time;
    }
    if (fs::exists(place))
        throw Error(Fault::usage, "name a directory: one that is there, or one that is to appear",
                    "{} is there already", place.string());
    if (!fs::is_directory(place.parent_path()))
        throw Error(Fault::usage, "make it first", "there is no directory {}", place.parent_path().string());
    return place;
}

static void print(const Json& report)
{
    fmt::print("{}: {} conversations with {} chats, checked\n", report["directory"].get<std::string>(),
               report["conversations"].get<std::int64_t>(), report["chats"].get<std::int64_t>());
    if (const auto held = report["heldWrites"].get<std::int64_t>(); held > 0)
        fmt::print("{} waiting writes are in it as conflicts: after a restore, retry or discard each\n", held);
}

static int back_up(const BackupArguments& arguments, const Context& context)
{
    const fs::path to = wanted_place(arguments.directory);
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    if (!fs::exists(place.mirror_path))
        throw Error(Fault::io, "start `alli-mirror serve` or run `alli-mirror sync` first",
                    "there is no mirror at {} yet", place.mirror_path);
    Json report = maintain(context, place, Json{{"task", "backup"}});
    move(report["directory"].get<std::string>(), to);
    report["directory"] = to.string();
    if (arguments.json)
        print_json(dump(report));
    else
        print(report);
    return 0;
}

Action add_backup(CLI::App& arguments)
{
    auto chosen = std::make_shared<BackupArguments>();
    arguments
        .add_option("DIR", chosen->directory,
                    "where the copy goes: a directory that is to appear, or one that is there and gets another into it")
        ->required();
    arguments.add_flag("--json", chosen->json, "what was copied, as JSON");
    return [chosen](const Context& context) { return back_up(*chosen, context); };
}

} // namespace alli::daemon

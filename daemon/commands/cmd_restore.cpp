// SPDX-License-Identifier: Apache-2.0
// `restore DIR`: a backup into the place of both files. This command copies it beside them and checks it; the daemon,
// started anew for that, or this command takes it in (cache/restore.hpp).
#include "cache/restore.hpp"

#include "alli/error.hpp"
#include "cache/store.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/dated_backups.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/paths.hpp"
#include "upstream/curl/origin.hpp"

#include <CLI/CLI.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <thread>

namespace alli::daemon {

namespace fs = std::filesystem;

struct RestoreArguments {
    std::string directory;
    bool yes = false, dry_run = false, json = false;
};

static bool is_backup(const fs::path& directory)
{
    return fs::exists(directory / "outbox.db");
}

/// The directory itself, or the latest of the backups in it.
static fs::path find_backup(const std::string& named)
{
    const fs::path directory = fs::absolute(named);
    if (!fs::is_directory(directory))
        throw Error(Fault::usage, "name the directory that `alli-mirror backup` made", "there is no directory {}",
                    directory.string());
    if (is_backup(directory)) return directory;
    const std::vector<std::string> all = find_backups(directory.string());
    if (all.empty())
        throw Error(Fault::usage, "name the directory that `alli-mirror backup` made", "there is no backup in {}",
                    directory.string());
    return all.back();
}

/// Whose the mirror's directory is; root gives what it makes there to that user.
class Ownership {
  public:
    explicit Ownership(const std::string& mirror_path) : directory_(fs::path(mirror_path).parent_path())
    {
        known_ = ::geteuid() == 0 && ::stat(directory_.c_str(), &status_) == 0;
    }
    void give(const std::string& path) const
    {
        if (known_ && ::lchown(path.c_str(), status_.st_uid, status_.st_gid) != 0)
            throw Error(Fault::io, "see the system's log", "cannot give {} to {}", path, user_name(status_.st_uid));
    }
    void give_all() const
    {
        for (const auto& entry : fs::directory_iterator(directory_))
            if (entry.is_regular_file() && !entry.is_symlink()) give(entry.path().string());
    }

  private:
    fs::path directory_;
    struct stat status_ = {};
    bool known_ = false;
};

static std::string say_time_of(const cache::PreparedRestore& prepared)
{
    return prepared.made_at ? say_time(prepared.made_at) : "an unknown time";
}

static std::string say_plan(const cache::PreparedRestore& prepared, const fs::path& from)
{
    return fmt::format("{}\na backup of {}, checked: {} conversations with {} chats, {} writes to decide on\n",
                       from.string(), say_time_of(prepared), prepared.conversations, prepared.chats,
                       prepared.held_writes);
}

static bool agrees(const std::string& mirror_path)
{
    fmt::print("It takes the place of {} and its outbox.db, which are kept under other names. Restore it? [y/N] ",
               mirror_path);
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

static void take_in_here(const Settings& settings, const std::string& mirror_path)
{
    cache::StoreOptions options;
    options.mirror_path = mirror_path;
    options.url = upstream::read_origin(settings.config.upstream_url).base;
    options.threads = false;
    cache::commit_restore(mirror_path);
    const cache::Store store(options);
}

template <class Done>
static bool wait_until(Done done, std::chrono::seconds patience)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return true;
}

static void have_daemon_take_it_in(const Context& context, const MirrorLocation& place)
{
    const DaemonAnswer answer = call_daemon(context, {"POST", "/mirror/v1/maintenance", R"({"task":"restore"})"});
    if (answer.status >= 300) throw refused_by_daemon(answer);
    const Settings settings = context.settings();
    const auto is_back = [&] {
        if (cache::is_restore_prepared(place.mirror_path) || cache::is_restore_pending(place.mirror_path)) return false;
        const auto owner = find_owner(place.mirror_path);
        return owner && read_from_daemon(settings, place, context.environment, *owner, "/mirror/v1/status").body;
    };
    if (!wait_until(is_back, std::chrono::minutes(5)))
        throw Error(Fault::io, "see its log; the restore goes on with its next start",
                    "the daemon did not come back with the restored files");
}

static Json report_json(const cache::PreparedRestore& prepared, const fs::path& from, const std::string& what)
{
    Json json{{"directory", from.string()}, {"madeAt", time_json(prepared.made_at)}};
    json["conversations"] = prepared.conversations;
    json["chats"] = prepared.chats;
    json["bytes"] = prepared.bytes;
    json["heldWrites"] = prepared.held_writes;
    json["what"] = what.empty() ? Json(nullptr) : Json(what);
    return json;
}

static void finish(const RestoreArguments& arguments, const cache::PreparedRestore& prepared, const fs::path& from,
                   const MirrorLocation& place)
{
    const auto outbox = cache::open_outbox(place.mirror_path);
    const auto note = cache::find_restore_note(*outbox);
    const std::string what = note ? note->what : "";
    if (arguments.json) return print_json(dump(report_json(prepared, from, what)));
    fmt::print("{}\n", printable_line(what));
    if (prepared.held_writes > 0)
        fmt::print("{} writes wait for your decision: alli-mirror outbox list --state conflict\n",
                   prepared.held_writes);
}

static cache::PreparedRestore prepare(const fs::path& from, const Settings& settings, const MirrorLocation& place,
                                      const Ownership& owner)
{
    cache::RestoreRequest request;
    request.directory = from.string();
    request.mirror_path = place.mirror_path;
    request.url = upstream::read_origin(settings.config.upstream_url).base;
    request.made = [&](const std::string& path) { owner.give(path); };
    request.report = [](const std::string& step) {
        if (takes_escapes(STDERR_FILENO)) fmt::print(stderr, "\r{} the backup ...\x1b[K\r", step);
    };
    return cache::prepare_restore(request);
}

static int restore(const RestoreArguments& arguments, const Context& from)
{
    const Context context = remembering(from);
    const Settings settings = context.settings();
    const MirrorLocation place{find_mirror_location(settings, context.environment)};
    if (place.sandbox)
        throw Error(Fault::usage, "a backup of one can be looked at by --mirror-path DIR/mirror.db",
                    "the sandbox's mirror is not restored: it begins anew at each start");
    const fs::path backup = find_backup(arguments.directory);
    make_directory_of(place.mirror_path);
    const Ownership owner(place.mirror_path);
    const cache::PreparedRestore prepared = prepare(backup, settings, place, owner);
    if (!arguments.json) fmt::print("{}", say_plan(prepared, backup));
    if (arguments.dry_run || (!arguments.yes && !agrees(place.mirror_path))) {
        cache::abandon_restore(place.mirror_path);
        if (arguments.dry_run && arguments.json) print_json(dump(report_json(prepared, backup, "")));
        if (!arguments.json) fmt::print("\nnothing was restored\n");
        return arguments.dry_run ? 0 : 1;
    }
    if (find_owner(place.mirror_path))
        have_daemon_take_it_in(context, place);
    else
        take_in_here(settings, place.mirror_path);
    owner.give_all();
    finish(arguments, prepared, backup, place);
    return 0;
}

Action add_restore(CLI::App& arguments)
{
    auto chosen = std::make_shared<RestoreArguments>();
    arguments
        .add_option("DIR", chosen->directory, "what backup made; or a directory of several, of which the latest counts")
        ->required();
    arguments.add_flag("--dry-run", chosen->dry_run, "copy and check it, say what it holds, and change nothing");
    arguments.add_flag("--yes", chosen->yes, "do not ask");
    arguments.add_flag("--json", chosen->json, "what was restored, as JSON");
    return [chosen](const Context& context) { return restore(*chosen, context); };
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// `restore DIR`: a backup into the place of both files. This command copies it beside them and checks it; the daemon,
// started anew for that, or this command takes it in (cache/restore.hpp).
#include "cache/restore.hpp"

#include "alli/error.hpp"
#include "cache/outbox/outbox_identity.hpp"
#include "cache/store.hpp"
#include "daemon/access/acting_owner.hpp"
#include "daemon/access/maintain.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/dated_backups.hpp"
#include "daemon/output/question.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/paths.hpp"
#include "upstream/curl/origin.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>

namespace alli::daemon {

namespace fs = std::filesystem;

struct RestoreArguments {
    std::string directory;
    bool yes = false, other_project = false, dry_run = false, json = false;
};

static bool is_backup(const fs::path& directory)
{
    return fs::exists(directory / "outbox.db");
}

/// Empty: there is none, or it cannot be read.
static std::string find_live_outbox(const std::string& mirror_path)
{
    try {
        const ActingOwner owner(mirror_path);
        return cache::find_outbox_id(*cache::open_outbox(mirror_path)).value_or("");
    } catch (const Error&) {
        return "";
    }
}

/// Of those of this mirror, where there are any; else there must be none but one mirror's.
static fs::path latest_of(std::vector<std::string> all, const std::string& mirror_path)
{
    const std::string live = find_live_outbox(mirror_path);
    const auto is_ours = [&](const std::string& one) { return outbox_id_of(one) == live; };
    if (!live.empty() && std::any_of(all.begin(), all.end(), is_ours)) std::erase_if(all, std::not_fn(is_ours));
    const std::string id = outbox_id_of(all.back());
    for (const std::string& one : all)
        if (outbox_id_of(one) != id)
            throw Error(Fault::usage, fmt::format("name one: {} and {} are not of one mirror", one, all.back()),
                        "there are backups of several mirrors in {}", fs::path(one).parent_path().string());
    return all.back();
}

/// The directory itself, or the latest of the backups in it.
static fs::path find_backup(const std::string& named, const std::string& mirror_path)
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
    return latest_of(all, mirror_path);
}

/// Of a restore that comes to no end no copy stays; of one that does there is none any more.
class Preparation {
  public:
    explicit Preparation(std::string mirror_path) : mirror_path_(std::move(mirror_path)) {}
    Preparation(const Preparation&) = delete;
    Preparation& operator=(const Preparation&) = delete;
    ~Preparation()
    {
        const ActingOwner owner(mirror_path_);
        cache::abandon_restore(mirror_path_);
    }

  private:
    std::string mirror_path_;
};

static std::string say_time_of(const cache::PreparedRestore& prepared)
{
    return prepared.made_at ? say_time(prepared.made_at) : "an unknown time";
}

static const char* say_project(cache::BackupProject project)
{
    if (project == cache::BackupProject::another)
        return "WARNING: it was kept with another key than this mirror's, and is no copy of it: another project, or "
               "one whose key was replaced\n";
    if (project == cache::BackupProject::unknown) return "whose project it is of cannot be told here\n";
    return "";
}

static std::string say_plan(const cache::PreparedRestore& prepared, const fs::path& from)
{
    return fmt::format("{}\na backup of {}, checked: {} conversations with {} chats, {} writes to decide on\n{}",
                       from.string(), say_time_of(prepared), prepared.conversations, prepared.chats,
                       prepared.held_writes, say_project(prepared.project));
}

// Without a person who reads the plan.
static void require_project(const RestoreArguments& arguments, const cache::PreparedRestore& prepared)
{
    const bool is_another = prepared.project == cache::BackupProject::another;
    if (!is_another || arguments.other_project || arguments.dry_run || !arguments.yes) return;
    throw Error(Fault::refused, "if it is meant, or the project's key was replaced: --other-project",
                "the backup was kept with another key than this mirror's, and is no copy of it");
}

static bool agrees(const std::string& mirror_path)
{
    return confirm(fmt::format(
        "It takes the place of {} and its outbox.db, which are kept under other names. Restore it?", mirror_path));
}

static void take_in_here(const Settings& settings, const std::string& mirror_path)
{
    cache::StoreOptions options;
    options.mirror_path = mirror_path;
    options.url = upstream::read_origin(settings.config.upstream_url).base;
    options.threads = false;
    const ActingOwner owner(mirror_path);
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
    start_task(context, Json{{"task", "restore"}});
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
    json["project"] = cache::name_of(prepared.project);
    json["what"] = what.empty() ? Json(nullptr) : Json(what);
    return json;
}

static void finish(const RestoreArguments& arguments, const cache::PreparedRestore& prepared, const fs::path& from,
                   const MirrorLocation& place)
{
    const ActingOwner owner(place.mirror_path);
    const auto outbox = cache::open_outbox(place.mirror_path);
    const auto note = cache::find_restore_note(*outbox);
    const std::string what = note ? note->what : "";
    if (arguments.json) return print_json(dump(report_json(prepared, from, what)));
    fmt::print("{}\n", printable_line(what));
    if (prepared.held_writes > 0)
        fmt::print("{} writes wait for your decision: alli-mirror outbox list --state conflict\n",
                   prepared.held_writes);
}

/// None: this user may not read it, or there is none here.
static std::optional<std::string> find_api_key(const Settings& settings, const Environment& environment)
{
    try {
        return load_api_key(settings, environment);
    } catch (const Error&) {
        return std::nullopt;
    }
}

static cache::PreparedRestore prepare(const fs::path& from, const Settings& settings, const Context& context,
                                      const MirrorLocation& place)
{
    std::optional<ActingOwner> owner; // the backup is root's to read
    cache::RestoreRequest request;
    request.directory = from.string();
    request.mirror_path = place.mirror_path;
    request.url = upstream::read_origin(settings.config.upstream_url).base;
    request.api_key = find_api_key(settings, context.environment);
    request.opened = [&] { owner.emplace(place.mirror_path); };
    request.report = [](const std::string& step) {
        if (takes_escapes(STDERR_FILENO)) fmt::print(stderr, "\r{} the backup ...\x1b[K\r", step);
    };
    return cache::prepare_restore(request);
}

static int restore(const RestoreArguments& arguments, const Context& from)
{
    harden_process(); // before the key is read
    const Context context = remembering(from);
    const Settings settings = context.settings();
    const MirrorLocation place{find_mirror_location(settings, context.environment)};
    if (place.sandbox)
        throw Error(Fault::usage, "a backup of one can be looked at by --mirror-path DIR/mirror.db",
                    "the sandbox's mirror is not restored: it begins anew at each start");
    const fs::path backup = find_backup(arguments.directory, place.mirror_path);
    make_directory_of(place.mirror_path);
    const Preparation preparation(place.mirror_path);
    const cache::PreparedRestore prepared = prepare(backup, settings, context, place);
    require_project(arguments, prepared);
    if (!arguments.json) fmt::print("{}", say_plan(prepared, backup));
    if (arguments.dry_run || (!arguments.yes && !agrees(place.mirror_path))) {
        if (arguments.dry_run && arguments.json) print_json(dump(report_json(prepared, backup, "")));
        if (!arguments.json) fmt::print("\nnothing was restored\n");
        return arguments.dry_run ? 0 : 1;
    }
    if (find_owner(place.mirror_path))
        have_daemon_take_it_in(context, place);
    else
        take_in_here(settings, place.mirror_path);
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
    arguments.add_flag("--other-project", chosen->other_project,
                       "with --yes: also a backup that was kept with another key and is no copy of this mirror");
    arguments.add_flag("--json", chosen->json, "what was restored, as JSON");
    return [chosen](const Context& context) { return restore(*chosen, context); };
}

} // namespace alli::daemon

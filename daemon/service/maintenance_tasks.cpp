// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/maintenance_tasks.hpp"

#include "alli/clock.hpp"
#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "alli/log.hpp"
#include "alli/nearest.hpp"
#include "alli/zone.hpp"
#include "cache/restore.hpp"
#include "cache/upkeep/backup.hpp"
#include "cache/upkeep/retention.hpp"
#include "cache/upkeep/verify.hpp"
#include "cache/webhook_state.hpp"
#include "daemon/output/dated_backups.hpp"
#include "daemon/settings/duration.hpp"
#include "daemon/settings/settings.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace alli::daemon {
namespace {

std::string text_of(const Json& request, const char* name)
{
    const auto found = request.find(name);
    if (found == request.end() || found->is_null()) return "";
    if (!found->is_string()) throw Error(Fault::usage, "", "{} must be a string", name);
    return found->get<std::string>();
}

bool flag_of(const Json& request, const char* name)
{
    const auto found = request.find(name);
    if (found == request.end()) return false;
    if (!found->is_boolean()) throw Error(Fault::usage, "", "{} must be true or false", name);
    return found->get<bool>();
}

// One that is given and empty is refused: it would leave more to be erased than was meant.
std::optional<std::string> given_text(const Json& request, const char* name)
{
    const auto found = request.find(name);
    if (found == request.end() || found->is_null()) return std::nullopt;
    std::string text = text_of(request, name);
    if (text.empty()) throw Error(Fault::usage, "leave it out, or give it a value", "{} is given and empty", name);
    return text;
}

cache::PurgeOptions read_wish(const Json& request)
{
    cache::PurgeOptions wish;
    wish.user = given_text(request, "user");
    if (auto id = given_text(request, "conversation")) wish.conversation = ConversationId{std::move(*id)};
    if (const auto before = given_text(request, "before")) {
        wish.before = read_before(*before, Zone::of_host());
        if (!wish.before)
            throw Error(Fault::usage, "write it as 2026-01-31, or as 2026-01-31T09:30:00Z", "before is no date");
    }
    if ((wish.user ? 1 : 0) + (wish.conversation ? 1 : 0) + (wish.before ? 1 : 0) != 1)
        throw Error(Fault::usage, "", "exactly one of user, conversation and before says what to purge");
    return wish;
}

Json report_json(const cache::PurgeReport& report)
{
    return {{"conversations", report.conversations},
            {"chats", report.chats},
            {"writes", report.writes},
            {"waitingWrites", report.waiting},
            {"logsEmptied", report.logs_emptied}};
}

std::string backups_beside(const std::string& mirror_path)
{
    return parent_directory(mirror_path) + "/backups";
}

// What may still hold what was erased, for a person to delete.
Json find_copies(const std::string& mirror_path)
{
    Json copies = cache::find_set_aside(mirror_path);
    for (std::string& backup : find_backups(backups_beside(mirror_path))) copies.push_back(std::move(backup));
    return copies;
}

Task<Json> run_purge(MaintenanceTools tools, Json request)
{
    cache::PurgeOptions wish = read_wish(request);
    if (flag_of(request, "dryRun")) co_return report_json(cache::plan_purge(tools.store, wish));
    Task<cache::PurgeReport> work = cache::purge(tools.store, std::move(wish), std::move(tools.hooks));
    const cache::PurgeReport report = co_await std::move(work);
    Json json = report_json(report);
    json["copies"] = find_copies(tools.store.mirror_path());
    if (!tools.share_purge) co_return json;
    const bool shared = co_await tools.share_purge();
    json["sharedWithNodes"] = shared;
    co_return json;
}

void check_purge(const Json& request)
{
    read_wish(request);
    flag_of(request, "dryRun");
}

Json retention_json(const cache::RetentionPlan& plan)
{
    Json json{{"conversations", plan.conversations}, {"chats", plan.chats}, {"kept", plan.kept}};
    json["horizon"] = to_rfc3339(plan.horizon);
    return json;
}

std::chrono::milliseconds keep_for(const Json& request)
{
    Config config;
    config.retention = text_of(request, "keep");
    const auto keep = read_retention(config);
    if (!keep) throw Error(Fault::usage, "set it, such as 365d", "mirror.retention is not set: everything is kept");
    return *keep;
}

Task<Json> run_retention(MaintenanceTools tools, Json request)
{
    const std::chrono::milliseconds keep = keep_for(request);
    SystemClock clock;
    const Instant now = tools.store.read([&](cache::Reader& db) { return cache::retention_now(db, clock.now()); });
    const Instant horizon = std::chrono::floor<std::chrono::hours>(now - keep);
    if (flag_of(request, "dryRun")) co_return retention_json(co_await cache::plan_retention(tools.store, horizon));
    Task<cache::RetentionPlan> work =
        cache::apply_retention(tools.store, horizon, keep, std::move(tools.hooks.stopping));
    const cache::RetentionPlan done = co_await std::move(work);
    log_event<Event::retention_applied>(done.conversations, done.chats, to_rfc3339(done.horizon));
    co_return retention_json(done);
}

void check_retention(const Json& request)
{
    keep_for(request);
    flag_of(request, "dryRun");
}

Task<Json> run_verify(MaintenanceTools tools, Json request)
{
    cache::VerifyOptions options;
    options.repair = flag_of(request, "repair");
    options.alone = tools.alone;
    options.report = tools.hooks.report;
    options.stopping = tools.hooks.stopping;
    Task<cache::VerifyReport> work = cache::verify(tools.store, std::move(options));
    const cache::VerifyReport report = co_await std::move(work);
    Json json{{"damaged", report.damaged()}, {"repaired", report.repaired}, {"restart", report.restart}};
    json["findings"] = Json::array();
    for (const cache::Finding& one : report.findings)
        json["findings"].push_back({{"where", one.where}, {"what", one.what}, {"repairable", !one.needs_restart()}});
    co_return json;
}

void check_verify(const Json& request)
{
    flag_of(request, "repair");
}

int keep_of(const Json& request)
{
    const auto found = request.find("keep");
    if (found == request.end() || found->is_null()) return 0;
    if (!found->is_number_integer() || *found < 1 || *found > 10'000)
        throw Error(Fault::usage, "how many backups stay: 1 to 10000", "keep must be a number");
    return found->get<int>();
}

Task<> note_last_backup(cache::Store& store, Instant at)
{
    const auto put = [at](cache::Writer& db) { cache::note_last_backup(db, at); };
    co_await store.write_outbox(put);
}

// Into the directory `backups` beside the mirror, for those who may see neither.
std::string keep_beside(const std::string& mirror_path, const std::string& made, Instant made_at, int keep)
{
    const std::string directory = backups_beside(mirror_path);
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
        throw Error(Fault::io, "the state directory must be writable by the program's user", "cannot make {}: {}",
                    directory, std::strerror(errno));
    std::string place = dated_backup_path(directory, made_at);
    rename_synced(made, place);
    if (keep > 0) drop_older_backups(place, keep);
    return place;
}

Task<Json> run_backup(MaintenanceTools tools, Json request)
{
    cache::BackupHooks hooks;
    hooks.report = tools.hooks.report;
    hooks.stopping = tools.hooks.stopping;
    SystemClock clock;
    std::string name = to_rfc3339(clock.now());
    Task<cache::BackupReport> work = cache::back_up(tools.store, std::move(name), std::move(hooks));
    const cache::BackupReport report = co_await std::move(work);
    std::string directory = report.directory;
    if (flag_of(request, "stays")) {
        directory = keep_beside(tools.store.mirror_path(), directory, report.made_at, keep_of(request));
        co_await note_last_backup(tools.store, report.made_at);
    }
    Json json{{"directory", directory}, {"bytes", report.bytes}};
    json["madeAt"] = to_rfc3339(report.made_at);
    json["conversations"] = report.conversations;
    json["chats"] = report.chats;
    json["heldWrites"] = report.held_writes;
    co_return json;
}

void check_backup(const Json& request)
{
    flag_of(request, "stays");
    keep_of(request);
}

// Whoever asked for the backup has moved it to its place.
Task<Json> run_note_backup(MaintenanceTools tools, Json request)
{
    const auto at = from_rfc3339(text_of(request, "madeAt"));
    if (!at) throw Error(Fault::usage, "what the backup said", "madeAt is no time");
    co_await note_last_backup(tools.store, *at);
    co_return Json::object();
}

void check_note_backup(const Json& request)
{
    text_of(request, "madeAt");
}

// The command has put the backup beside the files and checked it: it takes their place while they are closed.
Task<Json> run_restore(MaintenanceTools tools, Json)
{
    if (!tools.restart)
        throw Error(Fault::usage, "stop it first; `serve --sandbox` begins anew at each start",
                    "this daemon cannot restore");
    cache::commit_restore(tools.store.mirror_path());
    tools.restart();
    co_return Json{{"restarts", true}};
}

void check_restore(const Json&) {}

// By its address, as `status` shows it; without one all are meant.
Task<Json> run_wake_webhook(MaintenanceTools tools, Json request)
{
    const std::string url = text_of(request, "url");
    const auto known = tools.store.read_outbox([](cache::Reader& db) { return cache::load_webhooks(db); });
    std::int64_t woken = 0;
    for (const cache::WebhookState& webhook : known) {
        if (!url.empty() && webhook.address != url) continue;
        const auto wake = [&](cache::Writer& db) { cache::wake_webhooks(db, webhook.id); };
        co_await tools.store.write_outbox(wake);
        tools.wake_webhooks(webhook.id);
        ++woken;
    }
    if (woken == 0)
        throw Error(Fault::usage, "alli-mirror webhook list shows what there is", "{}",
                    url.empty() ? "there are no webhooks" : "there is no webhook of that address");
    co_return Json{{"woken", woken}};
}

void check_wake_webhook(const Json& request)
{
    text_of(request, "url");
}

struct TaskRow {
    std::string_view name;
    Task<Json> (*run)(MaintenanceTools, Json);
    void (*check)(const Json&);
    std::array<std::string_view, 4> members = {}; // that a request may have beside "task"
    bool alone = true;                            // waits for its turn; false: it only takes a note
};
// THE table.
constexpr auto tasks = std::to_array<TaskRow>({
    {"purge", &run_purge, &check_purge, {"user", "conversation", "before", "dryRun"}},
    {"retention", &run_retention, &check_retention, {"keep", "dryRun"}},
    {"backup", &run_backup, &check_backup, {"stays", "keep"}},
    {"note_backup", &run_note_backup, &check_note_backup, {"madeAt"}, false},
    {"verify", &run_verify, &check_verify, {"repair"}},
    {"restore", &run_restore, &check_restore},
    {"wake_webhook", &run_wake_webhook, &check_wake_webhook, {"url"}, false},
});

const TaskRow& find_task(const Json& request)
{
    if (!request.is_object()) throw Error(Fault::usage, "", "a task is a JSON object");
    const std::string name = text_of(request, "task");
    for (const TaskRow& row : tasks)
        if (row.name == name) return row;
    throw Error(Fault::usage, "", "there is no such task");
}

// One that was meant to narrow what is erased, or only to look, must not be ignored.
void require_members_of(const TaskRow& row, const Json& request)
{
    for (const auto& [name, value] : request.items()) {
        if (name == "task" || std::find(row.members.begin(), row.members.end(), name) != row.members.end()) continue;
        const std::string_view nearest = find_nearest(name, row.members);
        throw Error(Fault::usage, nearest.empty() ? "" : fmt::format("did you mean {}?", nearest),
                    "there is a member that {} does not have", row.name); // its name may be anything: not repeated
    }
}

} // namespace

Task<Json> run_task(MaintenanceTools tools, Json request)
{
    const TaskRow& row = find_task(request);
    return row.run(std::move(tools), std::move(request));
}

void check_task(const Json& request)
{
    const TaskRow& row = find_task(request);
    require_members_of(row, request);
    row.check(request);
}

bool waits_for_turn(const Json& request)
{
    return find_task(request).alone;
}

} // namespace alli::daemon

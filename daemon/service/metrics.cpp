// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/metrics.hpp"

#include "cache/conversations.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/drift.hpp"
#include "cache/rows/progress.hpp"
#include "cache/upkeep/backup.hpp"
#include "daemon/node/cluster_status.hpp"
#include "daemon/node/prometheus_text.hpp"
#include "daemon/process/process_figures.hpp"
#include "daemon/webhook/webhook_status.hpp"

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>

namespace alli::daemon {

using Type = PrometheusText::Type;

static constexpr std::array<std::string_view, upstream::priorities> priority_names{"app", "delivery", "increment",
                                                                                   "backfill", "reconcile"};

static double seconds_of(Instant when)
{
    return std::chrono::duration<double>(when.time_since_epoch()).count();
}

// The clock may have been set back.
static double age_of(Instant now, Instant when)
{
    return std::max(seconds_of(now) - seconds_of(when), 0.0);
}

static void put_requests(PrometheusText& out, const proxy::RequestMetrics& request_metrics)
{
    static constexpr std::array<std::string_view, 6> codes{"", "1xx", "2xx", "3xx", "4xx", "5xx"};
    const auto requests = request_metrics.requests();
    out.family("http_requests_total", Type::counter,
               "Requests answered, by operation, by where the answer came from (Cache-Status) and by status.");
    for (const auto& [key, row] : requests)
        for (std::size_t i = 1; i < codes.size(); ++i)
            if (row.statuses[i] > 0)
                out.sample(static_cast<double>(row.statuses[i]),
                           {{"route", key.first}, {"cache", key.second}, {"code", codes[i]}});
    out.family("http_request_duration_seconds", Type::histogram,
               "From a request that was read whole to its answer, before that is written.");
    for (const auto& [key, row] : requests) out.histogram(row.time, {{"route", key.first}, {"cache", key.second}});
    out.family("http_requests_refused_total", Type::counter,
               "Requests refused before they were looked at: form, Host, Origin, key.");
    for (const auto& [status, count] : request_metrics.refusals())
        out.sample(static_cast<double>(count), {{"code", status == 0 ? "other" : std::to_string(status)}});
    out.counter("http_wrong_keys_total", "Wrong keys and tokens that were tried; what they were is never kept.",
                static_cast<double>(request_metrics.wrong_keys()));
    out.gauge("http_connections", "Connections of local apps that are open.", request_metrics.connections());
    out.gauge("feed_readers", "Readers of the change feed that wait for what comes next.", request_metrics.readers());
    out.family("sign_ins_total", Type::counter, "One-time links that a browser came with.");
    out.sample(static_cast<double>(request_metrics.sign_ins(true)), {{"outcome", "admitted"}});
    out.sample(static_cast<double>(request_metrics.sign_ins(false)), {{"outcome", "refused"}});
}

static void put_calls(PrometheusText& out, const upstream::Meters& meters)
{
    using upstream::Meters;
    out.family("upstream_requests_total", Type::counter, "Requests sent upstream, by operation and how they ended.");
    for (std::size_t kind = 0; kind < upstream::call_kinds; ++kind)
        for (std::size_t i = 0; i < Meters::ending_names.size(); ++i)
            out.sample(static_cast<double>(meters.call(kind).endings[i].get()),
                       {{"operation", upstream::call_names[kind]}, {"outcome", Meters::ending_names[i]}});
    out.family("upstream_request_duration_seconds", Type::histogram,
               "How long upstream took, without the wait for a turn.");
    for (std::size_t kind = 0; kind < upstream::call_kinds; ++kind)
        out.histogram(meters.call(kind).time.read(), {{"operation", upstream::call_names[kind]}});
}

static void put_budget(PrometheusText& out, const upstream::RateLimiter::State& pace)
{
    static constexpr std::array<std::string_view, 3> breaker_names{"closed", "open", "half_open"};
    out.gauge("budget_tokens", "Requests that may go upstream at once; the budget's bucket.", pace.tokens);
    out.gauge("budget_requests_per_second", "upstream.requests_per_second; 0 is no limit.", pace.requests_per_second);
    out.gauge("budget_concurrency_limit", "Requests upstream allowed side by side now.", pace.limit);
    out.gauge("budget_concurrency_max", "Requests upstream allowed side by side at most.", pace.most);
    out.gauge("budget_in_flight", "Requests upstream under way.", pace.in_flight);
    out.family("budget_waiting", Type::gauge, "Requests that wait for their turn, by priority.");
    for (std::size_t i = 0; i < priority_names.size(); ++i)
        out.sample(pace.waiting[i], {{"priority", priority_names[i]}});
    out.family("budget_admitted_total", Type::counter, "Requests let go upstream, by priority.");
    for (std::size_t i = 0; i < priority_names.size(); ++i)
        out.sample(static_cast<double>(pace.sent[i]), {{"priority", priority_names[i]}});
    out.counter("budget_pushed_back_total", "Answers of 429 and 503.", static_cast<double>(pace.pushed_back));
    out.gauge("budget_retry_after_seconds", "What is left of a pause that upstream asked for.",
              std::chrono::duration<double>(pace.retry_after).count());
    out.family("breaker_state", Type::gauge, "1 for the state that the breaker is in.");
    for (std::size_t i = 0; i < breaker_names.size(); ++i)
        out.sample(static_cast<std::size_t>(pace.breaker) == i ? 1 : 0, {{"state", breaker_names[i]}});
    out.counter("breaker_opened_total", "How often upstream was left alone after failures.",
                static_cast<double>(pace.times_opened));
}

static void put_sync(PrometheusText& out, const MetricsSources& from)
{
    const cache::Progress progress = cache::load_progress(from.mirror);
    out.gauge("upstream_reachable", "Whether the last request upstream was answered.", from.live.reachable ? 1 : 0);
    out.gauge("upstream_key_accepted", "Whether upstream takes the key.", from.live.key_accepted ? 1 : 0);
    out.counter("sync_passes_total", "Polls that were committed.", static_cast<double>(from.live.passes));
    out.gauge("backfill_done", "Whether everything that is to be mirrored was read once.",
              progress.backfill_done ? 1 : 0);
    if (progress.backfill_done || from.live.fraction)
        out.gauge("backfill_ratio", "How much of the backfill is done, 0 to 1.",
                  progress.backfill_done ? 1 : *from.live.fraction);
    if (!progress.verified_at) return;
    out.gauge("last_verified_timestamp_seconds", "When the mirror was last compared with upstream.",
              seconds_of(*progress.verified_at));
    out.gauge("sync_lag_seconds", "How long ago the mirror was last compared with upstream.",
              age_of(from.now, *progress.verified_at));
}

static void put_coverage(PrometheusText& out, cache::Reader& db)
{
    const cache::Covered covered = cache::load_covered(db);
    out.gauge("coverage_complete", "Whether the mirror holds everything, conversations without a chat too.",
              covered.complete ? 1 : 0);
    if (!covered.through) return;
    out.gauge("coverage_from_timestamp_seconds", "The mirror is complete from this last chat time on.",
              seconds_of(*covered.from));
    out.gauge("coverage_through_timestamp_seconds", "The mirror is complete up to this last chat time.",
              seconds_of(*covered.through));
}

static void put_drift(PrometheusText& out, cache::Reader& db)
{
    const cache::Drift drift = cache::load_drift(db);
    out.counter("drift_compared_total", "Conversations compared again, since the mirror was made.",
                static_cast<double>(drift.audited));
    out.counter("drift_differed_total", "Of them, those that differed and were put right.",
                static_cast<double>(drift.differed));
    out.counter("drift_deleted_total", "Of them, those that upstream no longer has.",
                static_cast<double>(drift.deleted));
    out.family("drift_fields_total", Type::counter, "Of those that differed, in which field.");
    for (const auto& [field, count] : drift.fields) out.sample(static_cast<double>(count), {{"field", field}});
}

static void put_outbox(PrometheusText& out, cache::Reader& db, Instant now)
{
    const cache::OutboxCounts counts = cache::count_entries(db);
    out.family("outbox_entries", Type::gauge, "Writes in the outbox, by state; pending ones may be on their way.");
    out.sample(static_cast<double>(counts.pending), {{"state", "pending"}});
    out.sample(static_cast<double>(counts.conflicts), {{"state", "conflict"}});
    out.sample(static_cast<double>(counts.failed), {{"state", "failed"}});
    out.sample(static_cast<double>(counts.delivered), {{"state", "delivered"}});
    out.gauge("outbox_oldest_age_seconds", "How long the oldest write that is not delivered has waited; 0: none waits.",
              counts.oldest ? age_of(now, *counts.oldest) : 0);
}

// By the address without its query: two that differ in that alone are one, as bad as the worse of them. A node that
// does not lead calls none, and says of none that it fails.
static void put_webhooks(PrometheusText& out, const MetricsSources& from)
{
    using Webhook = cache::WebhookState;
    struct Family {
        std::string_view name;
        Type type;
        std::string_view help;
        std::function<double(const Webhook&)> value;
        bool worst = false; // of several, rather than their sum
    };
    const bool calls = !from.node || from.node->role == cluster::Role::leader;
    const auto count = [&](const Webhook& webhook) {
        return static_cast<double>(cache::count_changes(from.mirror, webhook.position, webhook.kinds, most_counted));
    };
    const auto failing = [&](const Webhook& webhook) {
        return webhook.failing_since && calls ? age_of(from.now, *webhook.failing_since) : 0;
    };
    const auto families = std::to_array<Family>({
        {"webhook_waiting", Type::gauge, "Changes that a webhook has not been told yet, counted up to 10000.", count},
        {"webhook_failing_seconds", Type::gauge, "How long a webhook's receiver has taken nothing; 0: it takes events.",
         failing, true},
        {"webhook_ended", Type::gauge, "Whether a webhook is not called any more: dead, or its receiver said 410 Gone.",
         [](const Webhook& webhook) { return webhook.life == Webhook::Life::alive ? 0 : 1; }, true},
        {"webhook_delivered_total", Type::counter, "Events that a webhook's receiver took.",
         [](const Webhook& webhook) { return static_cast<double>(webhook.delivered); }},
        {"webhook_failures_total", Type::counter, "Tries that a webhook's receiver did not take.",
         [](const Webhook& webhook) { return static_cast<double>(webhook.failures); }},
    });
    std::map<std::string, std::vector<Webhook>> webhooks;
    for (Webhook& webhook : cache::load_webhooks(from.outbox)) webhooks[webhook.address].push_back(std::move(webhook));
    if (webhooks.empty()) return;
    for (const Family& family : families) {
        out.family(family.name, family.type, family.help);
        for (const auto& [address, alike] : webhooks) {
            double all = 0;
            for (const Webhook& webhook : alike)
                all = family.worst ? std::max(all, family.value(webhook)) : all + family.value(webhook);
            out.sample(all, {{"webhook", address}});
        }
    }
}

static void put_files(PrometheusText& out, const MetricsSources& from)
{
    const cache::Totals totals = cache::load_totals(from.mirror);
    out.gauge("conversations", "Conversations in the mirror.", static_cast<double>(totals.conversations));
    out.gauge("chats", "Chats in the mirror.", static_cast<double>(totals.chats));
    out.gauge("problems", "Problems that status lists.", static_cast<double>(from.problems));
    out.family("file_bytes", Type::gauge, "Size of the database files and of their logs (WAL).");
    for (const auto& [name, path] : {std::pair{"mirror.db", from.mirror.path()}, {"outbox.db", from.outbox.path()}})
        for (const auto& [part, suffix] : {std::pair{"database", ""}, {"log", "-wal"}}) {
            std::error_code absent; // a log that is not there has no bytes
            const auto size = std::filesystem::file_size(path + suffix, absent);
            out.sample(absent ? 0 : static_cast<double>(size), {{"file", name}, {"part", part}});
        }
    const auto aside =
        cache::quarantined_files(from.mirror.path()).size() + cache::quarantined_files(from.outbox.path()).size();
    out.gauge("damaged_files", "Files that were damaged, were set aside and wait for a person.",
              static_cast<double>(aside));
    out.gauge("disk_full", "Whether there was no room for the last commit: writes get 507.", from.disk_full ? 1 : 0);
    if (const auto at = cache::find_last_backup(from.outbox))
        out.gauge("last_backup_timestamp_seconds", "When the last good backup was made; absent: there was none.",
                  seconds_of(*at));
    std::error_code unknown;
    const auto space = std::filesystem::space(std::filesystem::path(from.mirror.path()).parent_path(), unknown);
    if (!unknown)
        out.gauge("disk_available_bytes", "Free space where the mirror lies.", static_cast<double>(space.available));
}

static void put_process(PrometheusText& out, Instant started_at)
{
    const ProcessFigures figures = read_process_figures();
    out.gauge("process_resident_memory_bytes", "Resident memory.", static_cast<double>(figures.resident_bytes));
    out.gauge("process_virtual_memory_bytes", "Virtual memory.", static_cast<double>(figures.virtual_bytes));
    out.gauge("process_open_fds", "Open descriptors.", static_cast<double>(figures.open_descriptors));
    out.gauge("process_max_fds", "Descriptors that may be open.", static_cast<double>(figures.most_descriptors));
    out.gauge("process_threads", "Threads.", static_cast<double>(figures.threads));
    out.counter("process_cpu_seconds_total", "Processor time used.", figures.cpu_seconds);
    out.gauge("process_start_time_seconds", "When the program was started.", seconds_of(started_at));
    out.family("build_info", Type::gauge, "Always 1; the labels say what runs.");
    out.sample(1, {{"version", ALLI_VERSION}, {"compiler", __VERSION__}});
}

std::string make_metrics(const MetricsSources& from)
{
    PrometheusText out;
    put_requests(out, from.request_metrics);
    put_calls(out, from.client.meters());
    put_budget(out, from.client.pace());
    put_sync(out, from);
    put_coverage(out, from.mirror);
    put_drift(out, from.mirror);
    put_outbox(out, from.outbox, from.now);
    put_webhooks(out, from);
    put_files(out, from);
    if (from.node) put_cluster(out, *from.node);
    put_process(out, from.started_at);
    return out.take();
}

} // namespace alli::daemon

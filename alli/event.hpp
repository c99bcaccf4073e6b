// SPDX-License-Identifier: Apache-2.0
// Everything that the log can say: THE table. A line is one of these events with its fields, in this order; there is
// no other way to write one. A field that begins with # is an id: only its keyed hash is written. No field ever holds
// the text of a message, a title or a key.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace alli {

enum class Event {
    ready,
    no_socket,
    listens_elsewhere,
    stopping,
    failed,
    reloaded,
    restart_needed,
    reload_failed,
    token_made,
    token_revoked,
    upstream_lost,
    upstream_back,
    upstream_call,
    key_refused,
    key_accepted,
    write_delivered,
    write_failed,
    write_conflict,
    write_believed,
    writes_given_up,
    write_not_shown,
    request,
    request_probe,
    request_failed,
    request_refused,
    request_error,
    answer_broken,
    answer_not_kept,
    connection_failed,
    index_paused,
    file_damaged,
    restored,
    disk_full,
    disk_writable,
    few_descriptors,
    stop_forced,
    maintenance_done,
    maintenance_failed,
    retention_waits,
    retention_applied,
    webhook_failing,
    webhook_delivers,
    webhook_refused,
    webhook_gave_up,
    webhook_ended,
    webhook_paused,
    repeats,
    lines_lost,
    count
};

enum class Severity { debug, info, warning, error };

struct EventRow {
    Event event;
    std::string_view name;
    Severity severity;
    std::string_view sentence; // {name} stands for the value of that field; empty: the fields say it all
    std::array<std::string_view, 9> fields = {};
    std::string_view cause = {}; // the field by whose value repeats are told apart; empty: all are one
    int burst = 10;              // so many at once, after that
    double per_second = 1;       // so many in the long run; the others are counted (below debug alone)
};

inline constexpr auto event_table = std::to_array<EventRow>({
    {Event::ready,
     "ready",
     Severity::info,
     "alli-mirror {version} listens on {addresses}",
     {"version", "addresses", "mirror"}},
    {Event::no_socket, "no_socket", Severity::info, "{why}", {"why"}},
    {Event::listens_elsewhere,
     "listens_elsewhere",
     Severity::warning,
     "the service manager's sockets are not those of proxy.listen: {difference}",
     {"difference", "hint"}},
    {Event::stopping, "stopping", Severity::info, "the program ends; what waits goes on at the next start"},
    {Event::failed, "failed", Severity::error, "{error}", {"error", "hint"}},
    {Event::reloaded, "reloaded", Severity::info, "the settings were read again", {"changed", "tokens"}},
    {Event::restart_needed,
     "restart_needed",
     Severity::warning,
     "changed, but only a restart brings it: {settings}",
     {"settings"}},
    {Event::reload_failed,
     "reload_failed",
     Severity::error,
     "the settings stay as they were: {error}",
     {"error", "hint"}},
    {Event::token_made, "token_made", Severity::info, "the token {name} was made", {"name", "scope"}},
    {Event::token_revoked, "token_revoked", Severity::info, "the token {name} was revoked", {"name"}},
    {Event::upstream_lost, "upstream_lost", Severity::warning, "{error}", {"error", "hint"}},
    {Event::upstream_back, "upstream_back", Severity::info, "upstream answers again"},
    {Event::upstream_call, "upstream_call", Severity::debug, "", {"call", "ending", "status", "ms", "request_id"}},
    {Event::key_refused, "key_refused", Severity::warning,
     "upstream refuses the key: nothing is compared or delivered, writes wait"},
    {Event::key_accepted, "key_accepted", Severity::info, "upstream accepts the key again: writes are delivered"},
    {Event::write_delivered, "write_delivered", Severity::info, "", {"entry", "status", "#conversation", "request_id"}},
    {Event::write_failed,
     "write_failed",
     Severity::warning,
     "upstream refuses a write for good: see alli-mirror outbox show {entry}",
     {"entry", "status", "#conversation", "request_id"}},
    {Event::write_conflict,
     "write_conflict",
     Severity::warning,
     "upstream changed the same meanwhile: decide with alli-mirror outbox show {entry}",
     {"entry", "status", "#conversation", "request_id"}},
    {Event::write_believed,
     "write_believed",
     Severity::info,
     "upstream answers {operation} with a success that no read can confirm: it is believed from now on",
     {"operation", "entry"}},
    {Event::writes_given_up,
     "writes_given_up",
     Severity::warning,
     "{count} writes were given up: each was being sent when the program died, three times in a row",
     {"count"}},
    {Event::write_not_shown,
     "write_not_shown",
     Severity::warning,
     "the mirror does not show a write yet: {error}",
     {"error", "entry"}},
    {Event::request,
     "request",
     Severity::info,
     "",
     {"request_id", "operation", "method", "status", "cache", "ms", "#conversation", "#user", "detail"},
     "status",
     50,
     10},
    {Event::request_probe, "request_probe", Severity::debug, "", {"request_id", "operation", "status", "ms"}},
    {Event::request_failed,
     "request_failed",
     Severity::warning,
     "",
     {"request_id", "operation", "method", "status", "cache", "ms", "#conversation", "#user", "detail"},
     "status"},
    {Event::request_refused,
     "request_refused",
     Severity::info,
     "a request was not let in: {detail}",
     {"detail", "status", "peer"},
     "status"},
    {Event::request_error, "request_error", Severity::error, "a request failed within: {error}", {"error"}},
    {Event::answer_broken, "answer_broken", Severity::warning, "an answer broke off: {error}", {"error", "request_id"}},
    {Event::answer_not_kept,
     "answer_not_kept",
     Severity::warning,
     "an answer of upstream's was passed on, and could not be kept: {error}",
     {"error"}},
    {Event::connection_failed,
     "connection_failed",
     Severity::error,
     "a connection ended by a failure of our own: {error}",
     {"error"}},
    {Event::index_paused,
     "index_paused",
     Severity::warning,
     "the index of words goes on at the next start: {error}",
     {"error"}},
    {Event::file_damaged, "file_damaged", Severity::error, "{what}", {"what"}},
    {Event::restored, "restored", Severity::warning, "{what}", {"what"}},
    {Event::disk_full, "disk_full", Severity::error, "{error}", {"error", "hint"}},
    {Event::disk_writable, "disk_writable", Severity::info, "the files can be written again"},
    {Event::few_descriptors,
     "few_descriptors",
     Severity::warning,
     "the limit of {limit} open files leaves room for {connections} connections of local apps",
     {"limit", "connections", "hint"}},
    {Event::stop_forced,
     "stop_forced",
     Severity::warning,
     "what still ran after {seconds} s was cut short: a file is held by somebody, or the disk is slow",
     {"seconds"}},
    {Event::maintenance_done, "maintenance_done", Severity::info, "{task} is done", {"task"}},
    {Event::maintenance_failed,
     "maintenance_failed",
     Severity::warning,
     "{task} failed: {error}",
     {"task", "error", "hint"}},
    {Event::retention_waits,
     "retention_waits",
     Severity::warning,
     "mirror.retention will erase {conversations} conversations whose last chat was before {horizon}, not before {at}: "
     "alli-mirror purge --retention --dry-run",
     {"conversations", "horizon", "at"}},
    {Event::retention_applied,
     "retention_applied",
     Severity::info,
     "mirror.retention has erased {conversations} conversations whose last chat was before {horizon}",
     {"conversations", "chats", "horizon"}},
    {Event::webhook_failing,
     "webhook_failing",
     Severity::warning,
     "the webhook {webhook} does not take events, which wait: {error}",
     {"webhook", "error"},
     "webhook"},
    {Event::webhook_delivers,
     "webhook_delivers",
     Severity::info,
     "the webhook {webhook} takes events again",
     {"webhook"}},
    {Event::webhook_refused,
     "webhook_refused",
     Severity::warning,
     "the webhook {webhook} refuses an event; those of its conversation wait: {error}",
     {"webhook", "error", "#conversation"},
     "webhook"},
    {Event::webhook_gave_up,
     "webhook_gave_up",
     Severity::warning,
     "the webhook {webhook} refused an event for a week, which is left out: {error}",
     {"webhook", "error", "#conversation"},
     "webhook"},
    {Event::webhook_ended,
     "webhook_ended",
     Severity::error,
     "the webhook {webhook} is not called any more, until alli-mirror webhook wake: {error}",
     {"webhook", "error"}},
    {Event::webhook_paused,
     "webhook_paused",
     Severity::warning,
     "the webhook {webhook} waits for our own files: {error}",
     {"webhook", "error"}},
    {Event::repeats, "repeats", Severity::info, "{count} more of {of} were not written", {"count", "of"}},
    {Event::lines_lost,
     "lines_lost",
     Severity::warning,
     "{count} lines of the log were lost: whoever reads it did not keep up",
     {"count"}},
});

constexpr const EventRow& row_of(Event event)
{
    return event_table[static_cast<std::size_t>(event)];
}

constexpr std::size_t field_count(const EventRow& row)
{
    std::size_t count = 0;
    while (count < row.fields.size() && !row.fields[count].empty()) ++count;
    return count;
}

constexpr bool is_in_order(std::span<const EventRow> rows)
{
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].event != static_cast<Event>(i)) return false;
    return rows.size() == static_cast<std::size_t>(Event::count);
}
static_assert(is_in_order(event_table));

} // namespace alli

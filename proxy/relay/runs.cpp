// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/runs.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

template <class Table>
auto find_row(Table& table, const ConversationId& id)
{
    return std::find_if(table.begin(), table.end(), [&](const auto& run) { return run.id == id; });
}

// True if a mirror that was verified then shows a run that ended at `end`, or if that was after `asked_at`.
bool shows(std::optional<Instant> verified_at, Instant end, Instant asked_at)
{
    return verified_at && *verified_at >= std::min(end, asked_at);
}

Instant instant_of(const std::atomic<std::int64_t>& microseconds)
{
    return Instant{Instant::duration{microseconds.load()}};
}

} // namespace

// Its end is unknown from now on.
void Runs::forget(const Run& run) noexcept
{
    if (!run.end) return;
    const std::int64_t end = run.end->time_since_epoch().count();
    std::int64_t known = last_unknown_end_.load();
    while (known < end && !last_unknown_end_.compare_exchange_weak(known, end)) {
    }
}

Runs::Run& Runs::row_of(Table& table, const ConversationId& id)
{
    const auto found = find_row(table, id);
    if (found != table.end()) return *found;
    if (table.size() >= most) {
        const auto oldest = std::min_element(table.begin(), table.end(),
                                             [](const Run& a, const Run& b) { return a.last_word < b.last_word; });
        forget(*oldest);
        table.erase(oldest);
    }
    table.push_back({id});
    return table.back();
}

std::int64_t Runs::count_active(const Table& table)
{
    return std::count_if(table.begin(), table.end(), [](const Run& run) { return run.phase != RunPhase::at_rest; });
}

// The count follows the table, each change by its own difference: a reader that sees the old count came before the
// event.
template <class Change>
void Runs::change(Change function)
{
    std::int64_t difference = 0;
    table_.update([&](Table& table) {
        const auto before = count_active(table);
        function(table);
        difference = count_active(table) - before;
    });
    active_ += difference;
}

// A fetch after an earlier end goes on: its fence stays.
void Runs::running(const ConversationId& id, Clock::Steady now, std::int64_t chats)
{
    const std::uint64_t fence = ++fences_;
    change([&](Table& table) {
        std::erase_if(table, [&](const Run& run) {
            if (is_forgotten(run, now)) forget(run);
            return is_forgotten(run, now);
        });
        Run& run = row_of(table, id);
        run.chats_before = run.is_running() ? run.chats_before : chats;
        run.phase = RunPhase::running;
        run.last_word = now;
        if (!run.end) run.fence = fence; // a fetch that began before does not settle it
    });
}

std::uint64_t Runs::begun(const ConversationId& id, Clock::Steady now, Instant wall_now, std::int64_t chats)
{
    running(id, now, chats);
    const std::uint64_t fence = ++fences_;
    last_end_.store(wall_now.time_since_epoch().count());
    change([&](Table& table) {
        Run& run = row_of(table, id);
        run.fence = fence;
        run.first_end = run.first_end.value_or(wall_now);
        run.end = wall_now;
    });
    return fence;
}

Runs::End Runs::ended(const ConversationId& id, Clock::Steady now, Instant wall_now)
{
    End end{++fences_};
    last_end_.store(wall_now.time_since_epoch().count());
    change([&](Table& table) {
        Run& run = row_of(table, id);
        if (run.is_running()) end.chats_before = run.chats_before;
        run = Run{id, RunPhase::settling, end.fence, now, 0, run.first_end.value_or(wall_now), wall_now};
    });
    return end;
}

void Runs::ended_somewhere(Instant wall_now) noexcept
{
    last_unknown_end_.store(wall_now.time_since_epoch().count());
    last_end_.store(wall_now.time_since_epoch().count());
}

void Runs::fetched(const ConversationId& id, std::uint64_t fence, bool whole, Clock::Steady now)
{
    change([&](Table& table) {
        const auto run = find_row(table, id);
        if (run == table.end() || run->fence != fence) return; // a later event
        if (!run->is_running()) run->phase = whole ? RunPhase::at_rest : RunPhase::unsettled;
        run->last_word = now;
        if (whole) run->first_end = run->end = std::nullopt;
    });
}

bool Runs::is_forgotten(const Run& run, Clock::Steady now) noexcept
{
    return now - run.last_word > forget_after;
}

RunPhase Runs::find(const ConversationId& id, Clock::Steady now) const
{
    if (at_rest()) return RunPhase::at_rest;
    const auto table = table_.load();
    const auto run = find_row(*table, id);
    if (run == table->end() || is_forgotten(*run, now)) return RunPhase::at_rest;
    return run->phase;
}

std::optional<bool> Runs::is_fetched(const ConversationId& id, std::uint64_t fence, Clock::Steady now) const
{
    const auto table = table_.load();
    const auto run = find_row(*table, id);
    if (run == table->end() || run->fence != fence || is_forgotten(*run, now)) return std::nullopt;
    return run->phase == RunPhase::at_rest;
}

std::optional<std::int64_t> Runs::find_running(const ConversationId& id, Clock::Steady now) const
{
    if (at_rest()) return std::nullopt;
    const auto table = table_.load();
    const auto run = find_row(*table, id);
    if (run == table->end() || !run->is_running() || is_forgotten(*run, now)) return std::nullopt;
    return run->chats_before;
}

bool Runs::may_have_changed(const ConversationId& id, Clock::Steady now, std::chrono::nanoseconds within) const
{
    const auto table = table_.load();
    const auto run = find_row(*table, id);
    return run == table->end() || run->phase == RunPhase::running || now - run->last_word > within;
}

Ends Runs::find_ends(std::optional<Instant> verified_at, Instant asked_at) const
{
    const auto shown = [&](Instant end) { return shows(verified_at, end, asked_at); };
    if (!has_ends() || shown(instant_of(last_end_))) return Ends::shown;
    if (last_unknown_end_.load() != 0 && !shown(instant_of(last_unknown_end_))) return Ends::unknown;
    const auto table = table_.load();
    Ends all = Ends::shown;
    for (const Run& run : *table) {
        if (!run.end || *run.first_end > asked_at || shown(*run.end)) continue;
        if (run.phase == RunPhase::unsettled) return Ends::unknown;
        all = Ends::awaited;
    }
    return all;
}

void Runs::categories_changed(Instant wall_now) noexcept
{
    last_category_.store(wall_now.time_since_epoch().count());
}

std::optional<Instant> Runs::categories_changed_at() const noexcept
{
    const std::int64_t at = last_category_.load();
    if (at == 0) return std::nullopt;
    return Instant{Instant::duration{at}};
}

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/runs.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

template <class Table>
auto find_row(Table& table, const ConversationId& id)
{
    return std::find_if(table.begin(), table.end(), [&](const auto& run) { return run.id == id; });
}

bool is_before(std::int64_t end, std::optional<Instant> verified_at)
{
    return end == 0 || (verified_at && verified_at->time_since_epoch().count() >= end);
}

} // namespace

Runs::Runs() : table_(std::make_shared<const Table>()) {}

// What ended in it, nobody knows any more.
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

// The count follows the table, each change by its own difference: whoever reads it before came before the event.
template <class Change>
void Runs::change(Change function)
{
    auto known = table_.load();
    std::int64_t difference = 0;
    for (bool swapped = false; !swapped;) {
        auto next = std::make_shared<Table>(*known);
        function(*next);
        difference = count_active(*next) - count_active(*known);
        swapped = table_.compare_exchange_weak(known, std::shared_ptr<const Table>(std::move(next)));
    }
    active_ += difference;
}

void Runs::running(const ConversationId& id, Clock::Steady now, std::int64_t chats)
{
    const std::uint64_t fence = ++fences_; // no fetch from before this settles it
    change([&](Table& table) {
        std::erase_if(table, [&](const Run& run) {
            if (is_forgotten(run, now)) forget(run);
            return is_forgotten(run, now);
        });
        Run& run = row_of(table, id);
        run = Run{id, RunPhase::running, fence, now, run.is_running() ? run.chats_before : chats, run.end};
    });
}

Runs::End Runs::ended(const ConversationId& id, Clock::Steady now, Instant wall_now)
{
    End end{++fences_};
    last_end_.store(wall_now.time_since_epoch().count());
    change([&](Table& table) {
        Run& run = row_of(table, id);
        if (run.is_running()) end.chats_before = run.chats_before;
        run = Run{id, RunPhase::settling, end.fence, now, 0, wall_now};
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
        if (run == table.end() || run->fence != fence) return; // something has begun or ended since
        run->phase = whole ? RunPhase::at_rest : RunPhase::unsettled;
        run->last_word = now;
        if (whole) run->end.reset();
    });
}

bool Runs::is_forgotten(const Run& run, Clock::Steady now) noexcept
{
    return now - run.last_word > without_a_word;
}

RunPhase Runs::find(const ConversationId& id, Clock::Steady now) const
{
    if (at_rest()) return RunPhase::at_rest;
    const auto table = table_.load();
    const auto run = find_row(*table, id);
    if (run == table->end() || is_forgotten(*run, now)) return RunPhase::at_rest;
    return run->phase;
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

Ends Runs::find_ends(std::optional<Instant> verified_at) const
{
    if (is_before(last_end_.load(), verified_at)) return Ends::shown;
    if (!is_before(last_unknown_end_.load(), verified_at)) return Ends::unknown;
    const auto table = table_.load();
    Ends all = Ends::shown;
    for (const Run& run : *table) {
        if (!run.end || is_before(run.end->time_since_epoch().count(), verified_at)) continue;
        if (run.phase != RunPhase::settling) return Ends::unknown;
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

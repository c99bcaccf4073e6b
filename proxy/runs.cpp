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

template <class Table>
auto& row_of(Table& table, const ConversationId& id)
{
    const auto found = find_row(table, id);
    if (found != table.end()) return *found;
    if (table.size() >= Runs::most)
        table.erase(std::min_element(table.begin(), table.end(),
                                     [](const auto& a, const auto& b) { return a.last_word < b.last_word; }));
    table.push_back({id});
    return table.back();
}

} // namespace

Runs::Runs() : table_(std::make_shared<const Table>()) {}

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

void Runs::running(const ConversationId& id, Clock::Steady now)
{
    const std::uint64_t fence = ++fences_; // no fetch from before this settles it
    change([&](Table& table) {
        std::erase_if(table, [&](const Run& run) { return is_forgotten(run, now); });
        row_of(table, id) = Run{id, RunPhase::running, fence, now};
    });
}

Runs::End Runs::ended(const ConversationId& id, Clock::Steady now, Instant wall_now)
{
    End end{++fences_};
    ended_somewhere(wall_now);
    change([&](Table& table) {
        Run& run = row_of(table, id);
        end.was_running = run.phase == RunPhase::running && run.fence != 0;
        run = Run{id, RunPhase::settling, end.fence, now};
    });
    return end;
}

void Runs::ended_somewhere(Instant wall_now) noexcept
{
    last_end_.store(wall_now.time_since_epoch().count());
}

void Runs::fetched(const ConversationId& id, std::uint64_t fence, bool whole, Clock::Steady now)
{
    change([&](Table& table) {
        const auto run = find_row(table, id);
        if (run == table.end() || run->fence != fence) return; // something has begun or ended since
        run->phase = whole ? RunPhase::at_rest : RunPhase::unsettled;
        run->last_word = now;
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

bool Runs::may_have_changed(const ConversationId& id, Clock::Steady now, std::chrono::nanoseconds within) const
{
    const auto table = table_.load();
    const auto run = find_row(*table, id);
    return run == table->end() || run->phase == RunPhase::running || now - run->last_word > within;
}

std::optional<Instant> Runs::last_end() const noexcept
{
    const std::int64_t at = last_end_.load();
    if (at == 0) return std::nullopt;
    return Instant{Instant::duration{at}};
}

} // namespace alli::proxy

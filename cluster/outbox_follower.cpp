// SPDX-License-Identifier: Apache-2.0
#include "cluster/outbox_follower.hpp"

#include <algorithm>
#include <utility>

namespace alli::cluster {
namespace {

using namespace std::chrono_literals;

constexpr auto kept_here = 24h;      // what is settled, as on one machine
constexpr auto kept_there = 24h * 7; // so that a node may be away for as long
constexpr auto between_purges = 1min;
constexpr auto between_forgetting = 10min;
constexpr auto look_again = 5ms;
constexpr std::int64_t most_unstored = 20'000;
constexpr std::size_t most_handed_over = 200;
constexpr int most_purged = 1'000;
constexpr const char* lacking =
    "the shared database did not have it: what was written since is not known to have come before or after it. Retry"
    " it to send it all the same, or discard it";

} // namespace

OutboxFollower::OutboxFollower(SharedOutbox& outbox, cache::Store& store, Clock& clock, const NodeOptions& options,
                               const NodeHooks& hooks)
    : outbox_(outbox), store_(store), clock_(clock), options_(options), hooks_(hooks),
      position_(store.read_outbox([](cache::Reader& db) { return cache::find_writes_position(db); }))
{
    if (position_) stored_ = position_->number;
}

Task<> OutboxFollower::follow(const Head& head)
{
    const bool joins = !position_ || position_->store != head.store;
    if (joins && !delivers_) co_await join(head, true);
    if (joins) co_return;
    if (head.last_write <= position_->number && head.last.number - stored_ < most_unstored) {
        if (head.last.number > position_->number) position_ = {head.store, head.last.number, head.last.nonce};
        asked_at_ = clock_.steady();
        co_return;
    }
    for (bool more = true; more;) {
        const Clock::Steady asked_at = clock_.steady();
        Position after{position_->number, position_->nonce};
        WriteChanges changes = co_await outbox_.changes(std::move(after), options_.batch);
        if (changes.continuity != Continuity::same) {
            if (!delivers_) co_await join(head, changes.continuity == Continuity::other);
            co_return;
        }
        more = changes.upto != changes.last;
        std::optional<cache::WritesPosition> reached =
            cache::WritesPosition{head.store, changes.upto.number, changes.upto.nonce};
        co_await apply(std::move(changes.writes), std::move(reached));
        asked_at_ = asked_at;
    }
}

// Rows that change meanwhile come again after the number that is noted before.
Task<> OutboxFollower::join(Head head, bool hands_over)
{
    numbers_.clear();
    position_.reset();
    std::vector<std::string> known;
    std::int64_t after = 0;
    for (bool at_end = false; !at_end;) {
        WriteChunk chunk = co_await outbox_.read_all(after, options_.batch);
        at_end = chunk.at_end || chunk.writes.empty();
        if (!chunk.writes.empty()) after = chunk.writes.back().entry.id;
        for (const cache::SharedWrite& one : chunk.writes) known.push_back(one.entry.upstream_key);
        co_await apply(std::move(chunk.writes), std::nullopt);
    }
    const Instant since = clock_.now() - kept_here;
    auto strays = store_.read_outbox([&](cache::Reader& db) { return cache::find_strays(db, known, since); });
    if (hands_over)
        co_await hand_over(std::move(strays));
    else
        co_await remove(std::move(strays));
    std::optional<cache::WritesPosition> reached = cache::WritesPosition{head.store, head.last.number, head.last.nonce};
    std::vector<cache::SharedWrite> none;
    co_await apply(std::move(none), std::move(reached));
}

Task<> OutboxFollower::remove(std::vector<cache::SharedWrite> strays)
{
    std::vector<cache::AppliedWrite> gone;
    for (cache::SharedWrite& one : strays) {
        gone.emplace_back().entry = std::move(one.entry);
        gone.back().gone = true;
    }
    const auto drop = [&](cache::Writer& db) {
        for (const cache::AppliedWrite& one : gone) cache::remove_write(db, one.entry.id);
    };
    if (gone.empty()) co_return;
    co_await store_.write_outbox(drop);
    co_await show(std::move(gone));
}

// The database has them now: a process that ends on the way joins again, and finds them there.
Task<> OutboxFollower::hand_over(std::vector<cache::SharedWrite> strays)
{
    for (std::size_t from = 0; from < strays.size(); from += most_handed_over) {
        const auto first = strays.begin() + static_cast<std::ptrdiff_t>(from);
        const auto last =
            strays.begin() + static_cast<std::ptrdiff_t>(std::min(from + most_handed_over, strays.size()));
        std::vector<cache::SharedWrite> some(first, last);
        std::vector<cache::SharedWrite> held = some;
        std::vector<cache::SharedWrite> there = co_await outbox_.hand_over(std::move(held), lacking);
        std::vector<cache::SharedWrite> moved;
        for (std::size_t i = 0; i < some.size() && i < there.size(); ++i)
            if (there[i].entry.id != some[i].entry.id) moved.push_back(std::move(some[i]));
        co_await remove(std::move(moved));
        co_await apply(std::move(there), std::nullopt);
    }
}

void OutboxFollower::purge_old(cache::Writer& outbox)
{
    cache::purge_entries(outbox, clock_.now() - kept_here, most_purged);
}

// Rows are compared, and put in line for the file, in one go: of two that arrive together the later one stays. What
// does not get there comes once more.
Task<> OutboxFollower::apply(std::vector<cache::SharedWrite> rows, std::optional<cache::WritesPosition> reached)
{
    std::erase_if(rows, [&](const cache::SharedWrite& row) { return !note(row.entry.id, row.number); });
    std::vector<std::pair<std::int64_t, std::int64_t>> noted;
    for (const cache::SharedWrite& row : rows) noted.emplace_back(row.entry.id, row.number);
    std::exception_ptr failed;
    try {
        co_await put(std::move(rows), std::move(reached));
    } catch (...) {
        failed = std::current_exception();
    }
    if (!failed) co_return;
    for (const auto& [id, number] : noted)
        if (const auto known = numbers_.find(id); known != numbers_.end() && known->second == number)
            numbers_.erase(known);
    std::rethrow_exception(failed);
}

Task<> OutboxFollower::put(std::vector<cache::SharedWrite> rows, std::optional<cache::WritesPosition> reached)
{
    const bool purges = clock_.steady() - purged_at_ >= between_purges;
    if (purges) purged_at_ = clock_.steady();
    const bool stored = reached && (!rows.empty() || reached->number - stored_ >= most_unstored || stored_ == 0);
    if (rows.empty() && !stored && !purges) {
        if (reached) position_ = std::move(reached);
        co_return;
    }
    const bool fresh = delivers_ && reached && asked_at_ && clock_.steady() - *asked_at_ < 4 * options_.poll;
    if (fresh) set_by_own_clock(rows);
    const Instant kept_since = clock_.now() - kept_here;
    const cache::SuppressedNames names = cache::find_suppressed_names(store_, rows);
    std::vector<cache::AppliedWrite> applied;
    const auto write = [&](cache::Writer& db) {
        applied = cache::apply_writes(db, rows, kept_since, names);
        if (stored) cache::put_writes_position(db, *reached);
        if (purges) purge_old(db);
    };
    co_await store_.write_outbox(write);
    if (stored) stored_ = reached->number;
    if (fresh)
        for (cache::AppliedWrite& one : applied) one.is_fresh = one.is_new;
    co_await show(std::move(applied));
    if (reached) position_ = std::move(reached);
    forget_numbers();
}

// Whoever delivers a stop asks how old it is: no clocks of two machines are compared.
void OutboxFollower::set_by_own_clock(std::vector<cache::SharedWrite>& rows) const
{
    const Instant now = clock_.now();
    for (cache::SharedWrite& row : rows)
        if (row.entry.kind == cache::EditKind::stop && row.entry.attempts == 0)
            row.entry.created_at = std::clamp(row.entry.created_at, now - 4 * options_.poll, now);
}

// A fresh one at the leader shows when it has to wait: whoever delivers it sees to that.
Task<> OutboxFollower::show(std::vector<cache::AppliedWrite> applied)
{
    if (applied.empty()) co_return;
    std::vector<cache::AppliedWrite> shown = applied;
    if (delivers_) std::erase_if(shown, [](const cache::AppliedWrite& one) { return one.is_fresh; });
    const cache::Confirmation when(clock_.steady(), clock_.now(), options_.read_lag);
    const auto put = [&](cache::Writer& db) {
        if (delivers_)
            cache::show_writes(db, shown, when);
        else
            cache::show_writes(db, shown);
    };
    if (!shown.empty()) co_await store_.write(put);
    hooks_.writes(applied);
}

// What comes from now on has a higher number than they have.
void OutboxFollower::forget_numbers()
{
    constexpr std::size_t enough = 100'000;
    if (numbers_.size() < enough) return;
    std::erase_if(numbers_, [&](const auto& one) { return one.second <= position(); });
}

bool OutboxFollower::note(std::int64_t id, std::int64_t number)
{
    std::int64_t& known = numbers_[id];
    if (number <= known) return false;
    known = number;
    return true;
}

Task<std::optional<std::int64_t>> OutboxFollower::find_number(std::int64_t id)
{
    if (const auto known = numbers_.find(id); known != numbers_.end()) co_return known->second;
    const auto row = co_await outbox_.find(id);
    if (!row) co_return std::nullopt;
    const bool here = row->number <= position(); // else what it has become is still to come
    if (here) note(id, row->number);
    co_return row->number;
}

Task<bool> OutboxFollower::take(cache::SharedWrite row, std::chrono::milliseconds patience)
{
    const std::int64_t number = row.number;
    if (!epoch_) {
        std::vector<cache::SharedWrite> rows;
        if (number > position()) rows.push_back(std::move(row));
        co_await apply(std::move(rows), std::nullopt);
        co_return true;
    }
    hear_soon();
    const Clock::Steady until = clock_.steady() + patience;
    while (position() < number && clock_.steady() < until) co_await clock_.sleep(look_again);
    co_return position() >= number;
}

Task<> OutboxFollower::recover()
{
    std::vector<cache::SharedWrite> rows = co_await outbox_.recover(*epoch_);
    co_await apply(std::move(rows), std::nullopt);
    delivers_ = true;
}

Task<> OutboxFollower::forget()
{
    if (!epoch_ || clock_.steady() - forgot_at_ < between_forgetting) co_return;
    forgot_at_ = clock_.steady();
    co_await outbox_.forget(*epoch_, kept_there);
}

} // namespace alli::cluster

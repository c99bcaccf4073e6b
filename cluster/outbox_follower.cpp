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
constexpr std::size_t most_handed_over = 200, most_bytes_handed_over = std::size_t{1} << 20;
constexpr auto until_it_is_here = 1min; // what was begun or settled there
constexpr int most_purged = 1'000;
constexpr const char* lacking =
    "the shared database did not have it: what was written since is not known to have come before or after it. Retry"
    " it to send it all the same, or discard it";
constexpr const char* too_late = "it was handed over too late: stopping an answer later is worthless";

// In conflict it would hold up its conversation.
void end_stop(cache::SharedWrite& write)
{
    const bool waits =
        write.entry.state == cache::EntryState::pending || write.entry.state == cache::EntryState::sending;
    if (write.entry.kind != cache::EditKind::stop || !waits) return;
    write.entry.state = cache::EntryState::failed;
    write.entry.last_error = too_late;
}

} // namespace

OutboxFollower::OutboxFollower(SharedOutbox& outbox, cache::Store& store, Clock& clock, const NodeOptions& options,
                               const NodeHooks& hooks)
    : outbox_(outbox), store_(store), clock_(clock), options_(options), hooks_(hooks),
      position_(store.read_outbox([](cache::Reader& db) { return cache::find_writes_position(db); }))
{
    if (position_) stored_ = position_->number;
    looked_through_ = store.read_outbox([](cache::Reader& db) { return cache::find_looked_through(db); }).value_or(0);
}

// That no write changed since does not say that none was lost: each position is shown to the database, with its nonce.
Task<bool> OutboxFollower::follow(const Head& head)
{
    if (joins_anew_ || !refused_.empty() || !position_ || position_->store != head.store)
        co_return co_await join_unless_delivering(head);
    co_await read_again();
    if (head.last == Position{position_->number, position_->nonce}) {
        asked_at_ = clock_.steady();
        co_return true;
    }
    Applied applied;
    bool follows = false;
    std::exception_ptr failed;
    try {
        follows = co_await follow_changes(head, &applied);
    } catch (...) {
        failed = std::current_exception();
    }
    for (const cache::AppliedWrite& one : applied) read_again_.insert(one.entry.id); // that do not show yet
    if (failed) std::rethrow_exception(failed);
    co_return follows;
}

// At a leader they show together: of those that follow some may go before.
Task<bool> OutboxFollower::follow_changes(const Head& head, Applied* applied)
{
    for (bool more = true; more;) {
        const Clock::Steady asked_at = clock_.steady();
        Position after{position_->number, position_->nonce};
        WriteChanges changes = co_await outbox_.changes(std::move(after), options_.batch);
        if (changes.continuity != Continuity::same) {
            forgotten_ = changes.continuity == Continuity::forgotten;
            co_return co_await join_unless_delivering(head);
        }
        more = changes.upto != changes.last;
        std::optional<cache::WritesPosition> reached =
            cache::WritesPosition{head.store, changes.upto.number, changes.upto.nonce};
        co_await put(std::move(changes.writes), std::move(reached), applied);
        asked_at_ = asked_at;
        if (!more || !delivers_) co_await show(std::exchange(*applied, {}));
    }
    co_return true;
}

Task<bool> OutboxFollower::join_unless_delivering(const Head& head)
{
    if (delivers_) co_return false;
    co_await join(head);
    co_return true;
}

// Rows that change meanwhile come again after the number that is noted before. What is delivered here and open there
// is told before what is there comes here.
Task<> OutboxFollower::join(Head head)
{
    numbers_.clear();
    refused_.clear();
    position_.reset();
    joins_anew_ = true;
    std::map<std::string, std::int64_t> there;
    std::int64_t after = 0;
    for (bool at_end = false; !at_end;) {
        WriteChunk chunk = co_await outbox_.read_all(after, options_.batch);
        at_end = chunk.at_end || chunk.writes.empty();
        if (!chunk.writes.empty()) after = chunk.writes.back().entry.id;
        for (const cache::SharedWrite& one : chunk.writes) there.emplace(one.entry.upstream_key, one.entry.id);
        const auto find = [&](cache::Reader& db) { return cache::find_delivered(db, chunk.writes); };
        std::vector<cache::SharedWrite> delivered = store_.read_outbox(find);
        for (const cache::SharedWrite& one : delivered)
            std::erase_if(chunk.writes, [&](const auto& row) { return row.entry.id == one.entry.id; });
        co_await hand_over(std::move(delivered));
        co_await apply(std::move(chunk.writes), std::nullopt);
    }
    co_await put_in_order(std::move(there));
    joins_anew_ = forgotten_ = false;
    std::optional<cache::WritesPosition> reached = cache::WritesPosition{head.store, head.last.number, head.last.nonce};
    std::vector<cache::SharedWrite> none;
    co_await apply(std::move(none), std::move(reached));
}

// What is here and not there, under other ids, or in the way of others. What the database forgot, in its time, it had:
// of that only what waits here may be more than it knows.
Task<> OutboxFollower::put_in_order(std::map<std::string, std::int64_t> there)
{
    std::vector<std::string> known;
    for (const auto& [key, id] : there) known.push_back(key);
    const Instant since = clock_.now() - kept_here;
    auto strays = store_.read_outbox([&](cache::Reader& db) { return cache::find_strays(db, known, since); });
    std::erase_if(strays, [&](const auto& one) { return numbers_.contains(one.entry.id); }); // accepted meanwhile
    auto gone = store_.read_outbox([&](cache::Reader& db) { return cache::find_moved(db, there); });
    if (forgotten_) {
        const auto done = std::stable_partition(strays.begin(), strays.end(), [](const auto& one) {
            return one.entry.state != cache::EntryState::delivered && one.entry.state != cache::EntryState::failed;
        });
        std::move(done, strays.end(), std::back_inserter(gone));
        strays.erase(done, strays.end());
    }
    co_await remove(std::move(gone));
    co_await hand_over(std::move(strays));
    const auto drop = [&](cache::Writer& db) { // settled so long ago that nobody asks for them
        for (const std::int64_t id : refused_) cache::remove_write(db, id);
    };
    if (!refused_.empty()) co_await store_.write_outbox(drop);
    read_again_.merge(refused_);
    refused_.clear();
    co_await read_again();
}

// By id: what is there now.
Task<> OutboxFollower::read_again()
{
    while (!read_again_.empty()) {
        const std::int64_t id = *read_again_.begin();
        auto row = co_await outbox_.find(id);
        numbers_.erase(id);
        std::vector<cache::SharedWrite> rows;
        if (row) rows.push_back(std::move(*row));
        co_await apply(std::move(rows), std::nullopt);
        read_again_.erase(id);
    }
}

void OutboxFollower::end_leading()
{
    epoch_.reset();
    delivers_ = false;
    for (const auto& [id, when] : std::exchange(delivering_, {})) read_again_.insert(id);
}

void OutboxFollower::note_delivering(std::int64_t id, std::int64_t number)
{
    note(id, number);
    const Clock::Steady now = clock_.steady();
    delivering_[id] = now;
    if (delivering_.size() % 1'000 == 0)
        std::erase_if(delivering_, [&](const auto& one) { return now - one.second > until_it_is_here; });
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
    for (const cache::AppliedWrite& one : gone) numbers_.erase(one.entry.id);
    co_await show(std::move(gone));
}

// The database has them now: a process that ends on the way joins again, and finds them there.
Task<> OutboxFollower::hand_over(std::vector<cache::SharedWrite> strays)
{
    for (std::size_t from = 0; from < strays.size();) {
        std::vector<cache::SharedWrite> some;
        for (std::size_t bytes = 0; from < strays.size() && some.size() < most_handed_over; ++from) {
            const cache::Entry& entry = strays[from].entry;
            bytes += entry.body.size() + entry.response.value_or("").size();
            if (!some.empty() && bytes > most_bytes_handed_over) break;
            some.push_back(std::move(strays[from]));
        }
        for (cache::SharedWrite& one : some) end_stop(one);
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

Task<> OutboxFollower::apply(std::vector<cache::SharedWrite> rows, std::optional<cache::WritesPosition> reached)
{
    Applied applied;
    co_await put(std::move(rows), std::move(reached), &applied);
    co_await show(std::move(applied));
}

// Rows are compared, and put in line for the file, in one go: of two that arrive together the later one stays. What
// does not get there is read again.
Task<> OutboxFollower::put(std::vector<cache::SharedWrite> rows, std::optional<cache::WritesPosition> reached,
                           Applied* all)
{
    note_erased(rows, cache::find_suppressed_names(store_, rows));
    std::erase_if(rows, [&](const cache::SharedWrite& row) { return !note(row.entry.id, row.number); });
    std::vector<std::int64_t> ids;
    for (const cache::SharedWrite& row : rows) ids.push_back(row.entry.id);
    std::exception_ptr failed;
    try {
        co_await write(std::move(rows), std::move(reached), all);
    } catch (...) {
        failed = std::current_exception();
    }
    if (!failed) co_return;
    read_again_.insert(ids.begin(), ids.end());
    std::rethrow_exception(failed);
}

Task<> OutboxFollower::write(std::vector<cache::SharedWrite> rows, std::optional<cache::WritesPosition> reached,
                             Applied* all)
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
    cache::AppliedWrites done;
    const auto apply_all = [&](cache::Writer& db) {
        done = cache::apply_writes(db, rows, kept_since, names);
        if (stored) cache::put_writes_position(db, *reached);
        if (purges) purge_old(db);
    };
    co_await store_.write_outbox(apply_all);
    if (stored) stored_ = reached->number;
    for (const std::int64_t id : done.refused) numbers_.erase(id);
    refused_.insert(done.refused.begin(), done.refused.end());
    for (cache::AppliedWrite& one : done.writes) one.is_fresh = fresh && one.is_new;
    std::move(done.writes.begin(), done.writes.end(), std::back_inserter(*all));
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

// A fresh one at the leader shows when it has to wait: whoever delivers it sees to that. What cannot be shown is read
// again.
Task<> OutboxFollower::show(std::vector<cache::AppliedWrite> applied)
{
    if (applied.empty()) co_return;
    if (delivers_) store_.read_outbox([&](cache::Reader& db) { cache::find_heads(db, applied); });
    std::vector<cache::AppliedWrite> shown = applied;
    if (delivers_) std::erase_if(shown, [](const cache::AppliedWrite& one) { return one.is_fresh; });
    const cache::Confirmation when(clock_.steady(), clock_.now(), options_.read_lag);
    const auto put = [&](cache::Writer& db) {
        if (delivers_)
            cache::show_writes(db, shown, when);
        else
            cache::show_writes(db, shown);
    };
    std::exception_ptr failed;
    try {
        if (!shown.empty()) co_await store_.write(put);
    } catch (...) {
        failed = std::current_exception();
    }
    if (failed) {
        for (const cache::AppliedWrite& one : applied) read_again_.insert(one.entry.id);
        std::rethrow_exception(failed);
    }
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

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
constexpr auto until_it_is_here = 1min; // what was begun or settled there
constexpr int most_purged = 1'000;

} // namespace

OutboxFollower::OutboxFollower(SharedOutbox& outbox, cache::Store& store, Clock& clock, const NodeOptions& options,
                               const NodeHooks& hooks)
    : outbox_(outbox), store_(store), clock_(clock), options_(options), hooks_(hooks),
      position_(store.read_outbox([](cache::Reader& db) { return cache::find_writes_position(db); }))
{
    if (position_) stored_ = heard_ = position_->number;
    const auto later = [this](cache::Reader& db) { return cache::find_later(db, heard_); };
    if (position_)
        for (const std::int64_t id : store.read_outbox(later)) ahead_[id] = id;
    looked_through_ = store.read_outbox([](cache::Reader& db) { return cache::find_looked_through(db); }).value_or(0);
}

// That no write changed since does not say that none was lost: each position is shown to the database, with its nonce.
// Its newest commits it may have lost all the same, behind that position: of what this node knew before the rounds got
// there each one has to come by them.
Task<bool> OutboxFollower::follow(const Head& head)
{
    if (!has_to_join(head)) co_await read_again();
    if (has_to_join(head)) co_return co_await join_unless_delivering(head);
    const std::map<std::int64_t, std::int64_t> ahead = ahead_;
    if (ahead.empty() && head.last == Position{position_->number, position_->nonce}) {
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
    if (!follows || !has_lost_one(ahead)) co_return follows;
    joins_anew_ = true;
    co_return co_await join_unless_delivering(head);
}

bool OutboxFollower::has_to_join(const Head& head) const
{
    return joins_anew_ || !refused_.empty() || !position_ || position_->store != head.store;
}

bool OutboxFollower::has_lost_one(const std::map<std::int64_t, std::int64_t>& before) const
{
    return std::any_of(before.begin(), before.end(), [&](const auto& one) {
        const auto now = ahead_.find(one.first);
        return now != ahead_.end() && now->second == one.second;
    });
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

Task<> OutboxFollower::read_again()
{
    while (!read_again_.empty()) {
        const std::int64_t id = *read_again_.begin();
        co_await read_again(id);
        read_again_.erase(id);
    }
}

// What is there now; of what was heard meanwhile that is older, maybe. What it lost, and what it takes for open though
// it was delivered, is settled where all is compared.
Task<> OutboxFollower::read_again(std::int64_t id)
{
    const auto number = [&] { return numbers_.contains(id) ? numbers_.at(id) : 0; };
    std::int64_t known = number();
    auto row = co_await outbox_.find(id);
    for (; number() != known; row = co_await outbox_.find(id)) known = number();
    const auto here = store_.read_outbox([id](cache::Reader& db) { return cache::find_entry(db, id); });
    const bool is_it = here && row && here->upstream_key == row->entry.upstream_key;
    const bool is_less = here && (!row || row->number < known ||
                                  (is_it && here->state == cache::EntryState::delivered && row->is_open()));
    if (is_less) joins_anew_ = true;
    if (is_less) co_return;
    numbers_.erase(id);
    std::vector<cache::SharedWrite> rows;
    if (row) rows.push_back(std::move(*row));
    co_await apply(std::move(rows), std::nullopt);
}

void OutboxFollower::end_leading()
{
    epoch_.reset();
    delivers_ = false;
    for (const auto& [id, when] : std::exchange(delivering_, {})) read_again_.insert(id);
}

void OutboxFollower::note_delivering(std::int64_t id, std::int64_t number)
{
    if (note(id, number)) note_ahead(id, number);
    const Clock::Steady now = clock_.steady();
    delivering_[id] = now;
    if (delivering_.size() % 1'000 == 0)
        std::erase_if(delivering_, [&](const auto& one) { return now - one.second > until_it_is_here; });
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
    if (reached) note_heard(rows, reached->number);
    std::erase_if(rows, [&](const cache::SharedWrite& row) { return !note(row.entry.id, row.number); });
    for (const cache::SharedWrite& row : rows) note_ahead(row.entry.id, row.number);
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
    const bool news = !rows.empty() || stored_ == 0 || (reached && reached->number - stored_ >= most_unstored);
    const bool stored = reached && news && handed_over_.empty();
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

void OutboxFollower::note_ahead(std::int64_t id, std::int64_t number)
{
    if (number > heard_) ahead_[id] = number;
}

void OutboxFollower::note_heard(const std::vector<cache::SharedWrite>& rows, std::int64_t upto)
{
    heard_ = upto;
    for (const cache::SharedWrite& row : rows)
        if (const auto one = ahead_.find(row.entry.id); one != ahead_.end() && one->second <= row.number) {
            handed_over_.erase(one->first);
            ahead_.erase(one);
        }
}

bool OutboxFollower::is_here(std::int64_t id, const std::string& upstream_key) const
{
    const auto entry = store_.read_outbox([id](cache::Reader& db) { return cache::find_entry(db, id); });
    return entry && entry->upstream_key == upstream_key;
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

// Where a round got as far without it, it was of a database that is no more, or needs nobody any more.
Task<bool> OutboxFollower::take(cache::SharedWrite row, std::chrono::milliseconds patience)
{
    const std::int64_t id = row.entry.id, number = row.number;
    const std::string key = row.entry.upstream_key;
    if (epoch_) hear_soon();
    const Clock::Steady until = clock_.steady() + patience;
    while (epoch_ && position() < number && clock_.steady() < until) co_await clock_.sleep(look_again);
    if (epoch_ && position() < number) co_return false;
    if (!epoch_ && number > heard_) {
        std::vector<cache::SharedWrite> rows;
        rows.push_back(std::move(row));
        co_await apply(std::move(rows), std::nullopt);
        co_return is_here(id, key);
    }
    if (is_here(id, key)) co_return true;
    const auto there = co_await outbox_.find(id);
    co_return there && there->entry.upstream_key == key && !there->waits();
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

// SPDX-License-Identifier: Apache-2.0
// How a node's outbox joins the one that is shared: all that is there is read, what is here and not there is handed
// over.
#include "cluster/outbox_follower.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace alli::cluster {
namespace {

using namespace std::chrono_literals;

constexpr auto asked_for = 24h; // what was settled before that nobody asks for
constexpr std::size_t most_handed_over = 200, most_bytes_handed_over = std::size_t{1} << 20;
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
    co_await forget_position(head.last.number);
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
            std::erase_if(chunk.writes,
                          [&](const auto& row) { return row.entry.upstream_key == one.entry.upstream_key; });
        co_await hand_over(std::move(delivered));
        co_await apply(std::move(chunk.writes), std::nullopt);
    }
    co_await put_in_order(std::move(there));
    forgotten_ = false;
    std::optional<cache::WritesPosition> reached = cache::WritesPosition{head.store, head.last.number, head.last.nonce};
    std::vector<cache::SharedWrite> none;
    co_await apply(std::move(none), std::move(reached));
}

// From here on it joins, and so does the process after this one.
Task<> OutboxFollower::forget_position(std::int64_t from)
{
    position_.reset();
    const auto forget = [](cache::Writer& db) { cache::forget_writes_position(db); };
    if (stored_ != 0) co_await store_.write_outbox(forget);
    stored_ = 0;
    numbers_.clear();
    refused_.clear();
    ahead_.clear();
    handed_over_.clear();
    heard_ = from;
    joins_anew_ = false;
}

// What is here and not there, under other ids, or in the way of others. What the database forgot, in its time, it had:
// of that only what waits here may be more than it knows. What came here meanwhile is shown to it as well: of an
// acceptance that took long it may not know.
Task<> OutboxFollower::put_in_order(std::map<std::string, std::int64_t> there)
{
    std::vector<std::string> known;
    for (const auto& [key, id] : there) known.push_back(key);
    const Instant since = clock_.now() - asked_for;
    auto strays = store_.read_outbox([&](cache::Reader& db) { return cache::find_strays(db, known, since); });
    auto gone = store_.read_outbox([&](cache::Reader& db) { return cache::find_moved(db, there); });
    if (forgotten_) {
        const auto done = std::stable_partition(strays.begin(), strays.end(), [](const auto& one) {
            return one.entry.state != cache::EntryState::delivered && one.entry.state != cache::EntryState::failed;
        });
        std::copy_if(std::make_move_iterator(done), std::make_move_iterator(strays.end()), std::back_inserter(gone),
                     [&](const auto& one) { return !numbers_.contains(one.entry.id); }); // else it came meanwhile
        strays.erase(done, strays.end());
    }
    co_await remove(std::move(gone));
    co_await hand_over(std::move(strays));
    const auto drop = [&](cache::Writer& db) { // settled so long ago that nobody asks for them
        for (const std::int64_t id : refused_) cache::remove_settled(db, id, since);
    };
    if (!refused_.empty()) co_await store_.write_outbox(drop);
    read_again_.merge(refused_);
    refused_.clear();
    co_await read_again();
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

// Under the ids that the database gave them, before they are here as they are there: at no time they are nowhere.
Task<> OutboxFollower::move(const std::vector<cache::SharedWrite>& held, const std::vector<cache::SharedWrite>& there)
{
    std::vector<cache::AppliedWrite> moved;
    const auto rename = [&](cache::Writer& db) {
        for (std::size_t i = 0; i < held.size() && i < there.size(); ++i)
            if (there[i].entry.id != held[i].entry.id) cache::move_write(db, held[i].entry.id, there[i].entry.id);
    };
    for (std::size_t i = 0; i < held.size() && i < there.size(); ++i) {
        if (there[i].entry.id == held[i].entry.id) continue;
        moved.emplace_back().entry = held[i].entry;
        moved.back().gone = true;
    }
    if (moved.empty()) co_return;
    co_await store_.write_outbox(rename);
    for (const cache::AppliedWrite& one : moved) numbers_.erase(one.entry.id);
    co_await show(std::move(moved));
}

// The database has them now: a process that ends on the way joins again, and finds them there. No position is written
// down before they came by the rounds: one that lost them again may know it still.
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
        for (const cache::SharedWrite& one : there)
            if (one.number > heard_) handed_over_.insert(one.entry.id);
        co_await move(some, there);
        co_await apply(std::move(there), std::nullopt);
    }
}

} // namespace alli::cluster

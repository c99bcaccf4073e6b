// SPDX-License-Identifier: Apache-2.0
#include "tests/support/model_outbox.hpp"

#include "tests/support/model_truth.hpp"

#include <algorithm>

using namespace alli;
using namespace alli::cluster;

namespace support {
namespace {

using cache::EntryState;
using cache::SharedWrite;

bool is_one_of(const SharedWrite& write, std::initializer_list<EntryState> states)
{
    return !write.discarded && std::find(states.begin(), states.end(), write.entry.state) != states.end();
}

bool is_final(EntryState state)
{
    return state == EntryState::failed || state == EntryState::delivered;
}

SharedWrite fresh_write(cache::NewWrite asked)
{
    SharedWrite write;
    write.principal = std::move(asked.principal);
    write.client_key = std::move(asked.entry.client_key);
    write.request_hash = std::move(asked.entry.request_hash);
    write.entry = cache::accepted_write(std::move(asked.entry), {}).entry;
    return write;
}

void apply(SharedWrite& write, cache::WriteOutcome settled, Instant now)
{
    cache::Outcome& outcome = settled.outcome;
    cache::Entry& entry = write.entry;
    entry.state = outcome.state;
    entry.last_status = outcome.status;
    entry.last_error = std::move(outcome.error);
    entry.response = std::move(outcome.response);
    entry.response_type = std::move(outcome.response_type);
    entry.conflict = std::move(outcome.conflict);
    entry.next_attempt_at = outcome.next_attempt_at;
    entry.in_doubt = outcome.in_doubt;
    entry.attempts = std::max(entry.attempts - (outcome.uncounted ? 1 : 0), 0);
    write.told = outcome.told;
    write.crashes = 0;
    write.settled_at = is_final(outcome.state) ? std::optional(now) : std::nullopt;
    if (!entry.conversation && is_final(outcome.state)) entry.base.reset();
    write.before = std::move(settled.before);
    write.foreign = std::move(settled.foreign);
    write.unproven_at = settled.unproven_at;
}

void try_again(SharedWrite& write)
{
    cache::Entry& entry = write.entry;
    if (entry.state == EntryState::failed) {
        write.crashes = 0;
        write.told = false;
        entry.place = write.number;
    }
    if (entry.state == EntryState::conflict) {
        entry.forced = true;
        entry.conflict.reset();
    }
    entry.state = EntryState::pending;
    entry.next_attempt_at.reset();
    write.settled_at.reset();
}

void empty(SharedWrite& write, Instant now)
{
    write.discarded = true;
    write.entry.body.clear();
    write.entry.headers.clear();
    write.entry.base.reset();
    write.entry.conflict.reset();
    write.entry.response.reset();
    write.entry.response_type.reset();
    write.entry.last_error.reset();
    write.client_key.reset();
    write.request_hash.clear();
    write.before.reset();
    write.foreign.reset();
    write.settled_at = now;
}

void empty_for_good(SharedWrite& write, Instant now)
{
    const std::optional<Instant> settled_at = write.settled_at;
    empty(write, settled_at.value_or(now));
    cache::Entry& entry = write.entry;
    if (entry.conversation) entry.conversation->value.clear();
    entry.chat.reset();
    entry.path.clear();
    write.principal.clear();
}

void lose(SharedWrite& write, Instant now)
{
    write.entry.in_doubt = true;
    write.entry.next_attempt_at.reset();
    if (++write.crashes < 3) {
        write.entry.state = EntryState::pending;
        return;
    }
    write.entry.state = EntryState::failed;
    write.entry.last_error = "three leaders in a row were lost while sending it; retry it by hand";
    write.settled_at = now;
}

} // namespace

void ModelOutbox::require_leader(std::int64_t epoch) const
{
    if (!truth_.leads(epoch)) throw NotLeader();
}

void ModelOutbox::put(SharedWrite write)
{
    ModelDatabase& database = truth_.database_;
    const std::int64_t id = write.entry.id;
    database.contents.writes[id] = {std::move(write), database.clock_.now()};
    database.tell();
}

std::optional<SharedWrite> ModelOutbox::change(std::int64_t id, const Test& is_so, const Change& change)
{
    ModelDatabase& database = truth_.database_;
    const std::int64_t number = database.number(1) + 1;
    const auto found = database.contents.writes.find(id);
    if (found == database.contents.writes.end()) return std::nullopt;
    if (!is_so(found->second.row)) return found->second.row;
    SharedWrite write = found->second.row;
    write.number = number;
    change(write);
    put(write);
    return write;
}

// Without a key: of whatever write it is.
std::optional<SharedWrite> ModelOutbox::change(const KnownWrite& known, const Test& is_so, const Change& its_change)
{
    const Test both = [&](const SharedWrite& row) {
        const bool is_it = known.upstream_key.empty() || row.entry.upstream_key == known.upstream_key;
        return is_it && row.number == known.number && is_so(row);
    };
    return change(known.id, both, its_change);
}

const SharedWrite* ModelOutbox::find_accepted(const cache::NewWrite& write) const
{
    if (const SharedWrite* const same = find_key(write.entry.upstream_key)) return same;
    for (const auto& [id, held] : truth_.database_.contents.writes)
        if (write.entry.client_key && held.row.client_key == write.entry.client_key &&
            held.row.principal == write.principal)
            return &held.row;
    return nullptr;
}

SharedWrite* ModelOutbox::find_key(const std::string& upstream_key) const
{
    for (auto& [id, held] : truth_.database_.contents.writes)
        if (held.row.entry.upstream_key == upstream_key) return &held.row;
    return nullptr;
}

Task<Accepted> ModelOutbox::accept(cache::NewWrite write, cache::OutboxLimits limits)
{
    using Kind = cache::Acceptance::Kind;
    co_await truth_.arrive();
    ModelDatabase& database = truth_.database_;
    const std::int64_t number = database.number(1) + 1;
    Accepted accepted;
    if (const SharedWrite* const found = find_accepted(write)) {
        const bool own = found->entry.upstream_key == write.entry.upstream_key;
        const bool same = found->request_hash == write.entry.request_hash;
        accepted = {own ? Kind::fresh : same ? Kind::repeated : Kind::mismatch, *found};
    } else {
        auto bytes = static_cast<std::int64_t>(write.entry.body.size());
        std::int64_t open = 0;
        for (const auto& [id, held] : database.contents.writes)
            if (held.row.is_open()) ++open, bytes += static_cast<std::int64_t>(held.row.entry.body.size());
        if (open >= limits.entries || bytes > limits.bytes) throw Error(Fault::unavailable, "", "the queue is full");
        accepted.write = fresh_write(std::move(write));
        accepted.write.entry.id = accepted.write.entry.place = accepted.write.number = number;
        accepted.write.node = truth_.self_.node;
        put(accepted.write);
    }
    co_await truth_.answer();
    co_return accepted;
}

Task<std::optional<SharedWrite>> ModelOutbox::begin(std::int64_t epoch, KnownWrite known,
                                                    std::optional<std::string> over)
{
    co_await truth_.arrive();
    require_leader(epoch);
    const Test waits = [](const SharedWrite& row) {
        return is_one_of(row, {EntryState::pending, EntryState::sending});
    };
    auto now = change(known, waits, [&](SharedWrite& row) {
        const bool is_sent = row.entry.state == EntryState::sending;
        if (!is_sent || row.epoch != epoch) ++row.entry.attempts;
        if (is_sent && row.epoch != epoch) row.entry.in_doubt = true;
        if (over) row.entry.base = over;
        row.entry.state = EntryState::sending;
        row.epoch = epoch;
    });
    co_await truth_.answer();
    co_return now;
}

Task<std::optional<SharedWrite>> ModelOutbox::settle(std::int64_t epoch, KnownWrite known, cache::WriteOutcome outcome)
{
    co_await truth_.arrive();
    require_leader(epoch);
    const Test is_unsettled = [](const SharedWrite& row) {
        return is_one_of(row, {EntryState::pending, EntryState::sending, EntryState::conflict});
    };
    auto now = change(known, is_unsettled,
                      [&](SharedWrite& row) { apply(row, std::move(outcome), truth_.database_.clock_.now()); });
    co_await truth_.answer();
    co_return now;
}

Task<std::vector<SharedWrite>> ModelOutbox::recover(std::int64_t epoch)
{
    co_await truth_.arrive();
    require_leader(epoch);
    ModelDatabase& database = truth_.database_;
    const std::int64_t number = database.number(1) + 1;
    std::vector<SharedWrite> recovered;
    for (auto& [id, held] : database.contents.writes) {
        if (!is_one_of(held.row, {EntryState::sending}) || held.row.epoch == epoch) continue;
        lose(held.row, database.clock_.now());
        held.row.number = number;
        held.changed_at = database.clock_.now();
        recovered.push_back(held.row);
    }
    std::sort(recovered.begin(), recovered.end(),
              [](const SharedWrite& a, const SharedWrite& b) { return a.entry.place < b.entry.place; });
    database.tell();
    co_await truth_.answer();
    co_return recovered;
}

Task<> ModelOutbox::release(std::int64_t epoch)
{
    co_await truth_.arrive();
    require_leader(epoch);
    ModelDatabase& database = truth_.database_;
    const std::int64_t number = database.number(1) + 1;
    for (auto& [id, held] : database.contents.writes) {
        if (!is_one_of(held.row, {EntryState::sending}) || held.row.epoch != epoch) continue;
        held.row.entry.state = EntryState::pending;
        held.row.entry.in_doubt = true;
        held.row.entry.next_attempt_at.reset();
        held.row.number = number;
    }
    database.tell();
    co_await truth_.answer();
}

Task<std::int64_t> ModelOutbox::forget(std::int64_t epoch, std::chrono::seconds age)
{
    co_await truth_.arrive();
    require_leader(epoch);
    ModelDatabase& database = truth_.database_;
    database.number(1);
    std::int64_t newest = 0;
    const auto count = std::erase_if(database.contents.writes, [&](const auto& one) {
        const SharedWrite& row = one.second.row;
        const bool done = row.discarded || row.entry.state == EntryState::delivered ||
                          (row.entry.state == EntryState::failed && row.told);
        if (!done || !row.settled_at || *row.settled_at > database.clock_.now() - age) return false;
        newest = std::max(newest, row.number);
        return true;
    });
    std::erase_if(database.contents.runs, [&](const auto& one) {
        if (one.second.state != RunState::settled) return false;
        if (database.contents.runs_changed.at(one.first) > database.clock_.now() - age) return false;
        newest = std::max(newest, one.second.number);
        return true;
    });
    auto& trail = database.contents.trail;
    trail.erase(trail.begin(), trail.lower_bound(newest));
    co_await truth_.answer();
    co_return static_cast<std::int64_t>(count);
}

Task<WriteAction> ModelOutbox::retry(std::int64_t id)
{
    co_await truth_.arrive();
    bool done = false;
    const Test may = [](const SharedWrite& row) {
        return is_one_of(row, {EntryState::pending, EntryState::conflict, EntryState::failed});
    };
    auto now = change(id, may, [&](SharedWrite& row) {
        try_again(row);
        done = true;
    });
    WriteAction action;
    if (now && !now->discarded)
        action = {done ? cache::OperatorResult::done : cache::OperatorResult::wrong_state, std::move(*now)};
    co_await truth_.answer();
    co_return action;
}

Task<WriteAction> ModelOutbox::discard(std::int64_t id)
{
    co_await truth_.arrive();
    const Test may = [](const SharedWrite& row) {
        return is_one_of(row, {EntryState::pending, EntryState::conflict, EntryState::failed});
    };
    auto now = change(id, may, [&](SharedWrite& row) { empty(row, truth_.database_.clock_.now()); });
    WriteAction action;
    if (now)
        action = {now->discarded ? cache::OperatorResult::done : cache::OperatorResult::wrong_state, std::move(*now)};
    co_await truth_.answer();
    co_return action;
}

Task<> ModelOutbox::note_told(std::int64_t id, std::int64_t number)
{
    co_await truth_.arrive();
    const Test is_settled = [](const SharedWrite& row) {
        return is_one_of(row, {EntryState::failed, EntryState::delivered});
    };
    change({id, number, {}}, is_settled, [](SharedWrite& row) { row.told = true; });
    co_await truth_.answer();
}

Task<> ModelOutbox::purge(std::vector<cache::ErasedWrite> writes)
{
    if (writes.empty()) co_return;
    co_await truth_.arrive();
    ModelDatabase& database = truth_.database_;
    const std::int64_t number = database.number(1) + 1;
    for (cache::ErasedWrite& one : writes) {
        const auto found = database.contents.writes.find(one.id);
        if (found == database.contents.writes.end()) continue;
        SharedWrite row = found->second.row;
        const bool is_same = row.number == one.number && row.entry.state != EntryState::sending && !row.discarded;
        if (one.body ? !is_same : row.discarded && row.entry.path.empty()) continue;
        row.number = number;
        if (one.body) {
            row.entry.body = std::move(*one.body);
            row.entry.base = std::move(one.base);
            row.entry.response.reset();
        } else {
            empty_for_good(row, database.clock_.now());
        }
        put(std::move(row));
    }
    co_await truth_.answer();
}

Task<WriteChanges> ModelOutbox::changes(Position after, std::size_t limit)
{
    co_await truth_.arrive();
    const ModelDatabase::Contents& now = truth_.database_.contents;
    WriteChanges changes;
    changes.last = truth_.database_.last();
    changes.continuity = after.number == 0 ? Continuity::forgotten : truth_.continuity_of(after);
    if (changes.continuity == Continuity::same) {
        for (const auto& [id, held] : now.writes)
            if (held.row.number > after.number) changes.writes.push_back(held.row);
        auto& writes = changes.writes;
        std::stable_sort(writes.begin(), writes.end(),
                         [](const SharedWrite& a, const SharedWrite& b) { return a.number < b.number; });
        changes.upto = changes.last;
        if (writes.size() > limit) { // those of one number stay together
            auto end = writes.begin() + static_cast<std::ptrdiff_t>(limit);
            const std::int64_t beyond = end->number;
            while (end != writes.begin() && std::prev(end)->number == beyond) --end;
            if (end == writes.begin())
                while (end != writes.end() && end->number == beyond) ++end;
            writes.erase(end, writes.end());
            changes.upto = {writes.back().number, now.trail.at(writes.back().number)};
        }
    }
    co_await truth_.answer();
    co_return changes;
}

Task<WriteChunk> ModelOutbox::read_all(std::int64_t after_id, std::size_t limit)
{
    co_await truth_.arrive();
    const auto& writes = truth_.database_.contents.writes;
    WriteChunk chunk;
    auto row = writes.upper_bound(after_id);
    for (; row != writes.end() && chunk.writes.size() < std::max<std::size_t>(limit, 1); ++row)
        chunk.writes.push_back(row->second.row);
    chunk.at_end = row == writes.end();
    co_await truth_.answer();
    co_return chunk;
}

Task<std::optional<SharedWrite>> ModelOutbox::find(std::int64_t id)
{
    co_await truth_.arrive();
    const auto& writes = truth_.database_.contents.writes;
    const auto found = writes.find(id);
    std::optional<SharedWrite> write;
    if (found != writes.end()) write = found->second.row;
    co_await truth_.answer();
    co_return write;
}

Task<WriteCounts> ModelOutbox::count()
{
    co_await truth_.arrive();
    WriteCounts counts;
    for (const auto& [id, held] : truth_.database_.contents.writes) {
        const SharedWrite& row = held.row;
        if (!row.is_open()) continue;
        counts.bytes += static_cast<std::int64_t>(row.entry.body.size());
        counts.pending += row.entry.state == EntryState::pending ? 1 : 0;
        counts.sending += row.entry.state == EntryState::sending ? 1 : 0;
        counts.conflicts += row.entry.state == EntryState::conflict ? 1 : 0;
        counts.failed += row.entry.state == EntryState::failed ? 1 : 0;
        if (is_one_of(row, {EntryState::pending, EntryState::sending}))
            counts.oldest = std::min(counts.oldest.value_or(row.entry.created_at), row.entry.created_at);
    }
    co_await truth_.answer();
    co_return counts;
}

bool ModelOutbox::has_client_key(const SharedWrite& write) const
{
    const auto& writes = truth_.database_.contents.writes;
    return write.client_key && std::any_of(writes.begin(), writes.end(), [&](const auto& one) {
               const SharedWrite& row = one.second.row;
               return row.client_key == write.client_key && row.principal == write.principal;
           });
}

void ModelOutbox::put_handed_over(SharedWrite write, std::int64_t fresh, const std::string& why)
{
    const ModelDatabase& database = truth_.database_;
    const auto& writes = database.contents.writes;
    cache::Entry& entry = write.entry;
    const bool has_place = std::any_of(writes.begin(), writes.end(),
                                       [&](const auto& one) { return one.second.row.entry.place == entry.place; });
    if (entry.id <= 0 || writes.contains(entry.id)) entry.id = fresh;
    if (entry.place <= 0 || has_place) entry.place = fresh;
    write.number = database.contents.last;
    write.crashes = 0;
    write.foreign.reset();
    write.unproven_at.reset();
    write.settled_at = database.clock_.now();
    entry.conflict.reset();
    entry.next_attempt_at.reset();
    const bool twice = has_client_key(write);
    if (twice) write.client_key.reset();
    if (!write.discarded && !is_final(entry.state)) {
        entry.in_doubt = true;
        entry.state = twice ? EntryState::failed : EntryState::conflict;
        entry.last_error = twice ? "another write has its Idempotency-Key" : why;
        if (!twice) write.settled_at.reset();
    }
    put(std::move(write));
}

void ModelOutbox::note_delivered(SharedWrite& there, const SharedWrite& held)
{
    const ModelDatabase& database = truth_.database_;
    cache::Entry& entry = there.entry;
    if (entry.state == EntryState::delivered) return;
    entry.state = EntryState::delivered;
    entry.last_status = held.entry.last_status;
    entry.last_error = held.entry.last_error;
    entry.response = held.entry.response;
    entry.response_type = held.entry.response_type;
    entry.conflict.reset();
    entry.next_attempt_at.reset();
    entry.in_doubt = false;
    there.told = held.told;
    there.settled_at = database.clock_.now();
    there.number = database.contents.last;
}

Task<std::vector<SharedWrite>> ModelOutbox::hand_over(std::vector<SharedWrite> held, std::string why)
{
    if (held.empty()) co_return held;
    co_await truth_.arrive();
    ModelDatabase& database = truth_.database_;
    for (const SharedWrite& write : held)
        database.contents.last = std::max({database.contents.last, write.entry.id, write.entry.place});
    std::int64_t fresh = database.number(held.size());
    for (const SharedWrite& write : held) {
        ++fresh;
        SharedWrite* const there = find_key(write.entry.upstream_key);
        if (!there)
            put_handed_over(write, fresh, why);
        else if (write.entry.state == EntryState::delivered && !write.discarded && !there->discarded)
            note_delivered(*there, write);
    }
    std::vector<SharedWrite> now;
    for (const SharedWrite& write : held) now.push_back(*find_key(write.entry.upstream_key));
    co_await truth_.answer();
    co_return now;
}

} // namespace support

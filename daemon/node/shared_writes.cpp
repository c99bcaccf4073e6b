// SPDX-License-Identifier: Apache-2.0
#include "daemon/node/shared_writes.hpp"

#include "cache/outbox/fifos.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace alli::daemon {
namespace {

using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;
using cache::EntryState;

constexpr auto beyond_patience = 500ms; // of a try that is under way
constexpr std::chrono::milliseconds between_tries{100}, after_a_refusal{1'000};
constexpr auto for_a_person = 5s; // a database that is away
constexpr auto offered_for = 10s; // until it shows as one that waits
constexpr auto to_be_heard = 2s;  // by a leader, of what it added itself

bool is_ours(const Error& error)
{
    return error.fault() == Fault::canceled || error.fault() == Fault::io || error.fault() == Fault::damaged;
}

// Of a row that somebody changed meanwhile nothing is written down: then it is another's.
bool has_outcome(const cache::SharedWrite& row, const cache::Outcome& outcome)
{
    return !row.discarded && row.entry.state == outcome.state && row.entry.last_status == outcome.status &&
           row.entry.last_error == outcome.error && row.entry.in_doubt == outcome.in_doubt;
}

} // namespace

SharedWrites::SharedWrites(asio::io_context& loop, cluster::SharedOutbox& outbox, cluster::OutboxFollower& here,
                           cache::Store& store, Clock& clock,
                           std::function<std::shared_ptr<sync::Deliverer>()> deliverer)
    : loop_(loop), outbox_(outbox), here_(here), store_(store), clock_(clock), deliverer_(std::move(deliverer))
{}

// An outcome that is not known is asked for again. What no app waits for is asked for whatever the database says: a
// password may be put right, and the heartbeat tells of it.
template <class T>
Task<T> SharedWrites::until_known(std::function<Task<T>()> ask, std::optional<Clock::Steady> until)
{
    for (;;) {
        std::optional<Error> trouble;
        bool leads = true;
        try {
            T known = co_await ask();
            co_return known;
        } catch (const cluster::NotLeader&) {
            leads = false;
        } catch (const Error& error) {
            trouble = error;
        }
        if (!leads) co_await wait_to_be_canceled();
        const bool patient = !until || (clock_.steady() < *until && !stopping_);
        const bool away = !trouble || trouble->fault() == Fault::unreachable;
        if (trouble && (is_ours(*trouble) || !patient || (until && !away))) throw Error(*trouble);
        co_await clock_.sleep(away ? between_tries : after_a_refusal);
    }
}

// A try that takes long, for the network swallows it, does not keep an app waiting for longer.
template <class T>
Task<T> SharedWrites::within(std::chrono::milliseconds patience, std::function<Task<T>()> ask, bool* late)
{
    std::optional<T> known;
    std::exception_ptr failed;
    const Clock::Steady until = clock_.steady() + patience;
    const auto first =
        co_await (keep_known(std::move(ask), until, &known, &failed) || clock_.sleep(patience + beyond_patience));
    if (known) co_return std::move(*known);
    if (first.index() == 0 && failed) std::rethrow_exception(failed);
    *late = true;
    throw Error(Fault::unreachable, "", "the cluster's database takes too long");
}

template <class T>
Task<> SharedWrites::keep_known(std::function<Task<T>()> ask, Clock::Steady until, std::optional<T>* known,
                                std::exception_ptr* failed)
{
    try {
        *known = co_await until_known(std::move(ask), until);
    } catch (...) {
        *failed = std::current_exception();
    }
}

// The heartbeat finds out as well, and ends it.
Task<> SharedWrites::wait_to_be_canceled()
{
    for (;;) co_await clock_.sleep(1h);
}

// Once it may have got there, nothing but an answer says otherwise.
Task<cluster::Accepted> SharedWrites::ask_to_accept(const cache::NewWrite& write, bool* may_be_there)
{
    std::exception_ptr failed;
    bool unknown = false;
    try {
        cluster::Accepted accepted = co_await outbox_.accept(write, cache::OutboxLimits{});
        co_return accepted;
    } catch (const cluster::NothingSent&) {
        failed = std::current_exception();
    } catch (const Error& error) {
        failed = std::current_exception();
        unknown = error.fault() == Fault::unreachable;
    }
    *may_be_there = *may_be_there || unknown;
    std::rethrow_exception(failed);
}

// Of a database that has lost it since, it is asked for once more: found there or made, it is the same write. Where it
// cannot be kept here nobody could hand it over if the database lost it.
Task<cluster::Accepted> SharedWrites::accept_here(const cache::NewWrite& write, Clock::Steady until, bool* may_be_there)
{
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_.steady());
        std::function<Task<cluster::Accepted>()> ask = [&] { return ask_to_accept(write, may_be_there); };
        cluster::Accepted accepted = co_await within(std::max(left, 0ms), std::move(ask), may_be_there);
        *may_be_there = true;
        if (accepted.kind == cache::Acceptance::Kind::mismatch) co_return accepted;
        cache::SharedWrite row = accepted.write;
        if (co_await show_here(std::move(row))) co_return accepted;
        if (clock_.steady() >= until || stopping_)
            throw Error(Fault::unreachable, "",
                        "the cluster's database has it, or had it: it did not come here in time");
        co_await clock_.sleep(between_tries);
    }
}

Task<SharedAcceptance> SharedWrites::accept(cache::NewWrite write, std::chrono::milliseconds patience)
{
    bool may_be_there = false;
    cluster::Accepted accepted;
    std::optional<Error> failed;
    try {
        accepted = co_await accept_here(write, clock_.steady() + patience, &may_be_there);
    } catch (const Error& error) {
        failed = error;
    }
    if (failed && failed->fault() == Fault::damaged) throw Error(*failed);
    if (failed && may_be_there) throw Error(Fault::unreachable, failed->hint(), "{}", failed->what());
    if (failed) throw Error(Fault::unavailable, failed->hint(), "{}", failed->what());
    SharedAcceptance acceptance;
    acceptance.kind = accepted.kind;
    acceptance.entry = std::move(accepted.write.entry);
    co_return acceptance;
}

// Whether it is here; where this node's files have no room for it, it comes by itself when they have.
Task<bool> SharedWrites::show_here(cache::SharedWrite row)
{
    newest_ = std::max(newest_.load(), row.number);
    try {
        const bool here = co_await here_.take(std::move(row), to_be_heard);
        co_return here;
    } catch (const Error& error) {
        if (error.fault() == Fault::damaged) throw;
    }
    co_return false;
}

std::optional<cache::Entry> SharedWrites::find_here(std::int64_t id) const
{
    return store_.read_outbox([id](cache::Reader& db) { return cache::find_entry(db, id); });
}

void SharedWrites::stop()
{
    stopping_ = true;
    for (const auto& [id, list] : waiters_)
        for (const auto& waiter : list) waiter->wakeup.notify();
    for (asio::cancellation_signal& one : under_way_) one.emit(asio::cancellation_type::terminal);
}

// Until it has ended it is among those that stop() cancels: it may end while that goes through them.
template <class T>
void SharedWrites::spawn(Task<T> work, std::function<void()> ended)
{
    const auto place = under_way_.emplace(under_way_.end());
    auto handle = [this, place, ended = std::move(ended)](auto&&...) mutable {
        asio::post(loop_, [this, place, ended = std::move(ended)] {
            under_way_.erase(place);
            ended();
        });
    };
    asio::co_spawn(loop_, std::move(work), asio::bind_cancellation_slot(place->slot(), std::move(handle)));
}

void SharedWrites::tell(std::int64_t id)
{
    spawn(note_told(id), [] {});
}

// Where that does not get there, a person finds it among those that failed.
Task<> SharedWrites::note_told(std::int64_t id)
{
    const auto number = co_await here_.find_number(id);
    if (number) co_await outbox_.note_told(id, *number);
}

Task<cluster::WriteAction> SharedWrites::act(std::function<Task<cluster::WriteAction>()> ask)
{
    bool late = false;
    cluster::WriteAction action = co_await within(for_a_person, std::move(ask), &late);
    cache::SharedWrite row = action.write;
    if (action.result == cache::OperatorResult::done) co_await show_here(std::move(row));
    co_return action;
}

Task<cache::RetryResult> SharedWrites::retry(std::int64_t id)
{
    std::function<Task<cluster::WriteAction>()> ask = [&] { return outbox_.retry(id); };
    cluster::WriteAction action = co_await act(std::move(ask));
    cache::RetryResult result;
    result.outcome = action.result;
    result.entry = std::move(action.write.entry);
    co_return result;
}

Task<cache::OperatorResult> SharedWrites::discard(std::int64_t id)
{
    std::function<Task<cluster::WriteAction>()> ask = [&] { return outbox_.discard(id); };
    const cluster::WriteAction action = co_await act(std::move(ask));
    co_return action.result;
}

Task<std::optional<std::int64_t>> SharedWrites::find_number(std::int64_t id)
{
    using Found = std::optional<std::int64_t>;
    std::function<Task<Found>()> ask = [this, id] { return here_.find_number(id); };
    const Found number = co_await until_known(std::move(ask), std::nullopt);
    co_return number;
}

// None: there is no such write there, whatever is here. What is shared and what is here are put in order again then.
Task<std::optional<cluster::KnownWrite>> SharedWrites::find_known(std::int64_t id)
{
    const auto number = co_await find_number(id);
    if (!here_.epoch()) co_await wait_to_be_canceled();
    const auto entry = find_here(id);
    if (!number) here_.join_anew();
    if (!number || !entry) co_return std::nullopt;
    co_return cluster::KnownWrite{id, *number, entry->upstream_key};
}

// The row of another write, or none, or as it was before it was last heard of: what is here was lost there.
bool SharedWrites::is_of(const Row& row, const cluster::KnownWrite& known)
{
    const bool is = row && row->entry.upstream_key == known.upstream_key;
    if (!is || row->number < known.number) here_.join_anew();
    here_.hear_soon();
    return is;
}

// A person may have retried it: then it has another number, and waits all the same.
Task<bool> SharedWrites::begin(sync::Beginning beginning)
{
    for (;;) {
        const auto known = co_await find_known(beginning.id);
        if (!known) co_return false;
        std::function<Task<Row>()> ask = [&] { return outbox_.begin(*here_.epoch(), *known, beginning.over); };
        const Row row = co_await until_known(std::move(ask), std::nullopt);
        const bool begun = row && row->entry.upstream_key == known->upstream_key &&
                           row->entry.state == EntryState::sending && row->epoch == here_.epoch();
        if (begun) here_.note_delivering(beginning.id, row->number);
        if (begun) co_return true;
        const bool waits = is_of(row, *known) && !row->discarded && row->entry.state == EntryState::pending;
        if (!waits || row->number == known->number) co_return false;
        here_.note_delivering(beginning.id, row->number);
        if (row->number < known->number) co_return false;
    }
}

Task<bool> SharedWrites::settle(std::int64_t id, cache::Outcome outcome)
{
    const auto known = co_await find_known(id);
    if (!known) co_return false;
    cache::WriteOutcome whole =
        store_.read_outbox([&](cache::Reader& db) { return cache::whole_outcome(db, id, outcome); });
    std::function<Task<Row>()> ask = [&] { return outbox_.settle(*here_.epoch(), *known, whole); };
    const Row row = co_await until_known(std::move(ask), std::nullopt);
    const bool stands = row && row->entry.upstream_key == known->upstream_key && has_outcome(*row, outcome);
    if (stands) here_.note_delivering(id, row->number);
    if (!stands) is_of(row, *known);
    co_return stands;
}

void SharedWrites::changed(const std::vector<cache::AppliedWrite>& applied)
{
    std::vector<std::optional<ConversationId>> lines;
    for (const cache::AppliedWrite& one : applied) {
        wake(one.entry.id, false);
        const bool at_once = one.is_fresh && one.entry.state == EntryState::pending && one.entry.attempts == 0;
        if (at_once)
            offer(one);
        else
            lines.push_back(one.entry.conversation);
    }
    if (here_.epoch() && !lines.empty()) deliverer_()->look_again(lines);
}

// As for an app that waits at a machine that is alone. Where it cannot go at once, whoever waits for it is told.
void SharedWrites::offer(const cache::AppliedWrite& accepted)
{
    cache::AcceptedWrite write;
    write.entry = accepted.entry;
    write.heads_line = accepted.heads_line;
    const auto deliverer = deliverer_();
    spawn(deliverer->offer(std::move(write), offered_for),
          [this, deliverer, id = accepted.entry.id] { wake(id, true); });
}

} // namespace alli::daemon

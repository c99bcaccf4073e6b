// SPDX-License-Identifier: Apache-2.0
// How an attempt ends, and what others ask of a Deliverer: offers, retries, discards.
#include "alli/log.hpp"
#include "cache/outbox/foreign_answers.hpp"
#include "cache/outbox/overlay.hpp"
#include "sync/delivery/deliver_core.hpp"

#include <nlohmann/json.hpp>

namespace alli::sync {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_kept = 256 * 1024; // of an answer
constexpr int most_fetched = 200;             // of what a bulk update changed

bool is_final(EntryState state)
{
    return state == EntryState::failed || state == EntryState::delivered;
}

// The id of the request that it came with.
std::string request_id_of(const Entry& entry)
{
    const auto headers = nlohmann::json::parse(entry.headers, nullptr, false);
    const auto id = headers.is_object() ? headers.find("X-Request-Id") : headers.end();
    return id != headers.end() && id->is_string() ? id->get<std::string>() : std::string();
}

void log_outcome(const Entry& entry, const Outcome& outcome)
{
    const auto tell = [&]<Event event>() {
        const std::string conversation = entry.conversation ? entry.conversation->value : std::string();
        log_event<event>(entry.id, outcome.status.value_or(0), conversation, request_id_of(entry));
    };
    if (outcome.state == EntryState::delivered) tell.operator()<Event::write_delivered>();
    if (outcome.state == EntryState::failed) tell.operator()<Event::write_failed>();
    if (outcome.state == EntryState::conflict) tell.operator()<Event::write_conflict>();
}

// A part of a success is none: the mirror has what it says. Of a refusal people read the beginning, as a text.
void keep_answer(Outcome& outcome, const upstream::Reply& reply)
{
    if (!is_final(outcome.state)) return;
    const bool whole = reply.body.size() <= most_kept;
    if (whole || outcome.state == EntryState::failed) outcome.response = reply.body.substr(0, most_kept);
    if (!whole && outcome.state == EntryState::failed) outcome.response_type = "text/plain";
}

bool can_wait(const Error& error)
{
    return error.fault() == Fault::disk_full || error.fault() == Fault::busy;
}

// A poll shows what moved, and no title, state or assignee: of a bulk update the first are fetched themselves.
void tell_changed(const DeliveryHooks& hooks, cache::Store& store, const Entry& entry)
{
    if (entry.conversation) return hooks.changed(*entry.conversation);
    hooks.changed_many();
    const auto ids = store.read([&](cache::Reader& db) { return cache::find_edited(db, entry.id, most_fetched); });
    for (const ConversationId& id : ids) hooks.changed(id);
}

} // namespace

/// An app that waits; when it leaves before the answer came, its write goes on and has to show.
class Deliverer::Core::Waiting {
  public:
    Waiting(Core& core, std::int64_t id, const std::shared_ptr<Waiter>& waiter) : core_(core), id_(id)
    {
        core_.waiters[id] = waiter;
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting()
    {
        if (ended_) return;
        core_.waiters.erase(id_);
        core_.unshown.insert(id_);
    }
    void end()
    {
        ended_ = true;
        core_.waiters.erase(id_);
    }

  private:
    Core& core_;
    std::int64_t id_;
    bool ended_ = false;
};

Outcome Deliverer::Core::outcome_of(const Verdict& verdict, const std::optional<upstream::Reply>& reply,
                                    std::chrono::milliseconds pause) const
{
    Outcome outcome;
    if (verdict.kind == Verdict::Kind::delivered) outcome.state = EntryState::delivered;
    if (verdict.kind == Verdict::Kind::refused) outcome.state = EntryState::failed;
    if (!verdict.why.empty()) outcome.error = verdict.why;
    if (reply) {
        outcome.status = reply->status;
        if (const std::string* type = reply->header("Content-Type")) outcome.response_type = *type;
        keep_answer(outcome, *reply);
    }
    outcome.in_doubt = verdict.in_doubt;
    outcome.uncounted = verdict.sent && !verdict.answered;
    if (!is_final(outcome.state)) outcome.next_attempt_at = clock.now() + pause;
    return outcome;
}

// Upstream's answer is known, so this tries until it is written down.
Task<> Deliverer::Core::write_down(Id fifo, Entry entry, Ending ending)
{
    Outcome& outcome = ending.outcome;
    const auto waiter = waiters.find(entry.id);
    if (waiter != waiters.end()) waiter->second->settling = true;
    const bool awaited = hooks.settle ? hooks.is_awaited && hooks.is_awaited(entry.id) : waiter != waiters.end();
    outcome.told = awaited && is_final(outcome.state);
    bool stands = true;
    if (hooks.settle) stands = co_await settle_shared(entry.id, outcome);
    if (!stands) {
        look_later(fifo, entry.id);
        co_return;
    }
    std::optional<cache::LineHead> head;
    const auto settle = [&](cache::Writer& db) { head = cache::settle(db, entry.id, outcome, clock.now()); };
    for (bool written = false; !written;) {
        std::optional<Error> trouble;
        try {
            co_await store.write_outbox(settle);
            written = true;
        } catch (const Error& error) {
            trouble = error;
        }
        if (trouble && !can_wait(*trouble)) throw Error(*trouble);
        if (trouble) co_await clock.sleep(1s);
    }
    log_outcome(entry, outcome);
    if (is_final(outcome.state)) holds.erase(entry.id);
    co_await show_outcome(entry, outcome, ending.copy);
    const bool same = head && head->id == entry.id;
    if (head)
        put_head(head, fifo, clock.steady() + (same ? ending.pause : 0ms));
    else
        refresh_fifo(fifo);
    if (outcome.state == EntryState::delivered && !ending.copy) tell_changed(hooks, store, entry);
    answer(entry.id, std::move(ending.reply), is_final(outcome.state));
    notify();
}

Task<> Deliverer::Core::show_outcome(const Entry& entry, const Outcome& outcome, const std::optional<std::string>& copy)
{
    cache::Confirmation when(clock.steady(), clock.now(), options.read_lag);
    if (entry.conversation) when.base = entry.base;
    const auto change = [&](cache::Writer& db) {
        cache::note_outbox(db, entry.conversation);
        if (outcome.state == EntryState::delivered)
            cache::confirm_edit(db, entry, copy, when);
        else if (outcome.state == EntryState::failed)
            cache::drop_edit(db, entry.id);
    };
    co_await write_mirror(change, entry.id);
}

// The mirror follows the outbox; where it has no room for that now, the janitor sees to it later.
Task<> Deliverer::Core::write_mirror(std::function<void(cache::Writer&)> change, std::int64_t id)
{
    std::optional<Error> trouble;
    try {
        co_await store.write(std::move(change));
    } catch (const Error& error) {
        trouble = error;
    }
    if (!trouble) co_return;
    if (!can_wait(*trouble)) throw Error(*trouble);
    unshown.insert(id);
    log_event<Event::write_not_shown>(std::string_view(trouble->what()), id);
}

void Deliverer::Core::answer(std::int64_t id, std::optional<upstream::Reply> reply, bool final)
{
    const auto waiter = waiters.find(id);
    if (waiter == waiters.end()) return;
    waiter->second->settled = true;
    if (final) waiter->second->reply = std::move(reply);
    waiter->second->wakeup.notify();
}

// Nothing is sent for now: releases the waiters whose write has no turn yet.
void Deliverer::Core::let_go()
{
    for (const auto& [id, waiter] : waiters) {
        if (waiter->has_turn) continue;
        waiter->settled = true;
        waiter->wakeup.notify();
    }
}

void Deliverer::Core::put_head(const std::optional<cache::LineHead>& head, const Id& fifo, Clock::Steady due)
{
    if (head)
        fifos.put(*head, due);
    else
        fifos.remove(fifo);
}

void Deliverer::Core::refresh_fifo(const Id& fifo)
{
    const auto head = store.read_outbox([&](cache::Reader& db) { return cache::find_head(db, fifo); });
    put_head(head, fifo, clock.steady());
    notify();
}

// Of one that has its turn the worker reads the head itself.
void Deliverer::Core::refresh_idle(const Id& fifo)
{
    if (!fifos.has_turn(fifo)) refresh_fifo(fifo);
}

// What was committed as the head of its FIFO is that still, or has been sent since: then it cannot be begun again.
void Deliverer::Core::put_accepted(const cache::AcceptedWrite& write)
{
    if (!write.heads_line) return refresh_fifo(write.entry.conversation);
    const cache::LineHead head{write.entry.conversation, write.entry.id, write.entry.place, EntryState::pending, {}};
    fifos.put(head, clock.steady());
    notify();
}

bool Deliverer::Core::may_go_now(const Entry& entry) const
{
    return loaded && policy.allows_attempt(clock.steady()) && !fifos.contains(entry.conversation) &&
           !fifos.behind_barrier(entry.conversation, entry.place);
}

Task<std::optional<upstream::Reply>> Deliverer::Core::offer(std::shared_ptr<Core> core, cache::AcceptedWrite write,
                                                            std::chrono::milliseconds patience)
{
    const std::int64_t id = write.entry.id;
    const Id fifo = write.entry.conversation;
    const auto deadline = core->clock.steady() + patience;
    while (!core->loaded && core->clock.steady() < deadline) co_await core->clock.sleep(2ms);
    if (patience.count() > 0 && core->may_go_now(write.entry)) {
        const auto waiter = std::make_shared<Waiter>(co_await asio::this_coro::executor);
        Waiting waiting(*core, id, waiter);
        core->put_accepted(write);
        waiter->entry = std::move(write.entry);
        for (bool patient = true; patient && !waiter->settled;) {
            const auto left = deadline - core->clock.steady();
            co_await waiter->wakeup.wait(core->clock,
                                         waiter->settling ? 1h : std::max<std::chrono::nanoseconds>(left, 0ns));
            patient = waiter->settling || core->clock.steady() < deadline;
        }
        waiting.end();
        if (waiter->reply) co_return std::move(waiter->reply);
    } else if (core->loaded && !core->fifos.has_turn(fifo) && !core->fifos.contains(fifo)) {
        core->refresh_fifo(fifo);
    }
    co_await core->show(id);
    co_return std::nullopt;
}

Task<> Deliverer::Core::show(std::int64_t id)
{
    const auto entry = store.read_outbox([&](cache::Reader& db) { return cache::find_entry(db, id); });
    if (!entry || is_final(entry->state)) co_return;
    const auto change = [&](cache::Writer& db) { cache::show_edit(db, *entry); };
    co_await write_mirror(change, id);
}

// What the mirror shows of an entry, made right by what the outbox says of it.
Task<> Deliverer::Core::show_again(std::int64_t id)
{
    const auto entry = store.read_outbox([&](cache::Reader& db) { return cache::find_entry(db, id); });
    if (entry && !is_final(entry->state)) co_return co_await show(id);
    const cache::Confirmation when(clock.steady(), clock.now(), options.read_lag);
    const auto change = [&](cache::Writer& db) {
        if (entry && entry->state == EntryState::delivered)
            cache::confirm_edit(db, *entry, copy_in(entry->kind, entry->response), when);
        else
            cache::drop_edit(db, id);
    };
    co_await write_mirror(change, id);
}

Task<cache::RetryResult> Deliverer::Core::retry(std::shared_ptr<Core> core, std::int64_t id)
{
    cache::RetryResult retried;
    const auto job = [&](cache::Writer& db) {
        retried = cache::retry_entry(db, id);
        cache::forget_foreign(db, id); // a person vouches for it
    };
    co_await core->store.write_outbox(job);
    if (retried.outcome != cache::OperatorResult::done) co_return retried;
    co_await core->show(id);
    const Id fifo = retried.entry.conversation;
    core->refresh_idle(fifo);
    co_return retried;
}

Task<cache::OperatorResult> Deliverer::Core::discard(std::shared_ptr<Core> core, std::int64_t id)
{
    const auto entry = core->store.read_outbox([&](cache::Reader& db) { return cache::find_entry(db, id); });
    if (!entry) co_return cache::OperatorResult::absent;
    cache::OperatorResult outcome{};
    const auto job = [&](cache::Writer& db) { outcome = cache::discard_entry(db, id); };
    co_await core->store.write_outbox(job);
    if (outcome != cache::OperatorResult::done) co_return outcome;
    core->holds.erase(id);
    co_await core->show_again(id);
    core->refresh_idle(entry->conversation);
    co_return outcome;
}

} // namespace alli::sync

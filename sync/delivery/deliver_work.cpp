// SPDX-License-Identifier: Apache-2.0
// What the workers of a Deliverer do: take the next FIFO, try its head, conclude.
#include "alli/back_off.hpp"
#include "alli/log.hpp"
#include "cache/outbox/operations.hpp"
#include "cache/outbox/overlay.hpp"
#include "sync/delivery/confirmation.hpp"
#include "sync/delivery/deliver_core.hpp"
#include "sync/delivery/stop_check.hpp"
#include "upstream/target.hpp"

namespace alli::sync {
namespace {

using namespace std::chrono_literals;

constexpr std::array operations_of_kinds{std::pair{EditKind::update, &Operations::update},
                                         std::pair{EditKind::remove, &Operations::remove},
                                         std::pair{EditKind::title, &Operations::title}};
constexpr auto a_day = 24h;
constexpr auto stop_is_worth = 60s; // later, stopping an answer serves nobody
constexpr auto until_wakeup = 1h;
constexpr auto janitor_pause = 5s;
constexpr int purged_at_once = 1000; // in a commit
constexpr const char* run_is_over = "it was not sent: the run that it was to stop was over, or another had begun";
constexpr const char* begun_too_late = "the shared database takes so long that the right to send was too old each time";
constexpr const char* too_late = "it could not be delivered within 60 seconds; stopping an answer later is worthless";

bool is_disk_full(const Error& error)
{
    return error.fault() == Fault::disk_full || error.fault() == Fault::busy;
}

} // namespace

Task<> Deliverer::Core::load()
{
    cache::Recovered recovered;
    const auto recover = [&](cache::Writer& db) { recovered = cache::recover(db, clock.now(), clock.now() - a_day); };
    co_await store.write_outbox(recover);
    co_await follow_operations();
    co_await resume_lag();
    // What the outbox settled last may be missing in the feed: whoever follows it looks at all writes once.
    const auto tell = [](cache::Writer& db) { cache::note_outbox(db, std::nullopt); };
    if (recovered.unclean) co_await store.write(tell);
    const auto now = clock.steady();
    for (const cache::LineHead& head : store.read_outbox([](cache::Reader& db) { return cache::load_lines(db); })) {
        if (fifos.has_turn(head.conversation)) continue;
        // The wall clock may have jumped since it was written: never longer than the longest pause.
        const auto wait = head.next_attempt_at ? *head.next_attempt_at - clock.now() : std::chrono::microseconds(0);
        fifos.put(head, now + std::clamp<std::chrono::nanoseconds>(wait, 0ns, options.retry_max));
    }
    note_differences();
    loaded = true;
    if (recovered.unclean)
        for (const ConversationId& id : recovered.recent) hooks.changed(id);
    if (recovered.dead_lettered > 0) log_event<Event::writes_given_up>(recovered.dead_lettered);
}

// Queued under other settings, they would go where upstream has nothing. Before any is sent.
Task<> Deliverer::Core::follow_operations()
{
    const Operations contract; // what an outbox without a note was filled under
    for (const auto& [kind, operation] : operations_of_kinds) {
        const Operation& now = options.operations.*operation;
        const EditKind changed = kind;
        const auto noted =
            store.read_outbox([changed](cache::Reader& db) { return cache::find_noted_operation(db, changed); });
        if (noted.value_or(text_of(contract.*operation)) == text_of(now)) continue;
        const std::function<std::string(const ConversationId&)> path_of = [&now](const ConversationId& id) {
            return path_with(now, upstream::percent_encoded(id.value));
        };
        const auto follow = [&](cache::Writer& db) { cache::follow_operation(db, changed, now, path_of); };
        co_await store.write_outbox(follow);
    }
}

// What the mirror shows follows the outbox; after a crash, or with a mirror made anew, it has to catch up.
void Deliverer::Core::note_differences()
{
    const auto shown = store.read([](cache::Reader& db) { return cache::load_shown(db); });
    const auto waiting = store.read_outbox([](cache::Reader& db) { return cache::load_waiting(db); });
    std::set_symmetric_difference(shown.begin(), shown.end(), waiting.begin(), waiting.end(),
                                  std::inserter(unshown, unshown.end()));
}

// A failure of the store ends all of them, one after the other.
Task<> Deliverer::Core::drain(std::size_t worker)
{
    struct Fail {
        Core& core;
        ~Fail()
        {
            core.failed = true;
            core.notify();
        }
    } const fail{*this};
    if (worker == 0) {
        co_await run_janitor();
        co_return;
    }
    while (!failed) {
        const auto now = clock.steady();
        if (policy.next_attempt_at() > now) {
            co_await wakeup->wait(clock, policy.next_attempt_at() - now);
            continue;
        }
        if (policy.is_rejected() && !asking_for_key && !fifos.empty()) {
            co_await ask_for_key();
            continue;
        }
        // While upstream seems to be away one at a time finds out whether it is back.
        const bool closed = policy.is_rejected() || (policy.is_away() && in_flight > 0);
        const auto fifo = closed ? std::nullopt : policy.is_away() ? fifos.take_probe(now) : take_next(now);
        if (!fifo) {
            const auto due = closed ? std::nullopt : fifos.next_due();
            co_await wakeup->wait(clock, due ? std::max<std::chrono::nanoseconds>(*due - now, 0ns) : until_wakeup);
            continue;
        }
        notify(); // there may be more than this one
        ++in_flight;
        co_await deliver(*fifo);
        --in_flight;
    }
}

Task<> Deliverer::Core::run_janitor()
{
    for (auto next_purge = clock.steady(); !failed;) {
        std::optional<Error> trouble;
        try {
            std::vector<Id> expired;
            const Instant now = clock.now();
            const auto expire = [&](cache::Writer& db) {
                expired = cache::expire(db, cache::EditKind::stop, now - stop_is_worth, now, too_late);
            };
            if (!fifos.empty() && hooks.settle)
                expired = co_await expire_shared(now - stop_is_worth, too_late);
            else if (!fifos.empty())
                co_await store.write_outbox(expire);
            for (const Id& fifo : expired) refresh_idle(fifo);
            const auto note = [&](cache::Writer& db) {
                for (const Id& fifo : expired) cache::note_outbox(db, fifo);
            };
            if (!expired.empty()) co_await store.write(note);
            std::int64_t purged = 0;
            const auto purge = [&](cache::Writer& db) {
                purged = cache::purge_entries(db, now - a_day, purged_at_once);
            };
            const auto forget = [&](cache::Writer& db) { cache::forget_confirmed(db, clock.steady() - 10min); };
            const auto late = std::exchange(unshown, {});
            for (const std::int64_t id : late) co_await show_again(id);
            co_await read_covered_again();
            co_await show_foreign();
            if (silent_at && is_heard_since(*silent_at)) {
                silent_at.reset();
                fifos.make_all_due(); // the service is back, as a read found out
                notify();
            }
            if (clock.steady() >= next_purge) {
                do co_await store.write_outbox(purge);
                while (purged == purged_at_once && !failed);
                co_await store.write(forget);
                next_purge = clock.steady() + 1min;
            }
        } catch (const Error& error) {
            trouble = error;
        }
        if (trouble && !is_disk_full(*trouble)) throw Error(*trouble);
        co_await clock.sleep(janitor_pause);
    }
}

Task<> Deliverer::Core::ask_for_key()
{
    asking_for_key = true;
    const bool accepted = co_await accepts_key();
    asking_for_key = false;
    policy.note_key(accepted, clock.steady());
    notify();
}

// Only a plain answer says that it does: without a network nobody knows, and then it stays as it was.
Task<bool> Deliverer::Core::accepts_key()
{
    upstream::ListQuery query;
    query.page_size = 1;
    bool accepted = false;
    try {
        co_await client.list_conversations(query, upstream::Priority::delivery);
        accepted = true;
    } catch (const Error&) {
        // Refused, or no answer: not accepted as far as anybody knows.
    }
    co_return accepted;
}

// As it was accepted, where an app waits for it and it was not tried yet; else as the outbox has it now.
std::optional<Entry> Deliverer::Core::take_head(const Id& fifo)
{
    const auto waiter = waiters.find(fifos.head(fifo));
    if (waiter != waiters.end() && waiter->second->entry) return std::exchange(waiter->second->entry, std::nullopt);
    return store.read_outbox([&](cache::Reader& db) {
        const auto head = cache::find_head(db, fifo);
        return head ? cache::find_entry(db, head->id) : std::nullopt;
    });
}

Task<> Deliverer::Core::deliver(Id fifo)
{
    const std::optional<Entry> entry = take_head(fifo);
    if (!entry || entry->state == EntryState::conflict) {
        refresh_fifo(fifo);
        co_return;
    }
    const auto waiter = waiters.find(entry->id);
    const bool waited = entry->attempts > 0 || waiter == waiters.end();
    if (waiter != waiters.end()) waiter->second->has_turn = true;
    std::optional<Error> trouble;
    try {
        co_await attempt(fifo, *entry, waited);
    } catch (const Error& error) {
        trouble = error;
    }
    if (!trouble) co_return;
    if (!is_disk_full(*trouble)) throw Error(*trouble);
    // It could not be marked as being sent, so it was not sent.
    policy.hold_for(1s, clock.steady());
    answer(entry->id, std::nullopt, false);
    refresh_fifo(fifo);
}

Task<> Deliverer::Core::attempt(Id fifo, Entry entry, bool waited)
{
    Verdict verdict;
    if (auto unsent = co_await settle_stop(entry, waited, &verdict)) {
        Ending ending{std::move(*unsent)};
        co_await write_down(fifo, std::move(entry), std::move(ending));
        co_return;
    }
    std::optional<Clock::Steady> held_until;
    std::optional<Outcome> seen;
    if (verdict.why.empty()) seen = co_await read_back_before(entry, waited, &verdict, &held_until);
    if (held_until) {
        hold(fifo, entry.id, *held_until);
        co_return;
    }
    if (!seen && verdict.why.empty()) seen = co_await recall(entry, &verdict);
    if (seen) {
        entry.base.reset(); // what it was sent over is not known any more
        Ending ending{std::move(*seen)};
        co_await write_down(fifo, std::move(entry), std::move(ending));
        co_return;
    }
    std::optional<upstream::Reply> reply;
    Sending sending;
    if (verdict.why.empty()) {
        co_await prepare_bulk(entry);
        const std::optional<std::string> over = entry.conversation ? std::nullopt : entry.base,
                                         accepted_over = entry.base;
        if (entry.conversation) entry.base = store.read([&](cache::Reader& db) { return cache::find_base(db, entry); });
        const auto sent_at = clock.steady();
        try {
            reply = co_await send(entry, over, &sending);
            if (reply) verdict = co_await weigh(entry, *reply);
            if (reply && verdict.kind == Verdict::Kind::delivered && !verdict.unproven)
                note_copy(entry, reply, sent_at);
        } catch (const Error& error) {
            if (error.fault() == Fault::canceled || sending.beginning) throw;
            verdict = sending.begun ? judge(error) : judge_read(error);
        }
        if (sending.outdated) {
            entry.base = accepted_over;
            co_await attempt(fifo, std::move(entry), true);
            co_return;
        }
        if (!sending.begun && !sending.late && verdict.why.empty()) {
            if (hooks.begin)
                look_later(fifo, entry.id);
            else
                refresh_fifo(fifo);
            co_return;
        }
    }
    if (sending.begun) note_attempt(entry.id, verdict.in_doubt);
    // What is not final tells nothing of an earlier attempt, which may still be under way.
    if (verdict.kind == Verdict::Kind::again || verdict.kind == Verdict::Kind::rejected)
        verdict.in_doubt = verdict.in_doubt || entry.in_doubt;
    verdict.sent = sending.begun;
    if (sending.late) verdict.why = begun_too_late;
    co_await conclude(fifo, std::move(entry), std::move(verdict), std::move(reply));
}

// What shows whether it was applied is known only before it is sent: anew where it certainly was not applied.
Task<> Deliverer::Core::prepare_bulk(Entry& entry)
{
    if (entry.kind != EditKind::bulk_update || entry.in_doubt) co_return;
    co_await show(entry.id); // that it is known what it changes
    entry.base = find_bulk_base(store, entry);
}

// A stop ends the run that it was made for, and no other. None: it may be sent, or it is no stop, unless `trouble` says
// that upstream could not be asked.
Task<std::optional<Outcome>> Deliverer::Core::settle_stop(const Entry& entry, bool waited, Verdict* trouble)
{
    if (entry.kind != EditKind::stop) co_return std::nullopt;
    Outcome outcome;
    if (entry.created_at < clock.now() - stop_is_worth) {
        outcome.state = EntryState::failed;
        outcome.error = too_late;
        co_return outcome;
    }
    if (!waited && !entry.in_doubt) co_return std::nullopt;
    bool over = false;
    try {
        over = co_await is_run_over(client, entry);
    } catch (const Error& error) {
        if (error.fault() == Fault::canceled) throw;
        *trouble = judge_read(error);
    }
    if (!over) co_return std::nullopt;
    outcome.state = EntryState::delivered;
    outcome.error = run_is_over;
    co_return outcome;
}

Task<> Deliverer::Core::conclude(Id fifo, Entry entry, Verdict verdict, std::optional<upstream::Reply> reply)
{
    if (verdict.kind == Verdict::Kind::rejected) {
        const bool accepted = co_await accepts_key();
        // The key opens the project, so it is the identity that is refused, and that will not change. Of a read, which
        // bears none, it says nothing.
        if (accepted) verdict.kind = reply ? Verdict::Kind::refused : Verdict::Kind::again;
        policy.note_key(accepted, clock.steady());
    }
    if (verdict.foreign && reply)
        co_await count_foreign(entry, *reply, &verdict);
    else if (reply && !verdict.in_doubt)
        co_await forget_foreign(entry.id);
    Verdict heard = verdict; // who answers in the service's place is nobody, unless it answers others
    if (verdict.foreign && !is_heard_since(clock.steady() - 1min)) {
        heard.answered = false;
        silent_at = clock.steady();
    }
    if (policy.note(heard, fifo ? fifo->value : "", clock.steady())) fifos.make_all_due();
    if (!policy.allows_attempt(clock.steady())) let_go();
    int& failures = fifos.failures(fifo);
    std::chrono::milliseconds pause{0};
    if (verdict.kind == Verdict::Kind::again)
        pause = BackOff{options.retry_initial, options.retry_max}.draw(random, failures++);
    else
        failures = 0;
    if (verdict.kind == Verdict::Kind::again && verdict.retry_after) pause = std::max(pause, *verdict.retry_after);
    Ending ending{outcome_of(verdict, reply, pause)};
    if (!verdict.unproven) ending.copy = find_copy(entry, reply);
    ending.reply = std::move(reply);
    ending.pause = pause;
    co_await write_down(fifo, std::move(entry), std::move(ending));
}

} // namespace alli::sync

// SPDX-License-Identifier: Apache-2.0
// Whose answer a write got: what is not the service's is counted, shown as a problem and, where one write alone never
// gets through, ends it; a success without a word is confirmed by a read.
#include "alli/log.hpp"
#include "cache/outbox/foreign_answers.hpp"
#include "cache/rows/problems.hpp"
#include "sync/delivery/confirmation.hpp"
#include "sync/delivery/deliver_core.hpp"
#include "upstream/absence.hpp"

namespace alli::sync {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t most_foreign = 10; // answers, all the same
constexpr auto foreign_for = 1h;          // at least, before they end it
constexpr std::string_view problem = "foreign answers";
constexpr const char* held = "it may have been applied, and a read does not show it yet: it is read again before it is "
                             "sent again";
constexpr const char* unshown_yet = "upstream said yes, and a read does not show it";

} // namespace

bool Deliverer::Core::is_heard_since(Clock::Steady when) const
{
    const auto read = client.answered_at();
    return (read && *read >= when) || (write_answered_at && *write_answered_at >= when);
}

// What must not be lost for want of room, once it is known.
Task<> Deliverer::Core::put_down(std::function<void(cache::Writer&)> change)
{
    for (bool written = false; !written;) {
        std::optional<Error> trouble;
        try {
            co_await store.write_outbox(change);
            written = true;
        } catch (const Error& error) {
            trouble = error;
        }
        if (trouble && trouble->fault() != Fault::disk_full && trouble->fault() != Fault::busy) throw Error(*trouble);
        if (trouble) co_await clock.sleep(1s);
    }
}

// Before one is sent again that may have been applied. `hold`: not now.
Task<std::optional<Outcome>> Deliverer::Core::recall(const Entry& entry, Verdict* hold)
{
    if (!entry.in_doubt) co_return std::nullopt;
    Outcome delivered;
    delivered.state = EntryState::delivered;
    std::optional<Error> trouble;
    try {
        // The others were looked at before.
        if (!can_be_read_back(entry.kind)) {
            const Effect effect = co_await read_back(client, store, entry, true);
            if (effect == Effect::shown) co_return delivered;
        }
    } catch (const Error& error) {
        if (error.fault() == Fault::canceled) throw;
        trouble = error;
    }
    if (trouble) {
        *hold = judge(*trouble);
        hold->kind = Verdict::Kind::again; // it was sent before: nothing is refused by a read
        co_return std::nullopt;
    }
    if (may_lag_behind_attempt(entry)) hold->why = held;
    co_return std::nullopt;
}

// Whether what a read did not show may be only late: of a success by when it came, which the outbox has; of an attempt
// without an answer, or of an earlier process, by when it was met here.
bool Deliverer::Core::may_lag_behind_attempt(const Entry& entry)
{
    const auto since = store.read_outbox([&](cache::Reader& db) { return cache::find_unproven(db, entry.id); });
    if (since) {
        const auto waited = clock.now() - *since;
        return waited >= 0s && waited < options.read_lag;
    }
    return clock.steady() <= attempt_lags_until(entry.id, clock.steady());
}

Task<Verdict> Deliverer::Core::weigh(const Entry& entry, const upstream::Reply& reply)
{
    Verdict verdict;
    std::optional<Error> trouble;
    bool not_there = false;
    try {
        const bool absence =
            upstream::says_absent(reply) && co_await client.is_absence(reply, upstream::Priority::delivery);
        verdict = judge(reply, entry, absence, clock.now());
        if (verdict.unproven) not_there = !co_await is_confirmed(entry);
    } catch (const Error& error) {
        if (error.fault() == Fault::canceled) throw;
        trouble = error;
    }
    if (trouble || not_there) {
        const bool success = verdict.unproven;
        verdict = Verdict{};
        verdict.in_doubt = true;
        verdict.foreign = not_there;
        verdict.why = trouble ? std::string(trouble->what()) : fmt::format("{} (status {})", unshown_yet, reply.status);
        const auto put = [&](cache::Writer& db) { cache::put_unproven(db, entry.id, clock.now()); };
        if (success) co_await put_down(put);
    }
    const bool own = !verdict.foreign && (verdict.kind != Verdict::Kind::again || !verdict.in_doubt);
    if (own) write_answered_at = clock.steady();
    co_return verdict;
}

// Of a success that proves nothing: a read has to show the effect. Where none can, it is believed, and that is told
// once.
Task<bool> Deliverer::Core::is_confirmed(const Entry& entry)
{
    const Effect effect = co_await read_back(client, store, entry);
    if (effect == Effect::unreadable && believed.insert(entry.kind).second)
        log_event<Event::write_believed>(cache::name_of(entry.kind), entry.id);
    co_return effect != Effect::not_shown;
}

// It counts while the service answers others: then it is this write that somebody does not let through.
Task<> Deliverer::Core::count_foreign(const Entry& entry, const upstream::Reply& reply, Verdict* verdict)
{
    const auto now = clock.steady();
    const auto last = foreign_counted.find(entry.id);
    const bool counts = last != foreign_counted.end() && is_heard_since(last->second);
    if (counts || last == foreign_counted.end()) foreign_counted[entry.id] = now;
    cache::ForeignAnswers same;
    const std::string signature = upstream::signature_of(reply);
    const auto note = [&](cache::Writer& db) {
        same = cache::note_foreign(db, entry.id, signature, verdict->why, counts, clock.now());
    };
    co_await put_down(note);
    if (same.count >= most_foreign && clock.now() - same.since >= foreign_for) {
        verdict->kind = Verdict::Kind::refused;
        verdict->why = fmt::format("{}; the same {} times since {}, while the service answered others: this write does "
                                   "not get through",
                                   verdict->why, same.count, to_rfc3339(same.since));
        foreign_counted.erase(entry.id);
    }
}

// "Not now" of the service's own: then it gets through.
Task<> Deliverer::Core::forget_foreign(std::int64_t id)
{
    if (foreign_counted.erase(id) == 0) co_return;
    const auto forget = [&](cache::Writer& db) { cache::forget_foreign(db, id); };
    co_await put_down(forget);
}

// One problem for all of them, as long as there are any.
Task<> Deliverer::Core::show_foreign()
{
    const auto summary = store.read_outbox([](cache::Reader& db) { return cache::summarize_foreign(db); });
    if (!foreign_shown) {
        const auto known = store.read([](cache::Reader& db) { return cache::find_problem(db, problem); });
        foreign_shown = known ? known->what : std::string();
    }
    std::string what;
    if (summary.entries > 0)
        what = fmt::format("{} write{}: {}", summary.entries, summary.entries == 1 ? " waits" : "s wait", summary.said);
    if (what == foreign_shown) co_return;
    cache::Problem told;
    told.what = what;
    told.hint = fmt::format("{}; each is tried again by itself, and fails after the same answer {} times over an hour "
                            "while the service answers others",
                            upstream::foreign_hint, most_foreign);
    told.since = summary.since;
    const auto put = [&](cache::Writer& db) {
        if (summary.entries > 0)
            cache::put_problem(db, problem, told);
        else
            cache::clear_problem(db, problem);
    };
    co_await store.write(put);
    foreign_shown = std::move(what);
}

} // namespace alli::sync

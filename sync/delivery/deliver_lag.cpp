// SPDX-License-Identifier: Apache-2.0
// What a Deliverer does while upstream's reads lag behind what it delivered: it holds what they cannot be checked for,
// has read again what they covered, and after a start goes on where an earlier process was.
#include "alli/back_off.hpp"
#include "cache/outbox/overlay.hpp"
#include "sync/delivery/deliver_core.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

using namespace std::chrono_literals;

constexpr int covered_at_once = 100;
constexpr BackOff between_read_backs{1s, 8s};
constexpr auto past_it = 1ms; // a read of that very moment may still lag

} // namespace

// What was delivered shortly before the last process ended may be missing in the mirror, or the mirror is a new one.
Task<> Deliverer::Core::resume_lag()
{
    const auto now = clock.steady();
    const Instant utc = clock.now();
    const Instant since = utc - std::chrono::ceil<std::chrono::microseconds>(options.read_lag);
    const auto recent = store.read_outbox([&](cache::Reader& db) { return cache::load_delivered(db, since); });
    const auto resume = [&](cache::Writer& db) {
        cache::resume_lag(db, now, utc, options.read_lag);
        for (const cache::Settled& one : recent) {
            if (cache::is_confirmed(db, one.entry.id)) continue;
            // Our clock was set back since: the mirror is done with it, and others may have written over it.
            if (one.at > utc + options.read_lag) continue;
            const auto passed = std::max<std::chrono::microseconds>(utc - one.at, 0us);
            const cache::Confirmation when(now - passed, utc - passed, options.read_lag);
            cache::confirm_edit(db, one.entry, copy_in(one.entry.kind, one.entry.response), when);
        }
    };
    co_await store.write(resume);
}

Known Deliverer::Core::know_before(const cache::Entry& entry, Clock::Steady asked_at, Clock::Steady* lags_until)
{
    Known known;
    known.overwrite = options.overwrite;
    auto lagging = store.read(
        [&](cache::Reader& db) { return cache::load_lagging(db, *entry.conversation, entry.chat, asked_at); });
    known.lagging = std::move(lagging.writes);
    *lags_until = lagging.until;
    if (!entry.in_doubt) return known;
    const auto until = attempt_lags_until(entry.id, asked_at);
    known.attempt_may_lag = asked_at <= until;
    *lags_until = std::max(*lags_until, until);
    return known;
}

// Where nothing is known of it an earlier process tried it, not long before it ended.
Clock::Steady Deliverer::Core::attempt_lags_until(std::int64_t id, Clock::Steady now)
{
    auto& until = holds[id].attempt_lags_until;
    if (!until) until = now + options.read_lag;
    return *until;
}

void Deliverer::Core::note_attempt(std::int64_t id, bool in_doubt)
{
    if (in_doubt) holds[id].attempt_lags_until = clock.steady() + options.read_lag;
}

// It stays what it is; at growing pauses it is looked at again, and for good when the lag is over.
void Deliverer::Core::hold(const Id& fifo, std::int64_t id, Clock::Steady lags_until)
{
    const auto now = clock.steady();
    const auto pause = between_read_backs.after(holds[id].read_backs++);
    Verdict heard;
    heard.kind = Verdict::Kind::delivered;
    if (policy.note(heard, fifo ? fifo->value : "", now)) fifos.make_all_due();
    answer(id, std::nullopt, false);
    const auto head = store.read_outbox([&](cache::Reader& db) { return cache::find_head(db, fifo); });
    const bool same = head && head->id == id;
    put_head(head, fifo, same ? std::min(now + pause, lags_until + past_it) : now);
    notify();
}

Task<> Deliverer::Core::read_covered_again()
{
    const auto now = clock.steady();
    if (!store.read([&](cache::Reader& db) { return cache::has_covered(db, now); })) co_return;
    std::vector<ConversationId> covered;
    const auto take = [&](cache::Writer& db) { covered = cache::take_covered(db, now, covered_at_once); };
    co_await store.write(take);
    for (ConversationId& id : covered) hooks.changed(std::move(id));
}

} // namespace alli::sync

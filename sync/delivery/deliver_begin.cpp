// SPDX-License-Identifier: Apache-2.0
// How an entry comes to be sent: marked as being sent before, so that no crash leaves it unmarked, and when its request
// may go, so that nothing is marked that only waits for that. Where several machines deliver in turn, the right to send
// it is taken from what they share, and is used within a moment: a machine that stood still meanwhile may have lost it.
#include "sync/delivery/deliver_core.hpp"

#include <array>

namespace alli::sync {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds most_age{200}; // of a beginning, when the first byte goes out
constexpr int most_beginnings = 5;
constexpr std::array<std::chrono::seconds, 3> most_waits{1s, 8s, 64s}; // for a permit, before it is read again
constexpr auto until_it_is_here = 200ms;

/// Both clocks: one may have been set, the other may not count a suspended machine's time.
class Moment {
  public:
    explicit Moment(const Clock& clock) : clock_(clock), steady_(clock.steady()), wall_(clock.now()) {}
    bool is_recent() const
    {
        const auto by_wall = clock_.now() - wall_;
        return clock_.steady() - steady_ <= most_age && by_wall <= most_age && by_wall >= -most_age;
    }

  private:
    const Clock& clock_;
    Clock::Steady steady_;
    Instant wall_;
};

} // namespace

Task<bool> Deliverer::Core::begin_here(std::int64_t id, std::optional<std::string> over)
{
    const auto begin = [&](cache::Writer& db) { return cache::begin_sending(db, id, over); };
    const bool begun = co_await store.write_outbox(begin);
    co_return begun;
}

// The age counts from before it was asked for: when it was granted is known to the other side alone.
Task<bool> Deliverer::Core::begin_shared(std::int64_t id, std::optional<std::string> over, Sending* sending)
{
    for (int tries = 0; tries < most_beginnings; ++tries) {
        const Moment asked(clock);
        Beginning beginning{id, over};
        if (!co_await hooks.begin(std::move(beginning))) co_return false;
        co_await begin_here(id, over);
        const auto here = store.read_outbox([id](cache::Reader& db) { return cache::find_entry(db, id); });
        if (!here || here->state != EntryState::sending) co_return false; // purged, or discarded, meanwhile
        if (asked.is_recent()) co_return sending->begun = true;
    }
    sending->late = true;
    co_return false;
}

// Of one that is looked at before it is sent where it had to wait: waiting for the permit is that, too. Where each
// permit takes long it goes in the end.
bool Deliverer::Core::is_outdated(const cache::Entry& entry, Clock::Steady asked_at)
{
    if (entry.kind != EditKind::stop && !needs_read_back(entry, true, options.overwrite)) return false;
    const auto times = static_cast<std::size_t>(holds[entry.id].outdated);
    if (times >= most_waits.size() || clock.steady() - asked_at <= most_waits[times]) return false;
    ++holds[entry.id].outdated;
    return true;
}

// The permit is there: nothing else has to be waited for.
Task<bool> Deliverer::Core::begin_now(const cache::Entry& entry, const std::optional<std::string>& over,
                                      Clock::Steady asked_at, Sending* sending)
{
    if (is_outdated(entry, asked_at)) co_return !(sending->outdated = true);
    sending->beginning = true;
    if (hooks.begin)
        co_await begin_shared(entry.id, over, sending);
    else
        sending->begun = co_await begin_here(entry.id, over);
    sending->beginning = false;
    co_return sending->begun;
}

Task<std::optional<upstream::Reply>> Deliverer::Core::send(const cache::Entry& entry,
                                                           const std::optional<std::string>& over, Sending* sending)
{
    upstream::Request request = request_of(entry);
    const auto asked_at = clock.steady();
    std::function<Task<bool>()> begin = [&] { return begin_now(entry, over, asked_at, sending); };
    auto reply = co_await client.deliver(std::move(request), std::move(begin));
    co_return reply;
}

// A person decided otherwise: soon the outbox here says so, and until then whoever waits need not.
void Deliverer::Core::look_later(const Id& fifo, std::int64_t id)
{
    answer(id, std::nullopt, false);
    const auto head = store.read_outbox([&](cache::Reader& db) { return cache::find_head(db, fifo); });
    put_head(head, fifo, clock.steady() + until_it_is_here);
    notify();
}

Task<bool> Deliverer::Core::settle_shared(std::int64_t id, cache::Outcome outcome)
{
    const bool stands = co_await hooks.settle(id, std::move(outcome));
    co_return stands;
}

Task<std::vector<Deliverer::Core::Id>> Deliverer::Core::expire_shared(Instant before, std::string why)
{
    std::vector<Id> expired;
    const auto late =
        store.read_outbox([&](cache::Reader& db) { return cache::find_pending(db, EditKind::stop, before); });
    for (const cache::LineHead& one : late) {
        cache::Outcome outcome;
        outcome.state = EntryState::failed;
        outcome.error = why;
        if (!co_await settle_shared(one.id, outcome)) continue;
        const auto settle = [&](cache::Writer& db) { cache::settle(db, one.id, outcome, clock.now()); };
        co_await store.write_outbox(settle);
        expired.push_back(one.conversation);
    }
    co_return expired;
}

} // namespace alli::sync

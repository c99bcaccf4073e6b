// SPDX-License-Identifier: Apache-2.0
#include "sync/sync_status.hpp"

#include "sync/pages/context.hpp"

namespace alli::sync {

void SyncStatus::count(const Ingested& done)
{
    current.reachable = current.key_accepted = true;
    current.conversations += done.conversations;
    current.chats += done.chats;
    publish();
}

void SyncStatus::healthy()
{
    current.reachable = current.key_accepted = true;
    current.error.clear();
    current.hint.clear();
    current.failing_since.reset();
    publish();
}

void SyncStatus::failed(const Error& error, Instant now)
{
    if (error.fault() == Fault::disk_full) return; // the store says so itself; of upstream it says nothing
    current.reachable = error.fault() == Fault::key_rejected;
    current.key_accepted = error.fault() != Fault::key_rejected;
    current.error = error.what();
    current.hint = error.hint();
    if (!current.failing_since) current.failing_since = now;
    publish();
}

void SyncStatus::cut_off(const std::string& why, Instant now)
{
    failed(Error(Fault::unreachable, "it goes on by itself as soon as upstream can be reached", "{}", why), now);
}

// What failed is told until it was made good: until a poll went well.
void SyncStatus::answered()
{
    if (std::exchange(current.reachable, true)) return;
    publish();
}

State describe(State state, Clock::Steady now, Instant wall, std::chrono::milliseconds interval,
               std::chrono::milliseconds pause)
{
    using std::chrono::seconds;
    constexpr seconds grace{15};
    const auto silent = now - state.compared_at;
    if (state.error.empty() && silent > interval + grace) {
        state.error = fmt::format("upstream was last compared with {} s ago",
                                  std::chrono::duration_cast<seconds>(silent).count());
        state.hint = "a poll is under way, or waits for its turn";
        state.failing_since = wall - std::chrono::duration_cast<std::chrono::microseconds>(silent);
    }
    if (state.error.empty()) return state;
    const auto next = std::max<Clock::Steady::duration>(state.next_try_at - now, pause);
    if (next > seconds(0))
        state.hint = fmt::format("tried again in {} s; {}", std::chrono::ceil<seconds>(next).count(), state.hint);
    return state;
}

} // namespace alli::sync

// SPDX-License-Identifier: Apache-2.0
// How an app waits, at the node that took its write, for what becomes of it at the one that delivers.
#include "cache/outbox/fifos.hpp"
#include "daemon/node/shared_writes.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace alli::daemon {
namespace {

using namespace std::chrono_literals;
using cache::EntryState;

constexpr auto until_it_is_begun = 5s;        // then it has to wait, for all that is known here
constexpr auto look_again = 250ms;            // at a leader nobody tells of what it settled itself
constexpr std::size_t most_kept = 256 * 1024; // of an answer: a longer one was cut

bool is_final(const cache::Entry& entry)
{
    return entry.state == EntryState::failed || entry.state == EntryState::delivered;
}

std::optional<upstream::Reply> reply_of(const cache::Entry& entry)
{
    if (!entry.last_status || (entry.response && entry.response->size() >= most_kept)) return std::nullopt;
    upstream::Reply reply;
    reply.status = *entry.last_status;
    if (entry.response_type) reply.headers.add("Content-Type", *entry.response_type);
    reply.body = entry.response.value_or("");
    return reply;
}

bool has_to_wait(const cache::Entry& entry)
{
    return entry.state == EntryState::conflict ||
           (entry.state == EntryState::pending && (entry.attempts > 0 || entry.last_error || entry.next_attempt_at));
}

} // namespace

/// Somebody who waits, for as long as the coroutine lives.
class SharedWrites::Waiting {
  public:
    Waiting(SharedWrites& all, std::int64_t id, std::shared_ptr<Waiter> waiter)
        : all_(all), id_(id), waiter_(std::move(waiter))
    {
        all_.waiters_[id_].push_back(waiter_);
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting()
    {
        auto& list = all_.waiters_[id_];
        list.remove(waiter_);
        if (list.empty()) all_.waiters_.erase(id_);
    }

  private:
    SharedWrites& all_;
    std::int64_t id_;
    std::shared_ptr<Waiter> waiter_;
};

bool SharedWrites::waits_for_others(const cache::Entry& entry) const
{
    return store_.read_outbox([&](cache::Reader& db) {
        const auto head = cache::find_head(db, entry.conversation);
        const auto bulk = cache::find_head(db, std::nullopt);
        return (head && head->id != entry.id) || (bulk && bulk->place < entry.place);
    });
}

Task<std::optional<upstream::Reply>> SharedWrites::wait(std::int64_t id, std::string upstream_key,
                                                        std::chrono::milliseconds patience)
{
    const auto waiter = std::make_shared<Waiter>(co_await asio::this_coro::executor);
    const Waiting waiting(*this, id, waiter);
    const Clock::Steady asked_at = clock_.steady(), until = asked_at + patience;
    for (bool first = true;; first = false) {
        const auto entry = find_here(id);
        if (entry && entry->upstream_key != upstream_key) co_return std::nullopt;
        if (entry && is_final(*entry)) {
            auto reply = reply_of(*entry);
            if (reply && entry->state == EntryState::failed) tell(id);
            co_return reply;
        }
        if (entry && has_to_wait(*entry)) co_return std::nullopt;
        if (entry && first && waits_for_others(*entry)) co_return std::nullopt;
        const bool begun = entry && entry->state == EntryState::sending;
        if (!begun && clock_.steady() - asked_at >= until_it_is_begun) co_return std::nullopt;
        const auto left = until - clock_.steady();
        if (waiter->released || stopping_ || left <= 0ns) co_return std::nullopt;
        co_await waiter->wakeup.wait(clock_, std::min<std::chrono::nanoseconds>(left, look_again));
    }
}

void SharedWrites::wake(std::int64_t id, bool released)
{
    const auto found = waiters_.find(id);
    if (found == waiters_.end()) return;
    for (const auto& waiter : found->second) {
        waiter->released = waiter->released || released;
        waiter->wakeup.notify();
    }
}

} // namespace alli::daemon

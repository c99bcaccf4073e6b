// SPDX-License-Identifier: Apache-2.0
#include "cluster/leader.hpp"

#include "cache/replica/unpublished.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>

namespace alli::cluster {

bool is_final(const Error& error)
{
    return error.fault() == Fault::canceled || error.fault() == Fault::io || error.fault() == Fault::damaged;
}

Leader::Leader(Truth& truth, cache::Store& store, Clock& clock, const NodeOptions& options, Follower& follower,
               std::int64_t epoch, Clock::Steady since, std::function<void(bool)> heard,
               std::function<void(const Error*)> published)
    : truth_(truth), store_(store), clock_(clock), options_(options), follower_(follower), epoch_(epoch),
      held_since_(since), heard_(std::move(heard)), published_(std::move(published))
{}

// The lease counts from before the heartbeat was sent: whenever it arrived, it was later.
Task<Leader::Outcome> Leader::beat()
{
    const Clock::Steady before = clock_.steady();
    try {
        const Beat beat = co_await truth_.beat(epoch_, follower_.position());
        heard_(true);
        if (!beat.ours || beat.continuity != Continuity::same) co_return Outcome::lost;
        held_since_ = before;
        co_return Outcome::ours;
    } catch (const Error&) {
        heard_(false); // here it costs time alone
        co_return Outcome::failed;
    }
}

Task<> Leader::hold(std::function<void(std::optional<Clock::Steady>)> deadline)
{
    using namespace asio::experimental::awaitable_operators;
    for (;;) {
        deadline(held_since_ + options_.dead_after());
        const auto left = held_since_ + options_.stand_down_after() - clock_.steady();
        if (left <= std::chrono::nanoseconds(0)) co_return;
        const auto first = co_await (beat() || clock_.sleep(left));
        if (first.index() == 1 || std::get<0>(first) == Outcome::lost) co_return;
        deadline(held_since_ + options_.dead_after());
        const auto until = held_since_ + options_.stand_down_after() - clock_.steady();
        const std::chrono::nanoseconds pause =
            std::get<0>(first) == Outcome::ours ? options_.beat() : options_.beat() / 4;
        co_await clock_.sleep(std::clamp<std::chrono::nanoseconds>(until, std::chrono::nanoseconds(0), pause));
    }
}

Task<bool> Leader::publish_some()
{
    const auto read = [this](cache::Reader& db) { return cache::read_unpublished(db, options_.batch); };
    cache::Unpublished found = co_await store_.read_long(read, "publishing");
    if (found.notes.empty()) co_return true;
    const Position reached = co_await truth_.publish_after(follower_.position(), epoch_, std::move(found.rows));
    const auto position = follower_.note_published(reached, found.whole);
    heard_(true);
    const auto mark = [&](cache::Writer& db) {
        cache::drop_notes(db, found.notes);
        if (position) cache::put_position(db, *position);
    };
    co_await store_.write(mark);
    co_return found.whole;
}

Task<> Leader::publish_all()
{
    for (bool done = false; !done;) done = co_await publish_some();
}

Task<> Leader::publish_forever()
{
    std::optional<std::uint64_t> seen; // the commits of the mirror that are published
    for (;;) {
        const std::uint64_t commits = store_.commits();
        std::optional<Error> failure;
        try {
            if (seen != commits) co_await publish_all();
            seen = commits;
        } catch (const NotLeader&) {
            co_return;
        } catch (const Error& error) {
            failure = error;
        }
        if (failure && is_final(*failure)) throw Error(*failure);
        if (failure && failure->fault() == Fault::unreachable) heard_(false);
        published_(failure ? &*failure : nullptr);
        co_await clock_.sleep(failure ? options_.beat() / 2 : options_.publish_pause);
    }
}

} // namespace alli::cluster

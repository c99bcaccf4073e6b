// SPDX-License-Identifier: Apache-2.0
#include "cluster/leader.hpp"

#include "cache/replica/unpublished.hpp"

namespace alli::cluster {

bool is_final(const Error& error)
{
    return error.fault() == Fault::canceled || error.fault() == Fault::io || error.fault() == Fault::damaged;
}

Leader::Leader(Truth& truth, cache::Store& store, Clock& clock, const NodeOptions& options, Follower& follower,
               const NodeHooks& hooks, std::int64_t epoch, Clock::Steady since, std::function<void(bool)> heard,
               std::function<void(const Error*)> published)
    : truth_(truth), store_(store), clock_(clock), options_(options), follower_(follower), hooks_(hooks), epoch_(epoch),
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

// A heartbeat may come back when it has stood down: then there is no deadline any more.
Task<> Leader::hold(std::function<void(std::optional<Clock::Steady>)> deadline)
{
    while (holds()) {
        deadline(held_since_ + options_.dead_after());
        const Outcome outcome = co_await beat();
        if (outcome == Outcome::lost || !holds()) co_return;
        deadline(held_since_ + options_.dead_after());
        co_await clock_.sleep(outcome == Outcome::ours ? options_.beat() : options_.beat() / 4);
    }
}

Task<> Leader::watch()
{
    while (holds()) co_await clock_.sleep(held_since_ + options_.stand_down_after() - clock_.steady());
    if (!stood_down_) heard_(false);
}

bool Leader::holds() const
{
    return !stood_down_ && clock_.steady() < held_since_ + options_.stand_down_after();
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
    for (;;) {
        const std::uint64_t commits = store_.commits();
        std::optional<Error> failure;
        try {
            if (published_commits_ != commits) co_await publish_all();
            published_commits_ = commits;
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

// A run that began anew has to end first.
void Leader::ask(const Round& heard)
{
    for (const Run& run : heard.runs)
        if (run.state == RunState::ended)
            runs_[run.conversation] = run;
        else
            runs_.erase(run.conversation);
    for (const Refresh& one : heard.refreshes) refreshes_[one.conversation] = one;
}

Task<> Leader::wait_published()
{
    const std::uint64_t commits = store_.commits();
    while (!published_commits_ || *published_commits_ < commits) co_await clock_.sleep(options_.publish_pause);
}

Task<> Leader::serve()
{
    std::vector<std::string> ids;
    std::vector<Run> runs;
    std::vector<Refresh> refreshes;
    for (const auto& [id, run] : runs_) runs.push_back(run), ids.push_back(id);
    for (const auto& [id, refresh] : refreshes_) {
        refreshes.push_back(refresh);
        if (!runs_.contains(id)) ids.push_back(id);
    }
    if (ids.empty() || !hooks_.refresh) co_return;
    co_await hooks_.refresh(std::move(ids));
    co_await wait_published();
    co_await truth_.settle(epoch_, runs, refreshes);
    for (const Run& run : runs)
        if (const auto found = runs_.find(run.conversation); found != runs_.end() && found->second.number == run.number)
            runs_.erase(found);
    for (const Refresh& one : refreshes)
        if (const auto found = refreshes_.find(one.conversation); found->second.number == one.number)
            refreshes_.erase(found);
}

Task<> Leader::serve_forever()
{
    for (;;) {
        std::optional<Error> failure;
        try {
            co_await serve();
        } catch (const NotLeader&) {
            co_return;
        } catch (const Error& error) {
            failure = error;
        }
        if (failure && is_final(*failure)) throw Error(*failure);
        co_await clock_.sleep(failure ? options_.beat() : options_.publish_pause);
    }
}

} // namespace alli::cluster

// SPDX-License-Identifier: Apache-2.0
#include "cluster/leader.hpp"

#include "cache/conversations.hpp"
#include "cache/rows/problems.hpp"

#include <algorithm>
#include <iterator>

namespace alli::cluster {
namespace {

constexpr std::chrono::minutes longest_silence{10};
constexpr std::chrono::minutes aside_for{1};           // what the database refused, before it is tried again
constexpr std::chrono::seconds pause_after_refusal{5}; // likewise where it changes: it may do so all the time
constexpr std::size_t most_at_once = 20;               // of what is asked for: the rest is not held up by one of them

// What was asked for once more meanwhile has another number, and stays.
template <class Row>
void forget(const std::vector<Row>& settled, std::map<std::string, Row>& asked)
{
    for (const Row& one : settled)
        if (const auto found = asked.find(one.conversation); found != asked.end() && found->second.number == one.number)
            asked.erase(found);
}

// Whether upstream gave it, or said that it has it not: what could not be read is neither.
bool is_known(cache::Store& store, const std::string& id)
{
    return store.read([&](cache::Reader& db) {
        return cache::find_held(db, {id}) || !cache::find_problem(db, cache::problem_key({id}));
    });
}

} // namespace

bool is_final(const Error& error)
{
    return error.fault() == Fault::canceled || error.fault() == Fault::io || error.fault() == Fault::damaged;
}

Leader::Leader(Truth& truth, cache::Store& store, Clock& clock, const NodeOptions& options, Follower& follower,
               const NodeHooks& hooks, std::int64_t epoch, Clock::Steady since, std::function<void(bool)> heard,
               std::function<void(const Error*)> published)
    : truth_(truth), store_(store), clock_(clock), options_(options), follower_(follower), hooks_(hooks), epoch_(epoch),
      held_since_(since), begun_at_(clock.steady()), batch_(options.batch), heard_(std::move(heard)),
      published_(std::move(published))
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

bool Leader::is_to_be_tried_again() const
{
    const Clock::Steady now = clock_.steady();
    return !aside_.empty() && (now >= aside_until_ || (look_at_ && now >= *look_at_));
}

// Of those that are not looked at yet, as any that changed.
std::vector<cache::Note> Leader::still_aside()
{
    const Clock::Steady now = clock_.steady();
    if (now >= aside_until_) aside_.clear(), refused_.clear(), problems_.clear();
    if (look_at_ && now >= *look_at_) look_at_.reset();
    std::vector<cache::Note> aside = aside_;
    if (look_at_)
        for (cache::Note& note : aside) note.times = cache::any_times;
    return aside;
}

Task<bool> Leader::publish_some()
{
    const std::vector<cache::Note> aside = still_aside();
    const auto read = [&](cache::Reader& db) {
        return cache::read_unpublished(db, batch_, options_.batch_bytes, aside);
    };
    cache::Unpublished found = co_await store_.read_long(read, "publishing");
    if (found.notes.empty()) co_return true;
    const std::string first = found.rows.conversations.empty() ? "" : found.rows.conversations.front().id;
    std::vector<std::string> ids;
    if (!refused_.empty())
        for (const cache::PublishedConversation& row : found.rows.conversations) ids.push_back(row.id);
    Position reached;
    bool refused = false;
    try {
        reached = co_await truth_.publish_after(follower_.position(), epoch_, std::move(found.rows));
    } catch (const Error& error) {
        refused = error.fault() == Fault::refused && narrow(found, first, error);
        if (!refused) throw;
    }
    if (refused) co_return false;
    take_back(ids);
    batch_ = std::min(2 * batch_, options_.batch);
    const auto position = follower_.note_published(reached, found.whole);
    heard_(true);
    const auto mark = [&](cache::Writer& db) {
        cache::drop_notes(db, found.notes);
        if (position) cache::put_position(db, *position);
    };
    co_await store_.write(mark);
    co_return found.whole;
}

// False: it is nothing that could be left out.
bool Leader::narrow(const cache::Unpublished& refused, const std::string& first, const Error& why)
{
    constexpr std::size_t most_aside = 20; // with more it is not the rows: then nothing is published, and that is said
    const bool known = std::find(refused_.begin(), refused_.end(), first) != refused_.end();
    if (first.empty() || (!known && refused_.size() >= most_aside)) return false;
    if (batch_ > 1) {
        batch_ /= 2;
        return true;
    }
    set_aside(refused.notes, first, why);
    return true;
}

// As it is: once it is noted again it may be another.
void Leader::set_aside(const std::vector<cache::Note>& notes, const std::string& conversation, const Error& why)
{
    constexpr std::size_t most_shown = 100; // of an id, which may be long
    if (aside_.empty()) aside_until_ = clock_.steady() + aside_for;
    look_at_ = clock_.steady() + pause_after_refusal;
    take_back({conversation});
    for (const cache::Note& note : notes) {
        if (note.kind == 0) continue;
        std::erase_if(aside_, [&](const cache::Note& one) { return one.kind == note.kind && one.key == note.key; });
        aside_.push_back(note);
    }
    refused_.push_back(conversation);
    problems_.push_back(
        {fmt::format("conversation {} cannot be published, so that other nodes have not got it as it is: {}",
                     conversation.substr(0, most_shown), why.what()),
         why.hint()});
}

// What is published is refused no more.
void Leader::take_back(const std::vector<std::string>& published)
{
    for (const std::string& id : published) {
        const auto found = std::find(refused_.begin(), refused_.end(), id);
        if (found == refused_.end()) continue;
        problems_.erase(problems_.begin() + (found - refused_.begin()));
        refused_.erase(found);
    }
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
            if (published_commits_ != commits || is_to_be_tried_again()) co_await publish_all();
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
    for (const Run& run : heard.runs) {
        runs_.erase(run.conversation);
        running_.erase(run.conversation);
        if (run.state == RunState::ended) runs_[run.conversation] = run;
        if (run.state == RunState::running) running_[run.conversation] = clock_.steady();
    }
    for (const Refresh& one : heard.refreshes) refreshes_[one.conversation] = one;
}

Task<> Leader::wait_published()
{
    const std::uint64_t commits = store_.commits();
    while (!published_commits_ || *published_commits_ < commits) co_await clock_.sleep(options_.publish_pause);
}

// What the leader before delivered last is asked for as well: until upstream's reads do not lag behind that any more it
// is fetched, and once more then.
Task<> Leader::serve_refreshes()
{
    co_await serve_some_refreshes(Asked::conversation);
    co_await serve_some_refreshes(Asked::list); // which may fail for long, where no poll is whole
}

Task<> Leader::serve_kept()
{
    return serve_some_refreshes(Asked::kept);
}

Leader::Asked Leader::kind_of(const std::string& asked)
{
    return asked == "*" ? Asked::list : find_kept(asked) ? Asked::kept : Asked::conversation;
}

Task<> Leader::serve_some_refreshes(Asked kind)
{
    const bool may_lag = clock_.steady() < begun_at_ + options_.read_lag;
    std::vector<Refresh> some;
    for (const auto& [id, one] : refreshes_) {
        if (some.size() == most_at_once) break;
        if (kind_of(id) != kind) continue;
        if (!may_lag || !fetched_early_.contains(one.number)) some.push_back(one);
    }
    if (some.empty() || !hooks_.refresh) co_return;
    std::vector<std::string> ids, kept;
    for (const Refresh& one : some) {
        auto id = find_kept(one.conversation);
        ids.push_back(id ? *id : one.conversation);
        if (id) kept.push_back(std::move(*id));
    }
    co_await hooks_.refresh(std::move(ids));
    std::erase_if(kept, [this](const std::string& id) { return !is_known(store_, id); }); // they are asked for again
    co_await say_kept(kept);
    if (may_lag) {
        for (const Refresh& one : some) fetched_early_.insert(one.number);
        co_return;
    }
    co_await wait_published();
    for (const std::string& id : kept) // but for what the database refused: the next to lead has not got that
        if (std::find(refused_.begin(), refused_.end(), id) == refused_.end()) follower_.note_said(id);
    co_await truth_.settle(epoch_, std::vector<Run>(), some);
    forget(some, refreshes_);
}

// What some node still holds and nobody published: as upstream has it now, and where it has it not, its end.
Task<> Leader::say_kept(std::vector<std::string> kept)
{
    if (kept.empty()) co_return;
    const auto note = [&](cache::Writer& db) {
        for (const std::string& id : kept) cache::note_whole(db, {id});
    };
    co_await store_.write(note);
}

// Who began one and did not come back to say how it ended, is not waited for.
Task<> Leader::end_silent_runs()
{
    const auto silent = std::find_if(running_.begin(), running_.end(), [this](const auto& one) {
        return clock_.steady() - one.second >= longest_silence;
    });
    if (silent == running_.end()) co_return;
    const std::string id = silent->first;
    co_await truth_.note_run(id, RunState::ended); // which is heard of
    running_.erase(id);
}

Task<> Leader::serve_runs()
{
    co_await end_silent_runs();
    std::vector<Run> runs;
    for (const auto& [id, run] : runs_)
        if (hooks_.has_fetched(run)) runs.push_back(run);
    if (runs.empty()) co_return;
    co_await wait_published();
    co_await truth_.settle(epoch_, runs, std::vector<Refresh>());
    forget(runs, runs_);
}

Task<> Leader::repeat(Task<> (Leader::*serve)())
{
    for (;;) {
        std::optional<Error> failure;
        try {
            co_await (this->*serve)();
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

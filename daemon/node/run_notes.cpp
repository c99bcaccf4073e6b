// SPDX-License-Identifier: Apache-2.0
#include "daemon/node/run_notes.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace alli::daemon {
namespace {

using namespace std::chrono_literals;
using cluster::RunState;

constexpr auto ask_again_after = 10s;
constexpr std::size_t most_waiting = 10'000; // with the database away; the oldest goes

} // namespace

RunNotes::RunNotes(asio::io_context& loop, cluster::Truth& truth, Clock& clock, std::string self, RunBarrier barrier)
    : loop_(loop), truth_(truth), clock_(clock), self_(std::move(self)), barrier_(std::move(barrier)),
      added_(loop.get_executor())
{}

std::uint64_t RunNotes::note(const ConversationId& id, RunState state, std::uint64_t fence)
{
    const std::uint64_t number = ++noted_;
    asio::post(loop_, [this, note = Note{number, id, state, fence}]() mutable {
        note.leads = leads_;
        add(std::move(note));
    });
    return number;
}

std::optional<std::int64_t> RunNotes::find_told(std::uint64_t note) const noexcept
{
    if (told_.load() < note) return std::nullopt;
    return position_.load();
}

void RunNotes::add(Note note)
{
    if (waiting_.size() >= most_waiting) waiting_.pop_front();
    waiting_.push_back(std::move(note));
    added_.notify();
}

// It stays among those that wait until it is committed: till then no row says more than it does.
Task<> RunNotes::send(Note note)
{
    const cluster::Position position = co_await truth_.note_run(note.id.value, note.state);
    Known& known = known_[note.id.value];
    const bool asked_for = note.leads == leads_;
    if (position.number > known.number) known = {.number = position.number, .fence = asked_for ? note.fence : 0};
    position_ = position.number;
    told_ = note.number;
}

Task<> RunNotes::run()
{
    for (;;) {
        if (waiting_.empty()) {
            co_await added_.wait(clock_, 1h);
            continue;
        }
        const std::uint64_t number = waiting_.front().number;
        bool failed = false;
        try {
            co_await send(waiting_.front());
        } catch (const Error& error) {
            failed = error.fault() != Fault::refused; // status says that the database is away; else it takes no such id
        }
        if (failed) co_await clock_.sleep(1s);
        // It may have had to make room meanwhile.
        if (!failed && !waiting_.empty() && waiting_.front().number == number) waiting_.pop_front();
    }
}

bool RunNotes::is_on_its_way(const std::string& id) const
{
    return std::any_of(waiting_.begin(), waiting_.end(), [&](const Note& note) { return note.id.value == id; });
}

// Its own rows it knows already; those of the process before this one it does not.
void RunNotes::hear(const cluster::Run& run)
{
    const bool on_its_way = is_on_its_way(run.conversation);
    if (on_its_way && (run.state == RunState::settled || run.node == self_)) return; // what happened here is later
    if (run.state == RunState::settled) return settle(run);
    Known& known = known_[run.conversation];
    if (run.number <= known.number) return;
    const ConversationId id{run.conversation};
    known = {.number = run.number};
    if (run.state == RunState::running)
        barrier_.running(id);
    else
        known.fence = barrier_.ended(id);
}

void RunNotes::settle(const cluster::Run& run)
{
    const auto found = known_.find(run.conversation);
    if (found == known_.end() || found->second.number > run.number) return;
    if (found->second.fence != 0) barrier_.settled(ConversationId{run.conversation}, found->second.fence);
    known_.erase(found);
}

bool RunNotes::has_fetched(const cluster::Run& run)
{
    const auto found = known_.find(run.conversation);
    if (found == known_.end() || found->second.number != run.number) return false;
    Known& known = found->second;
    const ConversationId id{run.conversation};
    const std::optional<bool> fetched = known.fence != 0 ? barrier_.is_fetched(id, known.fence) : std::nullopt;
    if (fetched || clock_.steady() < known.ask_again_at) return fetched.value_or(false);
    known.fence = barrier_.ended(id);
    known.ask_again_at = clock_.steady() + ask_again_after;
    return false;
}

} // namespace alli::daemon

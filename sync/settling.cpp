// SPDX-License-Identifier: Apache-2.0
#include "sync/settling.hpp"

#include "alli/back_off.hpp"
#include "cache/conversations.hpp"
#include "cache/rows/last_chat.hpp"

namespace alli::sync {
namespace {

using namespace std::chrono_literals;

constexpr BackOff pauses{250ms, 64s};
constexpr auto longest_awaited = 1s; // somebody waits for it
constexpr auto followed = 10min;     // after that, the polls and the following of growing messages have to do

} // namespace

// What an earlier run is still expected to bring is expected whatever ends meanwhile.
void Settling::ask_for(ConversationId id, std::uint64_t fence, std::optional<std::int64_t> chats_before)
{
    Wanted& wanted = wanted_[id];
    context_.refetch.forget(id); // what polls find in it from now on is looked at as often as at first
    wanted.fence = fence;
    wanted.asked_at = wanted.due = context_.clock.steady();
    wanted.tries = 0;
    if (chats_before) wanted.chats_before = chats_before;
}

std::optional<Clock::Steady> Settling::next_due() const
{
    std::optional<Clock::Steady> next;
    for (const auto& [id, wanted] : wanted_)
        if (!wanted.under_way && (!next || wanted.due < *next)) next = wanted.due;
    return next;
}

std::optional<ConversationId> Settling::take_due()
{
    const auto now = context_.clock.steady();
    for (auto& [id, wanted] : wanted_) {
        if (wanted.under_way || wanted.due > now) continue;
        wanted.under_way = true;
        return id;
    }
    return std::nullopt;
}

Task<> Settling::fetch(ConversationId id)
{
    const std::uint64_t fence = wanted_.at(id).fence;
    Seen seen = Seen::nothing;
    try {
        std::vector<ConversationId> one{id};
        co_await refresh(context_, std::move(one), upstream::Priority::app);
        seen = look(id, wanted_.at(id));
    } catch (const Error& error) {
        if (error.fault() == Fault::damaged || error.fault() == Fault::io || error.fault() == Fault::canceled) throw;
        // It is tried again, and said by the polls, which fail likewise.
    }
    wanted_.at(id).under_way = false;
    if (wanted_.at(id).fence == fence) go_on(id, seen); // else it is asked for anew, and due
}

void Settling::go_on(const ConversationId& id, Seen seen)
{
    const auto found = wanted_.find(id);
    Wanted& wanted = found->second;
    const bool awaited = seen == Seen::not_yet && !is_late(wanted);
    if (seen != Seen::nothing && !awaited) fetched_(id, wanted.fence, seen == Seen::whole);
    if (seen == Seen::whole || context_.clock.steady() - wanted.asked_at >= followed) {
        wanted_.erase(found);
        return;
    }
    std::chrono::nanoseconds pause = pauses.after(wanted.tries++);
    if (awaited) pause = std::min<std::chrono::nanoseconds>(pause, longest_awaited);
    wanted.due = context_.clock.steady() + pause;
}

// A copy that has no more chats than before the run, or ends with the question, is one from before the answer, for as
// long as upstream's reads may lag. Where upstream does not say whether a message is complete, nothing shows that it
// has come to its end but that time has passed.
Settling::Seen Settling::judge(cache::Reader& db, const ConversationId& id, const Wanted& wanted) const
{
    const auto held = cache::find_held(db, id);
    if (!wanted.chats_before) // it was fetched, and nothing more is expected; but what grows is not all of it
        return held && !held->last_completed ? Seen::uncertain : Seen::whole;
    if (!held) return wanted.chats_before == 0 && !is_late(wanted) ? Seen::not_yet : Seen::whole; // new, or gone
    // The answer need not be the last: others may have written since.
    if (!held->last_completed || cache::has_incomplete(db, id, *wanted.chats_before)) return Seen::not_yet;
    if (is_late(wanted)) return Seen::whole;
    if (held->chats <= *wanted.chats_before || cache::ends_with_question(db, id)) return Seen::not_yet;
    return held->maybe_since ? Seen::uncertain : Seen::whole;
}

Settling::Seen Settling::look(const ConversationId& id, const Wanted& wanted) const
{
    return context_.store.read([&](cache::Reader& db) {
        const auto problem = cache::find_problem(db, cache::problem_key(id));
        const bool in_part = problem && !problem->unreadable && cache::find_held(db, id);
        if (problem && !in_part) return Seen::nothing;
        return judge(db, id, wanted);
    });
}

} // namespace alli::sync

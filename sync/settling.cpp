// SPDX-License-Identifier: Apache-2.0
#include "sync/settling.hpp"

#include "cache/conversations.hpp"

namespace alli::sync {
namespace {

using namespace std::chrono_literals;

constexpr auto first_pause = 250ms;
constexpr int most_doublings = 8; // 64 s
constexpr auto followed = 10min;  // after that, the polls and the following of growing messages have to do

std::chrono::milliseconds pause_after(int tries)
{
    return first_pause * (1 << std::min(tries, most_doublings));
}

} // namespace

void Settling::ask_for(ConversationId id, std::uint64_t fence, bool expects_news)
{
    Wanted& wanted = wanted_[id];
    tools_.refetch.forget(id); // what polls find in it from now on is looked at as often as at first
    const auto held = tools_.store.read([&](cache::Reader& db) { return cache::find_held(db, id); });
    wanted.fence = fence;
    wanted.asked_at = wanted.due = tools_.clock.steady();
    wanted.tries = 0;
    wanted.expects_news = expects_news;
    wanted.chats_before = held ? held->chats : 0;
    wanted.whole_before = !held || held->last_completed;
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
    const auto now = tools_.clock.steady();
    for (auto& [id, wanted] : wanted_) {
        if (wanted.under_way || wanted.due > now) continue;
        wanted.under_way = true;
        return id;
    }
    return std::nullopt;
}

Task<> Settling::fetch(ConversationId id)
{
    const Wanted before = wanted_.at(id);
    Seen seen;
    std::optional<Error> failure;
    try {
        std::vector<ConversationId> one{id};
        co_await refresh(tools_, std::move(one), report_, upstream::Priority::app);
        seen = look(id, before);
    } catch (const Error& error) {
        if (error.fault() == Fault::damaged || error.fault() == Fault::io || error.fault() == Fault::canceled) throw;
        failure = error; // it is tried again, and said by the polls, which fail likewise
    }
    const auto found = wanted_.find(id);
    found->second.under_way = false;
    if (found->second.fence != before.fence) co_return; // it is asked for anew, and due
    if (seen.fetched) fetched_(id, before.fence, seen.whole);
    if (seen.whole || tools_.clock.steady() - before.asked_at >= followed) {
        wanted_.erase(found);
        co_return;
    }
    found->second.due = tools_.clock.steady() + pause_after(found->second.tries++);
}

// Where upstream does not say whether a message is complete, nothing shows that it has come to its end but that time
// has passed; and a copy that has not grown may be one from before.
bool Settling::shows_the_end(const cache::Held& held, const Wanted& wanted) const
{
    if (!held.last_completed) return false;
    if (tools_.clock.steady() - wanted.asked_at >= read_lag_) return true;
    const bool says = !held.maybe_since;
    const bool has_grown = held.chats > wanted.chats_before || !wanted.whole_before;
    return says && (has_grown || !wanted.expects_news);
}

Settling::Seen Settling::look(const ConversationId& id, const Wanted& wanted) const
{
    return tools_.store.read([&](cache::Reader& db) {
        Seen seen;
        seen.fetched = !cache::find_problem(db, cache::problem_key(id)).has_value();
        const auto held = cache::find_held(db, id);
        seen.whole = seen.fetched && (!held || shows_the_end(*held, wanted)); // without: it is gone, or was purged
        return seen;
    });
}

} // namespace alli::sync

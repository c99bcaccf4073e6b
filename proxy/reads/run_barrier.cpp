// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/run_barrier.hpp"

#include "proxy/relay/runs.hpp"
#include "proxy/request/cluster.hpp"
#include "proxy/request/polling.hpp"

namespace alli::proxy {
namespace {

constexpr std::chrono::milliseconds look_again{5}; // between two looks
constexpr std::chrono::milliseconds longest_for_a_list{2'000};

// By the clock of the events.
RunPhase phase_of(const Context& cx, const ConversationId& id)
{
    return cx.runs.find(id, cx.clock.steady());
}

// In the future: our clock was set back since, and nothing tells what that was before or after.
std::optional<Instant> told_time(const Context& cx, std::optional<Instant> verified)
{
    return verified && *verified <= shared_now(cx) ? verified : std::nullopt;
}

Task<Passage> settle(const Context& cx, const ConversationId& id)
{
    const auto deadline = cx.clock.steady() + cx.options.forward_timeout;
    while (phase_of(cx, id) == RunPhase::settling) {
        if (cx.clock.steady() > deadline || !cx.upstream.state().reachable || follows(cx)) co_return Passage::upstream;
        co_await cx.clock.sleep(look_again);
    }
    co_return phase_of(cx, id) == RunPhase::at_rest ? Passage::mirror : Passage::upstream;
}

// Fetching the conversations costs upstream less than a poll, so a poll is asked for only if that takes long. A poll
// that began before the end is followed by another.
Task<bool> wait_for_ends(const Context& cx, Instant asked_at)
{
    const auto begun = cx.clock.steady();
    const auto patience = std::min(cx.options.forward_timeout, longest_for_a_list);
    bool asked = false;
    std::optional<Instant> asked_when; // the mirror was verified then
    for (;;) {
        const auto verified = verified_at(cx);
        const Ends ends = cx.runs.find_ends(told_time(cx, verified), asked_at);
        if (ends == Ends::shown) co_return true;
        if (cx.clock.steady() - begun > patience || !cx.upstream.state().reachable || follows(cx)) co_return false;
        const bool compares = ends == Ends::unknown || cx.clock.steady() - begun > patience / 2;
        if (compares && (!asked || asked_when != verified)) cx.sync.poll_soon();
        if (compares) asked = true, asked_when = verified;
        co_await cx.clock.sleep(look_again);
    }
}

} // namespace

bool is_at_rest(const Context& cx, const std::optional<ConversationId>& id, std::optional<Instant> verified_at)
{
    if (id) return cx.runs.at_rest() || phase_of(cx, *id) == RunPhase::at_rest;
    return cx.runs.find_ends(told_time(cx, verified_at), cx.clock.now()) == Ends::shown;
}

bool meets_barrier(const Context& cx, const std::optional<ConversationId>& id)
{
    return id ? !cx.runs.at_rest() : cx.runs.has_ends();
}

Task<Passage> pass_barrier(const Context& cx, const std::optional<ConversationId>& id, bool may_wait)
{
    if (!id) co_return co_await shows_all_ends(cx, may_wait) ? Passage::mirror : Passage::upstream;
    const RunPhase phase = phase_of(cx, *id);
    if (phase == RunPhase::at_rest) co_return Passage::mirror;
    if (phase == RunPhase::settling && may_wait) co_return co_await settle(cx, *id);
    co_return Passage::upstream;
}

Task<bool> shows_all_ends(const Context& cx, bool may_wait)
{
    const Instant asked_at = cx.clock.now();
    if (cx.runs.find_ends(told_time(cx, verified_at(cx)), asked_at) == Ends::shown) co_return true;
    if (!may_wait) co_return false;
    co_return co_await wait_for_ends(cx, asked_at);
}

} // namespace alli::proxy

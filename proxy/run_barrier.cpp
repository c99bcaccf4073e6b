// SPDX-License-Identifier: Apache-2.0
#include "proxy/run_barrier.hpp"

#include "cache/progress.hpp"
#include "proxy/forward.hpp"
#include "proxy/relay.hpp"
#include "proxy/runs.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::proxy {
namespace {

constexpr std::chrono::milliseconds look_again{5};
constexpr std::chrono::milliseconds longest_for_a_list{2'000};

// Asked of the clock that the events were told by.
RunPhase phase_of(const Context& cx, const ConversationId& id)
{
    return cx.runs.find(id, cx.needs.clock.steady());
}

Task<Passage> settle(const Context& cx, const ConversationId& id)
{
    using Steady = std::chrono::steady_clock;
    const auto deadline = Steady::now() + cx.options.forward_timeout;
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (phase_of(cx, id) == RunPhase::settling) {
        if (Steady::now() > deadline || !cx.needs.upstream().reachable) co_return Passage::upstream;
        pause.expires_after(look_again);
        co_await pause.async_wait(asio::use_awaitable);
    }
    co_return phase_of(cx, id) == RunPhase::at_rest ? Passage::mirror : Passage::upstream;
}

bool is_later(std::optional<Instant> verified_at, std::optional<Instant> end)
{
    return !end || (verified_at && *verified_at >= *end);
}

} // namespace

bool is_at_rest(const Context& cx, std::string_view path, std::optional<Instant> verified_at)
{
    if (cx.runs.at_rest() && is_later(verified_at, cx.runs.last_end())) return true;
    const auto id = conversation_of(path);
    if (!id || *id == "daily_count") return is_later(verified_at, cx.runs.last_end());
    return phase_of(cx, ConversationId{*id}) == RunPhase::at_rest;
}

bool meets_barrier(const Context& cx, const Read& read)
{
    return read.of ? !cx.runs.at_rest() : cx.runs.last_end().has_value();
}

Task<Passage> pass_barrier(const Context& cx, const Read& read, bool may_wait)
{
    if (!read.of) co_return co_await shows_all_ends(cx, may_wait) ? Passage::mirror : Passage::upstream;
    const RunPhase phase = phase_of(cx, *read.of);
    if (phase == RunPhase::at_rest) co_return Passage::mirror;
    if (phase == RunPhase::settling && may_wait) co_return co_await settle(cx, *read.of);
    co_return Passage::upstream;
}

Task<bool> shows_all_ends(const Context& cx, bool may_wait)
{
    const auto end = cx.runs.last_end();
    const auto load = [](cache::Reader& db) { return cache::load_progress(db).verified_at; };
    if (is_later(cx.needs.store.read(load), end)) co_return true;
    if (!may_wait) co_return false;
    const auto patience = std::min(cx.options.forward_timeout, longest_for_a_list);
    co_return co_await poll(cx, *end, patience);
}

} // namespace alli::proxy

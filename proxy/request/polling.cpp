// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/polling.hpp"

#include "cache/rows/progress.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::proxy {

static constexpr std::chrono::milliseconds poll_check{10}; // between two looks whether the poll is done

std::optional<Instant> verified_at(const Context& cx)
{
    return cx.store.read([](cache::Reader& db) { return cache::load_progress(db).verified_at; });
}

Task<bool> poll(const Context& cx, Instant since)
{
    using Steady = std::chrono::steady_clock;
    const auto deadline = Steady::now() + cx.options.forward_timeout;
    asio::steady_timer pause(co_await asio::this_coro::executor);
    auto seen = verified_at(cx);
    cx.sync.poll_soon();
    for (;;) {
        const auto verified = verified_at(cx);
        if (verified && *verified >= since) co_return true;
        if (verified != seen) cx.sync.poll_soon(); // one that was under way already
        seen = verified;
        if (Steady::now() > deadline || !cx.upstream.state().reachable) co_return false;
        pause.expires_after(poll_check);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

} // namespace alli::proxy

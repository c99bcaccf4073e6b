// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/polling.hpp"

#include "cache/rows/progress.hpp"
#include "proxy/request/cluster.hpp"

namespace alli::proxy {

static constexpr std::chrono::milliseconds poll_check{10}; // between two looks whether the poll is done

std::optional<Instant> verified_at(const Context& cx)
{
    return cx.store.read([](cache::Reader& db) { return cache::load_progress(db).verified_at; });
}

Task<bool> poll(const Context& cx, Instant since)
{
    const auto deadline = cx.clock.steady() + cx.options.forward_timeout;
    auto seen = verified_at(cx);
    cx.sync.poll_soon();
    for (;;) {
        const auto verified = verified_at(cx);
        // In the future: our clock was set back since, and nothing tells when that was.
        if (verified && *verified >= since && *verified <= shared_now(cx)) co_return true;
        if (verified != seen) cx.sync.poll_soon(); // one that was under way already
        seen = verified;
        if (cx.clock.steady() > deadline || !cx.upstream.state().reachable || follows(cx)) co_return false;
        co_await cx.clock.sleep(poll_check);
    }
}

} // namespace alli::proxy

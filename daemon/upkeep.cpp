// SPDX-License-Identifier: Apache-2.0
#include "daemon/upkeep.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/log.hpp"
#include "cache/check_files.hpp"
#include "cache/index.hpp"
#include "cache/inspect.hpp"
#include "cache/room.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::daemon {

Task<> complete_index(cache::Store& store, const std::atomic<bool>& stopping)
{
    const auto extend = [](cache::Writer& db) { return cache::extend_index(db); };
    const auto scour = [](cache::Writer& db) { return cache::scour_index(db); };
    bool more = true;
    while (more && !stopping) more = co_await store.write(extend);
    for (more = true; more && !stopping;) more = co_await store.write(scour);
}

// What fails here is tried again half a day later; damage makes the store give up by itself.
static Task<> inspect(cache::Store& store, const std::atomic<bool>& stopping)
{
    const cache::Stopping stop = [&stopping] { return stopping.load(); };
    SystemClock clock;
    std::optional<Error> failure;
    try {
        co_await cache::inspect_when_due(store, clock.now(), stop);
    } catch (const Error& error) {
        failure = error;
    }
    if (failure && failure->fault() != Fault::canceled)
        log_event<Event::maintenance_failed>(std::string_view("the weekly check"), std::string_view(failure->what()),
                                             failure->hint());
}

Task<> tend_files(cache::Store& store, const std::atomic<bool>& stopping)
{
    constexpr std::chrono::hours pause{12};
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const cache::Stopping stop = [&stopping] { return stopping.load(); };
    co_await cache::inspect_unread(store, stop);
    while (!stopping) {
        co_await complete_index(store, stopping);
        co_await inspect(store, stopping);
        timer.expires_after(pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// False: the store has given up, and told its owner why.
static Task<bool> look_at_files(cache::Store& store)
{
    std::optional<Fault> fault;
    try {
        co_await cache::check_files(store);
    } catch (const Error& error) {
        fault = error.fault();
    }
    co_return !fault || *fault == Fault::disk_full || *fault == Fault::busy;
}

Task<> watch_files(cache::Store& store, std::chrono::milliseconds pause)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    do {
        timer.expires_after(cache::find_no_room() ? std::min<std::chrono::milliseconds>(pause, std::chrono::seconds(1))
                                                  : pause);
        co_await timer.async_wait(asio::use_awaitable);
    } while (co_await look_at_files(store));
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/memory.hpp"

#include "cache/db/page_cache.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <malloc.h>
#include <sys/resource.h>

#include <utility>

namespace alli::daemon {
namespace {

constexpr std::chrono::seconds pause{15};
constexpr std::size_t worth = 1024 * 1024;
constexpr int rest_share = 20;                       // at rest: at most a twentieth of a core since the last look
constexpr std::chrono::milliseconds least_work{500}; // less fills no caches

std::chrono::microseconds cpu_time() noexcept
{
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto of = [](const timeval& time) {
        return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    };
    return of(used.ru_utime) + of(used.ru_stime);
}

// Readers that are idle for a while do that by themselves, when another one comes back.
Task<> release_pages(cache::Store& store)
{
    const auto release = [](cache::Reader& db) { cache::release_pages(db); };
    store.read(release);
    store.read_outbox(release);
    co_await store.between_commits(cache::Store::File::mirror, release);
    co_await store.between_commits(cache::Store::File::outbox, release);
}

std::size_t free_bytes() noexcept
{
    return ::mallinfo2().fordblks;
}

} // namespace

bool MemoryWatch::is_due(std::chrono::steady_clock::time_point now, std::chrono::microseconds cpu)
{
    const auto passed = now - std::exchange(looked_at_, now);
    const auto spent = cpu - std::exchange(cpu_then_, cpu);
    if (spent * rest_share > passed || cpu - cpu_returned_ < least_work) return false;
    cpu_returned_ = cpu;
    return true;
}

Task<> return_memory(cache::Store& store)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    MemoryWatch watch;
    for (;;) {
        timer.expires_after(pause);
        co_await timer.async_wait(asio::use_awaitable);
        if (!watch.is_due(std::chrono::steady_clock::now(), cpu_time())) continue;
        co_await release_pages(store);
        if (free_bytes() >= worth) ::malloc_trim(0);
    }
}

} // namespace alli::daemon

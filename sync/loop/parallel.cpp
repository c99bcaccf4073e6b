// SPDX-License-Identifier: Apache-2.0
#include "sync/loop/parallel.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <exception>
#include <memory>
#include <utility>

namespace alli::sync {
namespace {

struct WorkerPool {
    std::function<Task<>(std::size_t)> work;
    std::size_t next = 0, count = 0, running = 0;
    std::exception_ptr failure;
    std::deque<asio::cancellation_signal> signals; // one a worker; a deque keeps their places
    std::function<void()> all_ended;
};

Task<> drain(std::shared_ptr<WorkerPool> pool)
{
    while (pool->next < pool->count && !pool->failure) {
        const std::size_t index = pool->next++;
        co_await pool->work(index);
    }
}

void end_one(WorkerPool& pool, std::exception_ptr failure)
{
    if (failure && !pool.failure) pool.failure = failure;
    if (--pool.running == 0 && pool.all_ended) std::exchange(pool.all_ended, nullptr)();
}

template <class Handler>
void wait_for(const std::shared_ptr<WorkerPool>& pool, Handler handler)
{
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected())
        slot.assign([pool](asio::cancellation_type type) {
            for (auto& signal : pool->signals) signal.emit(type);
        });
    auto shared = std::make_shared<Handler>(std::move(handler));
    // Not from inside the last worker's end: the awaiting coroutine goes on by itself, in a turn of its own.
    pool->all_ended = [shared, slot]() mutable {
        if (slot.is_connected()) slot.clear();
        asio::post(asio::get_associated_executor(*shared), [shared] { std::move (*shared)(); });
    };
}

} // namespace

Task<> in_parallel(std::size_t count, int limit, std::function<Task<>(std::size_t)> work)
{
    if (count == 0) co_return;
    auto pool = std::make_shared<WorkerPool>();
    pool->work = std::move(work);
    pool->count = count;
    pool->running = std::min(count, static_cast<std::size_t>(std::max(limit, 1)));
    const auto loop = co_await asio::this_coro::executor;
    for (std::size_t i = 0, workers = pool->running; i < workers; ++i) {
        pool->signals.emplace_back();
        auto done = [pool](std::exception_ptr failure) { end_one(*pool, failure); };
        asio::co_spawn(loop, drain(pool), asio::bind_cancellation_slot(pool->signals.back().slot(), done));
    }
    if (pool->running > 0) {
        auto initiate = [pool](auto handler) { wait_for(pool, std::move(handler)); };
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
    }
    if (pool->failure) std::rethrow_exception(pool->failure);
}

} // namespace alli::sync

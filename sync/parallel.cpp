// SPDX-License-Identifier: Apache-2.0
#include "sync/parallel.hpp"

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

Task<> drain(std::shared_ptr<WorkerPool> crew)
{
    while (crew->next < crew->count && !crew->failure) {
        const std::size_t index = crew->next++;
        co_await crew->work(index);
    }
}

void end_one(WorkerPool& crew, std::exception_ptr failure)
{
    if (failure && !crew.failure) crew.failure = failure;
    if (--crew.running == 0 && crew.all_ended) std::exchange(crew.all_ended, nullptr)();
}

template <class Handler>
void wait_for(const std::shared_ptr<WorkerPool>& crew, Handler handler)
{
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected())
        slot.assign([crew](asio::cancellation_type type) {
            for (auto& signal : crew->signals) signal.emit(type);
        });
    auto shared = std::make_shared<Handler>(std::move(handler));
    // Not from inside the last worker's end: the awaiting coroutine goes on by itself, in a turn of its own.
    crew->all_ended = [shared, slot]() mutable {
        if (slot.is_connected()) slot.clear();
        asio::post(asio::get_associated_executor(*shared), [shared] { std::move (*shared)(); });
    };
}

} // namespace

Task<> in_parallel(std::size_t count, int limit, std::function<Task<>(std::size_t)> work)
{
    if (count == 0) co_return;
    auto crew = std::make_shared<WorkerPool>();
    crew->work = std::move(work);
    crew->count = count;
    crew->running = std::min(count, static_cast<std::size_t>(std::max(limit, 1)));
    const auto loop = co_await asio::this_coro::executor;
    for (std::size_t i = 0, workers = crew->running; i < workers; ++i) {
        crew->signals.emplace_back();
        auto done = [crew](std::exception_ptr failure) { end_one(*crew, failure); };
        asio::co_spawn(loop, drain(crew), asio::bind_cancellation_slot(crew->signals.back().slot(), done));
    }
    if (crew->running > 0) {
        auto initiate = [crew](auto handler) { wait_for(crew, std::move(handler)); };
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
    }
    if (crew->failure) std::rethrow_exception(crew->failure);
}

} // namespace alli::sync

// SPDX-License-Identifier: Apache-2.0
#include "sync/delivery/deliverer.hpp"

#include "sync/delivery/deliver_core.hpp"
#include "sync/loop/parallel.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

namespace alli::sync {

Deliverer::Deliverer(upstream::Client& client, cache::Store& store, Clock& clock, Random& random,
                     DeliveryOptions options, DeliveryHooks hooks)
    : core_(std::make_shared<Core>(client, store, clock, random, options, std::move(hooks)))
{}

Deliverer::~Deliverer() = default;

Task<> Deliverer::run()
{
    Core& core = *core_;
    const Core::Running running(core, co_await asio::this_coro::executor);
    // After a cancellation the end of this function must still write.
    co_await asio::this_coro::throw_if_cancelled(false);
    std::exception_ptr failure;
    std::function<Task<>(std::size_t)> work = [&core](std::size_t worker) { return core.drain(worker); };
    try {
        co_await core.load();
        // Cancellation is held off while it loads, and the workers would miss one from that time.
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() == asio::cancellation_type::none)
            co_await in_parallel(static_cast<std::size_t>(core.options.max_parallel) + 1, core.options.max_parallel + 1,
                                 work);
    } catch (...) {
        failure = std::current_exception();
    }
    const auto close = [](cache::Writer& db) { cache::close_line(db); };
    std::exception_ptr unclosed;
    try {
        co_await core.store.write_outbox(close);
    } catch (...) {
        unclosed = std::current_exception(); // the next start finds it unclean, and checks
    }
    if (failure) std::rethrow_exception(failure);
}

Task<std::optional<upstream::Reply>> Deliverer::offer(cache::AcceptedWrite write, std::chrono::milliseconds patience)
{
    return Core::offer(core_, std::move(write), patience);
}

Task<bool> Deliverer::is_awaited(std::int64_t id)
{
    return Core::is_awaited(core_, id);
}

Task<cache::RetryResult> Deliverer::retry(std::int64_t id)
{
    return Core::retry(core_, id);
}

void Deliverer::make_due()
{
    core_->policy.probe_now();
    core_->fifos.make_all_due();
    core_->notify();
}

void Deliverer::look_again(const std::vector<std::optional<ConversationId>>& fifos)
{
    for (const auto& fifo : fifos) core_->refresh_idle(fifo);
}

Task<cache::OperatorResult> Deliverer::discard(std::int64_t id)
{
    return Core::discard(core_, id);
}

} // namespace alli::sync

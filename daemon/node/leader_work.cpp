// SPDX-License-Identifier: Apache-2.0
#include "daemon/node/leader_work.hpp"

#include "daemon/node/background_maintenance.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

namespace alli::daemon {

LeaderWork::LeaderWork(LeaderWorkTools tools, LeaderWorkOptions options)
    : tools_(tools), options_(std::move(options)), all_ended_(tools.loop.get_executor())
{
    renew();
    if (options_.follows) assume_upstream(*engine());
}

void LeaderWork::renew()
{
    auto& [loop, client, store, clock, random] = tools_;
    auto next = std::make_shared<Current>();
    const auto engine = std::make_shared<sync::Engine>(client, store, clock, random, options_.sync);
    sync::DeliveryHooks hooks{.changed = [engine](ConversationId id) { engine->wake_conversation(std::move(id)); },
                              .changed_many = [engine] { engine->wake(); },
                              .begin = begin_delivery_,
                              .settle = settle_delivery_,
                              .is_awaited = is_awaited_};
    next->deliverer =
        std::make_shared<sync::Deliverer>(client, store, clock, random, options_.delivery, std::move(hooks));
    engine->when_back([deliverer = std::weak_ptr(next->deliverer)] {
        if (const auto known = deliverer.lock()) known->make_due();
    });
    if (fetched_) engine->on_fetched(fetched_);
    next->engine = engine;
    current_.store(std::move(next));
}

// Nobody compares with it here: it is there until a request of an app finds that it is not.
void LeaderWork::assume_upstream(sync::Engine& engine) const
{
    engine.heard(upstream::Outcome{});
}

void LeaderWork::on_fetched(std::function<void(const ConversationId&, std::uint64_t, bool)> fetched)
{
    fetched_ = std::move(fetched);
    engine()->on_fetched(fetched_);
}

void LeaderWork::share(std::function<Task<bool>(sync::Beginning)> begin,
                       std::function<Task<bool>(std::int64_t, cache::Outcome)> settle,
                       std::function<bool(std::int64_t)> is_awaited)
{
    begin_delivery_ = std::move(begin);
    settle_delivery_ = std::move(settle);
    is_awaited_ = std::move(is_awaited);
    renew();
    if (options_.follows) assume_upstream(*engine());
}

// `work` is the engine's or the deliverer's: the handler keeps both until it has ended.
void LeaderWork::spawn(Task<> work, asio::cancellation_signal& cancel, const std::atomic<bool>& cancelled)
{
    ++parts_;
    auto handle = [this, &cancelled, kept = current_.load()](std::exception_ptr error) {
        if (!cancelled) failed_(error);
        one_ended();
    };
    asio::co_spawn(tools_.loop, std::move(work), asio::bind_cancellation_slot(cancel.slot(), std::move(handle)));
}

void LeaderWork::begin(std::function<void(std::exception_ptr)> failed, std::function<void()> ended)
{
    failed_ = std::move(failed);
    ended_ = std::move(ended);
    sync_cancelled_ = delivery_cancelled_ = false;
    running_ = true;
    all_ended_.reset();
    spawn(deliverer()->run(), cancel_delivery_, delivery_cancelled_);
    spawn(engine()->run(), cancel_sync_, sync_cancelled_);
    parts_ += 2;
    auto kept = [this](const std::exception_ptr&) { one_ended(); }; // what fails in it is logged there
    asio::co_spawn(tools_.loop, follow_retention(tools_.store, options_.retention, sync_cancelled_),
                   asio::bind_cancellation_slot(cancel_retention_.slot(), std::move(kept)));
    webhooks_ = std::make_unique<Webhooks>(
        options_.webhooks, WebhookTools{tools_.loop.get_executor(), tools_.store, tools_.clock, tools_.random});
    webhooks_->start([this] { one_ended(); });
}

void LeaderWork::one_ended()
{
    if (--parts_ > 0) return;
    running_ = false;
    all_ended_.notify();
    ended_();
}

void LeaderWork::cancel_sync()
{
    if (!running_ || sync_cancelled_.exchange(true)) return;
    cancel_sync_.emit(asio::cancellation_type::terminal);
    cancel_retention_.emit(asio::cancellation_type::terminal);
    webhooks_->stop();
}

void LeaderWork::cancel_delivery()
{
    if (!running_ || delivery_cancelled_.exchange(true)) return;
    cancel_delivery_.emit(asio::cancellation_type::terminal);
}

Task<> LeaderWork::ended()
{
    constexpr std::chrono::hours look_again{1};
    while (running_) co_await all_ended_.wait(tools_.clock, look_again);
    renew();
    assume_upstream(*engine());
}

void LeaderWork::wake_webhooks(std::string_view id)
{
    if (webhooks_) webhooks_->wake(id);
}

} // namespace alli::daemon

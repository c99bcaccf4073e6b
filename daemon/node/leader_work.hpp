// SPDX-License-Identifier: Apache-2.0
// What only one machine of a project does: the engine, the delivery of writes, webhooks, mirror.retention. Without a
// cluster it begins and ends with the daemon. In one it begins each time this node leads, with an engine and a
// deliverer made anew: what the last ones knew is out of date.
#pragma once

#include "alli/published.hpp"
#include "daemon/webhook/webhooks.hpp"
#include "sync/delivery/deliverer.hpp"
#include "sync/engine.hpp"
#include "sync/loop/wakeup.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace alli::daemon {

struct LeaderWorkOptions {
    sync::Options sync;
    sync::DeliveryOptions delivery;
    std::vector<WebhookEndpoint> webhooks;
    std::optional<std::chrono::milliseconds> retention; // none: everything is kept
    bool follows = false; // another node may do it: until begin() upstream counts as reachable
};

/// All outlive it.
struct LeaderWorkTools {
    asio::io_context& loop;
    upstream::Client& client;
    cache::Store& store;
    Clock& clock;
    Random& random;
};

class LeaderWork {
  public:
    LeaderWork(LeaderWorkTools tools, LeaderWorkOptions options);

    /// Those that run, or did last. Any thread; never null.
    std::shared_ptr<sync::Engine> engine() const { return current_.load()->engine; }
    std::shared_ptr<sync::Deliverer> deliverer() const { return current_.load()->deliverer; }
    /// True while another node may do it: nobody here does. Any thread.
    bool is_elsewhere() const noexcept { return options_.follows && !running_; }

    /// As Engine::on_fetched(), of this engine and those to come. Before begin().
    void on_fetched(std::function<void(const ConversationId&, std::uint64_t, bool)> fetched);

    /// As sync::DeliveryHooks, of this deliverer and those to come. Before begin().
    void share(std::function<Task<bool>(sync::Beginning)> begin,
               std::function<Task<bool>(std::int64_t, cache::Outcome)> settle,
               std::function<bool(std::int64_t)> is_awaited);

    // On the engine's loop, or before it runs:
    /// `failed`: one of them has ended by itself. `ended`: all have.
    void begin(std::function<void(std::exception_ptr)> failed, std::function<void()> ended);
    /// Everything but the delivery of writes, for which apps may wait.
    void cancel_sync();
    void cancel_delivery();
    /// Until all have ended.
    Task<> ended();
    /// An engine and a deliverer that know nothing yet. While nothing runs.
    void renew();
    /// As Webhooks::wake().
    void wake_webhooks(std::string_view id);

  private:
    struct Current {
        std::shared_ptr<sync::Engine> engine;
        std::shared_ptr<sync::Deliverer> deliverer;
    };
    void assume_upstream(sync::Engine& engine) const;
    void spawn(Task<> work, asio::cancellation_signal& cancel, const std::atomic<bool>& cancelled);
    void one_ended();

    LeaderWorkTools tools_;
    LeaderWorkOptions options_;
    std::function<void(const ConversationId&, std::uint64_t, bool)> fetched_;
    std::function<Task<bool>(sync::Beginning)> begin_delivery_;
    std::function<Task<bool>(std::int64_t, cache::Outcome)> settle_delivery_;
    std::function<bool(std::int64_t)> is_awaited_;
    Published<Current> current_;
    std::unique_ptr<Webhooks> webhooks_;
    asio::cancellation_signal cancel_sync_, cancel_delivery_, cancel_retention_;
    std::atomic<bool> running_{false}, sync_cancelled_{false}, delivery_cancelled_{false};
    int parts_ = 0; // that run
    std::function<void(std::exception_ptr)> failed_;
    std::function<void()> ended_;
    sync::Wakeup all_ended_;
};

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// One event loop with its thread and the connections that live on it. Everything of a connection happens there: no
// locks.
#pragma once

#include "alli/random.hpp"
#include "proxy/endpoints/feed.hpp"
#include "proxy/reads/response_cache.hpp"
#include "proxy/request/context.hpp"
#include "proxy/request/request_id.hpp"
#include "proxy/request/request_metrics.hpp"
#include "proxy/route_map.hpp"
#include "proxy/session.hpp"
#include "upstream/breaker.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <future>
#include <thread>
#include <unordered_set>

namespace alli::proxy {

class Loop {
  public:
    /// All that is given must outlive it.
    Loop(const Options& options, const Backend& backend, Coalescer& coalescer, BrowserSessions& browser_sessions,
         UnsupportedParameters& unsupported_parameters, Runs& runs, const Guard& guard, Meters& meters,
         const RequestMetrics& request_metrics, CacheBudget& budget);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void start();
    asio::any_io_executor executor() noexcept { return io_.get_executor(); }
    asio::io_context& io() noexcept { return io_; }

    // Any thread:
    /// For one more connection, those that were told to make room counted too.
    bool has_room() const noexcept { return held_.load(std::memory_order_relaxed) < 2 * max_sessions_; }
    void take(Socket socket, Peer peer);
    void committed() { feed_.committed(); }   // something, to the mirror
    void look_again() { feed_.look_again(); } // somebody is let in no longer
    void adjust(const Adjustment& adjustment);
    void drain(); // the thread ends once the last session has
    void abort();
    void shed(); // the one that has waited longest without a complete request goes

    /// For the owner, after drain(): false when the thread still runs then.
    bool ended_by(std::chrono::steady_clock::time_point deadline);
    void stop(); // at once, whatever is under way, and joins

  private:
    bool adopt(Socket socket, Peer peer);
    template <class Belongs>
    std::shared_ptr<Session> find_idle(Belongs belongs) const;
    template <class Belongs>
    bool make_room(std::size_t most, Belongs belongs);
    void remove(const std::shared_ptr<Session>& session, const std::exception_ptr& failure);
    void tick();
    void tick_later();
    void end_if_done();

    Options options_; // its own, so that they change between two requests and not within one's step
    ResponseCache response_cache_;
    RequestIds request_ids_;
    RouteMap routes_;
    const Guard& guard_;
    std::size_t max_sessions_, max_sessions_a_user_;
    std::atomic<std::size_t> held_{0}; // connections taken and not ended yet
    asio::io_context io_{1};
    std::unique_ptr<upstream::Exchanges> exchanges_;
    SystemRandom random_;
    upstream::Breaker exchange_breaker_{random_, {1, std::chrono::seconds(1), std::chrono::seconds(5)}};
    Feed feed_;
    const Context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    asio::steady_timer timer_;
    std::unordered_set<std::shared_ptr<Session>> sessions_;
    bool draining_ = false, ticking_ = false;
    std::promise<void> ended_;
    std::future<void> end_;
    std::thread thread_;
};

} // namespace alli::proxy

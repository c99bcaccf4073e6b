// SPDX-License-Identifier: Apache-2.0
// One life of the whole program, from its start to its death, on one loop and a fake clock: store, client, engine and
// delivery over a simulated upstream, and the proxy's way of a request, asked without a socket.
#pragma once

#include "cache/store.hpp"
#include "proxy/access/browser_sessions.hpp"
#include "proxy/access/grant.hpp"
#include "proxy/loop.hpp"
#include "proxy/relay/coalescing.hpp"
#include "proxy/relay/runs.hpp"
#include "proxy/request/unsupported_parameters.hpp"
#include "proxy/routes.hpp"
#include "sync/delivery/deliverer.hpp"
#include "sync/engine.hpp"
#include "tests/simulation/world.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <list>
#include <memory>
#include <string>

namespace simulation {

/// What an app has of its request. Not done, and its program is dead: it will never know.
struct Asked {
    bool done = false;
    int status = 0;
    alli::Headers headers;
    std::string body;

    bool is_hit() const { return headers.first("Cache-Status").starts_with("alli-mirror; hit"); }
    json parsed() const { return json::parse(body); }
    json unwrapped() const // without an envelope, which is put around it once it is known
    {
        json whole = parsed();
        return whole.contains("result") && !whole.contains("id") ? whole["result"] : whole;
    }
};
using Answer = std::shared_ptr<Asked>;

class Program final : alli::proxy::UpstreamAccess,
                      alli::proxy::SyncControl,
                      alli::proxy::Delivery,
                      alli::proxy::Maintenance,
                      alli::proxy::TokenAdmin,
                      alli::proxy::Reports {
  public:
    /// The files are in `directory`.
    Program(World& world, support::FakeClock& clock, boost::asio::io_context& loop, const std::string& directory,
            const alli::sync::Options& options, const alli::sync::DeliveryOptions& delivery, std::uint64_t seed);
    ~Program() override;

    /// An app asks; what can be answered at once is.
    Answer ask(std::string_view method, std::string target, const std::map<std::string, std::string>& headers = {},
               std::string body = {});
    /// Another task of the program's, which ends with it; `ended` is not called where it was cut short.
    void spawn(
        alli::Task<> task, std::function<void()> ended = [] {});
    /// Nothing that was under way goes on, and nobody hears of it.
    void die();

    alli::cache::Store& store() { return store_; }
    alli::sync::Engine& engine() { return engine_; }
    alli::sync::Deliverer& deliverer() { return deliverer_; }
    bool gave_up() const { return ended_ > 0 && !dying_; }
    /// It met damage in one of its files: the process ends, and is started again.
    bool is_damaged() const { return damaged_; }

  private:
    alli::Task<alli::upstream::Reply> send(alli::upstream::Request request) override;
    std::unique_ptr<alli::upstream::Exchanges> connect(boost::asio::any_io_executor loop) override;
    alli::proxy::UpstreamState state() const override;
    void report(const alli::upstream::Outcome& outcome) override { engine_.heard(outcome); }

    void poll_soon() override { engine_.wake(); }
    void try_upstream_now() override { engine_.insist(); }
    void accept_deletions() override { engine_.accept_deletions(); }
    void accept_key() override {}
    void refresh(alli::ConversationId id) override { engine_.wake_conversation(std::move(id)); }
    void refresh_categories() override { engine_.refresh_categories(); }
    void settle(alli::ConversationId id, std::uint64_t fence, std::optional<std::int64_t> before) override
    {
        engine_.settle(std::move(id), fence, before);
    }

    alli::Task<std::optional<alli::upstream::Reply>> deliver(alli::cache::AcceptedWrite write,
                                                             std::chrono::milliseconds patience) override
    {
        return deliverer_.offer(std::move(write), patience);
    }
    alli::Task<bool> is_awaited(std::int64_t id) override { return deliverer_.is_awaited(id); }
    alli::Task<alli::cache::RetryResult> retry(std::int64_t id) override { return deliverer_.retry(id); }
    alli::Task<alli::cache::OperatorResult> discard(std::int64_t id) override { return deliverer_.discard(id); }

    std::string start(const std::string&) override { return "{}"; }
    std::optional<std::string> state(std::string_view) const override { return std::nullopt; }
    std::string list() const override { return "{}"; }
    std::string add(const std::string&) const override { return "{}"; }
    bool revoke(const std::string&) const override { return false; }
    std::string status() override { return "{}"; }
    std::string status_in_view(const alli::cache::Visibility&) override { return "{}"; }
    std::string metrics(const alli::proxy::RequestMetrics&) override { return {}; }

    alli::Task<> answer(Answer asked, alli::proxy::Request request);
    alli::sync::DeliveryHooks hooks();

    World& world_;
    support::FakeClock& clock_;
    boost::asio::io_context& loop_;
    alli::cache::Store store_;
    alli::SeededRandom random_, delivery_random_, relay_random_;
    alli::upstream::RateLimiter pace_;
    alli::upstream::Client client_;
    alli::sync::Engine engine_;
    alli::sync::Deliverer deliverer_;

    alli::proxy::Options options_;
    alli::proxy::Guard guard_{options_};
    alli::proxy::CacheBudget budget_{1 << 20};
    alli::proxy::ResponseCache response_cache_{budget_};
    alli::proxy::Coalescer coalescer_;
    alli::proxy::RequestMetrics request_metrics_{1, guard_};
    alli::proxy::RequestIds request_ids_;
    alli::upstream::Breaker exchange_breaker_{relay_random_, {}};
    alli::proxy::Feed feed_;
    alli::proxy::BrowserSessions browser_sessions_;
    alli::proxy::UnsupportedParameters unsupported_parameters_;
    alli::proxy::Runs runs_;
    alli::proxy::RouteMap routes_;
    std::shared_ptr<const alli::proxy::Grant> grant_;
    const alli::proxy::Context context_;

    std::list<boost::asio::cancellation_signal> tasks_;
    int begun_ = 0, finished_ = 0, ended_ = 0; // ended_: of those that never end by themselves
    bool dying_ = false, damaged_ = false;
};

} // namespace simulation

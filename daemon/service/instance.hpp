// SPDX-License-Identifier: Apache-2.0
// A running mirror: every part of it, in the order of the data's way, and the narrow interfaces that join them. The
// engine loop runs upstream and sync; the proxy runs its own loops and reaches the engine only by what is handed over
// to its loop.
#pragma once

#include "alli/clock.hpp"
#include "alli/random.hpp"
#include "cache/store.hpp"
#include "daemon/node/cluster_node.hpp"
#include "daemon/node/leader_work.hpp"
#include "daemon/service/descriptors.hpp"
#include "daemon/service/maintenance.hpp"
#include "daemon/service/proxy_backend.hpp"
#include "daemon/service/route_watch.hpp"
#include "daemon/service/token_registry.hpp"
#include "daemon/settings/settings.hpp"
#include "proxy/request/projects.hpp"
#include "proxy/server.hpp"
#include "sync/project.hpp"
#include "upstream/client.hpp"
#include "upstream/curl/curl_transport.hpp"
#include "upstream/rate_limiter.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <thread>

namespace alli::daemon {

struct InstanceOptions {
    Config config;
    std::string api_key;
    upstream::ForwardProxy proxy; // through which upstream is asked
    std::string mirror_path;
    std::vector<WebhookEndpoint> webhooks = {};
    std::vector<std::string> notes = {};        // on the settings, for `status`
    bool accept_deletions = false;              // a person has said so: what upstream lacks, is gone
    bool accept_key = false;                    // likewise: the key may open another project than before
    std::function<void()> restart = {};         // ends the process and starts it anew; any thread; none: it cannot
    std::optional<ClusterOptions> cluster = {}; // none: this machine alone
    std::string identity; // whose mirror it is: upstream's URL, or a fixed word where that changes at every start
};

/// Where local apps come in, and with which keys beside upstream's.
struct ListenConfig {
    std::vector<std::string> listen;
    std::vector<int> passed; // listening sockets of the service manager's; where there are any, `listen` is not read
    std::vector<proxy::Token> tokens;
    TokensFile tokens_place; // where those came from, and new ones go
    Environment environment; // in which that is read again
};

class Instance final : public proxy::Reports, public proxy::ProjectList {
  public:
    /// Opens the files and makes the parts; nothing runs yet. Throws Error as Store and CurlTransport do.
    explicit Instance(InstanceOptions options);
    ~Instance() override; // as stop()
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    /// One pass on the calling thread; `report` is called on it. SIGINT and SIGTERM end it with Error{canceled}.
    void run_once(std::function<void(const sync::State&)> report);

    /// Listens, and starts the engine on a thread of its own. `failed` is called there when the engine ends by itself.
    void serve(ListenConfig doors, std::function<void(std::exception_ptr)> failed);
    std::vector<std::string> addresses() const;

    /// Any thread, while it serves: takes over what the settings table says a reload brings.
    void adjust(const Config& config, std::vector<proxy::Token> tokens, TokensFile place);

    /// Stops accepting, then sync, lets sessions end (5 s at most). The files are closed by the destructor.
    void stop();

    /// Any thread, while it serves: `alive` is called after a turn through the engine's loop, both of the store's
    /// committing threads and each loop of the proxy.
    void probe(std::function<void()> alive);

    /// To be called now and then on one thread: what became of this node is logged.
    void tell_cluster();

    std::shared_ptr<const sync::State> state() const { return work_.engine()->state(); }
    std::string status() override;
    std::string status_in_view(const cache::Visibility& seen) override;
    std::string projects() override;
    std::string metrics(const proxy::RequestMetrics& request_metrics) override;

  private:
    proxy::Options proxy_options(ListenConfig doors) const;
    proxy::Backend make_backend();
    RunBarrier run_barrier();
    void begin_work();
    void spawn_index(Task<> work);
    nlohmann::ordered_json describe(cache::Reader& db, cache::Reader& outbox);
    void adopt_log_key();
    void tell_restore(); // one that this start took in
    void plan_room();
    MaintenanceTools maintenance_tools();
    void wind_down();
    void end_for_damage(std::exception_ptr why); // any thread

    InstanceOptions options_;
    SystemClock clock_;
    Instant started_at_ = clock_.now();
    SystemRandom random_;
    asio::io_context engine_loop_{1};
    upstream::CurlTransport transport_;
    upstream::RateLimiter pace_;
    upstream::Client client_;
    cache::Store store_;
    upstream::Client asking_; // for project_ alone, which all others wait for
    sync::Project project_;
    LeaderWork work_;
    RouteWatch routes_;
    Maintenance maintenance_;
    DescriptorPlan room_;
    std::unique_ptr<TokenRegistry> tokens_; // while it serves
    std::unique_ptr<ProxyBackend> backend_; // likewise
    Environment environment_;               // likewise
    std::unique_ptr<ClusterNode> cluster_;  // likewise; none: this machine alone
    std::unique_ptr<proxy::Server> server_;

    asio::cancellation_signal cancel_, cancel_index_, cancel_files_, cancel_memory_, cancel_figures_; // on the loop
    std::atomic<bool> stopping_{false}; // asked before each step of the index
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_guard_;
    std::promise<void> ended_;                       // the leader's work, or the node
    std::function<void(std::exception_ptr)> failed_; // while it serves; used on the engine loop
    std::thread engine_thread_;
};

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// What the proxy needs of the engine (proxy/request/backend.hpp), over the engine's parts: what belongs to its loop is
// posted there, and the result comes back. Any thread.
#pragma once

#include "daemon/node/leader_work.hpp"
#include "daemon/node/shared_writes.hpp"
#include "proxy/request/backend.hpp"
#include "sync/project.hpp"
#include "upstream/client.hpp"
#include "upstream/curl/curl_transport.hpp"

#include <functional>
#include <string>

namespace alli::daemon {

/// All must outlive the backend.
struct EngineParts {
    asio::any_io_executor loop;
    upstream::Client& client;
    LeaderWork& work;
    sync::Project& project;
    const std::string& url;
    const std::string& api_key;
    upstream::CurlOptions relay; // of connections outside the budget, a set for each proxy loop
    /// Of a node that follows: nobody will fetch this conversation.
    std::function<void(const ConversationId&, std::uint64_t fence)> not_fetched;
    std::function<void(const ConversationId&)> left_to_leader = [](const ConversationId&) {}; // likewise
    std::function<SharedWrites*()> shared = [] { return nullptr; }; // by which writes go; none: this machine is alone
};

class ProxyBackend final : public proxy::UpstreamAccess, public proxy::SyncControl, public proxy::Delivery {
  public:
    explicit ProxyBackend(EngineParts parts) : its_(std::move(parts)) {}

    Task<upstream::Reply> send(upstream::Request request) override;
    std::unique_ptr<upstream::Exchanges> connect(asio::any_io_executor loop) override;
    proxy::UpstreamState state() const override;
    void report(const upstream::Outcome& outcome) override;

    void poll_soon() override { its_.work.engine()->wake(); }
    void try_upstream_now() override { its_.work.engine()->insist(); }
    void accept_deletions() override { its_.work.engine()->accept_deletions(); }
    void accept_key() override;
    void refresh(ConversationId id) override;
    void refresh_categories() override { its_.work.engine()->refresh_categories(); }
    void settle(ConversationId id, std::uint64_t fence, std::optional<std::int64_t> chats_before) override;

    Task<std::optional<upstream::Reply>> deliver(cache::AcceptedWrite write,
                                                 std::chrono::milliseconds patience) override;
    Task<bool> is_awaited(std::int64_t id) override;
    Task<cache::RetryResult> retry(std::int64_t id) override;
    Task<cache::OperatorResult> discard(std::int64_t id) override;

  private:
    EngineParts its_;
};

} // namespace alli::daemon

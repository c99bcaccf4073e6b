// SPDX-License-Identifier: Apache-2.0
// What the proxy of a running mirror is told, and what it and the node of a cluster need of each other.
#include "daemon/service/instance.hpp"
#include "daemon/service/part_options.hpp"
#include "daemon/settings/egress.hpp"
#include "daemon/settings/operations.hpp"
#include "daemon/settings/paths.hpp"

#include <algorithm>

namespace alli::daemon {

// A pool of its own, outside the budget, shared out among the proxy's loops.
static upstream::CurlOptions relay_options(const InstanceOptions& from, const DescriptorPlan& room)
{
    upstream::CurlOptions options = curl_options(from.config, from.proxy);
    options.max_connections = std::max(room.relay / room.loops, 1);
    return options;
}

proxy::Options Instance::proxy_options(ListenConfig doors) const
{
    const Config& config = options_.config;
    proxy::Options options;
    options.listen = std::move(doors.listen);
    options.passed = std::move(doors.passed);
    options.require_key = config.auth == "api-key";
    options.api_key = options_.api_key;
    options.tokens = std::move(doors.tokens);
    options.allowed_hosts = config.allowed_hosts;
    options.allowed_origins = config.allowed_origins;
    options.ignored_parameters = config.ignored_parameters;
    options.allow_remote = config.allow_remote;
    options.group = find_service_group();
    options.refuse_when_key_rejected = config.on_key_rejected == "refuse";
    options.max_age = config.max_age;
    options.forward_timeout = config.forward_timeout;
    options.operations = read_operations(config);
    options.loops = room_.loops;
    options.limits.connections = static_cast<std::size_t>(room_.connections);
    options.limits.answer_bytes = static_cast<std::size_t>(config.response_cache_mb) * 1024 * 1024;
    options.limits.connections_a_user = std::min(options.limits.connections_a_user, options.limits.connections);
    options.version = ALLI_VERSION;
    return options;
}

// The proxy's; its server is there for as long as the node runs.
RunBarrier Instance::run_barrier()
{
    return {
        .running = [this](const ConversationId& id) { server_->run_elsewhere(id); },
        .ended = [this](const ConversationId& id) { return server_->end_elsewhere(id); },
        .settled = [this](const ConversationId& id, std::uint64_t fence) { server_->fetched(id, fence, true); },
        .is_fetched = [this](const ConversationId& id, std::uint64_t fence) { return server_->is_fetched(id, fence); }};
}

// After the room for connections was planned.
proxy::Backend Instance::make_backend()
{
    backend_ = std::make_unique<ProxyBackend>(
        EngineParts{engine_loop_.get_executor(), client_, work_, project_, options_.config.upstream_url,
                    options_.api_key, relay_options(options_, room_),
                    [this](const ConversationId& id, std::uint64_t fence) {
                        if (!stopping_) server_->fetched(id, fence, false);
                    },
                    [this](const ConversationId& id) { cluster_->ask_refresh(id.value); },
                    [this] { return cluster_ ? cluster_->writes() : nullptr; }});
    return {store_, clock_, *backend_, *backend_, *backend_, maintenance_, *tokens_, *this, cluster_.get()};
}

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/proxy_backend.hpp"

#include "upstream/curl/relay.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::daemon {

// Runs on the engine's loop and resumes the caller on its own.
template <class T>
static Task<T> on_loop(asio::any_io_executor loop, Task<T> work)
{
    co_return co_await asio::co_spawn(loop, std::move(work), asio::use_awaitable);
}

Task<upstream::Reply> ProxyBackend::send(upstream::Request request)
{
    return on_loop(its_.loop, its_.client.relay(std::move(request)));
}

std::unique_ptr<upstream::Exchanges> ProxyBackend::connect(asio::any_io_executor loop)
{
    return std::make_unique<upstream::Relay>(std::move(loop), its_.relay, its_.api_key);
}

proxy::UpstreamState ProxyBackend::state() const
{
    const auto live = its_.engine.state();
    return {its_.url, live->reachable, live->key_accepted, live->error};
}

void ProxyBackend::report(const upstream::Outcome& outcome)
{
    asio::post(its_.loop, [this, outcome] { its_.engine.heard(outcome); });
}

void ProxyBackend::accept_key()
{
    asio::post(its_.loop, [this] { its_.project.accept(); });
}

void ProxyBackend::settle(ConversationId id, std::uint64_t fence, std::optional<std::int64_t> chats_before)
{
    its_.engine.settle(std::move(id), fence, chats_before);
}

Task<std::optional<upstream::Reply>> ProxyBackend::deliver(cache::AcceptedWrite write,
                                                           std::chrono::milliseconds patience)
{
    return on_loop(its_.loop, its_.deliverer.offer(std::move(write), patience));
}

Task<bool> ProxyBackend::is_awaited(std::int64_t id)
{
    return on_loop(its_.loop, its_.deliverer.is_awaited(id));
}

Task<cache::RetryResult> ProxyBackend::retry(std::int64_t id)
{
    return on_loop(its_.loop, its_.deliverer.retry(id));
}

Task<cache::OperatorResult> ProxyBackend::discard(std::int64_t id)
{
    return on_loop(its_.loop, its_.deliverer.discard(id));
}

} // namespace alli::daemon

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

// A write that was accepted just before this node ceased to lead stays in its outbox.
static Task<std::optional<upstream::Reply>> offer(LeaderWork& work, cache::AcceptedWrite write,
                                                  std::chrono::milliseconds patience)
{
    const auto deliverer = work.deliverer();
    if (work.is_elsewhere()) patience = std::chrono::milliseconds(0);
    auto reply = co_await deliverer->offer(std::move(write), patience);
    co_return reply;
}

static Task<bool> is_awaited_by(LeaderWork& work, std::int64_t id)
{
    const auto deliverer = work.deliverer();
    co_return co_await deliverer->is_awaited(id);
}

static Task<bool> is_awaited_at(SharedWrites& shared, std::int64_t id)
{
    co_return shared.is_awaited(id);
}

static Task<cache::RetryResult> retry_by(LeaderWork& work, std::int64_t id)
{
    const auto deliverer = work.deliverer();
    co_return co_await deliverer->retry(id);
}

static Task<cache::OperatorResult> discard_by(LeaderWork& work, std::int64_t id)
{
    const auto deliverer = work.deliverer();
    co_return co_await deliverer->discard(id);
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
    const auto live = its_.work.engine()->state();
    return {its_.url, live->reachable, live->key_accepted, live->error};
}

void ProxyBackend::report(const upstream::Outcome& outcome)
{
    asio::post(its_.loop, [this, outcome] { its_.work.engine()->heard(outcome); });
}

void ProxyBackend::accept_key()
{
    asio::post(its_.loop, [this] { its_.project.accept(); });
}

void ProxyBackend::refresh(ConversationId id)
{
    if (its_.work.is_elsewhere()) return its_.left_to_leader(id);
    its_.work.engine()->wake_conversation(std::move(id));
}

void ProxyBackend::settle(ConversationId id, std::uint64_t fence, std::optional<std::int64_t> chats_before)
{
    if (its_.work.is_elsewhere()) return its_.not_fetched(id, fence);
    its_.work.engine()->settle(std::move(id), fence, chats_before);
}

Task<std::optional<upstream::Reply>> ProxyBackend::deliver(cache::AcceptedWrite write,
                                                           std::chrono::milliseconds patience)
{
    if (SharedWrites* const shared = its_.shared())
        return on_loop(its_.loop, shared->wait(write.entry.id, std::move(write.entry.upstream_key), patience));
    return on_loop(its_.loop, offer(its_.work, std::move(write), patience));
}

Task<bool> ProxyBackend::is_awaited(std::int64_t id)
{
    if (SharedWrites* const shared = its_.shared()) return on_loop(its_.loop, is_awaited_at(*shared, id));
    return on_loop(its_.loop, is_awaited_by(its_.work, id));
}

Task<cache::RetryResult> ProxyBackend::retry(std::int64_t id)
{
    if (SharedWrites* const shared = its_.shared()) return on_loop(its_.loop, shared->retry(id));
    return on_loop(its_.loop, retry_by(its_.work, id));
}

Task<cache::OperatorResult> ProxyBackend::discard(std::int64_t id)
{
    if (SharedWrites* const shared = its_.shared()) return on_loop(its_.loop, shared->discard(id));
    return on_loop(its_.loop, discard_by(its_.work, id));
}

} // namespace alli::daemon

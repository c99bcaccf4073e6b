// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/coalescing.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::proxy {
namespace {

// Resumes the waiter on its own loop, and keeps that loop alive until then.
template <class Handler>
std::function<void(SharedReply)> resume_on_its_loop(Handler handler)
{
    auto shared = std::make_shared<Handler>(std::move(handler));
    auto executor = asio::prefer(asio::get_associated_executor(*shared), asio::execution::outstanding_work.tracked);
    return [shared, executor](SharedReply reply) {
        asio::post(executor, [shared, given = std::move(reply)]() mutable { std::move (*shared)(std::move(given)); });
    };
}

Task<Coalescer::Outcome> run_work(Coalescer::Work work)
{
    Task<Coalescer::Outcome> task = work();
    co_return co_await std::move(task);
}

} // namespace

Task<SharedReply> Coalescer::share(std::string key, Work work)
{
    auto ask = [&](auto handler) {
        std::function<void(SharedReply)> done = resume_on_its_loop(std::move(handler));
        asio::post(loop_, [this, name = std::move(key), task = std::move(work), back = std::move(done)]() mutable {
            join(name, std::move(task), std::move(back));
        });
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(SharedReply)>(ask, asio::use_awaitable);
}

void Coalescer::join(const std::string& key, Work work, Done done)
{
    auto& call = pending_[key];
    if (call) {
        call->waiting.push_back(std::move(done));
        return;
    }
    call = std::make_unique<Call>();
    call->waiting.push_back(std::move(done));
    auto ended = [this, key](const std::exception_ptr& failure, Outcome outcome) {
        finish(key, failure, std::move(outcome));
    };
    asio::co_spawn(loop_, run_work(std::move(work)),
                   asio::bind_cancellation_slot(call->cancel.slot(), std::move(ended)));
}

void Coalescer::finish(const std::string& key, const std::exception_ptr& failure, Outcome outcome)
{
    const auto found = pending_.find(key);
    const std::unique_ptr<Call> call = std::move(found->second);
    pending_.erase(found);
    SharedReply reply;
    reply.failure = failure;
    reply.stored = outcome.stored;
    if (!failure) reply.reply = std::make_shared<const upstream::Reply>(std::move(outcome.reply));
    for (const Done& done : call->waiting) {
        done(reply);
        reply.collapsed = true;
    }
}

void Coalescer::abort()
{
    for (const auto& [key, call] : pending_) call->cancel.emit(asio::cancellation_type::terminal);
}

} // namespace alli::proxy

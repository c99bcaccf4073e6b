// SPDX-License-Identifier: Apache-2.0
#include "daemon/webhook/webhooks.hpp"

#include "alli/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>

namespace alli::daemon {
namespace {

Task<> forget_others(cache::Store& store, std::vector<std::string> ids)
{
    const auto known = store.read_outbox([](cache::Reader& db) { return cache::load_webhooks(db); });
    const bool has_others = std::any_of(known.begin(), known.end(), [&](const cache::WebhookState& state) {
        return std::find(ids.begin(), ids.end(), state.id) == ids.end();
    });
    if (!has_others) co_return;
    const auto keep = [&](cache::Writer& db) { cache::keep_webhooks(db, ids); };
    co_await store.write_outbox(keep);
}

Task<> run(std::shared_ptr<WebhookSender> sender)
{
    co_await sender->run();
}

void tell_failure(std::string_view address, const std::exception_ptr& failure)
{
    if (failure) log_event<Event::webhook_paused>(address, reason_of(failure));
}

} // namespace

Webhooks::Webhooks(std::vector<WebhookEndpoint> endpoints, WebhookTools tools) : tools_(tools)
{
    for (WebhookEndpoint& endpoint : endpoints)
        senders_.push_back(std::make_shared<WebhookSender>(std::move(endpoint), tools));
}

void Webhooks::start(std::function<void()> ended)
{
    ended_ = std::move(ended);
    std::vector<std::string> ids;
    for (const auto& sender : senders_) ids.push_back(sender->id());
    running_ = senders_.size() + 1;
    asio::co_spawn(tools_.loop, forget_others(tools_.store, std::move(ids)), [this](std::exception_ptr failure) {
        tell_failure("of earlier settings", failure);
        sender_ended();
    });
    for (const auto& sender : senders_)
        asio::co_spawn(tools_.loop, run(sender), [this](std::exception_ptr failure) {
            tell_failure("that ends", failure);
            sender_ended();
        });
}

void Webhooks::sender_ended()
{
    if (--running_ == 0) ended_();
}

void Webhooks::stop()
{
    for (const auto& sender : senders_) sender->stop();
}

void Webhooks::wake(std::string_view id)
{
    for (const auto& sender : senders_)
        if (id.empty() || sender->id() == id) sender->wake();
}

WebhookVerdict send_webhook_test(const WebhookEndpoint& endpoint)
{
    asio::io_context loop;
    SystemClock clock;
    SystemRandom random;
    upstream::CurlTransport transport(loop.get_executor(), endpoint.connection);
    std::string nonce;
    for (const unsigned char byte : random.bytes(8)) nonce += fmt::format("{:02x}", byte);
    std::optional<WebhookVerdict> verdict;
    upstream::Request request = make_request(endpoint, make_test(nonce, clock.now()), clock.now());
    asio::co_spawn(loop, transport.send(std::move(request)), [&](std::exception_ptr failure, upstream::Reply reply) {
        try {
            if (failure) std::rethrow_exception(failure);
            verdict = verdict_of(reply, clock.now());
        } catch (const Error& error) {
            verdict = verdict_of(error);
        }
    });
    loop.run();
    return *verdict;
}

} // namespace alli::daemon

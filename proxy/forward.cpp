// SPDX-License-Identifier: Apache-2.0
#include "proxy/forward.hpp"

#include "alli/error.hpp"
#include "alli/quick_hash.hpp"
#include "cache/progress.hpp"
#include "proxy/validator.hpp"
#include "proxy/withhold.hpp"
#include "upstream/header.hpp"
#include "upstream/reply.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

constexpr auto for_our_copy = std::to_array<std::string_view>(
    {"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range"});
constexpr auto naming = std::to_array<std::string_view>({"OWN-USER-ID", "USER-EMAIL"});
constexpr std::chrono::milliseconds look_again{10}; // whether the engine's poll is done

template <std::size_t n>
bool is_one_of(const std::array<std::string_view, n>& names, std::string_view name)
{
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view own) { return upstream::same_name(own, name); });
}

upstream::Request request_for(const Context& cx, const Request& rq)
{
    upstream::Request request = relayed_request(rq);
    request.method = "GET";
    request.timeout = cx.options.forward_timeout;
    std::erase_if(request.headers, [](const Header& header) { return is_one_of(for_our_copy, header.name); });
    return request;
}

Task<Flights::Outcome> ask_and_keep(const Needs& needs, upstream::Request request, Kept kept)
{
    const std::string target = request.target;
    Task<upstream::Reply> asking = needs.relay(std::move(request));
    Flights::Outcome outcome;
    outcome.reply = co_await std::move(asking);
    withhold_purged(needs, target, outcome.reply);
    if (outcome.reply.status == 200) {
        Task<bool> keeping = keep(needs, std::move(kept), outcome.reply.body);
        outcome.stored = co_await std::move(keeping);
    }
    co_return outcome;
}

// As others must not share it.
Task<Landing> ask_alone(const Context& cx, upstream::Request request, Kept kept)
{
    Landing landing;
    try {
        Task<Flights::Outcome> asking = ask_and_keep(cx.needs, std::move(request), std::move(kept));
        Flights::Outcome outcome = co_await std::move(asking);
        landing.stored = outcome.stored;
        landing.reply = std::make_shared<const upstream::Reply>(std::move(outcome.reply));
    } catch (const Error&) {
        landing.failure = std::current_exception();
    }
    co_return landing;
}

std::optional<Instant> verified_at(const Context& cx)
{
    return cx.needs.store.read([](cache::Reader& db) { return cache::load_progress(db).verified_at; });
}

} // namespace

Task<Landing> forward_read(const Context& cx, const Request& rq, Kept kept)
{
    upstream::Request request = request_for(cx, rq);
    const bool shared = std::none_of(naming.begin(), naming.end(), [&](std::string_view name) { return rq.has(name); });
    if (!shared || kept.what == Kept::What::nothing) {
        Task<Landing> alone = ask_alone(cx, std::move(request), std::move(kept));
        co_return co_await std::move(alone);
    }
    Flights::Work work = [&needs = cx.needs, asked = std::move(request), what = std::move(kept)] {
        return ask_and_keep(needs, asked, what);
    };
    Task<Landing> sharing = cx.flights.share(rq.target, std::move(work));
    co_return co_await std::move(sharing);
}

Response forwarded_response(const Landing& landing, const Request& rq, Why why)
{
    upstream::Reply head{landing.reply->status, landing.reply->headers, {}};
    std::erase_if(head.headers, [](const Header& header) { return upstream::same_name(header.name, "ETag"); });
    Response response = relayed_response(std::move(head), why);
    require_no_redirect(response);
    std::string& status = response.headers.back().value;
    if (landing.stored) status += "; stored";
    if (landing.collapsed) status += "; collapsed";
    const std::string_view body = landing.reply->body;
    response.body = std::shared_ptr<const std::string>(landing.reply, &landing.reply->body);
    if (response.status == 200) validate(response, rq, fmt::format("\"{:016x}\"", quick_hash(body)));
    return response;
}

bool is_unreachable(const std::exception_ptr& failure)
{
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        return error.fault() == Fault::unreachable;
    } catch (...) {
        return false;
    }
}

bool is_trouble(int status) noexcept
{
    if (status < 300) return false;
    const Fault fault = upstream::fault_of(status);
    return fault == Fault::unavailable || fault == Fault::key_rejected;
}

Task<bool> poll(const Context& cx)
{
    using Steady = std::chrono::steady_clock;
    const auto before = verified_at(cx);
    const auto deadline = Steady::now() + cx.options.forward_timeout;
    asio::steady_timer pause(co_await asio::this_coro::executor);
    cx.needs.wake();
    for (;;) {
        if (verified_at(cx) != before) co_return true;
        if (Steady::now() > deadline || !cx.needs.upstream().reachable) co_return false;
        pause.expires_after(look_again);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/forward.hpp"

#include "alli/error.hpp"
#include "alli/quick_hash.hpp"
#include "cache/conversations.hpp"
#include "cache/progress.hpp"
#include "proxy/narrowed.hpp"
#include "proxy/own_answer.hpp"
#include "proxy/runs.hpp"
#include "proxy/validator.hpp"
#include "proxy/vary.hpp"
#include "proxy/waiting.hpp"
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

// Of one that is held the engine finds out whether it is gone, and how many are.
void tell_of_absence(const Needs& needs, std::string_view target, const upstream::Reply& reply)
{
    if ((reply.status != 404 && reply.status != 410) || upstream::is_html(reply)) return;
    const Match match = find_route("GET", split_target(target).path);
    if (!match.route || match.ids.empty()) return;
    const ConversationId id{match.ids[0]};
    if (needs.store.read([&](cache::Reader& db) { return cache::find_pk(db, id).has_value(); }))
        needs.wake_conversation(id);
}

// Of chats whose conversation is not held: a purged person's are not shown either. Otherwise none.
Task<std::optional<upstream::Reply>> find_withheld(const Needs& needs, const upstream::Request& request)
{
    const auto whose = target_to_look_at(needs, request.target);
    if (!whose) co_return std::nullopt;
    upstream::Request look = request;
    look.target = *whose;
    Task<upstream::Reply> looking = needs.relay(std::move(look));
    upstream::Reply reply = co_await std::move(looking);
    withhold_purged(needs, *whose, reply);
    if (reply.status == 200) co_return std::nullopt;
    co_return reply;
}

Task<Flights::Outcome> ask_and_keep(const Needs& needs, upstream::Request request, Kept kept)
{
    Flights::Outcome outcome;
    Task<std::optional<upstream::Reply>> withholding = find_withheld(needs, request);
    if (auto withheld = co_await std::move(withholding)) {
        outcome.reply = std::move(*withheld);
        co_return outcome;
    }
    const std::string target = request.target;
    const auto asked_at = needs.clock.steady();
    const Headers asked_with = request.headers;
    Task<upstream::Reply> asking = needs.relay(std::move(request));
    outcome.reply = co_await std::move(asking);
    withhold_purged(needs, target, outcome.reply);
    if (outcome.reply.status == 200 && is_own_answer(target, outcome.reply) && !is_special(outcome.reply, asked_with)) {
        Task<bool> keeping = keep(needs, std::move(kept), outcome.reply.body);
        outcome.stored = co_await std::move(keeping);
    }
    tell_of_absence(needs, target, outcome.reply);
    show_waiting(needs, target, asked_at, outcome.reply);
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

} // namespace

std::optional<Instant> verified_at(const Context& cx)
{
    return cx.needs.store.read([](cache::Reader& db) { return cache::load_progress(db).verified_at; });
}

Task<Landing> forward_read(const Context& cx, const Request& rq, Kept kept)
{
    require_whole_view(rq);
    upstream::Request request = request_for(cx, rq);
    const bool shared = std::none_of(naming.begin(), naming.end(), [&](std::string_view name) { return rq.has(name); });
    if (!shared || kept.what == Kept::What::nothing) {
        Task<Landing> alone = ask_alone(cx, std::move(request), std::move(kept));
        co_return co_await std::move(alone);
    }
    Flights::Work work = [&needs = cx.needs, asked = request, what = kept] { return ask_and_keep(needs, asked, what); };
    // Who comes after a write or a run must not get what was asked before it.
    std::string key = fmt::format("{} {} {}", cx.needs.store.outbox_commits(), cx.runs.events(), rq.target);
    Task<Landing> sharing = cx.flights.share(std::move(key), std::move(work));
    Landing landing = co_await std::move(sharing);
    if (!landing.collapsed || !landing.reply || !may_vary(*landing.reply)) co_return landing;
    Task<Landing> alone = ask_alone(cx, std::move(request), std::move(kept)); // that one was made for another
    co_return co_await std::move(alone);
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

std::optional<Fault> fault_of(const std::exception_ptr& failure)
{
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        return error.fault();
    } catch (...) {
        return std::nullopt;
    }
}

bool is_no_word(Fault fault) noexcept
{
    constexpr std::array faults{Fault::unreachable, Fault::unavailable, Fault::bad_reply, Fault::key_rejected};
    return std::find(faults.begin(), faults.end(), fault) != faults.end();
}

bool is_trouble(int status) noexcept
{
    if (status < 300) return false;
    const Fault fault = upstream::fault_of(status);
    return fault == Fault::unavailable || fault == Fault::key_rejected;
}

Task<bool> poll(const Context& cx, Instant since)
{
    using Steady = std::chrono::steady_clock;
    const auto deadline = Steady::now() + cx.options.forward_timeout;
    asio::steady_timer pause(co_await asio::this_coro::executor);
    auto seen = verified_at(cx);
    cx.needs.wake();
    for (;;) {
        const auto verified = verified_at(cx);
        if (verified && *verified >= since) co_return true;
        if (verified != seen) cx.needs.wake(); // one that was under way already
        seen = verified;
        if (Steady::now() > deadline || !cx.needs.upstream().reachable) co_return false;
        pause.expires_after(look_again);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/cluster.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <charconv>

namespace alli::proxy {
namespace {

constexpr std::string_view position_name = "Mirror-Position";
constexpr std::chrono::milliseconds look_again{5}, patience{1'000};

std::int64_t read_position(std::string_view text)
{
    std::int64_t number = -1;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc() || end != text.data() + text.size() || number < 0)
        throw Error(Fault::usage, "send it as an answer of the mirror had it", "{} must be a whole number",
                    position_name);
    return number;
}

// The condition lives as long as the wait does: by reference.
template <class Condition>
Task<> wait_patiently(const Condition& holds)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (!holds() && std::chrono::steady_clock::now() < deadline) {
        pause.expires_after(look_again);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

} // namespace

bool follows(const Backend& backend)
{
    return backend.cluster && !backend.cluster->state().leads;
}

std::string say_who_leads(const Backend& backend)
{
    const std::string leader = backend.cluster ? backend.cluster->leader() : "";
    if (leader.empty()) return "this node does not lead, and no other is known to";
    return fmt::format("this node does not lead, {} does", leader);
}

Response leader_needed(const Context& cx, ErrorFormat error_format)
{
    Response response = problem(error_format, 503, say_who_leads(cx),
                                "GET /readyz?role=leader is 200 at the node that does: send writes there");
    response.headers.erase("Retry-After");
    response.headers.add("Retry-After", "1");
    return response;
}

Response not_accepted(const Error& why, bool has_key)
{
    const bool kept_nothing = why.fault() == Fault::unavailable;
    const std::string_view what = kept_nothing ? "nothing was kept: send it again"
                                  : has_key
                                      ? "whether it was accepted is not known: sent again with the same "
                                        "Idempotency-Key it is written once"
                                      : "whether it was accepted is not known: see /mirror/v1/outbox before it is sent "
                                        "again; with an Idempotency-Key it would be written once";
    Response response = problem(ErrorFormat::webapi, 503, fmt::format("{}; {}", why.what(), what));
    response.headers.erase("Retry-After");
    response.headers.add("Retry-After", "1");
    return response;
}

Task<> wait_until_told(const Backend& backend, std::optional<std::uint64_t> note)
{
    if (!backend.cluster || !note) co_return;
    const auto is_told = [&] { return backend.cluster->find_told(*note) || !backend.cluster->state().hears; };
    co_await wait_patiently(is_told);
}

std::int64_t heard_of_by(const Backend& backend, std::int64_t position)
{
    return backend.cluster ? std::max(position, backend.cluster->find_told(0).value_or(0)) : position;
}

void leave_to_leader(const Backend& backend, const std::optional<ConversationId>& conversation)
{
    if (follows(backend)) backend.cluster->ask_refresh(conversation ? conversation->value : "*");
}

Instant shared_now(const Backend& backend)
{
    if (!backend.cluster) return backend.clock.now();
    const NodeState state = backend.cluster->state();
    return state.leads ? backend.clock.now() : state.now.value_or(backend.clock.now());
}

Task<std::optional<std::int64_t>> wait_for_position(const Context& cx, Request& rq)
{
    if (!cx.cluster) co_return std::nullopt;
    std::int64_t position = cx.cluster->state().position;
    const std::string_view asked = rq.header(position_name);
    if (asked.empty()) co_return position;
    const std::int64_t wanted = read_position(asked);
    const auto is_reached = [&] { return (position = cx.cluster->state().position) >= wanted; };
    co_await wait_patiently(is_reached);
    rq.is_behind = position < wanted;
    co_return position;
}

} // namespace alli::proxy

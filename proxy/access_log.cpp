// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log.hpp"

#include "alli/log.hpp"
#include "proxy/meters.hpp"
#include "proxy/relay.hpp"

namespace alli::proxy {
namespace {

std::string_view operation_of(const Request& rq)
{
    if (rq.route) return rq.route->operation;
    return surface_of(rq.path()) == Surface::ours ? "unknown" : "relay";
}

std::string_view cache_of(const Response& response)
{
    const Origin origin = origin_of(response);
    return origin == Origin::none ? std::string_view() : origin_names[static_cast<std::size_t>(origin)];
}

std::string conversation_in(std::string_view path)
{
    try {
        return conversation_of(path).value_or("");
    } catch (const Error&) { // a path that names none in any way
        return {};
    }
}

bool is_probe(const Request& rq)
{
    return rq.path() == "/healthz" || rq.path() == "/readyz" || rq.path() == "/metrics";
}

// Of our own failures; what a request did wrong it was told, and it is no business of the log.
std::string detail_of(const std::exception_ptr& failure, int status)
{
    return failure && status >= 500 ? reason_of(failure) : std::string();
}

template <Event event>
void tell(const Request& rq, const Response& response, const std::exception_ptr& failure, double ms)
{
    if (!is_logged(row_of(event).severity)) return;
    log_event<event>(rq.request_id, operation_of(rq), rq.method, response.status, cache_of(response), ms,
                     conversation_in(rq.path()), rq.header("OWN-USER-ID"), detail_of(failure, response.status));
}

} // namespace

void log_request(const Request& rq, const Response& response, const std::exception_ptr& failure,
                 std::chrono::nanoseconds took)
{
    const double ms = milliseconds_of(took);
    if (is_probe(rq) && response.status < 500)
        log_event<Event::request_probe>(rq.request_id, operation_of(rq), response.status, ms);
    else if (response.status >= 500)
        tell<Event::request_failed>(rq, response, failure, ms);
    else
        tell<Event::request>(rq, response, failure, ms);
}

void log_refusal(const Refusal& refusal, const Peer& peer)
{
    const std::string from = peer.user ? fmt::format("user {} of this machine", *peer.user) : "";
    log_event<Event::request_refused>(refusal.detail, refusal.status, from);
}

} // namespace alli::proxy

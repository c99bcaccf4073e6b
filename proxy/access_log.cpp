// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log.hpp"

#include "alli/log.hpp"

namespace alli::proxy {
namespace {

std::string_view cache_of(const Response& response)
{
    if (!response.cache || response.cache->origin == ResponseOrigin::none) return {};
    return origin_names[static_cast<std::size_t>(response.cache->origin)];
}

bool is_probe(OperationId operation)
{
    return operation == OperationId::live || operation == OperationId::ready || operation == OperationId::metrics;
}

// Failures of ours only: a client is told in its response what was wrong with its request.
std::string detail_of(const std::exception_ptr& failure, int status)
{
    return failure && status >= 500 ? reason_of(failure) : std::string();
}

template <Event event>
void tell(const Request& rq, const Response& response, const std::exception_ptr& failure, double ms)
{
    if (!is_logged(row_of(event).severity)) return;
    log_event<event>(rq.request_id, name_of(rq.operation), rq.method, response.status, cache_of(response), ms,
                     rq.conversation ? rq.conversation->value : std::string(), rq.header("OWN-USER-ID"),
                     detail_of(failure, response.status));
}

} // namespace

void log_request(const Request& rq, const Response& response, const std::exception_ptr& failure,
                 std::chrono::nanoseconds took)
{
    const double ms = milliseconds_of(took);
    if (is_probe(rq.operation) && (response.status < 500 || !failure)) // not to be the leader is no failure
        log_event<Event::request_probe>(rq.request_id, name_of(rq.operation), response.status, ms);
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

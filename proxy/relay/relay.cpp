// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/relay.hpp"

#include "alli/headers.hpp"
#include "alli/log.hpp"
#include "proxy/relay/conversation_sniffer.hpp"
#include "proxy/relay/gateway_headers.hpp"
#include "proxy/relay/suppression_filter.hpp"
#include "proxy/request/cache_directives.hpp"
#include "proxy/request/cluster.hpp"
#include "proxy/request/view.hpp"
#include "upstream/breaker.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace alli::proxy {
namespace {

// Of one connection (RFC 9110 7.6.1); what Connection names is added to these.
constexpr auto hop_by_hop = std::to_array<std::string_view>(
    {"Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Connection"});
// The local app's own, or set by the transport. Accept-Encoding too, where we read the reply: the transport decodes
// what it asked for itself.
constexpr auto not_upstream =
    std::to_array<std::string_view>({"Host", "API-KEY", "Authorization", "Cookie", "Content-Length", "Accept-Encoding",
                                     "Origin", "Expect", "HTTP2-Settings", "Mirror-Position", "X-Request-Id"});
// Of upstream's connection and origin, or set by us on every response.
constexpr auto not_back = std::to_array<std::string_view>(
    {"Content-Length", "Set-Cookie", "Cache-Control", "X-Request-Id", "Mirror-Position", "X-Content-Type-Options",
     "Cross-Origin-Resource-Policy", "Content-Security-Policy", "Referrer-Policy"});
constexpr auto prefixes_not_upstream = std::to_array<std::string_view>({"Sec-", "Proxy-"});
constexpr auto prefixes_not_back = std::to_array<std::string_view>({"Access-Control-", "Proxy-"});

constexpr std::chrono::milliseconds no_deadline{0}; // an idle timeout applies all the same

bool starts_with_one_of(std::span<const std::string_view> prefixes, std::string_view name)
{
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return same_name(name.substr(0, prefix.size()), prefix); });
}

// Our own Cache-Control is looser than these two: what upstream forbids stays forbidden (RFC 9111 5.2). Empty: ours
// alone will do.
std::string stricter_control(const Headers& headers)
{
    const std::string given = headers.joined("Cache-Control");
    const auto directives = list_elements(given);
    std::string more;
    for (const std::string_view directive : {"no-store", "no-transform"})
        if (is_one_of(directives, directive)) more.append(", ").append(directive);
    return more.empty() ? more : std::string(own_cache_control) + more;
}

// libcurl fails on a coding that it does not know only when the body comes, with our head already on its way.
void require_known_coding(const upstream::Reply& reply)
{
    const std::string* coding = reply.header("Transfer-Encoding");
    if (!coding || same_name(*coding, "chunked")) return;
    throw Error(Fault::bad_reply, "", "upstream answered in a transfer coding that it was not asked for");
}

// The transport has checked the framing.
std::optional<std::uint64_t> length_of(const upstream::Reply& reply)
{
    const std::string* text = reply.header("Transfer-Encoding") ? nullptr : reply.header("Content-Length");
    std::uint64_t length = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), length).ec != std::errc{})
        return std::nullopt;
    return length;
}

} // namespace

bool is_one_of(std::span<const std::string_view> names, std::string_view name) noexcept
{
    return std::any_of(names.begin(), names.end(), [&](std::string_view own) { return same_name(own, name); });
}

upstream::Request relayed_request(const Request& rq)
{
    upstream::Request request;
    request.method = rq.method;
    request.target = rq.target;
    request.body = rq.body;
    request.headers = rq.headers;
    const std::string connection = request.headers.joined("Connection");
    const auto named = list_elements(connection);
    std::erase_if(request.headers, [&](const Header& header) {
        return is_one_of(hop_by_hop, header.name) || is_one_of(not_upstream, header.name) ||
               starts_with_one_of(prefixes_not_upstream, header.name) || is_one_of(named, header.name) ||
               is_gateway_header(header.name) ||
               header.name.find('_') != header.name.npos; // CGI-like servers map it to another name
    });
    if (!rq.request_id.empty()) request.headers.add("X-Request-Id", rq.request_id);
    request.headers.add("Via", "1.1 alli-mirror");
    return request;
}

Response relayed_response(upstream::Reply reply, ResponseOrigin origin)
{
    Response response;
    response.status = reply.status;
    std::string control = stricter_control(reply.headers);
    const std::string connection = reply.headers.joined("Connection");
    const auto named = list_elements(connection);
    std::erase_if(reply.headers, [&](const Header& header) {
        return is_one_of(hop_by_hop, header.name) || is_one_of(not_back, header.name) ||
               starts_with_one_of(prefixes_not_back, header.name) || is_one_of(named, header.name);
    });
    response.headers = std::move(reply.headers);
    if (!control.empty()) response.headers.add("Cache-Control", std::move(control));
    response.headers.add("Via", "1.1 alli-mirror");
    response.cache.emplace().origin = origin;
    response.body = std::move(reply.body);
    return response;
}

Task<Response> relay(const Context& cx, const Request& rq, std::chrono::milliseconds deadline)
{
    upstream::Request request = relayed_request(rq);
    request.timeout = deadline;
    upstream::Reply reply = co_await cx.upstream.send(std::move(request));
    suppress_purged(cx.store, rq.operation, reply);
    Response response = relayed_response(std::move(reply), ResponseOrigin::bypass);
    response.sized = rq.method != "HEAD"; // its length is that of a body which was not sent
    co_return response;
}

upstream::StreamRequest opening_of(const Request& rq, bool read_here)
{
    upstream::StreamRequest opening;
    opening.head = relayed_request(rq);
    for (const Header& header : rq.headers)
        if (!read_here && same_name(header.name, "Accept-Encoding")) opening.head.headers.push_back(header);
    opening.head.body.clear();
    opening.has_body = rq.incoming != nullptr;
    if (rq.incoming) opening.length = rq.incoming->length();
    return opening;
}

Response passed_response(upstream::Reply reply)
{
    const auto length = length_of(reply);
    Response response = relayed_response(std::move(reply), ResponseOrigin::bypass);
    response.length = length;
    return response;
}

void require_no_redirect(const Response& response)
{
    if (response.status < 300 || response.status >= 400 || response.status == 304) return;
    throw Error(Fault::bad_reply, "check upstream.url", "upstream answered with a redirect ({})", response.status);
}

Task<Response> is_running(const Context& cx, const Request& rq)
{
    require_whole_view(rq);
    if (cache_directives_of(rq).only_if_cached)
        co_return problem(ErrorFormat::contract_read, 504, "this is never held");
    upstream::Request request = relayed_request(rq);
    request.timeout = cx.options.forward_timeout;
    Task<upstream::Reply> asking = cx.upstream.send(std::move(request));
    upstream::Reply reply = co_await std::move(asking);
    // Before the app knows: its next read, at any node, must show the whole answer.
    const auto note = note_running(cx, *rq.conversation, reply);
    co_await wait_until_told(cx, note);
    Response response = relayed_response(std::move(reply), ResponseOrigin::bypass);
    response.sized = rq.method != "HEAD";
    require_no_redirect(response);
    co_return response;
}

Task<Response> relay_read(const Context& cx, const Request& rq)
{
    require_whole_view(rq);
    if (cache_directives_of(rq).only_if_cached)
        co_return problem(ErrorFormat::contract_read, 504, "this is never held");
    Response response = co_await relay(cx, rq, cx.options.forward_timeout);
    require_no_redirect(response);
    co_return response;
}

// As fast as upstream takes it. An early error response ends the sending, also while the app's next piece is awaited.
static Task<> put_body(upstream::Exchange& exchange, http::RequestBody& body, StreamTap* tap)
{
    exchange.when_unwanted([&body] { body.give_up(); });
    for (bool wanted = true; wanted;) {
        const auto piece = co_await body.next();
        if (!piece) break;
        if (tap) tap->sent(*piece);
        wanted = co_await exchange.put(*piece);
    }
    exchange.when_unwanted({});
    if (body.is_complete()) exchange.end_body();
}

static bool is_readable(const Response& response)
{
    const auto value = [&](std::string_view name) { return response.headers.first(name); };
    return value("Content-Encoding").empty() && value("Content-Type").find("json") != std::string::npos;
}

namespace {

// One request's pass through the circuit breaker: while upstream is away, one at a time probes it, and the others fail
// at once, before their body is read, instead of after a connect timeout each.
class BreakerGuard {
  public:
    explicit BreakerGuard(const Context& cx) : cx_(cx), away_(cx.exchange_breaker)
    {
        const auto pass = away_.ask(now(), upstream::Breaker::Asker::sync);
        probes_ = pass == upstream::Breaker::Pass::probe;
        if (pass == upstream::Breaker::Pass::refused && !cx.upstream.state().reachable) throw away_.refusal(now());
    }
    ~BreakerGuard()
    {
        if (probes_) away_.probe_lost(now());
    }
    BreakerGuard(const BreakerGuard&) = delete;
    BreakerGuard& operator=(const BreakerGuard&) = delete;

    void answered(const upstream::Reply& head)
    {
        probes_ = false;
        away_.answered();
        if (cx_.upstream.state().reachable) return;
        upstream::Outcome outcome = upstream::outcome_of(head, cx_.clock.now());
        const std::string type(head.headers.first("Content-Type"));
        outcome.foreign = type.find("html") != type.npos; // its body is still to come
        cx_.upstream.report(outcome);
    }
    void failed(const Error& error)
    {
        const upstream::Outcome outcome = upstream::outcome_of(error);
        if (outcome.unconnected && cx_.upstream.state().reachable) cx_.upstream.report(outcome);
        if (error.fault() != Fault::unreachable) return;
        away_.failed(now(), error.fault(), error.what(), std::exchange(probes_, false));
    }

  private:
    static Clock::Steady now() { return std::chrono::steady_clock::now(); }

    const Context& cx_;
    upstream::Breaker& away_;
    bool probes_ = false;
};

void log_call(std::string_view ending, int status, Clock::Steady since, const std::string& request_id)
{
    const double ms = milliseconds_of(std::chrono::steady_clock::now() - since);
    log_event<Event::upstream_call>(std::string_view("exchange"), ending, status, ms, request_id);
}

Task<upstream::Reply> exchange_heads(upstream::Exchange& exchange, const Request& rq, BreakerGuard& breaker_guard,
                                     StreamTap* tap)
{
    const auto since = std::chrono::steady_clock::now();
    try {
        if (rq.incoming) co_await put_body(exchange, *rq.incoming, tap);
        if (tap) tap->began();
        upstream::Reply reply = co_await exchange.head();
        breaker_guard.answered(reply);
        require_known_coding(reply);
        log_call("answered", reply.status, since, rq.request_id);
        co_return reply;
    } catch (const Error& error) {
        breaker_guard.failed(error);
        log_call("failed", 0, since, rq.request_id);
        throw;
    }
}

} // namespace

Task<Response> relay_other(const Context& cx, const Request& rq)
{
    require_whole_view(rq);
    BreakerGuard breaker_guard(cx);
    rq.end_with_client();
    std::unique_ptr<upstream::Exchange> exchange = cx.exchanges->open(opening_of(rq, runs_an_app(rq)));
    const bool reads = rq.method == "GET" || rq.method == "HEAD" || rq.method == "OPTIONS";
    const auto tap = reads ? nullptr : std::make_shared<StreamTap>(cx, rq);
    upstream::Reply reply = co_await exchange_heads(*exchange, rq, breaker_guard, tap.get());
    Response response = passed_response(std::move(reply));
    response.stream = std::move(exchange);
    response.sized = false;
    if (!tap) co_return response;
    tap->answered(response.status, false);
    const int status = response.status;
    const bool readable = is_readable(response);
    response.stream =
        std::make_unique<TappedStream>(std::move(response.stream), tap, TappedReply{status, readable, response.length});
    co_return response;
}

} // namespace alli::proxy

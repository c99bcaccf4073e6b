// SPDX-License-Identifier: Apache-2.0
#include "proxy/session.hpp"

#include "proxy/access_log.hpp"
#include "proxy/cross_origin.hpp"
#include "proxy/endpoints/page.hpp"
#include "proxy/request/request_id.hpp"
#include "proxy/request/request_metrics.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::proxy {
namespace {

constexpr std::size_t linger_bytes = 8 * 1024 * 1024;
constexpr std::chrono::milliseconds linger_time{1000};
constexpr std::chrono::milliseconds first_request_time{500}; // after a stop, for who connected before it

// All refusals have one size, so that the length does not reveal which check failed. JSON allows blanks at its end.
Response padded(Response response)
{
    constexpr std::size_t refusal_bytes = 256;
    const std::string_view text = response.body.view();
    if (text.size() >= refusal_bytes) return response;
    response.body = fmt::format("{}{:{}}", text, "", refusal_bytes - text.size());
    return response;
}

// A body in upstream's format gives no reason; WWW-Authenticate does (RFC 6750).
void say_expired(Response& response)
{
    for (Header& header : response.headers)
        if (header.name == "WWW-Authenticate")
            header.value += R"(, error="invalid_token", error_description="this token has expired")";
}

Request take_request(http::RequestReader& reader)
{
    RequestHead& head = reader.head();
    Request rq;
    rq.method = std::move(head.method);
    rq.target = std::string(origin_form(head.target));
    if (rq.target.starts_with('?'))
        rq.target.insert(rq.target.begin(), '/'); // insert(0, "/") makes g++ 12 see an overflow at -O2
    if (!reader.is_complete()) rq.incoming = &reader;
    rq.headers = std::move(head.headers);
    return rq;
}

} // namespace

Session::Session(Socket socket, Peer peer, const Context& cx, const Guard& guard)
    : socket_(std::move(socket)), writer_(socket_, cx.options.limits.write), peer_(std::move(peer)), cx_(cx),
      guard_(guard), reader_(socket_, cx.options.limits), waiting_since_(std::chrono::steady_clock::now())
{}

Task<> Session::run(std::shared_ptr<Session> self)
{
    // g++ 12 compiles a co_await in the condition of an empty loop to a trap when it does not optimise.
    for (bool more = true; more;) more = co_await self->serve();
    self->close();
}

Task<bool> Session::serve()
{
    idle_ = true;
    silent_ = false;
    waiting_since_ = std::chrono::steady_clock::now();
    if (draining_ && !fresh_ && !reader_.has_pipelined()) co_return false;
    // What is at hand is read, answered and sent without waiting for anything: others get their turn in between.
    if (reader_.has_pipelined()) co_await asio::post(socket_.get_executor(), asio::use_awaitable);
    if (!co_await reader_.wait(draining_ ? first_request_time : cx_.options.limits.idle)) co_return false;
    idle_ = fresh_ = false;
    const http::RequestReader::HeadResult read = co_await reader_.read_head();
    if (read.gone) co_return false;
    origin_.clear();
    if (read.refusal) co_return co_await refuse(*read.refusal);
    origin_ = std::string(guard_.listed_origin(reader_.head()));
    const Decision decision = guard_.check(reader_.head(), peer_, cx_.clock.now());
    if (const auto* refusal = std::get_if<Refusal>(&decision)) co_return co_await refuse(*refusal);
    if (guard_.is_preflight(reader_.head())) co_return co_await allow();
    co_return co_await reply(std::get<std::shared_ptr<const Grant>>(decision));
}

Task<bool> Session::reply(std::shared_ptr<const Grant> grant)
{
    const http::WriteOptions options = write_options(); // before take_request() moves the head
    http10_ = options.http10;
    Request rq = take_request(reader_);
    rq.principal = principal_of(grant);
    rq.grant = std::move(grant);
    rq.end_with_client = [this] { for_client_alone_ = true; };
    Response response = co_await answer(cx_, rq);
    for_client_alone_ = false;
    if (reader_.is_gone()) co_return false;
    co_return co_await send(std::move(response), options);
}

Task<bool> Session::allow()
{
    Response response = preflight_response(reader_.head().headers);
    const http::WriteOptions options = write_options();
    co_return co_await send(std::move(response), options);
}

Response Session::answer_to(const Refusal& refusal) const
{
    const std::string_view path = split_target(origin_form(reader_.head().target)).path;
    const bool door = refusal.status == 401 && path == "/";
    Response response = door ? sign_in_page(reader_.head().headers.first("Accept-Encoding"))
                             : padded(problem(error_format_of(path), refusal.status, refusal.detail));
    response.close = refusal.close;
    if (refusal.detail == token_expired) say_expired(response);
    if (refusal.status == 429) response.headers.add("Retry-After", "1");
    if (refusal.status == 405) response.headers.add("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    return response;
}

Task<bool> Session::refuse(Refusal refusal)
{
    cx_.meters.count_refusal(refusal.status);
    log_refusal(refusal, peer_);
    Response response = answer_to(refusal);
    const std::string_view given = reader_.head().headers.first("X-Request-Id");
    response.headers.add("X-Request-Id", is_request_id(given) ? std::string(given) : cx_.request_ids.next());
    const http::WriteOptions options = write_options();
    co_return co_await send(std::move(response), options);
}

Task<bool> Session::send(Response response, http::WriteOptions options)
{
    reader_.answer_begins();
    if (guard_.lists_origins()) response.headers.add("Vary", "Origin");
    if (!origin_.empty()) share_with(response, origin_);
    if (!response.shared_head && !response.headers.find("Date"))
        response.headers.add("Date", date_header(cx_.clock.now()));
    options.defaults = default_headers(response.status);
    // The rest of a body that was not read would be parsed as the next request.
    options.close = options.close || response.close || draining_ || !reader_.is_complete();
    const bool unread = response.close || !reader_.is_complete();
    if (draining_ && response.stream) response.stream->wind_up();
    silent_ = silent_ || (response.stream && look_at(socket_) == PeerState::silent);
    const bool more = co_await writer_.send(std::move(response), options);
    if (unread) co_await linger();
    co_return more;
}

// Closing a socket with unread bytes resets the connection, and the peer may lose the response: drain it first.
Task<> Session::linger()
{
    Code ignored; // the peer may have left
    socket_.shutdown(Socket::shutdown_send, ignored);
    co_await reader_.discard(linger_bytes, linger_time);
}

http::WriteOptions Session::write_options() const
{
    const RequestHead& head = reader_.head();
    http::WriteOptions options;
    options.head_only = head.method == "HEAD";
    options.http10 = head.version < 11;
    options.close = !reader_.framing().keep_alive;
    return options;
}

bool Session::check(Steady now)
{
    writer_.check(now);
    if ((for_client_alone_ || writer_.streams()) && has_left()) return false;
    reader_.check(now);
    return true;
}

// A client may shut down its sending side after its request and still wait for the response. Over TCP that cannot be
// told from a client that left until something is sent to it; a client that shuts down only while it is being answered
// has left.
bool Session::has_left()
{
    const PeerState now = look_at(socket_);
    if (now != PeerState::silent || peer_.local_socket || silent_) return now == PeerState::gone;
    if (writer_.streams()) return true;
    silent_ = true;
    if (!http10_) probe_peer(socket_);
    return false;
}

void Session::drain()
{
    draining_ = true;
    writer_.wind_up();
    if (!idle_) return;
    // A first request is on its way. The next program would have answered it, had this one not taken the connection.
    if (fresh_)
        reader_.wait_no_longer_than(first_request_time);
    else
        close();
}

void Session::abort()
{
    cancellation_.emit(asio::cancellation_type::terminal);
    close();
}

std::optional<Session::Steady> Session::waiting_since() const noexcept
{
    if (!idle_ && !reader_.is_unfinished()) return std::nullopt;
    return waiting_since_;
}

void Session::close()
{
    Code ignored; // the connection is gone either way
    socket_.close(ignored);
}

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/session.hpp"

#include "proxy/access_log.hpp"
#include "proxy/cross_origin.hpp"
#include "proxy/meters.hpp"
#include "proxy/page.hpp"
#include "proxy/target.hpp"
#include "upstream/header.hpp"

namespace alli::proxy {
namespace {

namespace beast = boost::beast;

constexpr std::size_t linger_bytes = 8 * 1024 * 1024;
constexpr std::chrono::milliseconds linger_time{1000};

std::string_view view(beast::string_view text) noexcept
{
    return {text.data(), text.size()};
}

// Made once a second.
std::string date_of(Instant now)
{
    using std::chrono::floor, std::chrono::seconds;
    thread_local Instant second = Instant::min();
    thread_local std::string text;
    if (floor<seconds>(now) != second) {
        second = floor<seconds>(now);
        text = to_http_date(second);
    }
    return text;
}

// Of one size, so that a length tells nobody who is asked what was wrong. Blanks after JSON are JSON.
Response padded(Response response)
{
    constexpr std::size_t refusal_bytes = 256;
    const std::string_view text = response.body.view();
    if (text.size() >= refusal_bytes) return response;
    response.body = fmt::format("{}{:{}}", text, "", refusal_bytes - text.size());
    return response;
}

// Where the body has upstream's shape, which gives no reason (RFC 6750).
void say_expired(Response& response)
{
    for (Header& header : response.headers)
        if (header.name == "WWW-Authenticate")
            header.value += R"(, error="invalid_token", error_description="this token has expired")";
}

Request take_request(Incoming& incoming)
{
    RequestHead& head = incoming.head();
    Request rq;
    rq.method = std::string(view(head.method_string()));
    rq.target = std::string(origin_form(view(head.target())));
    if (rq.target.starts_with('?'))
        rq.target.insert(rq.target.begin(), '/'); // insert(0, "/") makes g++ 12 see an overflow at -O2
    if (!incoming.is_complete()) rq.incoming = &incoming;
    rq.fields = std::move(static_cast<boost::beast::http::fields&>(head));
    return rq;
}

} // namespace

Session::Session(Socket socket, Peer peer, const Context& cx, const Guard& guard)
    : socket_(std::move(socket)), outlet_(socket_, cx.options.limits.write), peer_(std::move(peer)), cx_(cx),
      guard_(guard), incoming_(socket_, cx.options.limits), waiting_since_(std::chrono::steady_clock::now())
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
    if (draining_ && !incoming_.has_sent_ahead()) co_return false;
    if (!co_await incoming_.wait()) co_return false;
    idle_ = false;
    const Incoming::Heard heard = co_await incoming_.read_head();
    if (heard.gone) co_return false;
    origin_.clear();
    if (heard.refusal) co_return co_await refuse(*heard.refusal);
    origin_ = std::string(guard_.listed_origin(incoming_.head()));
    const Decision decision = guard_.check(incoming_.head(), peer_, cx_.needs.clock.now());
    if (const auto* refusal = std::get_if<Refusal>(&decision)) co_return co_await refuse(*refusal);
    if (guard_.is_preflight(incoming_.head())) co_return co_await allow();
    co_return co_await reply(std::get<std::shared_ptr<const Grant>>(decision));
}

Task<bool> Session::reply(std::shared_ptr<const Grant> grant)
{
    const Manner how = manner(); // before the header is taken
    old_protocol_ = how.old_protocol;
    Request rq = take_request(incoming_);
    rq.principal = principal_of(grant);
    rq.grant = std::move(grant);
    rq.end_with_client = [this] { for_client_alone_ = true; };
    Response response = co_await answer(cx_, rq);
    for_client_alone_ = false;
    if (incoming_.is_gone()) co_return false;
    co_return co_await send(std::move(response), how);
}

Task<bool> Session::allow()
{
    Response response = preflight_response(incoming_.head());
    const Manner how = manner();
    co_return co_await send(std::move(response), how);
}

Response Session::answer_to(const Refusal& refusal) const
{
    const std::string_view path = split_target(origin_form(view(incoming_.head().target()))).path;
    const bool door = refusal.status == 401 && path == "/";
    Response response = door ? door_page(view(incoming_.head()[beast::http::field::accept_encoding]))
                             : padded(problem(surface_of(path), refusal.status, refusal.detail));
    response.close = refusal.close;
    if (refusal.detail == token_expired) say_expired(response);
    if (refusal.status == 429) response.headers.push_back({"Retry-After", "1"});
    if (refusal.status == 405) response.headers.push_back({"Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"});
    return response;
}

Task<bool> Session::refuse(Refusal refusal)
{
    cx_.meters.count_refusal(refusal.status);
    log_refusal(refusal, peer_);
    Response response = answer_to(refusal);
    const Manner how = manner();
    co_return co_await send(std::move(response), how);
}

Task<bool> Session::send(Response response, Manner manner)
{
    incoming_.answer_begins();
    if (guard_.lists_origins()) response.headers.push_back({"Vary", "Origin"});
    if (!origin_.empty()) share_with(response, origin_);
    if (upstream::value_of(response.headers, "Date").empty())
        response.headers.push_back({"Date", date_of(cx_.needs.clock.now())});
    // A body that was not read would be taken for the next request.
    manner.close = manner.close || response.close || draining_ || !incoming_.is_complete();
    const bool unread = response.close || !incoming_.is_complete();
    if (draining_ && response.stream) response.stream->wind_up();
    silent_ = silent_ || (response.stream && look_at(socket_) == Presence::silent);
    const bool more = co_await outlet_.send(std::move(response), manner);
    if (unread) co_await linger();
    co_return more;
}

// Closing with bytes unread resets the connection, and the peer may never see the answer: let it finish first.
Task<> Session::linger()
{
    Code ignored; // a peer that left reads nothing more
    socket_.shutdown(Socket::shutdown_send, ignored);
    co_await incoming_.discard(linger_bytes, linger_time);
}

Manner Session::manner() const
{
    const RequestHead& head = incoming_.head();
    Manner manner;
    manner.head_only = head.method() == beast::http::verb::head;
    manner.old_protocol = head.version() < 11;
    manner.close = !incoming_.framing().keep_alive;
    return manner;
}

bool Session::check(Steady now)
{
    outlet_.check(now);
    if ((for_client_alone_ || outlet_.streams()) && has_left()) return false;
    if (incoming_.deadline().is_over(now)) {
        Code ignored; // the wait ends either way
        socket_.cancel(ignored);
    }
    return true;
}

// A client may end its own side after its request and wait for the answer all the same. Over TCP that looks as if it
// had left, until it is sent something; one that falls silent only while it is being answered has left.
bool Session::has_left()
{
    const Presence now = look_at(socket_);
    if (now != Presence::silent || peer_.local_socket || silent_) return now == Presence::gone;
    if (outlet_.streams()) return true;
    silent_ = true;
    if (!old_protocol_) ask_whether_here(socket_);
    return false;
}

void Session::drain()
{
    draining_ = true;
    outlet_.wind_up();
    if (idle_) close();
}

void Session::abort()
{
    cancellation_.emit(asio::cancellation_type::terminal);
    close();
}

std::optional<Session::Steady> Session::waiting_since() const noexcept
{
    if (!idle_ && !incoming_.is_unfinished()) return std::nullopt;
    return waiting_since_;
}

void Session::close()
{
    Code ignored; // there is nobody left to tell
    socket_.close(ignored);
}

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/session.hpp"

#include "proxy/meters.hpp"
#include "proxy/page.hpp"
#include "proxy/target.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::proxy {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t read_size = 4096;
constexpr std::size_t linger_bytes = 256 * 1024;
constexpr std::chrono::milliseconds linger_time{1000};
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

std::string_view view(beast::string_view text) noexcept
{
    return {text.data(), text.size()};
}

Refusal refusal_for(const boost::system::error_code& code)
{
    if (code == http::error::header_limit) return {431, "the header of the request is too long", true};
    if (code == http::error::body_limit) return {413, "the body of the request is too long", true};
    if (code == http::error::bad_version) return {505, "the only protocols known here are HTTP/1.0 and HTTP/1.1", true};
    return {400, "the request is not well formed", true};
}

Request take_request(http::request<http::string_body> message)
{
    Request rq;
    rq.method = std::string(view(message.method_string()));
    rq.target = std::string(origin_form(view(message.target())));
    if (rq.target.starts_with('?'))
        rq.target.insert(rq.target.begin(), '/'); // insert(0, "/") makes g++ 12 see an overflow at -O2
    rq.body = std::move(message.body());
    rq.fields = std::move(static_cast<http::fields&>(message.base()));
    return rq;
}

} // namespace

Session::Session(Socket socket, Peer peer, const Context& cx, const Guard& guard)
    : socket_(std::move(socket)), outlet_(socket_, cx.options.limits.write), peer_(peer), cx_(cx), guard_(guard),
      waiting_since_(std::chrono::steady_clock::now())
{}

Task<> Session::run(std::shared_ptr<Session> self)
{
    // g++ 12 compiles a co_await in the condition of an empty loop to a trap when it does not optimise.
    for (bool more = true; more;) more = co_await self->serve();
    self->close();
}

Task<bool> Session::serve()
{
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(cx_.options.limits.header_bytes));
    parser.body_limit(cx_.options.limits.body_bytes);
    if (!co_await wait_for_request()) co_return false;
    if (!co_await read_head(parser)) co_return false;
    if (const auto refusal = guard_.check(parser.get().base(), peer_)) co_return co_await refuse(parser, *refusal);
    if (!co_await read_body(parser)) co_return false;

    stage_ = Stage::answering;
    deadline_.reset();
    const Manner manner = manner_of(parser);
    Request rq = take_request(parser.release());
    rq.end_with_client = [this] { for_client_alone_ = true; };
    Response response = co_await answer(cx_, rq);
    for_client_alone_ = false;
    co_return co_await send(std::move(response), manner);
}

Task<bool> Session::wait_for_request()
{
    stage_ = Stage::idle;
    waiting_since_ = std::chrono::steady_clock::now();
    if (buffer_.size() > 0) co_return true; // sent ahead
    if (draining_) co_return false;
    allow(cx_.options.limits.idle);
    co_return co_await read_more();
}

Task<bool> Session::read_head(Parser& parser)
{
    stage_ = Stage::reading;
    parser.eager(false); // the body is not even looked at before the guard has spoken
    allow(cx_.options.limits.header);
    co_return co_await parse(parser, false);
}

Task<bool> Session::read_body(Parser& parser)
{
    if (parser.is_done()) co_return true;
    if (parser.get().count(http::field::expect) && parser.get().version() >= 11 && buffer_.size() == 0) {
        const Outlet::Parts parts{asio::const_buffer(go_on.data(), go_on.size())};
        if (!co_await outlet_.write(parts)) co_return false;
    }
    parser.eager(true);
    allow(cx_.options.limits.body);
    co_return co_await parse(parser, true);
}

// Feeds the parser until the header, or the whole request, is there. What was sent ahead stays in the buffer.
Task<bool> Session::parse(Parser& parser, bool whole)
{
    for (;;) {
        Code code;
        if (buffer_.size() > 0) buffer_.consume(parser.put(buffer_.data(), code));
        if (code && code != http::error::need_more) co_return co_await fail(parser, code);
        if (whole ? parser.is_done() : parser.is_header_done()) co_return true;
        if (!code && buffer_.size() > 0) continue; // the parser goes one part at a time
        if (co_await read_more()) continue;
        if (!expired_) co_return false; // the peer left: nobody to answer
        code.clear();
        co_return co_await fail(parser, code);
    }
}

Task<bool> Session::read_more()
{
    Code code;
    const auto room = buffer_.prepare(read_size);
    const std::size_t count = co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, code));
    buffer_.commit(count);
    co_return !code;
}

Task<bool> Session::refuse(const Parser& parser, Refusal refusal)
{
    const std::string_view path = split_target(origin_form(view(parser.get().target()))).path;
    Response response = refusal.status == 401 && path == "/"
                            ? door_page(view(parser.get()[http::field::accept_encoding]))
                            : problem(surface_of(path), refusal.status, refusal.detail);
    response.close = refusal.close || !parser.is_done(); // a body that was not read would be taken for a request
    cx_.meters.count_refusal(refusal.status);
    if (refusal.status == 405) response.headers.push_back({"Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"});
    const Manner manner = manner_of(parser);
    const bool more = co_await send(std::move(response), manner);
    if (!more) co_await linger();
    co_return more;
}

Task<bool> Session::fail(const Parser& parser, Code code)
{
    if (expired_) {
        const Refusal late{408, "the request did not come in time", true};
        co_return co_await refuse(parser, late);
    }
    const Refusal refusal = refusal_for(code);
    co_return co_await refuse(parser, refusal);
}

Task<bool> Session::send(Response response, Manner manner)
{
    stage_ = Stage::answering;
    manner.close = manner.close || response.close || draining_;
    if (draining_ && response.stream) response.stream->wind_up();
    co_return co_await outlet_.send(std::move(response), manner);
}

// Closing with bytes unread resets the connection, and the peer may never see the answer: let it finish first.
Task<> Session::linger()
{
    Code code;
    socket_.shutdown(Socket::shutdown_send, code);
    allow(linger_time);
    for (std::size_t read = 0; !code && read < linger_bytes;) {
        buffer_.clear();
        const auto room = buffer_.prepare(read_size);
        read += co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, code));
    }
}

Manner Session::manner_of(const Parser& parser) const
{
    Manner manner;
    manner.head_only = parser.get().method() == http::verb::head;
    manner.old_protocol = parser.get().version() < 11;
    manner.close = !parser.get().keep_alive();
    return manner;
}

bool Session::check(Steady now)
{
    outlet_.check(now);
    if ((for_client_alone_ || outlet_.streams()) && has_left(socket_)) return false;
    if (!deadline_ || now < *deadline_) return true;
    deadline_.reset();
    expired_ = true;
    Code ignored; // the wait ends either way
    socket_.cancel(ignored);
    return true;
}

void Session::drain()
{
    draining_ = true;
    outlet_.wind_up();
    if (stage_ == Stage::idle) close();
}

void Session::abort()
{
    cancellation_.emit(asio::cancellation_type::terminal);
    close();
}

std::optional<Session::Steady> Session::waiting_since() const noexcept
{
    if (stage_ == Stage::answering) return std::nullopt;
    return waiting_since_;
}

void Session::allow(std::chrono::milliseconds time)
{
    expired_ = false;
    deadline_ = std::chrono::steady_clock::now() + time;
}

void Session::close()
{
    Code ignored; // there is nobody left to tell
    socket_.close(ignored);
}

} // namespace alli::proxy

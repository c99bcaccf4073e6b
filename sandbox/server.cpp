// SPDX-License-Identifier: Apache-2.0
#include "sandbox/server.hpp"

#include "http/response.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/fmt/fmt.h>

#include <array>
#include <charconv>
#include <iterator>

// gcc 12.2 at -O2 sees a coroutine's frame freed by another function than the one that it inlined to get it.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace alli::sandbox {
namespace {

using asio::ip::tcp;
using Failure = boost::system::error_code;

// The time limits are not enforced: the sandbox does not call RequestReader::check().
constexpr http::RequestLimits limits{.header_bytes = 64 * 1024, .header_lines = 1000, .target_bytes = 64 * 1024};
constexpr std::size_t body_limit = 64 * 1024 * 1024;
constexpr std::size_t drips = 20; // of a body that drips

tcp::endpoint read_endpoint(const std::string& listen)
{
    const auto colon = listen.rfind(':');
    std::string host = listen.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    const std::string port = colon == std::string::npos ? "" : listen.substr(colon + 1);

    Failure failed;
    const auto address = asio::ip::make_address(host, failed);
    std::uint16_t number = 0;
    const auto [end, bad] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (failed || port.empty() || bad != std::errc{} || end != port.data() + port.size())
        throw Error(Fault::settings, "an address and a port, as in 127.0.0.1:0", "\"{}\" is no address to listen on",
                    listen);
    return {address, number};
}

Call make_call(http::RequestHead&& head, std::string body)
{
    Call call;
    call.method = std::move(head.method);
    call.target = std::move(head.target);
    call.body = std::move(body);
    call.headers = std::move(head.headers);
    call.arrived = std::chrono::steady_clock::now();
    return call;
}

// None: malformed, too long, or the peer has left.
Task<std::optional<std::string>> read_body(http::RequestReader& reader)
try {
    co_return co_await reader.whole(body_limit);
} catch (const http::Refused&) {
    co_return std::nullopt;
}

std::string header_text(const Answer& answer, std::size_t content_length, const std::string& date, bool keep_alive)
{
    Headers headers;
    headers.add("Server", "alli-sandbox");
    if (keep_alive) headers.add("Connection", "keep-alive");
    if (!date.empty()) headers.add("Date", date);
    if (!answer.body.empty()) headers.add("Content-Type", answer.type);
    headers.insert(headers.end(), answer.headers.begin(), answer.headers.end());
    const http::Framing framing = answer.chunked ? http::Framing::chunked : http::Framing::length;
    return http::render_head(answer.status, headers, framing, content_length, {.close = !keep_alive});
}

// So that the peer sees a reset rather than an orderly end.
void reset(http::Socket& socket)
{
    Failure ignored; // the peer may have been faster
    socket.set_option(asio::socket_base::linger{true, 0}, ignored);
    socket.close(ignored);
}

// An orderly end. Always false: the connection does not go on.
bool close(http::Socket& socket)
{
    Failure ignored; // the peer may have been faster
    socket.shutdown(http::Socket::shutdown_both, ignored);
    return false;
}

} // namespace

Server::Server(const std::string& listen_on, Responder& responder) : responder_(responder)
{
    loop_.emplace(1);
    listen(read_endpoint(listen_on));
    asio::co_spawn(*loop_, accept(), asio::detached);
    thread_ = std::thread{[this] { loop_->run(); }};
}

Server::~Server()
{
    stop();
}

void Server::listen(const tcp::endpoint& endpoint)
{
    acceptor_.emplace(*loop_);
    Failure failed;
    acceptor_->open(endpoint.protocol(), failed);
    if (!failed) acceptor_->set_option(asio::socket_base::reuse_address{true}, failed);
    if (!failed) acceptor_->bind(endpoint, failed);
    if (!failed) acceptor_->listen(asio::socket_base::max_listen_connections, failed);
    if (failed == asio::error::address_in_use)
        throw Error(Fault::busy, "choose another port, or 0 for any free one", "port {} is in use", endpoint.port());
    if (failed)
        throw Error(Fault::settings, "choose an address of this machine", "cannot listen on {}:{}: {}",
                    endpoint.address().to_string(), endpoint.port(), failed.message());
    endpoint_ = acceptor_->local_endpoint();
}

std::string Server::url() const
{
    const auto address = endpoint_.address();
    return fmt::format(fmt::runtime(address.is_v6() ? "http://[{}]:{}" : "http://{}:{}"), address.to_string(),
                       endpoint_.port());
}

void Server::stop()
{
    const std::lock_guard lock{stopping_};
    if (!loop_) return;
    loop_->stop();
    thread_.join();
    acceptor_.reset();
    loop_.reset(); // destroys what the coroutines wait for, and with them their sockets
}

Task<> Server::accept()
{
    for (;;) {
        Failure failed;
        tcp::socket socket = co_await acceptor_->async_accept(asio::redirect_error(asio::use_awaitable, failed));
        if (!failed) {
            Failure ignored; // the peer may have gone
            socket.set_option(tcp::no_delay{true}, ignored);
            asio::co_spawn(*loop_, converse(std::move(socket)), asio::detached);
            continue;
        }
        asio::steady_timer pause{*loop_, std::chrono::milliseconds{10}}; // no descriptor is free, or the peer has gone
        co_await pause.async_wait(asio::use_awaitable);
    }
}

Task<> Server::converse(Socket socket)
{
    http::RequestReader reader(socket, limits);
    // g++ 12 compiles a co_await in the condition of an empty loop to a trap when it does not optimise.
    for (bool more = true; more;) more = co_await serve(socket, reader);
}

Task<bool> Server::serve(Socket& socket, http::RequestReader& reader)
{
    if (!co_await reader.wait(limits.idle)) co_return false;
    const http::RequestReader::HeadResult read = co_await reader.read_head();
    std::optional<std::string> body;
    if (!read.gone && !read.refusal) body = co_await read_body(reader);
    if (read.gone || reader.is_gone()) co_return false;
    if (!body) {
        const Answer bad{.status = 400, .body = "Bad Request", .type = "text/html"};
        co_return co_await reply(socket, bad, false, false);
    }
    const bool keep_alive = reader.framing().keep_alive;
    const bool is_head = reader.head().method == "HEAD";
    Call call = make_call(std::move(reader.head()), std::move(*body));
    const Strike strike = responder_.strike(call);
    if (strike.latency.count() > 0) co_await wait(strike.latency);
    const Answer answer = responder_.answer(std::move(call), strike);
    co_return co_await reply(socket, answer, is_head, keep_alive);
}

// A body that is sent in pieces of a size, with a pause between two.
struct Server::Pieces {
    std::string_view body;
    std::size_t size;
    std::chrono::milliseconds pause;
    bool chunked, whole; // whole: nothing is missing behind it
};

// Whether the connection is kept. The references live in serve(), which awaits at once.
Task<bool> Server::reply(Socket& socket, const Answer& answer, bool is_head, bool keep_alive)
{
    using Ending = Answer::Ending;
    const Ending ending = answer.ending;
    if (ending == Ending::hang || ending == Ending::late) co_await wait(answer.pause);
    if (ending == Ending::reset || ending == Ending::hang) {
        reset(socket);
        co_return false;
    }
    const bool half = ending == Ending::cut || ending == Ending::stall;
    const std::string_view body = is_head ? std::string_view{} : answer.body;
    const std::string_view sent = half ? body.substr(0, body.size() / 2) : body;
    const std::size_t declared = answer.body.size() + (half ? 1 : 0); // one more: even an empty body can be cut
    const std::string head = header_text(answer, declared, responder_.date(), keep_alive);
    const Pieces pieces{sent, ending == Ending::drip ? sent.size() / drips + 1 : sent.size(),
                        answer.unasked.empty() ? answer.pause : std::chrono::milliseconds(0),
                        answer.chunked && !is_head, !half};
    const bool written = co_await write(socket, head, pieces);
    if (!written) co_return false;
    if (!answer.unasked.empty() && !co_await say_unasked(socket, answer)) co_return false;
    if (ending == Ending::stall) co_await wait(answer.pause);
    if (ending == Ending::stall) reset(socket);
    if (half || ending == Ending::closed) co_return close(socket);
    co_return keep_alive || close(socket);
}

// Sends header block and first piece in one write, then the other pieces.
Task<bool> Server::write(Socket& socket, const std::string& head, const Pieces& pieces)
{
    Failure failed;
    std::string_view body = pieces.body;
    std::string before = head;
    for (;;) {
        const std::string_view piece = body.substr(0, pieces.size);
        body.remove_prefix(piece.size());
        std::string after;
        if (pieces.chunked && !piece.empty()) before += fmt::format("{:x}\r\n", piece.size()), after = "\r\n";
        if (pieces.chunked && body.empty() && pieces.whole) after += "0\r\n\r\n";
        const std::array<asio::const_buffer, 3> parts{asio::buffer(before), asio::buffer(piece), asio::buffer(after)};
        co_await asio::async_write(socket, parts, asio::redirect_error(asio::use_awaitable, failed));
        if (failed || body.empty()) co_return !failed;
        before.clear();
        co_await wait(pieces.pause);
    }
}

// Whether it was sent. The client takes the connection for idle.
Task<bool> Server::say_unasked(Socket& socket, const Answer& answer)
{
    if (answer.pause.count() > 0) co_await wait(answer.pause);
    Failure failed;
    co_await asio::async_write(socket, asio::buffer(answer.unasked), asio::redirect_error(asio::use_awaitable, failed));
    co_return !failed;
}

Task<> Server::wait(std::chrono::milliseconds pause)
{
    asio::steady_timer timer{*loop_, pause};
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace alli::sandbox

// SPDX-License-Identifier: Apache-2.0
#include "sandbox/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <spdlog/fmt/fmt.h>

#include <array>
#include <charconv>
#include <iterator>

// gcc 12.2 at -O2 sees a coroutine's frame freed by another function than the one that it inlined to get it.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace alli::sandbox {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Failure = boost::system::error_code;

constexpr std::uint64_t body_limit = 64 * 1024 * 1024;
constexpr std::size_t drips = 20; // of a body that drips
constexpr std::uint32_t header_limit = 64 * 1024;

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

std::string text(beast::string_view view)
{
    return {view.data(), view.size()};
}

Call read_call(http::request<http::string_body>&& request)
{
    Call call;
    call.method = text(request.method_string());
    call.target = text(request.target());
    for (const auto& field : request) call.headers.emplace_back(text(field.name_string()), text(field.value()));
    call.body = std::move(request.body());
    return call;
}

std::string header_text(const Answer& answer, std::size_t content_length, const std::string& date, bool keep_alive)
{
    std::string head =
        fmt::format("HTTP/1.1 {} {}\r\nServer: alli-sandbox\r\nConnection: {}\r\n", answer.status,
                    text(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(answer.status)))),
                    keep_alive ? "keep-alive" : "close");
    head += answer.chunked ? "Transfer-Encoding: chunked\r\n" : fmt::format("Content-Length: {}\r\n", content_length);
    if (!date.empty()) head += "Date: " + date + "\r\n";
    if (!answer.body.empty()) head += "Content-Type: " + answer.type + "\r\n";
    for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
    return head + "\r\n";
}

// So that the peer sees a reset rather than an orderly end.
void reset(tcp::socket& socket)
{
    Failure ignored; // the peer may have been faster
    socket.set_option(asio::socket_base::linger{true, 0}, ignored);
    socket.close(ignored);
}

// An orderly end. Always false: the connection does not go on.
bool close(tcp::socket& socket)
{
    Failure ignored; // the peer may have been faster
    socket.shutdown(tcp::socket::shutdown_both, ignored);
    return false;
}

bool is_bad_request(const Failure& failed)
{
    return failed.category() == http::make_error_code(http::error::bad_method).category() &&
           failed != http::error::end_of_stream && failed != http::error::partial_message;
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
            asio::co_spawn(*loop_, converse(std::move(socket)), asio::detached);
            continue;
        }
        asio::steady_timer pause{*loop_, std::chrono::milliseconds{10}}; // out of descriptors, or the peer has gone
        co_await pause.async_wait(asio::use_awaitable);
    }
}

Task<> Server::converse(tcp::socket socket)
{
    Failure failed;
    socket.set_option(tcp::no_delay{true}, failed);
    beast::flat_buffer buffer;
    for (;;) {
        http::request_parser<http::string_body> parser;
        parser.body_limit(body_limit);
        parser.header_limit(header_limit);
        co_await http::async_read(socket, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
        if (is_bad_request(failed)) {
            const Answer bad{.status = 400, .body = "Bad Request", .type = "text/html"};
            co_await reply(socket, bad, false, false);
        }
        if (failed) co_return;

        const bool keep_alive = parser.get().keep_alive();
        const bool is_head = parser.get().method() == http::verb::head;
        Call call = read_call(parser.release());
        call.arrived = std::chrono::steady_clock::now();
        const Strike strike = responder_.strike(call);
        if (strike.latency.count() > 0) co_await wait(strike.latency);
        const Answer answer = responder_.answer(std::move(call), strike);
        const bool goes_on = co_await reply(socket, answer, is_head, keep_alive);
        if (!goes_on) co_return;
    }
}

// A body that goes out in pieces of a size, with a pause between two.
struct Server::Pieces {
    std::string_view body;
    std::size_t size;
    std::chrono::milliseconds pause;
    bool chunked, whole; // whole: nothing is missing behind it
};

// Whether the connection goes on. The reference lives in converse(), which awaits at once.
Task<bool> Server::reply(tcp::socket& socket, const Answer& answer, bool is_head, bool keep_alive)
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

// Head and body together, or the body in pieces with a pause after each.
Task<bool> Server::write(tcp::socket& socket, const std::string& head, const Pieces& pieces)
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

// Whether it went out. The connection is idle as far as its client knows.
Task<bool> Server::say_unasked(tcp::socket& socket, const Answer& answer)
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

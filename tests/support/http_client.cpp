// SPDX-License-Identifier: Apache-2.0
#include "tests/support/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>

#include <chrono>

namespace support {
namespace {

namespace asio = boost::asio;
namespace http_ = boost::beast::http;
using Failure = boost::system::error_code;

constexpr auto patience = std::chrono::seconds{10};

std::string request_text(std::string_view method, std::string_view target, const Headers& headers,
                         std::string_view body, std::uint16_t port)
{
    std::string text{method};
    text.append(" ").append(target).append(" HTTP/1.1\r\n");
    bool has_host = false;
    for (const auto& [name, value] : headers) {
        has_host = has_host || boost::beast::iequals(name, "Host");
        text.append(name).append(": ").append(value).append("\r\n");
    }
    if (!has_host) text += "Host: 127.0.0.1:" + std::to_string(port) + "\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text.append("\r\n").append(body);
}

HttpReply reply_of(const http_::response_parser<http_::string_body>& parser, const Failure& failed)
{
    HttpReply reply;
    if (parser.is_header_done()) {
        const auto& message = parser.get();
        reply.status = message.result_int();
        for (const auto& field : message)
            reply.headers.emplace_back(std::string{field.name_string()}, std::string{field.value()});
        reply.body = message.body();
        reply.keep_alive = message.keep_alive();
    }
    reply.complete = !failed && parser.is_done();
    if (!reply.complete) reply.error = failed ? failed.message() : "cut short";
    return reply;
}

} // namespace

std::string_view HttpReply::header(std::string_view name) const
{
    for (const auto& [key, value] : headers)
        if (boost::beast::iequals(key, name)) return value;
    return {};
}

Headers sandbox_key()
{
    return {{"API-KEY", "sandbox"}};
}

struct HttpConnection::Core {
    asio::io_context loop{1};
    asio::ip::tcp::socket socket{loop};
    boost::beast::flat_buffer buffer;
    std::uint16_t port = 0; // for the Host header
    Failure failed;

    // Runs what was begun to its end, or gives it up.
    void wait()
    {
        loop.restart();
        loop.run_for(patience);
        if (loop.stopped()) return;
        Failure ignored;
        socket.close(ignored);
        loop.run();
        failed = asio::error::timed_out;
    }
};

HttpConnection::HttpConnection(std::uint16_t port) : core_(std::make_unique<Core>())
{
    core_->port = port;
    const asio::ip::tcp::endpoint server{asio::ip::address_v4::loopback(), port};
    core_->socket.async_connect(server, [core = core_.get()](Failure result) { core->failed = result; });
    core_->wait();
    Failure ignored;
    core_->socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
}

HttpConnection::~HttpConnection() = default;

HttpReply HttpConnection::send(std::string_view method, std::string_view target, const Headers& headers,
                               std::string_view body)
{
    Core& core = *core_;
    http_::response_parser<http_::string_body> parser;
    parser.body_limit(boost::none);
    parser.skip(method == "HEAD");
    const std::string request = request_text(method, target, headers, body, core.port);
    const auto keep = [&core](Failure result, std::size_t) { core.failed = result; };
    if (!core.failed) {
        asio::async_write(core.socket, asio::buffer(request), keep);
        core.wait();
    }
    if (!core.failed) {
        http_::async_read(core.socket, core.buffer, parser, keep);
        core.wait();
    }
    return reply_of(parser, core.failed);
}

HttpReply http(std::uint16_t port, std::string_view method, std::string_view target, const Headers& headers,
               std::string_view body)
{
    return HttpConnection{port}.send(method, target, headers, body);
}

} // namespace support

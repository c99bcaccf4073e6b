// SPDX-License-Identifier: Apache-2.0
#include "tests/support/http_client.hpp"

#include "alli/headers.hpp"
#include "http/chunks.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>

namespace support {
namespace {

namespace asio = boost::asio;
using alli::same_name;
using Failure = boost::system::error_code;

constexpr auto patience = std::chrono::seconds{10};

std::string request_text(std::string_view method, std::string_view target, const Headers& headers,
                         std::string_view body, std::uint16_t port)
{
    std::string text{method};
    text.append(" ").append(target).append(" HTTP/1.1\r\n");
    bool has_host = false;
    for (const auto& [name, value] : headers) {
        has_host = has_host || same_name(name, "Host");
        text.append(name).append(": ").append(value).append("\r\n");
    }
    if (!has_host) text += "Host: 127.0.0.1:" + std::to_string(port) + "\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text.append("\r\n").append(body);
}

// Of a whole header block: status line and lines, each with its line end. False: it is malformed.
bool read_head(std::string_view block, HttpReply& reply)
{
    constexpr std::string_view version = "HTTP/1.";
    if (!block.starts_with(version) || block.size() < 12) return false;
    reply.status = std::stoi(std::string(block.substr(9, 3)));
    reply.keep_alive = block[version.size()] == '1';
    block.remove_prefix(block.find("\r\n") + 2);
    while (!block.empty()) {
        const std::string_view line = block.substr(0, block.find("\r\n"));
        block.remove_prefix(line.size() + 2);
        const auto colon = line.find(':');
        if (colon == line.npos) return false;
        reply.headers.emplace_back(line.substr(0, colon), alli::trimmed(line.substr(colon + 1)));
    }
    const std::string_view connection = reply.header("Connection");
    reply.keep_alive = same_name(connection, "keep-alive") || (reply.keep_alive && !same_name(connection, "close"));
    return true;
}

} // namespace

std::string_view HttpReply::header(std::string_view name) const
{
    for (const auto& [key, value] : headers)
        if (same_name(key, name)) return value;
    return {};
}

Headers sandbox_key()
{
    return {{"API-KEY", "sandbox"}};
}

struct HttpConnection::Core {
    asio::io_context loop{1};
    asio::ip::tcp::socket socket{loop};
    std::string received;   // and not consumed
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

    bool write(const std::string& bytes)
    {
        if (failed) return false;
        asio::async_write(socket, asio::buffer(bytes), [this](Failure result, std::size_t) { failed = result; });
        wait();
        return !failed;
    }

    // More bytes. False: the connection has ended.
    bool receive()
    {
        if (failed) return false;
        std::array<char, 16384> room;
        socket.async_read_some(asio::buffer(room), [&](Failure result, std::size_t count) {
            failed = result;
            received.append(room.data(), count);
        });
        wait();
        return !failed;
    }

    bool read_head(HttpReply& reply)
    {
        std::size_t end = received.npos;
        while ((end = received.find("\r\n\r\n")) == received.npos)
            if (!receive()) return false;
        const bool sound = support::read_head(std::string_view(received).substr(0, end + 2), reply);
        received.erase(0, end + 4);
        return sound;
    }

    // As far as it comes. Whether it came whole.
    bool read_body(HttpReply& reply)
    {
        if (reply.status == 204 || reply.status == 304) return true;
        if (same_name(reply.header("Transfer-Encoding"), "chunked")) return read_chunks(reply);
        if (const std::string length(reply.header("Content-Length")); !length.empty())
            return read_length(reply, std::stoul(length));
        reply.keep_alive = false;
        while (receive()) {
        }
        reply.body = std::exchange(received, {});
        return failed == asio::error::eof;
    }

    bool read_length(HttpReply& reply, std::size_t length)
    {
        while (received.size() < length)
            if (!receive()) break;
        reply.body = received.substr(0, length);
        received.erase(0, length);
        return reply.body.size() == length;
    }

    bool read_chunks(HttpReply& reply)
    {
        using Result = alli::http::ChunkReader::Result;
        alli::http::ChunkReader chunks;
        for (;;) {
            const auto piece = chunks.read(received);
            reply.body.append(received, piece.framing, piece.data);
            received.erase(0, piece.framing + piece.data);
            if (piece.result == Result::done) return true;
            if (piece.result == Result::refused) return false;
            if (piece.result == Result::more && !receive()) return false;
        }
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
    HttpReply reply;
    const std::string request = request_text(method, target, headers, body, core_->port);
    reply.complete = core_->write(request) && core_->read_head(reply) && (method == "HEAD" || core_->read_body(reply));
    if (!reply.complete) reply.error = core_->failed ? core_->failed.message() : "cut short";
    return reply;
}

HttpReply http(std::uint16_t port, std::string_view method, std::string_view target, const Headers& headers,
               std::string_view body)
{
    return HttpConnection{port}.send(method, target, headers, body);
}

} // namespace support

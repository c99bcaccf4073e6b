// SPDX-License-Identifier: Apache-2.0
// A server whose relay is the real one, towards an upstream over real sockets.
#pragma once

#include "tests/proxy/fixture.hpp"
#include "tests/proxy/raw_client.hpp"
#include "tests/upstream/scripted_server.hpp"

#include "upstream/curl/relay.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

namespace alli::proxy {

class Passing : public ProxyTest {
  protected:
    void start_before(const std::string& url, Options options = {})
    {
        backend_.connecting = [this, url](const asio::any_io_executor& loop) {
            upstream::CurlOptions to;
            to.base_url = url;
            return std::make_unique<upstream::Relay>(loop, to, key_);
        };
        options.limits.tick = std::chrono::milliseconds(10);
        start(std::move(options));
    }
    std::string request(const std::string& line, const std::string& more = {}) const
    {
        return line + " HTTP/1.1\r\nHost: " + host_ + "\r\nAPI-KEY: the-key\r\n" + more + "\r\n";
    }
    std::string closing(const std::string& line, const std::string& more = {})
    {
        RawClient client(port_);
        client.send(request(line, more + "Connection: close\r\n"));
        return client.read_all();
    }

    /// So that the server has looked at its connections meanwhile.
    void wait_some_ticks()
    {
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(60);
        while (std::chrono::steady_clock::now() < until) get("/healthz");
    }

    const std::string key_ = "upstreams-own-key";
};

/// An upstream whose socket the test itself holds.
struct Held {
    Held() : acceptor(loop, {asio::ip::address_v4::loopback(), 0}), socket(loop) {}
    std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()); }
    /// A head, and whatever of a body came along with it: that stands before what hear(COUNT) reads.
    std::string hear()
    {
        acceptor.accept(socket);
        const std::size_t size = asio::read_until(socket, asio::dynamic_buffer(ahead), "\r\n\r\n");
        std::string head = ahead.substr(0, size);
        ahead.erase(0, size);
        return head;
    }
    std::string hear(std::size_t count)
    {
        if (ahead.size() < count)
            asio::read(socket, asio::dynamic_buffer(ahead), asio::transfer_exactly(count - ahead.size()));
        std::string piece = ahead.substr(0, count);
        ahead.erase(0, count);
        return piece;
    }
    void say(const std::string& text) { asio::write(socket, asio::buffer(text)); }
    bool is_left()
    {
        char byte = 0;
        boost::system::error_code code;
        socket.read_some(asio::buffer(&byte, 1), code);
        return bool(code);
    }

    asio::io_context loop;
    asio::ip::tcp::acceptor acceptor;
    asio::ip::tcp::socket socket;
    std::string ahead;
};

} // namespace alli::proxy

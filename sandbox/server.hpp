// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 over TCP on a thread of its own: one coroutine for each connection, which asks a Responder for the answer
// and writes it, or breaks the connection in the way that the answer says. Knows nothing of conversations.
#pragma once

#include "http/request_reader.hpp"
#include "sandbox/call.hpp"
#include "sandbox/faults.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace alli::sandbox {

/// Asked on the server's thread; must not throw.
class Responder {
  public:
    virtual ~Responder() = default;
    virtual Strike strike(const Call& call) = 0;
    virtual Answer answer(Call call, const Strike& strike) = 0;
    virtual std::string date() const = 0; // the Date header; empty: none is sent
};

class Server {
  public:
    /// Listens on "HOST:PORT". Throws Error{settings} for an address that is none, Error{busy} for a port in use.
    Server(const std::string& listen, Responder& responder);
    ~Server();

    std::uint16_t port() const { return endpoint_.port(); }
    std::string url() const;
    /// Drops every connection; nothing is answered once it returns. Any thread but the server's; may be called twice.
    void stop();

  private:
    using Socket = http::Socket;

    void listen(const asio::ip::tcp::endpoint& endpoint);
    Task<> accept();
    Task<> converse(Socket socket);
    Task<bool> serve(Socket& socket, http::RequestReader& reader);
    Task<bool> reply(Socket& socket, const Answer& answer, bool is_head, bool keep_alive);
    struct Pieces;
    Task<bool> write(Socket& socket, const std::string& head, const Pieces& pieces);
    Task<bool> say_unasked(Socket& socket, const Answer& answer);
    Task<> wait(std::chrono::milliseconds pause);

    Responder& responder_;
    std::mutex stopping_;
    std::optional<asio::io_context> loop_;
    std::optional<asio::ip::tcp::acceptor> acceptor_;
    asio::ip::tcp::endpoint endpoint_;
    std::thread thread_;
};

} // namespace alli::sandbox

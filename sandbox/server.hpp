// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 over TCP on a thread of its own: a coroutine a connection, answers asked of a Responder, and the ways in
// which a connection can be made to fail. Knows nothing of conversations.
#pragma once

#include "alli/task.hpp"
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
    virtual std::string date() const = 0; // of the Date header; empty: none is sent
};

class Server {
  public:
    /// Listens on "HOST:PORT". Throws Error{settings} for an address that is none, Error{busy} for a port in use.
    Server(const std::string& listen, Responder& responder);
    ~Server();

    std::uint16_t port() const { return endpoint_.port(); }
    std::string url() const;
    void
    stop(); // drops every connection; nothing is answered once it returns. Any thread but the server's; twice is fine

  private:
    using Socket = asio::ip::tcp::socket;

    void listen(const asio::ip::tcp::endpoint& endpoint);
    Task<> accept();
    Task<> converse(Socket socket);
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

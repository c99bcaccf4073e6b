// SPDX-License-Identifier: Apache-2.0
// One connection: reads a request, has it checked and answered, writes, and so on until one side ends it. Requests sent
// ahead are answered in order. Lives on one loop; its deadlines are looked at by that loop's tick.
#pragma once

#include "proxy/outlet.hpp"
#include "proxy/routes.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace alli::proxy {

class Session {
  public:
    using Steady = std::chrono::steady_clock::time_point;

    Session(Socket socket, Peer peer, const Context& cx, const Guard& guard);

    /// Until the connection ends. Throws only for a bug, or when cancelled.
    static Task<> run(std::shared_ptr<Session> self);

    /// Ends a wait that is overdue. False: the peer left while an answer streams, and the session is to be aborted.
    bool check(Steady now);
    /// No request after the one under way; ends at once when there is none.
    void drain();
    /// Ends whatever is under way.
    void abort();

    /// Since when it waits for a complete request; none while one is being answered.
    std::optional<Steady> waiting_since() const noexcept;
    asio::cancellation_signal& cancellation() noexcept { return cancellation_; }

  private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
    using Code = boost::system::error_code;
    enum class Stage { idle, reading, answering };

    Task<bool> serve();
    Task<bool> wait_for_request();
    Task<bool> read_head(Parser& parser);
    Task<bool> read_body(Parser& parser);
    Task<bool> parse(Parser& parser, bool whole);
    Task<bool> read_more();
    Task<bool> refuse(const Parser& parser, Refusal refusal);
    Task<bool> fail(const Parser& parser, Code code);
    Task<bool> send(Response response, Manner manner);
    Task<> linger();
    Manner manner_of(const Parser& parser) const;

    void allow(std::chrono::milliseconds time);
    void close();

    Socket socket_;
    Outlet outlet_;
    Peer peer_;
    const Context& cx_;
    const Guard& guard_;
    asio::cancellation_signal cancellation_;
    boost::beast::flat_buffer buffer_;
    Stage stage_ = Stage::idle;
    Steady waiting_since_;
    std::optional<Steady> deadline_;
    bool expired_ = false;
    bool draining_ = false;
    bool for_client_alone_ = false; // what is under way ends when the client leaves
};

} // namespace alli::proxy

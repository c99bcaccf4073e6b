// SPDX-License-Identifier: Apache-2.0
// One connection: reads a request, checks it, answers it, writes the response, and so on until one side ends it.
// Pipelined requests are answered in order. Lives on one loop, whose tick calls check().
#pragma once

#include "http/request_reader.hpp"
#include "http/response_writer.hpp"
#include "proxy/access/guard.hpp"
#include "proxy/disconnect.hpp"
#include "proxy/dispatch.hpp"

#include <boost/asio/cancellation_signal.hpp>

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

    /// Cancels a wait that is overdue. False: the peer left while a response streams; abort the session.
    bool check(Steady now);
    /// No request after the one under way; ends at once when there is none, and no first one is on its way.
    void drain();
    /// Ends whatever is under way.
    void abort();

    /// Since when it waits for a complete request; none while it answers one.
    std::optional<Steady> waiting_since() const noexcept;
    const Peer& peer() const noexcept { return peer_; }
    asio::cancellation_signal& cancellation() noexcept { return cancellation_; }

  private:
    using Code = boost::system::error_code;

    Task<bool> serve();
    Task<bool> reply(std::shared_ptr<const Grant> grant);
    Response answer_to(const Refusal& refusal) const;
    Task<bool> refuse(Refusal refusal);
    Task<bool> allow(); // a preflight
    Task<bool> send(Response response, http::WriteOptions options);
    Task<> linger();
    http::WriteOptions write_options() const;
    bool has_left();
    void close();

    Socket socket_;
    http::ResponseWriter writer_;
    Peer peer_;
    const Context& cx_;
    const Guard& guard_;
    asio::cancellation_signal cancellation_;
    http::RequestReader reader_;
    Steady waiting_since_;
    std::string origin_; // of the request under way, where a page of another site may read the response
    bool idle_ = true;   // between two requests
    bool fresh_ = true;  // no request has come yet
    bool draining_ = false;
    bool for_client_alone_ = false; // the request under way ends when the client leaves
    bool http10_ = false;           // the request under way is HTTP/1.0
    bool silent_ = false;           // the client shut down its sending side before the response began
};

} // namespace alli::proxy

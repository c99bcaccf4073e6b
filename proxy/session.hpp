// SPDX-License-Identifier: Apache-2.0
// One connection: a request is heard (proxy/incoming), checked and answered, its answer written, and so on until one
// side ends it. Requests sent ahead are answered in order. Lives on one loop; its deadlines are looked at by that
// loop's tick.
#pragma once

#include "proxy/incoming.hpp"
#include "proxy/outlet.hpp"
#include "proxy/routes.hpp"

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

    /// Ends a wait that is overdue. False: the peer left while an answer streams, and the session is to be aborted.
    bool check(Steady now);
    /// No request after the one under way; ends at once when there is none.
    void drain();
    /// Ends whatever is under way.
    void abort();

    /// Since when it waits for a complete request; none while one is being answered.
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
    Task<bool> send(Response response, Manner manner);
    Task<> linger();
    Manner manner() const;
    bool has_left();
    void close();

    Socket socket_;
    Outlet outlet_;
    Peer peer_;
    const Context& cx_;
    const Guard& guard_;
    asio::cancellation_signal cancellation_;
    Incoming incoming_;
    Steady waiting_since_;
    std::string origin_; // of the request under way, where another site's page may read the answer
    bool idle_ = true;   // between two requests
    bool draining_ = false;
    bool for_client_alone_ = false; // what is under way ends when the client leaves
    bool old_protocol_ = false;     // of the request under way: HTTP/1.0
    bool silent_ = false;           // its client ended its own side before the answer began
};

} // namespace alli::proxy

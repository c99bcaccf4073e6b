// SPDX-License-Identifier: Apache-2.0
// libcurl's multi handle on an Asio loop: curl says which sockets to watch and when to wake it, Asio does both. Sockets
// stay curl's own: a descriptor here is always released, never closed. Everything runs on the one loop.
#pragma once

#include "upstream/curl/authorities.hpp"
#include "upstream/curl/curl_options.hpp"
#include "upstream/curl/handles.hpp"
#include "upstream/curl/transfer.hpp"
#include "upstream/http.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace alli::upstream {

class CurlMulti : public std::enable_shared_from_this<CurlMulti> {
  public:
    CurlMulti(asio::any_io_executor loop, CurlOptions options);
    ~CurlMulti();

    /// Sends one request; keep `self` alive while it is under way.
    static Task<Reply> send(std::shared_ptr<CurlMulti> self, Request request);
    const asio::any_io_executor& loop() const noexcept { return loop_; }
    const CurlOptions& options() const noexcept { return options_; }
    const Origin& site() const noexcept { return site_; }

    /// Begins it, now or when there is room.
    void add(Transfer& transfer);
    /// It is given up unless it has ended.
    void remove(Transfer& transfer) noexcept;

    /// How many idle connections were given up because something waited on them.
    std::size_t discarded() const noexcept { return connections_.discarded(); }

    /// Ends all that is under way as abandoned; what is sent afterwards ends so at once.
    void close();

  private:
    struct Socket;
    struct Way;
    struct UnderWay;
    static const Way ways[2];

    static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept;
    static int on_timer(CURLM*, long timeout_ms, void* self) noexcept;

    bool has_room() const noexcept;
    void start(Transfer& transfer) noexcept;
    void watch(curl_socket_t fd, int wanted);
    void forget(curl_socket_t fd);
    void arm(const std::shared_ptr<Socket>& socket);
    void ready(const std::shared_ptr<Socket>& socket, const Way& way, bool failed);
    void schedule(long timeout_ms);
    void act(curl_socket_t fd, int events);
    void reap();

    asio::any_io_executor loop_;
    CurlOptions options_;
    Origin site_;
    Authorities authorities_;
    Connections connections_; // before the multi, whose end closes them
    curl::MultiHandle multi_;
    asio::steady_timer timer_;
    std::unordered_map<curl_socket_t, std::shared_ptr<Socket>> sockets_;
    std::unordered_set<Transfer*> under_way_;
    std::list<Transfer*> queue_; // beyond max_connections, in the order they came
    std::vector<curl::Easy> idle_;
    bool closed_ = false;
};

} // namespace alli::upstream

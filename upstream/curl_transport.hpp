// SPDX-License-Identifier: Apache-2.0
// Transport over libcurl's multi interface, driven by the Asio loop it is made on: keep-alive, compressed transfer,
// TLS 1.2+ verified (that cannot be switched off), no redirects, no proxy but the one that is named, every wait
// bounded. One loop alone.
#pragma once

#include "upstream/exchange.hpp"
#include "upstream/forward_proxy.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace alli::upstream {

struct CurlOptions {
    std::string base_url; // scheme, host, port; https, or http towards a loopback host alone
    int max_connections = 4;
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds request_timeout{30000};    // without progress
    std::size_t max_reply_bytes = std::size_t{32} << 20; // after decompression
    std::string ca_file;                                 // authorities besides the system's; empty: none
    ForwardProxy proxy;                                  // through which all of it goes; empty: none
};

class CurlTransport final : public Transport, public Exchanges {
  public:
    /// Throws Error{settings} for a URL that must not be used: not http(s), plain http to a host that is not loopback,
    /// credentials or a query in it; for a ca_file without a certificate.
    CurlTransport(asio::any_io_executor loop, CurlOptions options);
    ~CurlTransport() override;

    Task<Reply> send(Request request) override;
    std::unique_ptr<Exchange> open(Opening opening) override;

    class Multi; // of this room

  private:
    std::shared_ptr<Multi> multi_;
};

} // namespace alli::upstream

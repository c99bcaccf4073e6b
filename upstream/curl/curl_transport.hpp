// SPDX-License-Identifier: Apache-2.0
// Transport over libcurl's multi interface, driven by the Asio loop it is made on: keep-alive, compressed transfer,
// TLS 1.2+ verified (that cannot be switched off), no redirects, no proxy but the one that is named, every wait
// bounded. One loop alone.
#pragma once

#include "upstream/curl/curl_options.hpp"
#include "upstream/exchange.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace alli::upstream {

class CurlMulti;

class CurlTransport final : public Transport, public Exchanges {
  public:
    /// Throws Error{settings} for a URL that must not be used: not http(s), plain http to a host that is not loopback,
    /// credentials or a query in it; for a ca_file without a certificate.
    CurlTransport(asio::any_io_executor loop, CurlOptions options);
    ~CurlTransport() override;

    Task<Reply> send(Request request) override;
    std::unique_ptr<Exchange> open(StreamRequest opening) override;

  private:
    std::shared_ptr<CurlMulti> multi_;
};

} // namespace alli::upstream

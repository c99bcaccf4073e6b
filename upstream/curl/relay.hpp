// SPDX-License-Identifier: Apache-2.0
// What is passed on: exchanges over connections of their own, outside the budget, with our key added.
// One loop alone.
#pragma once

#include "upstream/curl/curl_transport.hpp"
#include "upstream/exchange.hpp"

namespace alli::upstream {

class Relay final : public Exchanges {
  public:
    /// `key` is not copied, and must outlive it. Throws as CurlTransport.
    Relay(asio::any_io_executor loop, CurlOptions options, const std::string& key)
        : transport_(std::move(loop), std::move(options)), key_(key)
    {}

    std::unique_ptr<Exchange> open(StreamRequest opening) override
    {
        opening.head.headers.add("API-KEY", key_);
        return transport_.open(std::move(opening));
    }

  private:
    CurlTransport transport_;
    const std::string& key_;
};

} // namespace alli::upstream

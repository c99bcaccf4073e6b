// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/curl_transport.hpp"

#include "upstream/curl/curl_exchange.hpp"

namespace alli::upstream {

CurlTransport::CurlTransport(asio::any_io_executor loop, CurlOptions options)
    : multi_(std::make_shared<CurlMulti>(std::move(loop), std::move(options)))
{}

CurlTransport::~CurlTransport()
{
    multi_->close();
}

Task<Reply> CurlTransport::send(Request request)
{
    return CurlMulti::send(multi_, std::move(request));
}

std::unique_ptr<Exchange> CurlTransport::open(StreamRequest opening)
{
    return std::make_unique<CurlExchange>(multi_, std::move(opening));
}

} // namespace alli::upstream

// SPDX-License-Identifier: Apache-2.0
// A request as the relay sends it: the body in pieces, and the whole answer.
#pragma once

#include "upstream/curl/curl_exchange.hpp"

#include <utility>

namespace upstream_test {

inline alli::Task<alli::upstream::Reply> relayed(std::shared_ptr<alli::upstream::CurlMulti> multi,
                                                 alli::upstream::Request request)
{
    alli::upstream::StreamRequest opening;
    opening.has_body = !request.body.empty();
    opening.length = request.body.size();
    const std::string body = std::exchange(request.body, {});
    opening.head = std::move(request);
    alli::upstream::CurlExchange exchange(std::move(multi), std::move(opening));
    if (!body.empty()) {
        co_await exchange.put(body);
        exchange.end_body();
    }
    alli::upstream::Reply reply = co_await exchange.head();
    while (const auto piece = co_await exchange.next()) reply.body += *piece;
    co_return reply;
}

} // namespace upstream_test

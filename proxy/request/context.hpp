// SPDX-License-Identifier: Apache-2.0
// What a handler stands on: the backend, and the state that the proxy shares among requests. One for each loop.
#pragma once

#include "alli/error.hpp"
#include "proxy/access/options.hpp"
#include "proxy/request/backend.hpp"
#include "proxy/request/request.hpp"
#include "proxy/request/response.hpp"

namespace alli::upstream {
class Breaker;
}

namespace alli::proxy {

class BrowserSessions;
class Coalescer;
class Feed;
class RequestMetrics;
class Meters;
class UnsupportedParameters;
class RequestIds;
class ResponseCache;
class RouteMap;
class Runs;

struct Context : Backend {
    const Options& options;
    ResponseCache& response_cache; // of this loop
    Coalescer& coalescer;
    Meters& meters;                        // of this loop
    const RequestMetrics& request_metrics; // of all
    RequestIds& request_ids;
    upstream::Exchanges* exchanges;      // of this loop
    upstream::Breaker& exchange_breaker; // of those; heeded while the engine does not reach upstream either
    Feed& feed;                          // of this loop
    BrowserSessions& browser_sessions;
    UnsupportedParameters& unsupported_parameters;
    Runs& runs;
    const RouteMap& routes;
};

/// Throws Error{key_rejected} if upstream refused the key and the mirror is set to answer nothing then.
inline void require_accepted_key(const Context& cx)
{
    if (!cx.options.refuse_when_key_rejected || cx.upstream.state().key_accepted) return;
    throw Error(Fault::key_rejected, "replace the key; or let proxy.on_key_rejected be \"serve\"",
                "upstream refused the key, and the mirror is set to answer nothing then");
}

} // namespace alli::proxy

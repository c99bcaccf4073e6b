// SPDX-License-Identifier: Apache-2.0
// Where upstream is: `upstream.url`, checked. Parsed by libcurl's own parser, so that what was checked is what is
// called.
#pragma once

#include <string>

namespace alli::upstream {

struct Origin {
    std::string base;      // "https://backend.alli.ai", without a slash at its end: a target is appended to it
    std::string host;      // "backend.alli.ai", "127.0.0.1:8080": for messages
    std::string protocols; // what curl may speak towards it: "https", or "http" for a loopback host
};

/// Throws Error{settings} for a URL that must not be used: not http(s), plain http to a host that is not loopback,
/// credentials, a path, a query or a fragment in it.
Origin read_origin(const std::string& url);

} // namespace alli::upstream

// SPDX-License-Identifier: Apache-2.0
// Where and how libcurl connects.
#pragma once

#include "upstream/curl/forward_proxy.hpp"

#include <chrono>
#include <string>

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

} // namespace alli::upstream

// SPDX-License-Identifier: Apache-2.0
// How the proxy is set up: where it listens, whom it lets in, and the limits of a connection. Plain data, made from the
// settings by daemon/service/instance_proxy.cpp.
#pragma once

#include "alli/operation.hpp"
#include "alli/zone.hpp"
#include "http/request_reader.hpp"
#include "proxy/access/token.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace alli::proxy {

/// What one connection may take, and for how long.
struct Limits : http::RequestLimits {
    std::size_t body_bytes = 1024 * 1024;        // of one that is read whole
    std::size_t answer_bytes = 32 * 1024 * 1024; // of the response caches of all loops
    std::size_t connections = 1024;              // beyond it the one that waits longest for a request makes room
    std::size_t connections_a_user = 64;         // over Unix sockets; beyond it likewise, among that user's
    std::chrono::milliseconds write{30'000};     // without a byte taken by the peer
    std::chrono::milliseconds drain{5'000};      // what stop() leaves to the requests under way
    std::chrono::milliseconds heartbeat{15'000}; // of a stream of events that has none
    std::chrono::milliseconds tick{250};         // how often deadlines are looked at
};

struct Options {
    std::vector<std::string> listen{"127.0.0.1:8787"}; // "HOST:PORT", "[::1]:PORT", "unix:/path"; port 0: any free one
    std::vector<int> passed;                           // listening sockets to take over, in the place of `listen`
    bool require_key = true;                           // auth = "api-key"
    std::string api_key;                               // the upstream key, accepted from local apps
    std::vector<Token> tokens;                         // of local apps
    std::vector<std::string> allowed_hosts{"127.0.0.1", "localhost", "[::1]"};
    std::vector<std::string> ignored_parameters{"_"}; // of reads: they only break caches
    std::vector<std::string> allowed_origins;         // web apps that may call: "https://qa.example.com"
    bool allow_remote = false;
    std::optional<std::uint32_t> group;    // whose members may use the Unix sockets too; none: our own user and root
    bool refuse_when_key_rejected = false; // on_key_rejected = "refuse"
    Operations operations;                 // where upstream has what the contract only infers
    std::chrono::milliseconds max_age{60'000};
    std::chrono::milliseconds forward_timeout{10'000};
    int loops = 2;
    Zone zone = Zone::of_host(); // of days that are given without a time
    Limits limits;
    std::string version;
};

/// Of the options, what may change while it serves.
struct Adjustment {
    std::vector<Token> tokens;
    bool refuse_when_key_rejected = false;
    std::chrono::milliseconds max_age{60'000};
    std::chrono::milliseconds forward_timeout{10'000};
};

} // namespace alli::proxy

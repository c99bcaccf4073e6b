// SPDX-License-Identifier: Apache-2.0
// One request to a server of this machine, over a Unix socket or loopback TCP, and its whole answer. Blocks. No proxy,
// no redirect, every wait bounded; nothing is sent before the caller has approved of who listens.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace alli::upstream {

struct LocalCall {
    std::string unix_path;     // else `address`
    std::string address;       // HOST:PORT, the host a number
    std::string host;          // header
    std::string key;           // header API-KEY; empty: none
    std::string cache_control; // header; empty: none
    std::string method, target, body;
    std::chrono::milliseconds patience{15'000};   // for all of it; with a sink for a pause within it
    std::function<void(int socket)> approve;      // of the connected socket; throws where nothing may be sent
    std::size_t max_bytes = std::size_t{8} << 20; // of the answer's body
    std::function<void(std::string_view)> sink;   // takes the body of a 200 piece by piece; none of it is kept then
};
struct LocalAnswer {
    int status = 0;
    std::string body;
};
struct LocalOutcome {
    std::optional<LocalAnswer> answer; // none: nobody listens there, or no whole answer came in time
    bool sent = false;                 // the request may have arrived: it is not for another address then
};

/// What `approve` and `sink` throw passes through. What a sink got of an answer that broke off is only a part.
LocalOutcome call_local(const LocalCall& call);

} // namespace alli::upstream

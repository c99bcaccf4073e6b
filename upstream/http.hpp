// SPDX-License-Identifier: Apache-2.0
// The one way out: an HTTP request and its whole answer. Transport is the seam where a simulation puts its network.
// Everything runs on the loop that awaits; bodies cross as values.
#pragma once

#include "alli/error.hpp"
#include "alli/headers.hpp"
#include "alli/task.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace alli::upstream {

/// Who is asked for first when requests compete: lower goes first.
enum class Priority { app, delivery, increment, backfill, reconcile };

struct Request {
    std::string method = "GET";
    std::string target; // path and query, percent-encoded, exactly as they go out: "/webapi/v2/..."
    Headers headers;
    std::string body;
    Priority priority = Priority::app;
    std::chrono::milliseconds timeout{0}; // 0: the transport's own request_timeout
};

struct Reply {
    int status = 0;
    Headers headers;
    std::string body;

    /// The first header of that name; nullptr: there is none.
    const std::string* header(std::string_view name) const noexcept { return headers.find(name); }
};

/// Throws Error{usage} for an unknown method, a target that is not a clean path, or a header that would break the
/// framing.
void check_request(const Request& request);

/// No connection came about: no such host, refused, no route, or no handshake. Nothing was sent.
class NoConnection : public Error {
  public:
    explicit NoConnection(const Error& why) : Error(why) {}
};

class Transport {
  public:
    virtual ~Transport() = default;
    /// Any HTTP status is a Reply. Throws Error{unreachable} when there is no answer, as NoConnection where no
    /// connection came about (or Error{bad_reply} when it is cut short or over the size limit), each saying to which
    /// host and why. Never follows a redirect.
    virtual Task<Reply> send(Request request) = 0;
};

} // namespace alli::upstream

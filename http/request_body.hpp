// SPDX-License-Identifier: Apache-2.0
// The body of a request as a handler sees it: not read before a handler asks for it. Read whole where it is stored,
// piece by piece where it is passed on. Lives on the loop of its connection, no longer than its request.
#pragma once

#include "alli/task.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alli::http {

class RequestBody {
  public:
    virtual ~RequestBody() = default;

    /// The next piece, valid until the next call; none: the body is complete. Nothing is read from the connection
    /// between calls, so a fast sender is held back. Sends "100 Continue" first where the request expects it.
    /// Throws Refused: malformed framing, no progress for too long, or the sender has left.
    virtual Task<std::optional<std::string_view>> next() = 0;

    /// All of it, within the time limit of a stored body. Throws Refused, also when it is longer than `limit`.
    virtual Task<std::string> whole(std::size_t limit) = 0;

    /// Its Content-Length; none: it is chunked.
    virtual std::optional<std::uint64_t> length() const = 0;

    /// The rest is not wanted: a call of next() under way or to come returns none. On the connection's loop.
    virtual void give_up() = 0;
    /// Whether all of it was read.
    virtual bool is_complete() const noexcept = 0;
};

} // namespace alli::http

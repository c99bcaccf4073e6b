// SPDX-License-Identifier: Apache-2.0
// The body of a request as a route sees it: not read before somebody asks for it. Taken whole where it is stored, piece
// by piece where it goes on upstream. Lives on the loop of its connection, and only as long as its request.
#pragma once

#include "alli/task.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alli::proxy {

class BodySource {
  public:
    virtual ~BodySource() = default;

    /// The next piece, good until the next call; none: the body is complete. Whoever does not call is not read from, so
    /// a sender that is too fast waits. Sends "100 Continue" first where the request wants it.
    /// Throws Refused: malformed framing, no progress for too long, or the sender has left.
    virtual Task<std::optional<std::string_view>> next() = 0;

    /// All of it, within the time that a stored body has. Throws Refused, also when it is longer than that.
    virtual Task<std::string> whole(std::size_t limit) = 0;

    /// As Content-Length says; none: chunked, so nobody knows.
    virtual std::optional<std::uint64_t> length() const = 0;

    /// Nobody wants the rest: next(), under way or to come, says that there is no more. For the loop it lives on.
    virtual void give_up() = 0;
    /// Whether all of it was read.
    virtual bool is_complete() const noexcept = 0;
};

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
// A request whose body goes out piece by piece, and an answer that comes so: for what is passed on and not read. Held
// back on both sides, so that its size never shows in memory. Lives on the loop that opened it.
#pragma once

#include "alli/source.hpp"
#include "upstream/http.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace alli::upstream {

/// What goes out before the body. `head.body` is not looked at.
struct StreamRequest {
    Request head;
    bool has_body = false;
    std::optional<std::uint64_t> length; // of the body; none: nobody knows, so it goes out in chunks
};

/// One request under way, given up by its destruction: then upstream sees its connection closed. As a Source it is the
/// body of the answer, not decoded.
class Exchange : public Source {
  public:
    /// A piece of the request's body. False: upstream has answered, or is gone, and wants no more. Throws as
    /// Transport::send when it stalls.
    virtual Task<bool> put(std::string_view piece) = 0;
    /// Calls it once, when put() begins to say no: for those who wait for the next piece meanwhile. On the loop.
    virtual void when_unwanted(std::function<void()> tell) = 0;
    /// That was all of it.
    virtual void end_body() = 0;
    /// Status and headers of the answer, without interim ones (1xx). Throws as Transport::send.
    virtual Task<Reply> head() = 0;
};

class Exchanges {
  public:
    virtual ~Exchanges() = default;
    /// Throws Error{usage} for a request that must not go out (check_request).
    virtual std::unique_ptr<Exchange> open(StreamRequest opening) = 0;
};

} // namespace alli::upstream

// SPDX-License-Identifier: Apache-2.0
// The raw gate: the header block of a request, read strictly off the connection's bytes before anybody else looks at
// them. Says no at the first wrong byte. Pure: no I/O, any thread.
#pragma once

#include "proxy/head_scan.hpp"
#include "proxy/refusal.hpp"

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace alli::proxy {

using RequestHead = boost::beast::http::header<true, boost::beast::http::fields>;

struct HeadLimits {
    std::size_t bytes = 16 * 1024; // of the whole block
    std::size_t target = 8 * 1024;
    std::size_t lines = 100;
};

class HeadReader {
  public:
    explicit HeadReader(HeadLimits limits) : limits_(limits) {}

    enum class Result { more, done, refused };
    /// `bytes`: everything from the request's first byte on, longer at each call; goes on where it stopped.
    Result read(std::string_view bytes);

    std::size_t size() const noexcept { return at_; }            // of the block, once done
    const Refusal& refusal() const noexcept { return refusal_; } // once refused

    /// Once done, from the same bytes.
    RequestHead take(std::string_view bytes) const;
    /// The target, as soon as the request line was read; empty before.
    std::string_view target(std::string_view bytes) const noexcept;

  private:
    struct Line {
        std::size_t begin, colon, end;
    };

    void enter(std::string_view bytes, At next);
    std::optional<Refusal> excess() const noexcept;

    HeadLimits limits_;
    At state_ = At::start;
    std::size_t at_ = 0, method_end_ = 0, target_end_ = 0;
    int version_ = 0;
    std::vector<Line> lines_;
    Refusal refusal_;
};

} // namespace alli::proxy

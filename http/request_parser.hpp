// SPDX-License-Identifier: Apache-2.0
// Parses the header block of a request from the bytes of its connection and refuses it at the first byte that the
// strict grammar does not allow. No other code sees the bytes before. Pure: no I/O, any thread.
#pragma once

#include "alli/headers.hpp"
#include "http/header_grammar.hpp"
#include "http/limits.hpp"
#include "http/refusal.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace alli::http {

struct RequestHead {
    std::string method, target; // as they were sent
    int version = 11;           // 10: HTTP/1.0, 11: HTTP/1.1
    Headers headers;
};

class RequestParser {
  public:
    explicit RequestParser(const RequestLimits& limits) : limits_(limits) {}

    enum class Result { more, done, refused };
    /// `bytes`: everything from the request's first byte on, longer at each call. Continues where it stopped.
    Result read(std::string_view bytes);

    std::size_t size() const noexcept { return at_; }            // of the header block, once done
    const Refusal& refusal() const noexcept { return refusal_; } // once refused

    /// Once done, from the same bytes.
    RequestHead take(std::string_view bytes) const;
    /// The target, as soon as the request line was read; empty before.
    std::string_view target(std::string_view bytes) const noexcept;

  private:
    struct Line {
        std::size_t begin, colon, end;
    };

    void enter(std::string_view bytes, HeaderState next);
    bool is_excessive() const noexcept // asked for each byte
    {
        return at_ >= limits_.header_bytes || lines_.size() > limits_.header_lines ||
               (state_ == HeaderState::target && at_ - method_end_ > limits_.target_bytes);
    }
    Refusal excess() const noexcept;

    RequestLimits limits_;
    HeaderState state_ = HeaderState::start;
    std::size_t at_ = 0, method_end_ = 0, target_end_ = 0;
    int version_ = 0;
    std::vector<Line> lines_;
    Refusal refusal_;
};

} // namespace alli::http

// SPDX-License-Identifier: Apache-2.0
// Why a request is refused: by its header block, by a check of who may call, or by its body while that is read.
#pragma once

#include <exception>
#include <string_view>

namespace alli::http {

struct Refusal {
    int status = 400;
    std::string_view detail; // constant: never echoes what was sent, never says what was wrong with a key
    bool close = false;
};

/// Thrown while a body is read: malformed, too long, too slow, or its sender has left.
class Refused final : public std::exception {
  public:
    explicit Refused(Refusal refusal) noexcept : refusal_(refusal) {}
    const Refusal& refusal() const noexcept { return refusal_; }
    const char* what() const noexcept override { return "a request was refused"; }

  private:
    Refusal refusal_;
};

} // namespace alli::http

// SPDX-License-Identifier: Apache-2.0
// A failure: what kind (so that one place can choose a status, a retry or an exit code), a sentence that says what
// happened to what, and a hint that says what a person can do. Never holds message text or a key.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace alli {

enum class Fault {
    usage,        // a wrong argument or parameter
    settings,     // a wrong or unreadable setting
    key_rejected, // upstream answered 401 or 403 to our key
    unreachable,  // no answer at all: refused, timed out, no such host, broken TLS
    unavailable,  // an answer that means "not now": 408, 425, 429, 5xx
    bad_reply,    // an answer that cannot be read: not JSON, wrong types, cut short
    refused,      // an answer that will not change: 400, 404, 409, 422, ...
    busy,         // another process holds the files, or the port is taken
    disk_full,
    damaged,  // a file of ours is not what it must be
    io,       // the system refused: permissions, descriptors, a failed write
    canceled, // given up because the program ends
};

class Error : public std::runtime_error {
  public:
    template <class... Args>
    Error(Fault fault, std::string hint, fmt::format_string<Args...> sentence, Args&&... args)
        : std::runtime_error(fmt::format(sentence, std::forward<Args>(args)...)), fault_(fault), hint_(std::move(hint))
    {}

    Fault fault() const noexcept { return fault_; }
    const std::string& hint() const noexcept { return hint_; }

  private:
    Fault fault_;
    std::string hint_;
};

} // namespace alli

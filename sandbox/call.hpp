// SPDX-License-Identifier: Apache-2.0
// A request as the operations see it, and what they answer.
#pragma once

#include "alli/error.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alli::sandbox {

struct Answer {
    // cut: half of the body, then close. reset: nothing at all. stall: half of the body, and after `pause` a reset.
    // hang: after `pause` a reset. drip: the body in 20 pieces, `pause` between them. closed: all of it, then close,
    // though it said keep-alive. late: all of it, after `pause`.
    enum class Ending { whole, cut, reset, stall, hang, drip, closed, late };

    int status = 200;
    std::string body = {};
    std::string type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers = {};
    bool chunked = false; // its length is not said before
    Ending ending = Ending::whole;
    std::chrono::milliseconds pause{0};
    std::string unasked = {}; // `pause` after the answer, as if there had been another request
};

/// The parameters of a query string, decoded, in their order.
class Query {
  public:
    /// Throws Error{usage} for a broken escape.
    explicit Query(std::string_view text);

    std::optional<std::string> find(std::string_view name) const; // the last one wins
    std::vector<std::string> all(std::string_view name) const;

    // Throw Error{usage} for what is not of the kind, or out of range.
    std::int64_t number(std::string_view name, std::int64_t fallback, std::int64_t low, std::int64_t high) const;
    std::optional<bool> boolean(std::string_view name) const;

  private:
    std::vector<std::pair<std::string, std::string>> pairs_;
};

struct Call {
    std::string method, target, body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::string> ids; // of the path, decoded, in their order
    std::chrono::steady_clock::time_point arrived;

    std::string_view header(std::string_view name) const; // empty: none
    std::string_view path() const;
    Query query() const;
};

/// Throws what becomes a 400 with code 7003.
template <class... Args>
[[noreturn]] void bad_parameter(fmt::format_string<Args...> sentence, Args&&... args)
{
    throw Error(Fault::usage, "", sentence, std::forward<Args>(args)...);
}

/// Throws what becomes a 404 with code 7003.
[[noreturn]] void not_found(std::string_view what);

} // namespace alli::sandbox

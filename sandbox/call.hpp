// SPDX-License-Identifier: Apache-2.0
// A request as the operations of the sandbox see it, and their answer.
#pragma once

#include "alli/error.hpp"
#include "alli/headers.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alli::sandbox {

struct Answer {
    // What is sent, and how the connection goes on. cut: half of the body, then close. reset: nothing, then a reset.
    // stall: half of the body, a reset after `pause`. hang: nothing, a reset after `pause`. drip: the body in 20
    // pieces, `pause` between them. closed: the whole answer with keep-alive, then close. late: the whole answer after
    // `pause`.
    enum class Ending { whole, cut, reset, stall, hang, drip, closed, late };

    int status = 200;
    std::string body = {};
    std::string type = "application/json";
    Headers headers = {};
    bool chunked = false; // instead of a Content-Length
    Ending ending = Ending::whole;
    std::chrono::milliseconds pause{0};
    std::string unasked = {}; // sent `pause` after the answer, without another request
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
    Headers headers;
    std::vector<std::string> ids; // of the path, decoded, in their order
    std::chrono::steady_clock::time_point arrived;

    /// The first of that name; empty: there is none.
    std::string_view header(std::string_view name) const { return headers.first(name); }
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

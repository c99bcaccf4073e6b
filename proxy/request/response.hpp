// SPDX-License-Identifier: Apache-2.0
// The responses that the proxy makes itself, and the one place of this room where a failure becomes a status and a
// body. Error bodies never echo what was asked. Pure.
#pragma once

#include "alli/error.hpp"
#include "alli/instant.hpp"
#include "proxy/access/http.hpp"
#include "proxy/request/cache_status.hpp"

#include <exception>
#include <optional>
#include <span>
#include <string_view>

namespace alli::proxy {

/// A response, and where it comes from: rendered as Cache-Status by dispatch.
struct Response : http::Response {
    std::optional<CacheStatus> cache;
};

/// Whose error shape a path speaks, and what it answers when upstream cannot be reached.
enum class ErrorFormat {
    contract_read, // upstream's shape; upstream away is 504
    webapi,        // upstream's shape; upstream away is 503, to be tried again
    ours,          // RFC 9457
};
ErrorFormat error_format_of(std::string_view path) noexcept;

Response text_response(std::string_view type, Body body);

/// An error in the shape of the surface.
Response problem(ErrorFormat error_format, int status, std::string_view detail, std::string_view hint = {});

/// What a handler threw. Never throws itself.
Response answer_of(const std::exception_ptr& failure, ErrorFormat error_format) noexcept;

/// Of every response that says nothing else.
inline constexpr std::string_view own_cache_control = "private, no-cache";

/// What every response carries unless it says otherwise itself: no page of another origin may read, frame or store it.
/// Of these a 304 has only what updates a stored response (RFC 9110 15.4.5).
std::span<const http::DefaultHeader> default_headers(int status = 200) noexcept;

/// The value of Date; rendered once a second.
const std::string& date_header(Instant now);

} // namespace alli::proxy

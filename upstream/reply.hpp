// SPDX-License-Identifier: Apache-2.0
// Reads what upstream says when it does not say 2xx: its many error shapes into
// one sentence, and a status into a Fault. Pure.
#pragma once

#include "alli/error.hpp"
#include "alli/instant.hpp"
#include "upstream/http.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace alli::upstream {

/// What upstream said, in one short line without control characters: "INVALID_TOKEN (1013)", "an HTML page", ...
std::string describe_error(const Reply& reply);

/// 401, 403 -> key_rejected; 408, 425, 429, 5xx -> unavailable; 3xx -> bad_reply; other 4xx -> refused.
Fault fault_of(int status) noexcept;

/// A web page instead of an answer of the API: by its Content-Type, or by how its body begins.
bool is_html(const Reply& reply) noexcept;

/// Throws the Error for a reply that is not 2xx; `what` names the call ("the list of conversations").
void require_success(const Reply& reply, std::string_view what);
/// As require_success, and throws Error{bad_reply} for a web page with a good status (a wrong URL, a captive portal).
void require_answer(const Reply& reply, std::string_view what);

/// `Retry-After` as seconds (a fraction is rounded up) or as a date. Never over an hour, and where the body is not the
/// service's (upstream/authenticity.hpp) never over 30 s; none when absent or unreadable, as more than a day is. A date
/// counts from the reply's own Date, where it has one: upstream's clock need not be ours, which says `now`.
std::optional<std::chrono::milliseconds> retry_after(const Reply& reply, Instant now);

} // namespace alli::upstream

// SPDX-License-Identifier: Apache-2.0
// What a write must be before it is accepted, and how its app wants it answered. Pure. Bodies come from anybody:
// nothing is queued that upstream could never take.
#pragma once

#include "cache/rows/edit.hpp"
#include "proxy/request/request.hpp"
#include "proxy/request/response.hpp"

#include <array>
#include <chrono>
#include <optional>

namespace alli::proxy {

/// Kept with a write and sent with every attempt: among them those that name the user.
constexpr auto headers_of_a_write =
    std::to_array<const char*>({"Content-Type", "OWN-USER-ID", "USER-EMAIL", "AGENT-EMAIL", "Accept-Language"});

struct WriteCheck {
    /// The answer to one that must not be accepted: 400 or 415, in upstream's shape. None: it may.
    std::optional<Response> refusal = std::nullopt;
    /// Where the contract is inferred and the body does not fit it: what is odd. Upstream is to judge, now or never.
    std::optional<std::string_view> doubt = std::nullopt;
};
WriteCheck check_write(const Request& rq, cache::EditKind kind);

/// Whether the body is an object whose one member is a title as the contract has it.
bool sets_title_alone(std::string_view body);

/// What a doubtful one gets where upstream cannot judge: 400, in upstream's shape.
Response doubtful_refusal(std::string_view doubt);
/// Where it can, but for earlier writes that it would overtake: 503, to be asked again.
Response must_not_overtake(std::string_view doubt);

/// RFC 7240: `Prefer: respond-async, wait=10`.
struct Preference {
    bool respond_async = false;
    std::optional<std::chrono::milliseconds> wait;
};
Preference read_preference(std::string_view header);

} // namespace alli::proxy

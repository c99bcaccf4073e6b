// SPDX-License-Identifier: Apache-2.0
// `Retry-After` as it was asked for, whoever asks: how much of it the service's own calls obey says retry_after() in
// reply.hpp.
#pragma once

#include "alli/instant.hpp"
#include "upstream/http.hpp"

#include <chrono>
#include <optional>

namespace alli::upstream {

/// An hour at most; none when absent or unreadable, as more than a day is.
std::optional<std::chrono::milliseconds> read_retry_after(const Reply& reply, Instant now);

} // namespace alli::upstream

// SPDX-License-Identifier: Apache-2.0
// How fresh the mirror is as a whole, and how a request makes it fresher. Runs on a proxy loop.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

/// When the mirror was last compared with upstream; none: never.
std::optional<Instant> verified_at(const Context& cx);

/// Has the engine poll, and waits for a poll that began at `since` or later. False if upstream cannot be reached, or it
/// takes too long.
Task<bool> poll(const Context& cx, Instant since);

} // namespace alli::proxy

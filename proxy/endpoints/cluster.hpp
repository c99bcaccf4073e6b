// SPDX-License-Identifier: Apache-2.0
// What an administrator asks of a node of a cluster.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

/// Has a leader give the lead up; it takes it again only if no other node does for a while.
Task<Response> step_down(const Context& cx, const Request& rq);

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
// GET /mirror/v1/changes: the change feed, as JSON, at once or when there is something; and as a stream of events
// (docs/feed.md). Runs on a proxy loop.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

Task<Response> mirror_changes(const Context& cx, const Request& rq);

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
// Figures of what is mirrored (cache/insights/insights.hpp), and the ratings that lists show beside their rows.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

/// GET /mirror/v1/insights?from&to&tz&by&app&user&category
Task<Response> mirror_insights(const Context& cx, const Request& rq);

/// POST /mirror/v1/ratings {"conversations":[...]}: of those in view.
Task<Response> mirror_ratings(const Context& cx, const Request& rq);

} // namespace alli::proxy

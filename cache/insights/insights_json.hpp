// SPDX-License-Identifier: Apache-2.0
// Insights as JSON: what GET /mirror/v1/insights and `report --json` answer.
#pragma once

#include "cache/insights/insights.hpp"
#include "cache/rows/coverage.hpp"

namespace alli::cache {

std::string insights_json(const InsightQuery& query, const Insights& insights, const Covered& covered);

} // namespace alli::cache

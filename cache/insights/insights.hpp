// SPDX-License-Identifier: Apache-2.0
// Figures of what is mirrored: conversations, messages, ratings, citations, lengths and times to answer, by day, app,
// category, user and channel. Added up of what is kept of each day and counted of what changed since, so that they are
// those of the rows, whichever conversations are chosen. Conversations count on their creation, messages on their time,
// ratings on their message's day.
#pragma once

#include "cache/db/sqlite.hpp"
#include "cache/insights/insight_types.hpp"

namespace alli::cache {

std::string_view name_of(InsightGroup group) noexcept;
std::optional<InsightGroup> find_insight_group(std::string_view name) noexcept;

/// Medians are within 5%.
Insights count_insights(Reader& db, const InsightQuery& query);

} // namespace alli::cache

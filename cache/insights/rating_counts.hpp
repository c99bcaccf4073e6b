// SPDX-License-Identifier: Apache-2.0
// How many good and bad ratings conversations have, for lists that show it.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/sqlite.hpp"

#include <span>
#include <vector>

namespace alli::cache {

struct RatingCounts {
    ConversationId id;
    std::int64_t good = 0, bad = 0;
};

/// Of those that are rated at all.
std::vector<RatingCounts> count_ratings(Reader& db, std::span<const ConversationId> ids);

} // namespace alli::cache

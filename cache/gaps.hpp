// SPDX-License-Identifier: Apache-2.0
// What is left of rows between the cells of pages, gone.
#pragma once

#include "cache/sqlite.hpp"

namespace alli::cache {

/// Of `count` pages of the file from page `first` (0 is the first) on; right after a truncating checkpoint. Where to go
/// on; none: that was the end.
std::optional<std::int64_t> clear_gaps(Writer& db, std::int64_t first, std::int64_t count);

} // namespace alli::cache

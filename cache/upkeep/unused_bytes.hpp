// SPDX-License-Identifier: Apache-2.0
// Erases remains of rows in the unused bytes of pages.
#pragma once

#include "cache/db/writer.hpp"

namespace alli::cache {

/// In `count` pages of the file from page `first` (0 is the first) on, right after a truncating checkpoint. Returns the
/// page to continue with; none: that was the last.
std::optional<std::int64_t> clear_unused_bytes(Writer& db, std::int64_t first, std::int64_t count);

} // namespace alli::cache

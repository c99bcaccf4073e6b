// SPDX-License-Identifier: Apache-2.0
// What a scan saw of where upstream puts conversations without a chat, against what is known of it
// (cache/rows/chatless.hpp).
#pragma once

#include "cache/rows/chatless.hpp"

#include <optional>

namespace alli::sync {

/// None: the pages of that order did not tell; `unknown`: they showed that there is no such place.
struct SeenPlaces {
    std::optional<cache::ChatlessPlace> newest_first, oldest_first;
    std::optional<bool> front_clear = {}; // of the newest-first list
};

/// Keeps what was seen. What contradicts an earlier place takes that back, and is a problem with a count, until a later
/// scan agrees with what is known.
void keep_places(cache::Writer& db, const SeenPlaces& seen, Instant now);

} // namespace alli::sync

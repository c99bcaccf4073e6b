// SPDX-License-Identifier: Apache-2.0
// Where a list goes on: after a key (order value and id), or at a position that shifts when things move.
#pragma once

#include "alli/instant.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alli::sandbox {

struct Cursor {
    char order = 0;                 // of the list that it was made for
    bool after_empty_page = false;  // so that an empty page is followed by a full one
    std::int64_t position = -1;     // how many were passed; -1: by key
    std::optional<Instant> at = {}; // the last one's time; none: it had no chat
    std::string id = {};            // the last one's id; empty: before the first

    std::string text() const; // opaque
};

/// None when it is not one of ours.
std::optional<Cursor> read_cursor(std::string_view text);

} // namespace alli::sandbox

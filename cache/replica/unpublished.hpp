// SPDX-License-Identifier: Apache-2.0
// What a leader has to publish: the rows that are noted (notes.hpp), as upstream sent them, whatever waiting writes
// show in their place. All of one read snapshot.
#pragma once

#include "cache/replica/notes.hpp"
#include "cache/replica/published.hpp"

#include <span>

namespace alli::cache {

inline constexpr std::int64_t any_times = 0; // of a note that is `aside`: however often it was noted again

struct Unpublished {
    PublishedRows rows;
    std::vector<Note> notes; // that they were read for
    bool whole = true;       // nothing else was noted in this snapshot; else `rows` have no state but the unit of time
};

/// About `limit` rows, or so many bytes: no conversation is parted, and the state comes with the last of them. Without
/// those that are `aside`, until they are noted again. Inside one read.
Unpublished read_unpublished(Reader& db, std::size_t limit, std::size_t bytes = std::size_t{8} << 20,
                             std::span<const Note> aside = {});

} // namespace alli::cache

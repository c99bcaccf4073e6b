// SPDX-License-Identifier: Apache-2.0
// What a leader has to publish: the rows that are noted (notes.hpp), as upstream sent them, whatever waiting writes
// show in their place. All of one read snapshot.
#pragma once

#include "cache/replica/notes.hpp"
#include "cache/replica/published.hpp"

namespace alli::cache {

struct Unpublished {
    PublishedRows rows;
    std::vector<Note> notes; // that they were read for
    bool whole = true;       // nothing else was noted in this snapshot; else `rows` have no state but the unit of time
};

/// About `limit` rows: no conversation is parted, and the state comes with the last of them. Inside one read.
Unpublished read_unpublished(Reader& db, std::size_t limit);

} // namespace alli::cache

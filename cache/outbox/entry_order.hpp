// SPDX-License-Identifier: Apache-2.0
// The order of the outbox: each entry has a place of its own, by which delivery knows it, and none is given out twice.
// With a Writer, inside Store::write_outbox.
#pragma once

#include "cache/db/writer.hpp"

namespace alli::cache {

/// Behind all that there are, and that were.
std::int64_t next_place(Writer& db);
/// Before entries are deleted that wait.
void note_highest_place(Writer& db);

} // namespace alli::cache

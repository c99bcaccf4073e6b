// SPDX-License-Identifier: Apache-2.0
// The search index as a whole. One that another version of the program made is rebuilt from the rows in small steps,
// newest first; until that is done search reports how far it is (docs/decisions/0024).
#pragma once

#include "cache/db/index_batch.hpp"
#include "cache/db/writer.hpp"

namespace alli::cache {

/// Grows with every change of what the words of a row, or the tokens of a text, are.
inline constexpr std::int64_t index_version = 5;

/// At the start of the program: an index of another version is to be rebuilt. One transaction.
void check_index(Writer& db);

/// Rebuilds another piece of the index, or of the facts that filters ask for (cache/chats/facts.hpp), which takes a few
/// milliseconds; false: both are complete.
bool extend_index(Writer& db);

/// Marks the index as outdated, however damaged it is: search ignores what it holds, extend_index() rebuilds it.
void rebuild_index(Writer& db);

/// Merges another piece of the index, so that the terms of removed rows leave the file. False: all that were removed
/// before the first of these calls have left, or there were none. Continues where an earlier process ended. What the
/// log holds of them is overwritten once it is checkpointed.
bool merge_deleted_terms(Writer& db);

} // namespace alli::cache

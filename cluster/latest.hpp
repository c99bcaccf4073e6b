// SPDX-License-Identifier: Apache-2.0
// Batches of rows: of several with one key the last, which is what all of them come to; ends of what is missing. Pure.
#pragma once

#include "alli/ids.hpp"
#include "cache/replica/published.hpp"

namespace alli::cluster {

/// Also empties what a deleted conversation still has, and drops chats that their conversation's row cuts off.
void keep_latest(cache::PublishedRows& rows);

/// An end for each of these conversations that is not among the rows.
void add_ends(const std::vector<ConversationId>& ids, cache::PublishedRows& rows);

} // namespace alli::cluster

// SPDX-License-Identifier: Apache-2.0
// Of several rows with one key in a batch, the last: what all of them one after the other come to. Pure.
#pragma once

#include "cache/replica/published.hpp"

namespace alli::cluster {

/// Also empties what a deleted conversation still has, and drops chats that their conversation's row cuts off.
void keep_latest(cache::PublishedRows& rows);

} // namespace alli::cluster

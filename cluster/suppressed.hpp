// SPDX-License-Identifier: Apache-2.0
// The suppression list of a node's files (cache/rows/suppression_list.hpp) as entries that nodes share. Pure.
#pragma once

#include "cache/rows/suppression_list.hpp"
#include "cluster/truth.hpp"

namespace alli::cluster {

/// Hashes and the time before which nothing is kept, which is an entry like the others.
std::vector<Suppressed> entries_of(const cache::SuppressionList& list);

/// Those entries that are made with this key; of a node that has none, with the first of them.
cache::SuppressionList list_of(const std::vector<Suppressed>& entries, const std::string& key);

/// With which all nodes of one store hash, so that two that purge before they have heard of each other agree.
std::string shared_key(const std::string& store);

} // namespace alli::cluster

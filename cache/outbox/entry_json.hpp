// SPDX-License-Identifier: Apache-2.0
// Entries of the outbox as JSON, for the endpoint and the command alike: fields may be added, never renamed. Pure.
#pragma once

#include "cache/outbox/outbox.hpp"

#include <string>

namespace alli::cache {

/// {"entries":[...],"next":...}: next is the id to go on before, null on the last page.
std::string entries_json(const std::vector<Entry>& entries, int limit);

/// One entry with its request, upstream's answer and, in conflict, both values.
std::string entry_json(const Entry& entry);

} // namespace alli::cache

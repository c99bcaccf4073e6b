// SPDX-License-Identifier: Apache-2.0
// A row of the outbox as an Entry: one list of columns for all that read one.
#pragma once

#include "cache/outbox.hpp"

#define ALLI_ENTRY_COLUMNS                                                                                             \
    "id, place, kind, state, conversation, chat, method, path, headers, upstream_key, base, conflict, last_error, "    \
    "last_status, attempts, created_at, next_attempt_at, unclear, forced, response_type"

namespace alli::cache {

Entry read_entry(const Row& row);       // ALLI_ENTRY_COLUMNS
Entry read_whole_entry(const Row& row); // those, then body and response

} // namespace alli::cache

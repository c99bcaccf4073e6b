// SPDX-License-Identifier: Apache-2.0
// Entries follow the settings: what waits in outbox.db goes out by the method and path that an operation has now.
// Belongs into Store::write_outbox.
#pragma once

#include "alli/operation.hpp"
#include "cache/outbox/outbox.hpp"

#include <functional>

namespace alli::cache {

/// The operation as it was when entries of the kind were last made to follow it; none: no setting was ever noted.
std::optional<std::string> find_noted_operation(Connection& db, EditKind kind);

/// Gives every entry of the kind that upstream did not take yet (failed ones too: a person may retry them) the method
/// and the path of `now`, with the query it came with, and notes `now`. `path_of`: with the id percent-encoded. How
/// many.
std::int64_t follow_operation(Writer& db, EditKind kind, const Operation& now,
                              const std::function<std::string(const ConversationId&)>& path_of);

} // namespace alli::cache

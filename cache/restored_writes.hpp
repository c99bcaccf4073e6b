// SPDX-License-Identifier: Apache-2.0
// What waits in a copy of the outbox, and may have been sent since by the one that it was copied from.
#pragma once

#include "cache/db/writer.hpp"

#include <string_view>

namespace alli::cache {

/// Puts all of it into conflict, in doubt: a person decides, and who retries it has it looked up first. Stops stay,
/// which are too old by then. Returns how many.
std::int64_t hold_restored(Writer& db, std::string_view why);

} // namespace alli::cache

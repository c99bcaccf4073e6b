// SPDX-License-Identifier: Apache-2.0
// A file written anew by SQLite's own means, so that no byte of deleted rows is left in it. For outbox.db, which cannot
// be made anew: nothing is ever overwritten there behind SQLite's back. Its own names, locks and log stay as they are.
#pragma once

#include "cache/db/writer.hpp"

#include <cstdint>

namespace alli::cache {

/// How many bytes must be free for that: a temporary copy, and the log.
std::int64_t room_to_rewrite(Writer& db);

/// Outside of any transaction. The temporary copy lies in the file's own directory and has no name. Throws
/// Error{disk_full} before it begins where there is no room; a failure on the way leaves the file as it was.
void rewrite_file(Writer& db);

} // namespace alli::cache

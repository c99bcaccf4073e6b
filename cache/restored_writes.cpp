// SPDX-License-Identifier: Apache-2.0
#include "cache/restored_writes.hpp"

namespace alli::cache {

// What a bulk update was sent over since is not what the copy knows.
std::int64_t hold_restored(Writer& db, std::string_view why)
{
    return db.run("UPDATE entry SET state = 'conflict', unclear = 1, last_error = ?1,"
                  " base = CASE WHEN conversation IS NULL THEN NULL ELSE base END"
                  " WHERE state IN ('pending', 'sending') AND kind <> 'stop'",
                  why);
}

} // namespace alli::cache

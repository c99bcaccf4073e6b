// SPDX-License-Identifier: Apache-2.0
// Everything that can be read of an outbox, into another one: row by row where pages are missing or damaged. Numbers
// that were given out are never used again.
#pragma once

#include "alli/error.hpp"
#include "cache/db/writer.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace alli::cache {

/// False: it threw. Of what cannot be read there is nothing to tell but that; a full disk is another matter, and
/// thrown.
template <class F>
bool can(F read)
{
    try {
        read();
        return true;
    } catch (const Error& error) {
        if (error.fault() == Fault::disk_full) throw;
        return false;
    }
}

struct CopiedOutbox {
    std::int64_t entries = 0, waiting = 0; // that could be read
    std::optional<std::int64_t> lost = {}; // that waited or failed, as far as an index names them; none: unknown
};

/// Between two databases of the connection, by the names they are attached by; `to` is migrated and empty. Throws
/// Error{disk_full}; what cannot be read is left out.
CopiedOutbox copy_outbox(Writer& db, const std::string& from, const std::string& to);

} // namespace alli::cache

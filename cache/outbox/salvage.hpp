// SPDX-License-Identifier: Apache-2.0
// A damaged outbox: every entry that can still be read goes into a new file, which takes the old one's place once it is
// whole. A kill at any point leaves the damaged file and its log in their place, to be salvaged again, or the whole new
// one, which the next start puts there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace alli::cache {

struct Salvaged {
    std::int64_t entries = 0, waiting = 0; // that could be read
    std::optional<std::int64_t> lost = {}; // that waited or failed, as far as an index names them; none: unknown
    std::string aside;                     // the damaged file
};

/// Nobody has it open. Throws Error: disk_full, io.
Salvaged salvage_outbox(const std::string& path);

/// At the start, before the file is opened: ends what a kill cut short.
void finish_salvage(const std::string& path);

} // namespace alli::cache

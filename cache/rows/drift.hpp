// SPDX-License-Identifier: Apache-2.0
// What comparisons with upstream found that no clock had told: how many conversations were looked at, how many
// differed, in which fields. Counts since the mirror was made.
#pragma once

#include "cache/db/writer.hpp"

#include <map>
#include <string>

namespace alli::cache {

struct Drift {
    std::int64_t audited = 0, differed = 0, deleted = 0;
    std::map<std::string, std::int64_t> fields; // name -> in how many conversations
};

/// Adds to what is kept.
void add_drift(Writer& db, const Drift& found);
Drift load_drift(Reader& db);

} // namespace alli::cache

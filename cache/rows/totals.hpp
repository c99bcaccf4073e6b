// SPDX-License-Identifier: Apache-2.0
// How much the mirror holds. The numbers are kept in one row, in the transactions that change them: no read walks a
// table for them. verify.cpp compares them with what is there.
#pragma once

#include "cache/db/writer.hpp"

#include <string>
#include <vector>

namespace alli::cache {

struct Totals {
    std::int64_t conversations = 0, chats = 0, bytes = 0; // bytes: of the database file and its log
};

/// As they are kept; a few steps of SQLite however large the mirror is.
Totals load_totals(Reader& db);
/// Inside a write: with what its transaction changed so far.
Totals load_totals(Writer& db);

/// By walking the tables; for verify and tests.
Totals count_totals(Reader& db);

/// A sentence where the numbers kept are not those of the rows; in one snapshot.
std::optional<std::string> find_wrong_totals(Reader& db);
void repair_totals(Writer& db);

} // namespace alli::cache

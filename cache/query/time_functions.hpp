// SPDX-License-Identifier: Apache-2.0
// The views' times are of UTC; a person's days are not. Two functions of a query's connection, by the rules of a time
// zone: utc_time('2026-01-31') is when that day begins, as a text to compare `time` with; local_time(time) is a time of
// the zone, whose first ten characters are its day there.
#pragma once

#include "alli/zone.hpp"

struct sqlite3;

namespace alli::cache {

/// The zone outlives the connection. Returns a code of SQLite's.
int register_time_functions(sqlite3* db, const Zone& zone);

/// The first date that the text of a statement compares with as it is; empty: there is none, or it asks utc_time().
std::string find_bare_date(std::string_view sql);

} // namespace alli::cache

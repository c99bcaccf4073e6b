// SPDX-License-Identifier: Apache-2.0
// The views as virtual tables of a SQLite connection that has nothing else: a statement over them cannot reach a table
// of the mirror's. Knows SQLite's interface; what the rows are says cache/query/view_cursors.hpp.
#pragma once

#include "cache/query/view_source.hpp"

struct sqlite3;

namespace alli::cache {

/// All views of the table in cache/export/views.hpp. The source outlives the connection. Returns a code of SQLite's.
int register_views(sqlite3* db, ViewSource& source);

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
// The tokens of cache/text/tokens.hpp as SQLite's full-text search takes them: `tokenize = 'alli'` (pairs), `'alli
// everything'`, `'alli letters'`. In a query the tokens come ready, parted by spaces: cache/search/query_parser.hpp
// makes them.
#pragma once

struct sqlite3;

namespace alli::cache {

/// On every connection that touches such a table. Returns SQLite's code.
int register_tokenizer(sqlite3* db) noexcept;

} // namespace alli::cache

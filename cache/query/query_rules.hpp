// SPDX-License-Identifier: Apache-2.0
// What a statement of `query` may do: read the views, and call functions that read and write nothing. Pure but for the
// rules that it sets for a connection.
#pragma once

#include <span>
#include <string>
#include <string_view>

struct sqlite3;

namespace alli::cache {

/// From now on everything else is refused; what it was, in words, is put into `refused`.
void restrict_to_views(sqlite3* db, std::string& refused);

/// The functions that may be called, sorted.
std::span<const std::string_view> query_functions();

} // namespace alli::cache

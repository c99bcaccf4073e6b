// SPDX-License-Identifier: Apache-2.0
// What a mirror is made with and never changes: whose it is, and the secret that seals the proxy's cursors.
#pragma once

#include "cache/sqlite.hpp"

#include <string>

namespace alli::cache {

/// Writes the upstream's URL into a new file. Throws Error{settings} when the file belongs to another one.
void claim(Connection& db, const std::string& url);

/// Makes the cursor secret of a new mirror.
void make_cursor_secret(Connection& db, const std::string& bytes);

} // namespace alli::cache

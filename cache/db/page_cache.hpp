// SPDX-License-Identifier: Apache-2.0
// The pages of the file that a connection holds in memory.
#pragma once

#include "cache/db/sqlite.hpp"

namespace alli::cache {

/// Frees those that it does not need now.
void release_pages(Connection& db);

} // namespace alli::cache

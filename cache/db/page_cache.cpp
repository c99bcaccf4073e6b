// SPDX-License-Identifier: Apache-2.0
#include "cache/db/page_cache.hpp"

namespace alli::cache {

void release_pages(Connection& db)
{
    db.run("PRAGMA shrink_memory");
}

} // namespace alli::cache

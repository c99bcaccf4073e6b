// SPDX-License-Identifier: Apache-2.0
#include "cache/db/log_key.hpp"

#include "cache/db/meta.hpp"

namespace alli::cache {

std::optional<std::string> find_log_key(Connection& db)
{
    return find_meta<std::string>(db, "log_key");
}

void put_log_key(Writer& db, const std::string& key)
{
    put_meta_once(db, "log_key", key);
}

} // namespace alli::cache

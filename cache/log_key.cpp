// SPDX-License-Identifier: Apache-2.0
#include "cache/log_key.hpp"

namespace alli::cache {

std::optional<std::string> find_log_key(Connection& db)
{
    for (const Row row : db.query("SELECT value FROM fact WHERE name = 'log_key'")) return std::string(row.text(0));
    return std::nullopt;
}

void put_log_key(Writer& db, const std::string& key)
{
    db.run("INSERT OR IGNORE INTO fact (name, value) VALUES ('log_key', ?1)", key);
}

} // namespace alli::cache

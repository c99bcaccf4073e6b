// SPDX-License-Identifier: Apache-2.0
// Single values of a file by their name: the table `fact` of mirror.db and of outbox.db.
#pragma once

#include "cache/db/writer.hpp"

namespace alli::cache {

template <class T>
std::optional<T> find_meta(Connection& db, std::string_view name)
{
    return db.one<T>("SELECT value FROM fact WHERE name = ?1", name);
}

template <class T>
void put_meta(Connection& db, std::string_view name, const T& value)
{
    db.run("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)", name, value);
}

/// False: it has a value already, which stays.
template <class T>
bool put_meta_once(Connection& db, std::string_view name, const T& value)
{
    return db.run("INSERT OR IGNORE INTO fact (name, value) VALUES (?1, ?2)", name, value) > 0;
}

/// True when there was one.
inline bool drop_meta(Connection& db, std::string_view name)
{
    return db.run("DELETE FROM fact WHERE name = ?1", name) > 0;
}

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "cache/db/migrate.hpp"

#include "alli/error.hpp"

#include <exception>

namespace alli::cache {
namespace {

std::int64_t version_of(Connection& db)
{
    return db.require<std::int64_t>("PRAGMA user_version");
}

// A full disk has undone it already: then there is nothing to roll back, and what is to be told is that.
void roll_back(Connection& db) noexcept
{
    try {
        db.script("ROLLBACK");
    } catch (const std::exception&) {
    }
}

void run_step(Connection& db, const char* sql, std::int64_t version)
{
    db.script("BEGIN IMMEDIATE");
    try {
        db.script(sql);
        db.script(fmt::format("PRAGMA user_version = {}", version));
        db.script("COMMIT");
    } catch (...) {
        roll_back(db);
        throw;
    }
}

std::int64_t known_of(const Schema& schema)
{
    return static_cast<std::int64_t>(schema.steps.size());
}

} // namespace

void refuse_newer(Connection& db, const Schema& schema)
{
    const std::int64_t found = version_of(db), known = known_of(schema);
    if (found > known)
        throw Error(Fault::settings, "install the program that wrote it, or a newer one",
                    "{} has schema version {}, this program knows {}", db.path(), found, known);
}

void migrate(Connection& db, const Schema& schema)
{
    refuse_newer(db, schema);
    const std::int64_t known = known_of(schema);
    std::int64_t version = version_of(db);
    for (; version < known; ++version) run_step(db, schema.steps[static_cast<std::size_t>(version)], version + 1);
}

void require_version(Connection& db, const Schema& schema)
{
    refuse_newer(db, schema);
    const std::int64_t version = version_of(db), known = known_of(schema);
    if (version < known)
        throw Error(Fault::settings, "restart the daemon: it brings the file up to date",
                    "{} has schema version {}, this program needs {}", db.path(), version, known);
}

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
// Brings user_version up, one transaction a step: a kill at any point leaves the old or the new version.
#pragma once

#include "cache/db/sqlite.hpp"

#include <span>

namespace alli::cache {

struct Schema {
    const char* name;
    std::span<const char* const> steps; // step N brings version N to N + 1
};

extern const Schema mirror_schema;
extern const Schema outbox_schema;

/// Throws Error{settings} when the file was written by a newer program. Changes nothing.
void refuse_newer(Connection& db, const Schema& schema);

/// The same, else brings it up to date.
void migrate(Connection& db, const Schema& schema);

/// For readers beside a daemon: throws Error{settings} unless the file has exactly this program's version.
void require_version(Connection& db, const Schema& schema);

} // namespace alli::cache

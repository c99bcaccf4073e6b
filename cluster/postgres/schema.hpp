// SPDX-License-Identifier: Apache-2.0
// The tables of a cluster, the views of its analysts, and who may use them: made by `cluster init`, brought up by
// `cluster migrate`.
#pragma once

#include "cluster/postgres/session.hpp"
#include "cluster/postgres/truth_schema.hpp"

#include <cstdint>
#include <string>

namespace alli::cluster {

struct InitOptions {
    std::string role;   // of the daemons, there already; empty: the tables' owner
    std::string reader; // of analysts, there already; empty: SCHEMA_read, made where the rights allow it
};

struct InitReport {
    std::string reader; // who may read the views; empty: nobody but the owner
    bool made_reader = false;
};

/// Throws Error{settings} where the database is not UTF8 or older than PostgreSQL 13, Error{refused} where the schema
/// is in use. All or nothing.
Task<InitReport> init_cluster(Session& session, InitOptions options);

/// Returns the version before; one transaction a step.
Task<std::int64_t> migrate_cluster(Session& session);

} // namespace alli::cluster

// SPDX-License-Identifier: Apache-2.0
// What a person should know of the cluster's database before relying on it: for `doctor`. Read-only.
#pragma once

#include "cluster/postgres/session.hpp"

namespace alli::cluster {

struct DatabaseReport {
    std::string version;                     // "15.8"
    bool is_encrypted = false;               // this connection
    bool is_synchronous = false;             // a commit waits for a standby
    bool is_original = true;                 // false: restored elsewhere from a dump
    std::vector<std::string> missing_rights; // "UPDATE on head"
};

/// Throws as Session::run, and Error{settings} where the tables are missing or of another version.
Task<DatabaseReport> inspect_database(Session& session);

} // namespace alli::cluster

// SPDX-License-Identifier: Apache-2.0
// Backups lie beside one another in a directory, each under the time of its making, so that names sort by age.
#pragma once

#include "alli/instant.hpp"

#include <string>
#include <vector>

namespace alli::daemon {

/// A path in the directory that nobody has yet: .../alli-mirror-2026-01-31T02-00-00Z.
std::string dated_backup_path(const std::string& directory, Instant now);

/// The backups in it, the oldest first; only what has such a name and holds an outbox.db.
std::vector<std::string> find_backups(const std::string& directory);

/// Removes all but the latest `keep`. Returns how many. Throws Error{io}: one cannot be removed.
int drop_older_backups(const std::string& directory, int keep);

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// Backups lie beside one another in a directory, each under the time of its making, so that names sort by age.
#pragma once

#include "alli/instant.hpp"

#include <string>
#include <vector>

namespace alli::daemon {

/// Ends the name of a copy that is not whole yet.
inline constexpr const char* partial_backup = ".partial";

/// A path in the directory that nobody has yet: .../alli-mirror-2026-01-31T02-00-00Z.
std::string dated_backup_path(const std::string& directory, Instant now);

/// The backups in it, the oldest first; only what has such a name, is whole and holds an outbox.db.
std::vector<std::string> find_backups(const std::string& directory);

/// Removes copies that were not made whole and that nobody has written to for hours: who copied was killed.
void remove_partial_backups(const std::string& directory);

/// Whose backup it is: the id of its outbox, which a mirror keeps through restores. Empty: it cannot be told.
std::string outbox_id_of(const std::string& backup);

/// Removes all but `made` and the latest of the others, `keep` in all, of the mirror that `made` is of; backups of
/// other mirrors stay. Returns how many. Throws Error{io}: one cannot be removed.
int drop_older_backups(const std::string& made, int keep);

} // namespace alli::daemon

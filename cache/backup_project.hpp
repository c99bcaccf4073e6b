// SPDX-License-Identifier: Apache-2.0
// Whose project a backup is of: told by the key that it was kept with, of which each file has a salted hash, and else
// by the outbox that it would replace, for a project's key may be replaced by another one of it.
#pragma once

#include "cache/db/sqlite.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace alli::cache {

/// The id of an outbox that nobody has open, as a backup's. None: it is no outbox, or cannot be read.
std::optional<std::string> read_outbox_id(const std::string& path);

enum class BackupProject { ours, another, unknown };
std::string_view name_of(BackupProject project);

class BackupProjectCheck {
  public:
    /// `outbox`: the path of the one that is here, if there is one. `key`: of the project here, where it is known.
    BackupProjectCheck(const std::string& outbox, std::optional<std::string> key);

    void inspect(Connection& copy); // of either file
    void inspect_outbox(Connection& copy);
    BackupProject answer() const;

  private:
    std::optional<std::string> key_;
    std::string live_id_;
    bool by_key_ = false, not_by_key_ = false, by_outbox_ = false;
};

} // namespace alli::cache

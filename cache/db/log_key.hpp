// SPDX-License-Identifier: Apache-2.0
// The key that the log hashes ids with: one for as long as the outbox's file lives, so that lines of weeks belong
// together, and whoever reads a log without the file cannot tell whose they are.
#pragma once

#include "cache/db/writer.hpp"

#include <optional>
#include <string>

namespace alli::cache {

// Of outbox.db:
std::optional<std::string> find_log_key(Connection& db);
void put_log_key(Writer& db, const std::string& key);

} // namespace alli::cache

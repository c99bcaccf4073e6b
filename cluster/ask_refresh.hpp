// SPDX-License-Identifier: Apache-2.0
// Asks the leader for conversations whatever their ids are.
#pragma once

#include "cluster/truth.hpp"

namespace alli::cluster {

/// Truth::ask_refresh, but for an id that the database refuses by itself: one that no index can hold (PostgreSQL: some
/// 2,700 bytes) is passed over, for it is published by nobody. Throws what concerns all.
Task<> ask_refresh(Truth& truth, std::vector<std::string> conversations);

} // namespace alli::cluster

// SPDX-License-Identifier: Apache-2.0
// Reading the latest state: what changed after a position, and all of it for a node that joins. Each call is one
// transaction with one snapshot, in one flush. On the cluster's loop.
#pragma once

#include "cluster/postgres/session.hpp"
#include "cluster/truth.hpp"

namespace alli::cluster {

Task<Round> read_round(Session& session, Position after, std::size_t limit);
Task<Chunk> read_chunk(Session& session, std::string after, std::size_t limit);
Task<cache::PublishedRows> find_rows(Session& session, std::vector<ConversationId> ids);
Task<std::vector<cache::PublishedState>> read_state(Session& session, std::vector<std::string> names);

} // namespace alli::cluster

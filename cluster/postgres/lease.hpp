// SPDX-License-Identifier: Apache-2.0
// The row `head` as lease, and the list of nodes: each function is one statement, compare and set. On the cluster's
// loop.
#pragma once

#include "cluster/postgres/session.hpp"
#include "cluster/truth.hpp"

namespace alli::cluster {

Task<Head> read_head(Session& session);
Task<std::optional<std::int64_t>> campaign(Session& session, Member self, std::int64_t epoch, std::int64_t beat);
Task<> lift_numbers(Session& session, std::int64_t above, std::string nonce);
Task<Beat> send_beat(Session& session, Member self, std::int64_t epoch, Position mine);
Task<> resign(Session& session, Member self, std::int64_t epoch);
Task<> announce(Session& session, Member self, NodeRow row);
Task<std::vector<NodeRow>> list_nodes(Session& session);

/// What a round asks beside its rows.
Query head_query();
Head head_of(const Result& result);
Query continuity_query(const Position& position);
Continuity continuity_of(const Result& result);

} // namespace alli::cluster

// SPDX-License-Identifier: Apache-2.0
// What any node adds for all of them or for the leader: runs, refreshes, purges; and hearing of it. On the cluster's
// loop.
#pragma once

#include "cluster/postgres/publish.hpp"
#include "cluster/postgres/session.hpp"
#include "cluster/truth.hpp"

namespace alli::cluster {

/// As Truth::hear.
Task<Round> hear_asked(Session& session, Position after);
Task<std::vector<Suppressed>> read_suppressions(Session& session);

Task<> suppress_rows(Session& session, std::vector<Suppressed> added, std::string nonce);
Task<Position> note_run(Session& session, Run run, std::string nonce);
Task<> ask_refresh(Session& session, std::vector<std::string> conversations, std::string node, std::string nonce);
Task<> settle(Session& session, Publisher by, std::vector<Run> runs, std::vector<Refresh> refreshes, std::string nonce);

/// Those after a number, in a round; their results, into one.
void add_asked(std::vector<Query>& queries, std::int64_t after);
inline constexpr std::size_t asked_queries = 3;
void take_asked(std::vector<Result>& results, std::size_t at, Round& round);

} // namespace alli::cluster

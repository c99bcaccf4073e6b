// SPDX-License-Identifier: Apache-2.0
// Writing the latest state: numbering transactions, each in one flush, fenced where only the leader may. On the
// cluster's loop.
#pragma once

#include "cluster/postgres/session.hpp"
#include "cluster/truth.hpp"

namespace alli::cluster {

/// Who publishes: the leader of an epoch, and the position that the database must have had; number 0: any database.
struct Publisher {
    Member self;
    std::int64_t epoch = 0;
    Position mine;
};

/// `nonce` is the new position's.
Task<Position> publish_rows(Session& session, Publisher by, cache::PublishedRows rows, std::string nonce);

/// State that any node may write: not fenced.
Task<> put_state(Session& session, std::vector<cache::PublishedState> state, std::string nonce);

void begin_transaction(std::vector<Query>& queries);
/// The beginning of a transaction that takes `count` numbers, at least one; the result of its second statement is the
/// last of them.
void begin_numbering(std::vector<Query>& queries, std::int64_t count);
/// Another number of the same transaction.
void next_number(std::vector<Query>& queries, const std::string& nonce);
/// The same as its beginning for the leader alone: for run_fenced().
void begin_fenced(std::vector<Query>& queries, const Publisher& by, std::int64_t count);
/// Its end.
void end_numbering(std::vector<Query>& queries, const std::string& nonce);
/// Throws NotLeader where it is fenced off.
Task<std::vector<Result>> run_fenced(Session& session, std::vector<Query> queries, Commit commit = Commit::any);

/// Wakes those who wait for news. Inside of a transaction it would make all commits of the server go one by one.
Task<> notify_news(Session& session);

} // namespace alli::cluster

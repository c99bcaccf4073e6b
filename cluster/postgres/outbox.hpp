// SPDX-License-Identifier: Apache-2.0
// The shared outbox in PostgreSQL: each function is one transaction in one flush, as SharedOutbox says. What changes a
// row takes a number by the row `head`, whose lock puts all of them in one order, and succeeds only with a commit that
// the server says nothing about: its standby may lack one that it warns of. On the cluster's loop.
#pragma once

#include "cluster/postgres/publish.hpp"
#include "cluster/postgres/session.hpp"
#include "cluster/shared_outbox.hpp"

namespace alli::cluster {

struct WantedWrite {
    cache::NewWrite write;
    cache::OutboxLimits limits;
};
struct AcceptResult {
    std::optional<Accepted> accepted; // none: the queue is full
    std::int64_t open = 0;            // so many are in it
};
/// All in one transaction, in this order, a result for each.
Task<std::vector<AcceptResult>> accept_writes(Session& session, std::string node, std::vector<WantedWrite> wanted,
                                              std::string nonce);
Accepted accepted_or_throw(AcceptResult result);

Task<std::vector<cache::SharedWrite>> hand_over_writes(Session& session, std::vector<cache::SharedWrite> held,
                                                       std::string why, std::string nonce);

struct WantedBeginning {
    KnownWrite known;
    std::optional<std::string> over;
};
/// All in one transaction, the row of each as it is then.
Task<std::vector<std::optional<cache::SharedWrite>>>
begin_writes(Session& session, Publisher by, std::vector<WantedBeginning> wanted, std::string nonce);
Task<std::optional<cache::SharedWrite>> settle_write(Session& session, Publisher by, KnownWrite known,
                                                     cache::WriteOutcome outcome, std::string nonce);
Task<std::vector<cache::SharedWrite>> recover_writes(Session& session, Publisher by, std::string nonce);
Task<> release_writes(Session& session, Publisher by, std::string nonce);
Task<std::int64_t> forget_writes(Session& session, Publisher by, std::chrono::seconds age, std::string nonce);

Task<WriteAction> retry_write(Session& session, std::int64_t id, std::string nonce);
Task<WriteAction> discard_write(Session& session, std::int64_t id, std::string nonce);
Task<> note_told(Session& session, KnownWrite known, std::string nonce);
Task<> purge_writes(Session& session, std::vector<cache::ErasedWrite> writes, std::string nonce);

Task<WriteChanges> read_write_changes(Session& session, Position after, std::size_t limit);
Task<WriteChunk> read_write_chunk(Session& session, std::int64_t after_id, std::size_t limit);
Task<std::optional<cache::SharedWrite>> find_write(Session& session, std::int64_t id);
Task<WriteCounts> count_writes(Session& session);

} // namespace alli::cluster

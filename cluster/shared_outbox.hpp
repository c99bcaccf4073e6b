// SPDX-License-Identifier: Apache-2.0
// The outbox that the nodes of a cluster share: any node accepts, the leader alone begins and settles, in one order.
// Like the rest of the truth it has two implementations and one contract (tests/cluster/outbox_contract_test.cpp), may
// be called on any loop, and resumes on the loop that awaits it.
#pragma once

#include "cache/replica/shared_write.hpp"
#include "cluster/position.hpp"

#include <chrono>
#include <cstddef>
#include <vector>

namespace alli::cluster {

struct Accepted {
    /// fresh: by this request, now or when it was asked before. repeated, mismatch: `write` is an earlier one with the
    /// same Idempotency-Key of this principal.
    cache::Acceptance::Kind kind = cache::Acceptance::Kind::fresh;
    cache::SharedWrite write; // as it is now; of a repeated request it may be settled
};

/// What changed after a position, each write as it is now, in the order of their numbers.
struct WriteChanges {
    Continuity continuity = Continuity::same; // not `same`: nothing follows; read_all()
    Position upto;                            // of `writes`; before `last`: there are more, ask again from here
    Position last;                            // the database's, of the same snapshot
    std::vector<cache::SharedWrite> writes;
};

/// Some of all writes, in the order of their ids.
struct WriteChunk {
    std::vector<cache::SharedWrite> writes;
    bool at_end = false; // none follows the last of them
};

/// A write as the caller knows it: where the row is another's, or has another number, nothing is written.
struct KnownWrite {
    std::int64_t id = 0, number = 0;
    std::string upstream_key;
};

/// What an operator's word came to.
struct WriteAction {
    cache::OperatorResult result = cache::OperatorResult::absent;
    cache::SharedWrite write; // as it is now; of an absent one nothing
};

struct WriteCounts {
    std::int64_t pending = 0, sending = 0, conflicts = 0, failed = 0;
    std::int64_t bytes = 0;        // of their bodies
    std::optional<Instant> oldest; // of those that wait or are being sent
};

/// Every function that changes something is one transaction, and may be repeated after any failure. Beside what each
/// says, all throw as Truth does: above all Error{unreachable} where the database is away or the outcome is not known,
/// which includes a commit that its standby may not have, and a wait for the standby that somebody broke off. What was
/// asked for may have happened then: the same is asked again until there is an answer.
class SharedOutbox {
  public:
    SharedOutbox() = default;
    SharedOutbox(const SharedOutbox&) = delete;
    SharedOutbox& operator=(const SharedOutbox&) = delete;
    virtual ~SharedOutbox() = default;

    /// When it returns the write is safe: it is in the database, and in its synchronous standby where it has one.
    /// Repeated by `upstream_key`, even where the answer was lost. Throws Error{unavailable} when the queue is full.
    virtual Task<Accepted> accept(cache::NewWrite write, cache::OutboxLimits limits) = 0;

    // The leader's. All throw NotLeader, and have written nothing then, where the epoch is not this node's any more.
    // What is returned is the row of that id as it is now, none where there is none: whether it is what was asked for,
    // and of that write at all, the caller sees.

    /// Before its bytes are sent: it is being sent in this epoch, the attempt counts. Of one that waits, or is being
    /// sent already: then the attempt counts only where it is another epoch's, and it is in doubt. It is begun where
    /// the row returned is `sending` in this epoch: so after a repetition too. `over`: as cache::begin_sending().
    virtual Task<std::optional<cache::SharedWrite>> begin(std::int64_t epoch, KnownWrite known,
                                                          std::optional<std::string> over) = 0;

    /// What became of it, of one that waits, is being sent or is in conflict: with or without begin(). After a
    /// repetition the row has the outcome and another number, or what a person made of it since.
    virtual Task<std::optional<cache::SharedWrite>> settle(std::int64_t epoch, KnownWrite known,
                                                           cache::WriteOutcome outcome) = 0;

    /// After a takeover: what was being sent in an earlier epoch waits again, in doubt; at the third leader in a row
    /// that was lost over it, it fails. Returns those rows in the order of their turns; those of a repetition are heard
    /// by changes() alone.
    virtual Task<std::vector<cache::SharedWrite>> recover(std::int64_t epoch) = 0;

    /// Before it resigns, when nothing is being sent any more: what was waits again, in doubt, and no leader was lost
    /// over it.
    virtual Task<> release(std::int64_t epoch) = 0;

    /// Removes what was delivered, discarded, or failed so long ago and needs nobody, and runs that were settled then.
    /// A node whose position is from before the last change of one of them joins anew (Continuity::forgotten). Returns
    /// how many writes.
    virtual Task<std::int64_t> forget(std::int64_t epoch, std::chrono::seconds age) = 0;

    // Any node's.

    /// A failed one goes to the end of its line, one in conflict is sent whatever upstream has, one that waits is due
    /// now. wrong_state: it is being sent, delivered or discarded.
    virtual Task<WriteAction> retry(std::int64_t id) = 0;
    /// One that waits, failed or is in conflict, and one that is discarded already. wrong_state: it is being sent, or
    /// delivered.
    virtual Task<WriteAction> discard(std::int64_t id) = 0;
    /// The app that waited got the outcome: nobody has to act on a failed one any more. Nothing happens where the row
    /// has another number by now.
    virtual Task<> note_told(std::int64_t id, std::int64_t number) = 0;

    /// What they were is gone from their rows for good: bodies, answers, states before, whose and to what they were.
    /// The rows stay, discarded, under their ids and upstream keys. A bulk update of which something is left gets that
    /// where its row has the number still and is not being sent: else it is heard again, changed.
    virtual Task<> purge(std::vector<cache::ErasedWrite> writes) = 0;

    /// The first of what changed after a position, about `limit` of them, one at least where there is one. Number 0 is
    /// no position: read_all(). Nothing need be asked where the position is Head::last, with its nonce: that no write
    /// changed since does not say that none was lost.
    virtual Task<WriteChanges> changes(Position after, std::size_t limit) = 0;

    /// For a node that joins: note Head::last, read all by their ids (0 for the first), remove what was not seen and is
    /// below that number, then ask changes() from the number that was noted.
    virtual Task<WriteChunk> read_all(std::int64_t after_id, std::size_t limit) = 0;

    virtual Task<std::optional<cache::SharedWrite>> find(std::int64_t id) = 0;
    virtual Task<WriteCounts> count() = 0;

    /// What this node's copy holds and the database lacks, by `upstream_key`, after commits were lost: settled ones as
    /// they are, all others in conflict and in doubt with `why` as their error. An id that was given to another since,
    /// or 0, becomes a new one; an Idempotency-Key that another has makes it failed. What is delivered here, and not
    /// there, becomes so there. Returns for each of `held`, in their order, the row that the database has now. At most
    /// some hundreds at once.
    virtual Task<std::vector<cache::SharedWrite>> hand_over(std::vector<cache::SharedWrite> held, std::string why) = 0;
};

} // namespace alli::cluster

// SPDX-License-Identifier: Apache-2.0
// What the nodes of a cluster share, as one of them sees it: the lease, the numbered rows of the latest state, the list
// of nodes, the outbox. Two implementations keep the same contract (tests/cluster/truth_contract_test.cpp): PostgreSQL
// (postgres_truth.hpp) and a model in memory. May be called on any loop; a coroutine resumes on the loop that awaits
// it.
#pragma once

#include "alli/error.hpp"
#include "alli/ids.hpp"
#include "alli/instant.hpp"
#include "alli/task.hpp"
#include "cache/replica/published.hpp"
#include "cluster/position.hpp"
#include "cluster/shared_outbox.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace alli::cluster {

/// A node as others know it. `holder` is random and new with each process: a cloned disk is another node.
struct Member {
    std::string node, holder;
    std::chrono::milliseconds lease{}; // that it takes; 0: it does not say
};

struct Head {
    std::string store;                // random, of `cluster init`
    std::int64_t epoch = 0, beat = 0; // together they change at each heartbeat and takeover
    std::string holder, leader;       // Member of the leader, or '' where it resigned
    Position last;
    std::chrono::milliseconds lease{}; // the leader's, or the last one's; 0: not said
    std::int64_t led_from = 0;         // since this epoch no other node than the leader, or the last one, had the lease
    std::int64_t kept_since = 0;       // who is at a number below it joins anew: some rows were told and are gone
    std::int64_t last_write = 0;       // the number of the write of the shared outbox that changed last
};

struct Beat {
    bool ours = false; // false: another epoch began, or the leader resigned
    Continuity continuity = Continuity::same;
};

/// What was purged at a node: nothing of it may come back. An entry of its suppression list (suppressed.hpp), with the
/// key that it is made with.
struct Suppressed {
    std::string key_id, hash;

    friend auto operator<=>(const Suppressed&, const Suppressed&) = default;
};

/// A run that was begun by an app at some node. Until it is settled, no node answers reads of the conversation from
/// what it holds.
enum class RunState { running, ended, settled };
struct Run {
    std::string conversation, node;
    RunState state = RunState::running;
    std::int64_t number = 0; // of the row
};

/// A conversation that some node fetched for an app and did not keep: the leader fetches it and publishes. `*`: a list.
struct Refresh {
    std::string conversation, node;
    std::int64_t number = 0;
};

/// What changed after a position, of one snapshot. Apply `suppressed` first, and all `rows.state` with the last commit
/// of the last part: what it claims may be among rows that moved on meanwhile.
struct Round {
    Head head;                                // head.last is the position after this round
    Instant now;                              // the database's
    Continuity continuity = Continuity::same; // not `same`: nothing follows, the node joins anew
    Position upto; // of `rows`, which are those up to here; before head.last: there are more, read on from it
    std::vector<Suppressed> suppressed;
    std::vector<Run> runs;
    std::vector<Refresh> refreshes;
    cache::PublishedRows rows; // ordered by conversation, then by ordinal
};

/// Whole conversations, of one snapshot, in an order that is the same at each call; ended ones with `deleted`.
struct Chunk {
    cache::PublishedRows rows;
    bool at_end = false; // no conversation follows the last of `rows`
};

struct NodeRow {
    std::string name, version, address;
    std::string role;  // full or reader, as configured
    std::string doing; // leader, follower, joining, apart
    std::int64_t position = 0;
    std::chrono::milliseconds age{}; // by the database's clock; only when read
};

/// Thrown by publish(): the epoch is not the leader's any more, nothing was written. Everything else that goes wrong is
/// an Error too: Fault::unreachable where the database is away or the outcome is unknown (repeat it: everything here
/// may be repeated), key_rejected for password, certificate or rights, settings or damaged where a person must act.
class NotLeader : public Error {
  public:
    NotLeader();
};

/// Thrown by whatever changes something, where it is known that the database was not even asked.
class NothingSent : public Error {
  public:
    explicit NothingSent(const Error& why) : Error(why) {}
};

class Truth {
  public:
    Truth() = default;
    Truth(const Truth&) = delete;
    Truth& operator=(const Truth&) = delete;
    virtual ~Truth() = default;

    /// Lives as long as this.
    virtual SharedOutbox& outbox() noexcept = 0;

    virtual Task<Head> head() = 0;

    /// Takes the lease where (epoch, beat) are still those that were seen. Returns the new epoch, none if another was
    /// faster. The caller has seen them unchanged for a whole lease by its own clock, or `holder` empty.
    virtual Task<std::optional<std::int64_t>> campaign(std::int64_t epoch, std::int64_t beat) = 0;

    /// Numbers go on above the database's clock, which is above all that were given, and above `above`, which this node
    /// knows: where a backup was put back or commits were lost, the database does not know them all. One that no clock
    /// can have reached is passed over.
    virtual Task<> lift(std::int64_t above) = 0;

    /// The leader's sign of life; `mine` is its position (number 0: none yet).
    virtual Task<Beat> beat(std::int64_t epoch, Position mine) = 0;

    /// Gives the lease up, so that another takes over at once. Nothing happens where it is not ours any more.
    virtual Task<> resign(std::int64_t epoch) = 0;

    /// One transaction, all or nothing: rows are put by key, chats with an ordinal >= `held` of their conversation and
    /// those of a deleted one removed. Returns the position after it. Throws NotLeader.
    virtual Task<Position> publish(std::int64_t epoch, cache::PublishedRows rows) = 0;

    /// The same where the database is the one that this node was at position `mine` of; else NotLeader, for rows that
    /// were put back are missing from what it would claim. Unless overridden it asks before it publishes, which leaves
    /// a moment in between: an implementation asks within the transaction.
    virtual Task<Position> publish_after(Position mine, std::int64_t epoch, cache::PublishedRows rows);

    /// Everything after `after`, or the first of it: whole transactions of about `limit` rows, one at least.
    virtual Task<Round> read(Position after, std::size_t limit) = 0;

    /// The same without `rows`: what any node may have added, for the leader, whose rows are its own. After number 0:
    /// all that there is.
    virtual Task<Round> hear(Position after) = 0;

    /// For joining: about `limit` rows, at least one conversation, beginning after the id `after` ('' for the first).
    virtual Task<Chunk> read_all(std::string after, std::size_t limit) = 0;

    /// Those of these conversations that there are, whole. Unless overridden it looks through all.
    virtual Task<cache::PublishedRows> find(std::vector<ConversationId> ids);

    /// What the leader published of these names; of all where there is none.
    virtual Task<std::vector<cache::PublishedState>> state(std::vector<std::string> names) = 0;

    /// The list of purged conversations. Any node may add to it; what is known already is not numbered again.
    virtual Task<std::vector<Suppressed>> suppressions() = 0;
    virtual Task<> suppress(std::vector<Suppressed> added) = 0;

    /// This node knows that a run is under way in the conversation, or that it ended. Committed before it returns: a
    /// round that is read then has it.
    virtual Task<Position> note_run(std::string conversation, RunState state) = 0;
    /// Asks the leader to fetch them.
    virtual Task<> ask_refresh(std::vector<std::string> conversations) = 0;
    /// What was asked for is published: runs become settled, with a new number, and refreshes go; those with another
    /// number by now stay. Throws NotLeader.
    virtual Task<> settle(std::int64_t epoch, std::vector<Run> runs, std::vector<Refresh> refreshes) = 0;

    /// Puts this node's row (`name` and `age` are not the caller's); the list is in order of names.
    virtual Task<> announce(NodeRow row) = 0;
    virtual Task<std::vector<NodeRow>> nodes() = 0;

    /// Waits until somebody published, at most so long. False: nothing was heard, which proves nothing.
    virtual Task<bool> wait_news(std::chrono::milliseconds longest) = 0;
};

} // namespace alli::cluster

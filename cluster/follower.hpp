// SPDX-License-Identifier: Apache-2.0
// Brings a node's own files to what is shared: rounds of what changed since its position, and joining, which reads all
// of it. Coverage is applied after the rows that it speaks of. Runs on the node's loop.
#pragma once

#include "cache/replica/apply.hpp"
#include "cache/store.hpp"
#include "cluster/node_options.hpp"
#include "cluster/truth.hpp"

#include <map>

namespace alli::cluster {

class Follower {
  public:
    Follower(Truth& truth, cache::Store& store, const NodeOptions& options);

    /// One round, after what else has to come first: joining, or reading again what this node changed and did not
    /// publish. Returns what it read of the head; from then on the files are as of `head.last`.
    Task<Head> follow();

    /// Whether anybody published a whole mirror yet; as of the last follow().
    bool shared_is_whole() const noexcept { return !provisional_; }
    bool is_joining() const noexcept { return !position_; }
    Position position() const;

    /// This node published itself; `whole`: all that its mirror has. Then this is to be kept in its file; none: not
    /// yet.
    std::optional<cache::ReplicaPosition> note_published(const Position& reached, bool whole);

  private:
    using States = std::map<std::string, std::string>;

    Task<> join();
    Task<> walk();
    Task<> claim_nothing();
    Task<> undo_unpublished();
    Task<> apply(cache::PublishedRows rows, Position position, std::string store);
    Task<std::vector<ConversationId>> apply_parts(cache::PublishedRows rows);
    Task<> make_whole(std::vector<ConversationId> ids);
    Task<> adopt_suppressions(const States& states);
    Task<States> read_states();

    Truth& truth_;
    cache::Store& store_;
    const NodeOptions& options_;
    std::optional<cache::ReplicaPosition> position_; // none: it has to join
    States to_apply_; // all that is said, as of before the next round: applied with it, for it was claimed anew
    // Nothing whole was there to join: this node keeps its own mirror, which may become the one that is shared. Where
    // another's does, it joins again.
    bool provisional_ = false;
};

} // namespace alli::cluster

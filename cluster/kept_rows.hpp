// SPDX-License-Identifier: Apache-2.0
// What a node holds and a database that was put back to an earlier state has lost: it is kept here and claimed by
// nobody, until a leader says what upstream has. Survives the process: until then the node joins in this way. Runs on
// the node's loop.
#pragma once

#include "cache/store.hpp"
#include "cluster/node_options.hpp"
#include "cluster/truth.hpp"

#include <set>

namespace alli::cluster {

/// How a node that keeps a conversation asks the leader for it: then its end is published as well, where upstream has
/// it no more. A list is "*" alone.
std::string ask_for_kept(const std::string& conversation);
/// The conversation that is asked for so; none: another one.
std::optional<std::string> find_kept(const std::string& asked);

class KeptRows {
  public:
    KeptRows(Truth& truth, cache::Store& store, const Clock& clock, const NodeOptions& options);

    /// Since the database was found to be put back, until all that is kept is said.
    bool is_active() const noexcept { return active_; }
    Task<> begin();
    /// Nothing is left of it, or this node took all that is shared in its place.
    Task<> end();

    /// All that is shared was read: the rest is kept.
    Task<> keep_unseen();
    /// A leader published this, or published it here.
    void take(const std::string& conversation) { ids_.erase(conversation); }
    /// In the commit of what is claimed.
    void unclaim(cache::Writer& db) const;
    /// Not to be undone where it was noted here and not published.
    bool holds(const ConversationId& id) const { return ids_.contains(id.value); }

    /// Asks whoever leads for some of it, once in a while.
    Task<> ask();

  private:
    Truth& truth_;
    cache::Store& store_;
    const Clock& clock_;
    const NodeOptions& options_;
    bool active_;
    std::set<std::string> ids_;
    std::string asked_last_;
    Clock::Steady ask_at_{};
};

} // namespace alli::cluster

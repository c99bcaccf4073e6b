// SPDX-License-Identifier: Apache-2.0
// Writes that this node delivered while it led and whose effect may not be published: no time of a conversation moves
// with a title, so the next leader has no other way to learn of it than to be asked. Runs on the node's loop.
#pragma once

#include "cache/store.hpp"
#include "cluster/node_options.hpp"
#include "cluster/truth.hpp"

#include <set>

namespace alli::cluster {

class UnseenWrites {
  public:
    /// What the process before this one delivered is collected at once.
    UnseenWrites(Truth& truth, cache::Store& store, const NodeOptions& options);

    /// Nothing is sent any more: what was sent last is to be asked for.
    void collect();
    /// Asks whoever leads; without effect where there is nothing. Throws what the truth throws, then it is still to be
    /// asked for.
    Task<> ask();

  private:
    Truth& truth_;
    cache::Store& store_;
    const NodeOptions& options_;
    std::set<std::string> conversations_;
};

} // namespace alli::cluster

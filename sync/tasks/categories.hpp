// SPDX-License-Identifier: Apache-2.0
// Keeps the mirror's list of categories as upstream has it: read at the start, with each reconcile, and when one turns
// up that it does not know. Runs on the engine's loop.
#pragma once

#include "sync/pages/context.hpp"

namespace alli::sync {

class Categories {
  public:
    Categories(SyncContext context, std::chrono::milliseconds interval) : context_(context), interval_(interval) {}

    /// Somebody named one that is not known, or changed them.
    void ask_for() { asked_ = true; }
    bool due() const;
    /// Throws what the client throws; where upstream has no such list, nothing is noted.
    Task<> refresh();

  private:
    bool is_unknown_borne() const;

    SyncContext context_;
    std::chrono::milliseconds interval_;
    std::optional<Clock::Steady> tried_at_;
    bool asked_ = false;
    std::chrono::nanoseconds pause_{0}; // before an unknown one makes it ask again; grows while that changes nothing
};

} // namespace alli::sync

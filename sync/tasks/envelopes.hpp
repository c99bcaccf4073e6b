// SPDX-License-Identifier: Apache-2.0
// Learns in what envelope upstream's answers come, and tells the mirror. Where polls alone do not show it, one
// conversation and its chats are asked for, once in a mirror's life. Runs on the engine's loop.
#pragma once

#include "alli/envelope.hpp"
#include "sync/pages/context.hpp"

#include <map>

namespace alli::sync {

class Envelopes {
  public:
    explicit Envelopes(SyncContext context) : context_(context) {}

    void hear(Content content, const Envelope& envelope) { heard_[content] = envelope; }
    bool due() const { return !heard_.empty() || !looked_; }
    Task<> note();

  private:
    Task<> look();
    Task<> put_down();

    SyncContext context_;
    std::map<Content, Envelope> heard_;
    bool looked_ = false; // or nothing had to be asked
};

} // namespace alli::sync

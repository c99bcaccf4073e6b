// SPDX-License-Identifier: Apache-2.0
// Whether the key opens the project that the mirror was filled from. After a change of the key a few conversations that
// are known here are asked for; until one of them is found nothing else goes upstream, so that two projects never mix
// and no waiting write goes to the wrong one. Runs on the engine's loop, and waits only through the Clock.
#pragma once

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "cache/store.hpp"
#include "upstream/client.hpp"

#include <optional>
#include <string>

namespace alli::sync {

class Project {
  public:
    /// `client` asks without waiting for make_sure() itself. Reads both files.
    Project(upstream::Client& client, cache::Store& store, Clock& clock, std::string key);

    /// At once where the key is the one both files know. Throws Error: key_rejected when upstream refuses the key or
    /// knows none of what it was asked for, else whatever kept it from answering.
    Task<> make_sure();

    /// A person's word that it is to be this one from now on.
    void accept() { accepted_ = true; }

  private:
    Task<> find_out();
    Task<> ask();
    Task<bool> knows(ConversationId id);
    Task<> adopt();

    upstream::Client& client_;
    cache::Store& store_;
    Clock& clock_;
    std::string key_;
    bool sure_ = false, changed_ = false, accepted_ = false, asking_ = false;
    std::optional<Error> denied_; // until then:
    Clock::Steady ask_again_at_{};
};

} // namespace alli::sync

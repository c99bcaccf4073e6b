// SPDX-License-Identifier: Apache-2.0
// Answers that apps are writing: each grows with the clock and is whole when its time has come. Not safe for several
// threads: the sandbox's core guards it.
#pragma once

#include "sandbox/model.hpp"
#include "sandbox/read_lag.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace alli::sandbox {

class Runs {
  public:
    /// The last chat of the conversation becomes `message` by the time that `lasts` is over; until then it runs.
    void begin(World& world, Conversation& conversation, std::string message, std::chrono::milliseconds lasts);
    /// Brings all of them to what they are now; that one is whole shows late where reads lag. A conversation that was
    /// stopped or erased is followed no longer.
    void advance(World& world, ReadLag& lag);

  private:
    struct Run {
        std::string conversation, chat, message;
        Instant began, ends;
    };
    std::vector<Run> runs_;
};

} // namespace alli::sandbox

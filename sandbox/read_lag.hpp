// SPDX-License-Identifier: Apache-2.0
// Reads that lag behind writes: of each write the state before it is kept, and reads are answered from that for a
// while. What is written is at once what the next write finds.
#pragma once

#include "sandbox/model.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace alli::sandbox {

class ReadLag {
    struct Past {
        Instant written;
        std::string id;
        std::unique_ptr<Conversation> before; // none: it is not there yet
    };

  public:
    explicit ReadLag(std::chrono::milliseconds lag) : lag_(lag) {}

    void set(std::chrono::milliseconds lag) { lag_ = lag; }

    /// Before a write changes or removes it.
    void note(const Conversation& conversation, Instant now);
    /// Before one is made.
    void note_new(const std::string& id, Instant now);

    /// While it lives, the world is as reads show it. Nothing may be written meanwhile.
    class View {
      public:
        View(ReadLag& lag, World& world, Instant now);
        ~View();
        View(const View&) = delete;
        View& operator=(const View&) = delete;

      private:
        struct Exchanged {
            Past* past;
            std::unique_ptr<Conversation> present; // none: it is gone
            bool shown;                            // as it was before
        };
        World& world_;
        std::vector<Exchanged> exchanged_;
    };

  private:
    std::chrono::milliseconds lag_;
    std::deque<Past> past_; // in the order of writing
};

} // namespace alli::sandbox

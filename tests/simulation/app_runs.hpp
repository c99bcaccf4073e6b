// SPDX-License-Identifier: Apache-2.0
// Apps that answer in conversations of the world, one after the other, as a proxy would tell the engine of them; and
// what is read meanwhile and afterwards: once the engine says that all of an answer is held, all of it is.
#pragma once

#include "cache/store.hpp"
#include "sync/engine.hpp"
#include "tests/simulation/world.hpp"

#include <optional>
#include <string>

namespace simulation {

class AppRuns {
  public:
    AppRuns(World& world, std::uint64_t seed) : world_(world), random_(seed) {}

    /// Before the engine runs; what ran before a restart is forgotten.
    void follow(alli::cache::Store& store, alli::sync::Engine& engine);
    /// One begins, grows or ends.
    void act();
    /// What was wrong, in a sentence; empty: nothing.
    std::string check();

    int told() const { return told_; } // how often the engine said that all is held

  private:
    struct Run {
        std::string conversation, chat, message; // as it is once it is whole; empty: it still grows
        std::int64_t chats_before = 0;
        std::uint64_t fence = 0;
    };

    void begin();
    void fetched(const std::string& conversation, std::uint64_t fence, bool whole);
    std::optional<json> find_held(const Run& run);

    World& world_;
    alli::SeededRandom random_;
    alli::cache::Store* store_ = nullptr;
    alli::sync::Engine* engine_ = nullptr;
    std::optional<Run> run_;
    std::uint64_t fences_ = 0;
    int told_ = 0;
    std::string wrong_;
};

} // namespace simulation

// SPDX-License-Identifier: Apache-2.0
// One history of the whole program from a seed: apps read, write and follow the feed while upstream changes, the
// network breaks, conversations are purged, the process is stopped, killed, or loses its power, and pages of its
// files are lost. At each step what was promised holds; in the end mirror and world are the same.
#pragma once

#include "tests/simulation/program/dying_disk.hpp"
#include "tests/simulation/program/feed_reader.hpp"
#include "tests/simulation/program/readers.hpp"

namespace simulation {

/// How often things happened, and how often each check really looked.
struct Figures {
    std::int64_t stops = 0, kills = 0, power_cuts = 0, damages = 0, noticed = 0, lost = 0, purges = 0;
    std::int64_t writes = 0, applied = 0, items = 0, ratings = 0, lists = 0, walks = 0, hits = 0, purged = 0,
                 changes = 0, resets = 0;
    std::uint64_t hash = 0; // of all that upstream was asked and did, in order: the same history has the same

    Figures& operator+=(const Figures& more);
};

/// What happens in a history.
enum class Breadth {
    narrow, // titles, feedback and deletions are written, and upstream fails at random
    wide,   // updates of one and of several too, over what others wrote at times; everybody is told to wait, cursors
            // expire, feedback shows late, pages of the files are lost
};

class ProgramHistory {
  public:
    explicit ProgramHistory(std::uint64_t seed, Breadth breadth = Breadth::wide);

    /// What was wrong, in a sentence; empty: nothing.
    std::string run();
    Figures figures() const;

  private:
    void widen();
    void start();
    void take_in_damage();
    void end_life();
    void restart_damaged();
    std::string live(int acts);
    template <class F>
    std::string unless_damaged(F check);
    std::string check();
    std::string check_claims();
    std::string check_offline();
    std::string check_end();
    void purge();
    bool settle();
    bool is_settled();
    std::string end();
    std::string list_problems();

    alli::SeededRandom random_;
    support::FakeClock clock_;
    World world_;
    DyingDisk disk_;
    boost::asio::io_context loop_;
    Writers writers_;
    Readers readers_;
    FeedReader feed_reader_;
    alli::sync::Options options_;
    alli::sync::DeliveryOptions delivery_;
    std::unique_ptr<Program> program_;
    Figures figures_;
    std::string wrong_; // what a start found
    const Breadth breadth_;
};

} // namespace simulation

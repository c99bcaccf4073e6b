// SPDX-License-Identifier: Apache-2.0
// Three nodes, one world and what they share, from one seed: processes die, freeze and stop, ways break, answers are
// lost, and an earlier state of the database is put back. Whatever the seed, no node ever claims what upstream
// contradicts, no two engines work at once, and in the end all mirrors are the same, and upstream's.
#pragma once

#include "tests/simulation/cluster/sim_node.hpp"

#include <array>

namespace simulation {

class ClusterHistory {
  public:
    explicit ClusterHistory(std::uint64_t seed);
    ~ClusterHistory();

    /// What was wrong, in a sentence; empty: nothing.
    std::string run();

  private:
    void pass_time(std::chrono::milliseconds time);
    std::string live();
    void strike(); // one thing happens to a node or to the database
    void heal();
    void start_all();
    std::string check();
    std::string settle();
    std::string find_difference();
    SimNode* leader();
    std::string describe();

    alli::SeededRandom random_;
    support::FakeClock clock_;
    World world_;
    SharedModel shared_;
    std::optional<SharedModel> backup_;
    boost::asio::io_context loop_;
    alli::sync::Options options_;
    std::array<std::unique_ptr<SimNode>, 3> nodes_;
};

} // namespace simulation

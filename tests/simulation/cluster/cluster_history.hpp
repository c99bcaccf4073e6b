// SPDX-License-Identifier: Apache-2.0
// Three nodes with clocks that differ, one world in which others write as well, and what the nodes share, from one
// seed: processes die, freeze and stop, ways break, answers are lost, conversations are purged, and an earlier state of
// the database is put back. Whatever the seed, no node ever claims what upstream contradicts, nothing purged comes
// back, no two engines work at once, and in the end all mirrors are the same, and upstream's.
#pragma once

#include "tests/simulation/cluster/sim_node.hpp"

#include <array>
#include <set>

namespace simulation {

class ClusterHistory {
  public:
    explicit ClusterHistory(std::uint64_t seed);
    ~ClusterHistory();

    /// What was wrong, in a sentence; empty: nothing.
    std::string run();

  private:
    void pass_time(std::chrono::milliseconds time);
    void pass_busy_time(std::chrono::milliseconds time); // while others write upstream
    void write_upstream();
    void go_on_answering(bool ends);
    void freeze_leader();
    void purge(SimNode& node);
    std::string find_purged(SimNode& node, const std::set<std::string>& ids);
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
    support::ModelDatabase shared_;
    std::optional<support::ModelDatabase::Contents> backup_;
    boost::asio::io_context loop_;
    alli::sync::Options options_;
    std::array<std::unique_ptr<SimNode>, 3> nodes_;
    std::chrono::milliseconds most_skew_{0};
    std::set<std::string> purged_;   // to the end, at some node
    std::string answering_, answer_; // a run upstream, and the chat that grows
};

} // namespace simulation

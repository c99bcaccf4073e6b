// SPDX-License-Identifier: Apache-2.0
// A machine of the simulated cluster: its files stay, its process comes and goes, and may be frozen for a while.
#pragma once

#include "cache/store.hpp"
#include "cluster/node.hpp"
#include "sync/engine.hpp"
#include "tests/simulation/world.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/model_truth.hpp"
#include "tests/support/temp_dir.hpp"
#include "upstream/rate_limiter.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <set>
#include <string>

namespace simulation {

using alli::Task;

/// Nothing of a frozen process goes on: it wakes when it goes on running.
class FreezableClock final : public alli::Clock {
  public:
    FreezableClock(alli::Clock& clock, std::chrono::milliseconds skew) : clock_(clock), skew_(skew) {}
    alli::Instant now() const override { return clock_.now() + skew_; }
    Steady steady() const override { return clock_.steady(); }
    Task<> sleep(std::chrono::nanoseconds pause) override;

    bool frozen = false;

  private:
    alli::Clock& clock_;
    std::chrono::milliseconds skew_; // of the wall clock
};

class SimNode {
  public:
    /// `skew`: by how much its clock is ahead; `most_skew`: that of any node.
    SimNode(int number, World& world, support::ModelDatabase& shared, support::FakeClock& clock,
            boost::asio::io_context& loop, alli::sync::Options options, alli::cluster::NodeOptions node,
            std::chrono::milliseconds skew, std::chrono::milliseconds most_skew, std::uint64_t seed);
    ~SimNode();

    void start();
    void kill(); // as the kernel would
    void stop(); // in order
    /// It dies right after so many more commits: what was to follow them is not done.
    void die_after(int commits) { commits_left_ = commits; }
    bool has_died() const { return process_ && commits_left_ == 0; }
    void freeze() { frozen().frozen = true; }
    void purge(const std::string& id);
    void thaw(); // or it was ended meanwhile by the timer of its lease

    bool runs() const { return process_ != nullptr; }
    bool is_frozen() const { return clock_.frozen; }
    bool leads() const;      // its engine is at work
    bool has_failed() const; // a process that ended by itself
    const std::set<std::string>& purged_here() const { return purged_here_; }
    /// What a commit, whichever, made it claim wrongly; empty: nothing.
    const std::string& wrong() const { return wrong_; }
    alli::cache::Store& store() { return *store_; }
    alli::cluster::Node& node();
    support::ModelTruth& truth();
    alli::sync::Engine* engine();

  private:
    struct Process;
    struct Upstream;
    FreezableClock& frozen() { return clock_; }
    void begin();
    void look(); // after a commit
    Task<> refresh(std::vector<std::string> asked);
    Task<> end_engine();
    void run_until(const std::function<bool()>& done);

    int number_;
    World& world_;
    support::ModelDatabase& shared_;
    support::FakeClock& time_;
    FreezableClock clock_;
    std::chrono::milliseconds most_skew_;
    std::set<std::string> purged_here_;
    boost::asio::io_context& loop_;
    alli::sync::Options options_;
    alli::cluster::NodeOptions node_options_;
    alli::SeededRandom random_;
    support::TempDir dir_;
    std::unique_ptr<alli::cache::Store> store_;
    std::unique_ptr<Process> process_;
    std::string wrong_;
    int commits_left_ = -1; // below 0: it lives on
};

} // namespace simulation

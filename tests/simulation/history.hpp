// SPDX-License-Identifier: Apache-2.0
// One history from a seed: the engine, its store and a world run in one thread on a fake clock; things happen, the
// network breaks, the process dies and comes back; then all is quiet. Whatever the seed, on the way the coverage never
// claims what is not so, and in the end mirror and world are the same.
#pragma once

#include "cache/store.hpp"
#include "sync/engine.hpp"
#include "tests/simulation/app_runs.hpp"
#include "tests/simulation/world.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

namespace simulation {

class History {
  public:
    explicit History(std::uint64_t seed);
    ~History();

    /// What was wrong, in a sentence; empty: nothing.
    std::string run();

  private:
    struct Process; // pace, client, engine: what a restart makes anew

    void start();
    void kill();
    std::string live(int acts); // what was wrong on the way
    void write();               // a title, as a local app would
    std::string check_writes(); // no conflict with what nobody else wrote; those with what somebody did are given up
    bool settle();              // until nothing is wrong any more; false: it goes on being wrong
    void pass_time(std::chrono::milliseconds time);

    std::string check_claims();
    std::string check_freshness(alli::cache::Reader& db) const;
    std::string check_that_one_holds_up_nobody();
    std::string check_promptness();
    std::string check_chatless(alli::cache::Reader& db) const;
    bool is_left_out(const Talk& talk) const;
    std::string check_equal();
    std::string list_problems();

    alli::SeededRandom random_, app_; // app_: of the app that writes
    bool writes_ = false, runs_apps_ = false;
    int written_ = 0;
    support::FakeClock clock_;
    World world_;
    AppRuns app_runs_;
    support::TempDir dir_;
    boost::asio::io_context loop_;
    std::unique_ptr<alli::cache::Store> store_;
    std::unique_ptr<Process> process_;
    alli::sync::Options options_;
};

} // namespace simulation

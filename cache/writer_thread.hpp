// SPDX-License-Identifier: Apache-2.0
// A thread that runs jobs on a connection of its own. The committing one gathers whatever waits into one transaction,
// so that many small writes share one sync to disk; each job is a savepoint, so that one that throws undoes itself
// alone.
#pragma once

#include "cache/index.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace alli::cache {

using Job = std::function<void(Connection&)>;
/// Of a file that is not what it must be; and of one that failed in any way.
bool is_damage(const std::exception_ptr& failure);
bool is_fatal(const std::exception_ptr& failure);
std::string text_of(const std::exception_ptr& failure);

using Done = std::function<void(std::exception_ptr)>; // called once, on the thread that ran the job

/// Runs waiting jobs as one transaction and checkpoints by itself; the thread-free core of Committer.
class Committing {
  public:
    explicit Committing(std::unique_ptr<Writer> db);
    ~Committing(); // truncates the log

    struct Pending {
        Job* job; // null: no more than a turn of this thread
        Done done;
        bool outside = false; // of any transaction, after the commit of the others
    };
    /// Every `done` is called after the commit. After a failed commit, or a damaged file, everything fails from then
    /// on.
    void run(std::deque<Pending>& batch);

    /// Called on the committing thread when it gives up by itself.
    void on_fatal(std::function<void(const std::exception_ptr&)> tell) { tell_ = std::move(tell); }
    /// From the next batch on everything fails. Any thread.
    void fail(const std::exception_ptr& failure) noexcept;

    void checkpoint_when_long(); // PASSIVE, from 1,000 pages on
    std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_acquire); }
    const Latest& latest() const noexcept { return latest_; }

  private:
    void run_inside(std::deque<Pending>& batch);
    std::exception_ptr run_one(Job& job);
    void undo(IndexBatch::Mark before) noexcept;
    std::exception_ptr run_outside(Job& job);
    void commit();
    void publish_touched() noexcept;
    void note_fatal(const std::exception_ptr& failure);

    std::unique_ptr<Writer> db_;
    std::exception_ptr dead_; // why nothing is acknowledged any more
    std::mutex told_mutex_;
    std::exception_ptr told_; // the same, by another thread
    std::function<void(const std::exception_ptr&)> tell_;
    std::atomic<std::uint64_t> commits_{0};
    Latest latest_;
};

/// A thread with a queue; `run` gets everything that waits.
class JobThread {
  public:
    using Batch = std::deque<Committing::Pending>;

    explicit JobThread(std::function<void(Batch&)> run);
    ~JobThread(); // runs what was submitted, then joins

    void submit(Committing::Pending pending);

  private:
    void loop();

    std::function<void(Batch&)> run_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    Batch queue_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace alli::cache

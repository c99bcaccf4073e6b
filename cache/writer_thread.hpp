// SPDX-License-Identifier: Apache-2.0
// Threads that run jobs on a connection of their own. The committing thread runs all waiting jobs in one transaction
// (group commit), so that many small writes share one sync to disk; each job is a savepoint, so that one that throws
// rolls back alone.
#pragma once

#include "cache/db/free_space.hpp"
#include "cache/db/held_file.hpp"
#include "cache/db/index_batch.hpp"
#include "cache/db/log_bound.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace alli::cache {

using Job = std::function<void(Connection&)>;
/// The failure means a damaged file; any failure after which nothing can be acknowledged.
bool is_damage(const std::exception_ptr& failure);
bool is_fatal(const std::exception_ptr& failure);
bool is_disk_full(const std::exception_ptr& failure);
std::string text_of(const std::exception_ptr& failure);

using Done = std::function<void(std::exception_ptr)>; // called once, on the thread that ran the job

/// Runs waiting jobs as one transaction and checkpoints by itself; has no thread of its own.
class Committer {
  public:
    explicit Committer(std::unique_ptr<Writer> db);
    ~Committer(); // truncates the log

    struct Pending {
        Job* job; // null: only waits for its turn
        Done done;
        bool outside = false;             // of any transaction, after the commit of the others
        const char* what = "a long read"; // of a read: its name in problems
    };
    /// Every `done` is called after the commit. After a failed commit, or a damaged file, everything fails from then
    /// on.
    void run(std::deque<Pending>& batch);

    /// Called on the committing thread when it gives up by itself.
    void on_fatal(std::function<void(const std::exception_ptr&)> tell) { tell_ = std::move(tell); }
    /// Called there once, before the first commit that is refused because the file is not ours any more; no transaction
    /// is open. `kept` is what before_commit() returned for the last commit that was acknowledged.
    using OnLoss = std::function<void(Writer& db, const HeldFile::Loss& loss, std::int64_t kept)>;
    void on_loss(OnLoss tell) { on_loss_ = std::move(tell); }
    /// Another condition for acknowledging anything; returns a sentence when it does not hold.
    void require(std::function<std::optional<std::string>()> find_loss) { find_other_loss_ = std::move(find_loss); }
    /// Called inside each transaction, last.
    void before_commit(std::function<std::int64_t(Writer&)> work, std::int64_t kept)
    {
        before_commit_ = std::move(work);
        kept_ = kept;
    }
    std::int64_t kept() const noexcept { return kept_.load(std::memory_order_acquire); } // any thread
    /// From the next batch on everything fails. Any thread.
    void fail(const std::exception_ptr& failure) noexcept;

    /// After each batch: a checkpoint, where one is due (cache/db/log_bound.hpp).
    void maintain_log();
    void bound_log(LogLimits limits, ActiveReads* reads) { log_ = LogBound(limits, reads); }
    void note_space_as(DataFile file) { data_file_ = file; } // under which free space is reported; else not at all
    /// Called on the committing thread when there is room again after there was none.
    void on_room(std::function<void()> tell) { on_room_ = std::move(tell); }
    /// After how long run() is to be called although nothing waits: it finds out whether there is room again.
    std::optional<std::chrono::milliseconds> next_try() const noexcept;
    std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_acquire); }
    const InvalidationVersions& latest() const noexcept { return latest_; }

  private:
    void run_inside(std::deque<Pending>& batch);
    std::exception_ptr run_one(Job& job);
    struct Mark { // where a job began
        IndexBatch::Mark words;
        RowChanges rows;
    };
    void undo(const Mark& before) noexcept;
    std::exception_ptr run_outside(Job& job);
    void commit();
    void publish_change_set() noexcept;
    void note_fatal(const std::exception_ptr& failure);
    void note_space_outcome(const std::exception_ptr& failure) noexcept;
    void try_for_room() noexcept;
    void look_at_files(bool beside = true);
    void note_own_change() noexcept;
    bool stamp_header() noexcept;
    std::optional<HeldFile::Loss> find_loss(bool beside);

    std::unique_ptr<Writer> db_;
    HeldFile held_;
    std::optional<HeldFile::Loss> loss_;
    OnLoss on_loss_;
    std::function<std::optional<std::string>()> find_other_loss_;
    std::function<std::int64_t(Writer&)> before_commit_;
    std::int64_t committing_ = 0; // what before_commit_ returned for the transaction that is open
    std::atomic<std::int64_t> kept_{0};
    std::optional<DataFile> data_file_;
    std::function<void()> on_room_ = [] {};
    LogBound log_;
    bool quiet_ = false;      // the last batch wrote nothing
    std::exception_ptr dead_; // why nothing is acknowledged any more
    std::mutex told_mutex_;
    std::exception_ptr told_; // the same, by another thread
    std::function<void(const std::exception_ptr&)> tell_;
    std::atomic<std::uint64_t> commits_{0};
    InvalidationVersions latest_;
};

/// A thread with a queue; `run` gets everything that waits. An empty batch where `tried` wants to be run although
/// nothing does.
class JobThread {
  public:
    using Batch = std::deque<Committer::Pending>;

    explicit JobThread(std::function<void(Batch&)> run, const Committer* tried = nullptr);
    ~JobThread(); // runs what was submitted, then joins

    void submit(Committer::Pending pending);

  private:
    void loop();

    std::function<void(Batch&)> run_;
    const Committer* tried_; // may be null
    std::mutex mutex_;
    std::condition_variable arrived_;
    Batch queue_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace alli::cache

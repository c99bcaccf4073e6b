// SPDX-License-Identifier: Apache-2.0
// A thread that runs jobs on a connection of its own. The committing one gathers whatever waits into one transaction,
// so that many small writes share one sync to disk; each job is a savepoint, so that one that throws undoes itself
// alone.
#pragma once

#include "cache/held_file.hpp"
#include "cache/index.hpp"
#include "cache/log_bound.hpp"
#include "cache/room.hpp"

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
bool is_disk_full(const std::exception_ptr& failure);
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
        bool outside = false;             // of any transaction, after the commit of the others
        const char* what = "a long read"; // for whoever reads: its name in a problem
    };
    /// Every `done` is called after the commit. After a failed commit, or a damaged file, everything fails from then
    /// on.
    void run(std::deque<Pending>& batch);

    /// Called on the committing thread when it gives up by itself.
    void on_fatal(std::function<void(const std::exception_ptr&)> tell) { tell_ = std::move(tell); }
    /// Called there once, before the first commit that is refused for it: the file is not ours any more, nothing is in
    /// a transaction. `kept` is what before_commit() returned for the last commit that was acknowledged.
    using OnLoss = std::function<void(Writer& db, const HeldFile::Loss& loss, std::int64_t kept)>;
    void on_loss(OnLoss tell) { on_loss_ = std::move(tell); }
    /// Something else that must hold before anything is acknowledged; a sentence when it does not.
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

    /// After each batch: a checkpoint, where one is due (cache/log_bound.hpp).
    void tend_log();
    void bound_log(LogLimits limits, ActiveReads* reads) { log_ = LogBound(limits, reads); }
    void note_room_as(Room file) { room_ = file; } // where it says whether there is room; else nowhere
    std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_acquire); }
    const Latest& latest() const noexcept { return latest_; }

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
    void publish_touched() noexcept;
    void note_fatal(const std::exception_ptr& failure);
    void tell_room(const std::exception_ptr& failure) noexcept;
    void look_at_files(bool beside = true);
    void note_own_change() noexcept;
    bool tell_apart() noexcept;
    std::optional<HeldFile::Loss> find_loss(bool beside);

    std::unique_ptr<Writer> db_;
    HeldFile held_;
    std::optional<HeldFile::Loss> loss_;
    OnLoss on_loss_;
    std::function<std::optional<std::string>()> find_other_loss_;
    std::function<std::int64_t(Writer&)> before_commit_;
    std::int64_t committing_ = 0; // what before_commit_ returned for the transaction that is open
    std::atomic<std::int64_t> kept_{0};
    std::optional<Room> room_;
    LogBound log_;
    bool quiet_ = false;      // the last batch wrote nothing
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

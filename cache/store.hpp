// SPDX-License-Identifier: Apache-2.0
// Owns mirror.db and outbox.db: the lock, one committing connection a file on a writer thread of its own, read
// connections, and two threads for long reads. Inline mode runs everything on the caller, without threads: for commands
// and simulation. A connection exists only as the argument of the function given to read() or write().
#pragma once

#include "alli/error.hpp"
#include "alli/task.hpp"
#include "cache/active_reads.hpp"
#include "cache/log_bound.hpp"
#include "cache/sqlite.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace alli::cache {

struct StoreOptions {
    std::string mirror_path;                              // outbox.db and alli-mirror.lock lie beside it
    std::string url;                                      // whose mirror it is: a file of another upstream is refused
    bool threads = true;                                  // false: inline
    std::function<void(std::exception_ptr)> gave_up = {}; // once, on any thread: a file is damaged, or failed
    // How large an outbox the opening reads whole: some 0.4 s of a slow disk, and it cannot be interrupted.
    std::uintmax_t most_outbox_read = 64 * 1024 * 1024;
    LogLimits log = {}; // of each file's log
    // For tests: the steps of SQLite's machine that a read() took, on the thread that read.
    std::function<void(std::uint64_t)> count_steps = {};
};

class Store {
  public:
    /// Takes the lock, opens, checks and migrates both files; a damaged one is set aside (damage() says so). Throws
    /// Error: busy (who holds them), settings (another upstream, a file that others can write, a directory that cannot
    /// be written), damaged (a file that was never ours), disk_full, io.
    explicit Store(StoreOptions options);
    ~Store(); // finish(), checkpoints, closes
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Runs what was submitted and ends the threads: whoever awaits that has his answer on its way while all that his
    /// job refers to is still there. From then on writes and long reads throw Error{canceled}. From one thread, when no
    /// other submits any more.
    void finish();

    /// A short read, on the calling thread, in one snapshot.
    template <class F>
    auto read(F&& function) -> std::invoke_result_t<F, Reader&>
    {
        return run_read(Lane::mirror, function);
    }

    /// A write to mirror.db. Writes that wait together share one commit; when the co_await returns, it is committed.
    /// What `function` throws undoes its own changes alone and comes out here.
    template <class F>
    auto write(F function) -> Task<std::invoke_result_t<F, Writer&>>
    {
        return submit<Writer, std::invoke_result_t<F, Writer&>>(std::move(function), Lane::mirror);
    }

    /// The same of outbox.db, synced to disk: when the co_await returns, it is there after a power cut.
    template <class F>
    auto write_outbox(F function) -> Task<std::invoke_result_t<F, Writer&>>
    {
        return submit<Writer, std::invoke_result_t<F, Writer&>>(std::move(function), Lane::outbox);
    }
    template <class F>
    auto read_outbox(F&& function) -> std::invoke_result_t<F, Reader&>
    {
        return run_read(Lane::outbox, function);
    }

    /// On the thread that commits to that file, between two commits, outside of any transaction: for checkpoints and
    /// backups. Everybody who writes waits for it.
    enum class File { mirror, outbox };
    template <class F>
    auto between_commits(File file, F function) -> Task<std::invoke_result_t<F, Writer&>>
    {
        const Lane lane = file == File::mirror ? Lane::mirror : Lane::outbox;
        return submit<Writer, std::invoke_result_t<F, Writer&>>(std::move(function), lane, true);
    }

    /// A read that may take long (search, export), on a thread for such reads. `what` (a literal) names it where it
    /// holds up the log. Throws Error{busy} when it was ended for that (StoreOptions::log).
    template <class F>
    auto read_long(F function, const char* what = "a long read") -> Task<std::invoke_result_t<F, Reader&>>
    {
        return submit<Reader, std::invoke_result_t<F, Reader&>>(std::move(function), Lane::long_reads, false, what);
    }

    /// The reads of a file that are under way: for connections of the caller's own (cache/active_reads.hpp).
    ActiveReads& active_reads(File file) noexcept;

    /// A turn of each committing thread, without a commit: returns while both get on with their work. Throws what made
    /// one of them give up.
    Task<> take_turns();

    /// Whether anything was ever purged: then what comes in and goes out is looked at (cache/ledger.hpp). Any thread.
    bool keeps_ledger() const noexcept;
    void note_ledger() noexcept; // it does from now on

    const std::string& mirror_path() const noexcept;
    /// What was found damaged on opening and set aside, a sentence each.
    const std::vector<std::string>& damage() const noexcept;

    /// Whether the pages of a file are still to be read: the opening had no time for it (cache/inspect.hpp).
    bool is_unread(File file) const noexcept;
    /// What was found damaged in it outside of read() and write(): the store gives up as for anything damaged.
    void report_damage(File file, const std::string& what) noexcept;

    /// Grows with every commit to mirror.db; for caches and waiting readers. Any thread.
    std::uint64_t commits() const noexcept;
    /// Which of what was read before is out of date. Any thread.
    const Latest& latest() const noexcept;
    /// Of outbox.db, each one sync to disk. Any thread.
    std::uint64_t outbox_commits() const noexcept;
    /// Called after every commit to mirror.db, on the thread that made it, and must be quick. Nothing: no more; then
    /// no call is under way either.
    void watch(std::function<void()> committed);

  private:
    enum class Lane { mirror, outbox, long_reads };
    using Job = std::function<void(Connection&)>;

    class ReadLease {
      public:
        ReadLease(Store& store, Lane file);
        ~ReadLease();
        ReadLease(const ReadLease&) = delete;
        ReadLease& operator=(const ReadLease&) = delete;
        Reader& reader() const noexcept { return *reader_; }
        void explain(const Error& error) const; // throws another where the read was ended

      private:
        Store& store_;
        Lane file_;
        std::unique_ptr<Reader> reader_;
        std::uint64_t steps_before_;
        std::optional<ActiveReads::Entry> entry_;
    };

    template <class F>
    auto run_read(Lane file, F& function) -> std::invoke_result_t<F&, Reader&>
    {
        ReadLease lease(*this, file);
        try {
            return function(lease.reader());
        } catch (const Error& error) {
            give_up_if_damaged(file, std::current_exception());
            lease.explain(error);
            throw;
        }
    }
    /// Once a page is not what it must be nothing is acknowledged any more, whoever found it.
    void give_up_if_damaged(Lane file, const std::exception_ptr& failure) noexcept;

    template <class Db, class R, class F>
    Task<R> submit(F function, Lane lane, bool outside = false, const char* what = "")
    {
        if constexpr (std::is_void_v<R>) {
            Job job = [&function](Connection& db) { function(static_cast<Db&>(db)); };
            co_await run_job(lane, &job, outside, what);
        } else {
            std::optional<R> result;
            Job job = [&function, &result](Connection& db) { result.emplace(function(static_cast<Db&>(db))); };
            co_await run_job(lane, &job, outside, what);
            co_return std::move(*result);
        }
    }

    /// `job` (null: no more than a turn) must live until the returned task is done. A job once submitted runs:
    /// cancellation waits for it.
    Task<> run_job(Lane lane, Job* job, bool outside = false, const char* what = "");

    struct Core;
    std::unique_ptr<Core> core_;
};

/// For commands beside a running daemon: a connection that only reads. Throws Error{io} with a hint when there is no
/// mirror yet.
std::unique_ptr<Reader> open_mirror(const std::string& mirror_path);
/// The outbox beside it, in the same way.
std::unique_ptr<Reader> open_outbox(const std::string& mirror_path);

} // namespace alli::cache

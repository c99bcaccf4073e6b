// SPDX-License-Identifier: Apache-2.0
// Owns mirror.db and outbox.db: the lock, one committing connection a file on a writer thread of its own, read
// connections, and two threads for long reads. Inline mode runs everything on the caller, without threads: for commands
// and simulation. A connection exists only as the argument of the function given to read() or write().
#pragma once

#include "alli/error.hpp"
#include "alli/task.hpp"
#include "cache/db/active_reads.hpp"
#include "cache/db/writer.hpp"
#include "cache/store_options.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace alli::cache {

class Store {
  public:
    /// Takes the lock, opens, checks and migrates both files; a damaged one is set aside (damage() says so). Throws
    /// Error: busy (who holds them), settings (another upstream, a file that others can write, a directory that cannot
    /// be written), damaged (a file that was never ours), disk_full, io.
    explicit Store(StoreOptions options);
    ~Store(); // finish(), checkpoints, closes
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Runs what was submitted and joins the threads, so that every awaited job completes while what it refers to still
    /// exists. From then on writes and long reads throw Error{canceled}. Call from one thread when no other submits.
    void finish();

    /// A short read, on the calling thread, in one snapshot.
    template <class F>
    auto read(F&& function) -> std::invoke_result_t<F, Reader&>
    {
        return run_read(Lane::mirror, function);
    }

    /// A write to mirror.db. Writes that wait together share one commit; when the co_await returns, it is committed. An
    /// exception of `function` rolls back its own changes alone and is rethrown here.
    template <class F>
    auto write(F function) -> Task<std::invoke_result_t<F, Writer&>>
    {
        return submit<Writer, std::invoke_result_t<F, Writer&>>(std::move(function), Lane::mirror);
    }

    /// The same for outbox.db, synced to disk: when the co_await returns, it survives a power cut.
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

    /// Runs on the thread that commits to that file, between two commits, outside of any transaction: for checkpoints
    /// and backups. All writers wait for it.
    enum class File { mirror, outbox };
    template <class F>
    auto between_commits(File file, F function) -> Task<std::invoke_result_t<F, Writer&>>
    {
        const Lane lane = file == File::mirror ? Lane::mirror : Lane::outbox;
        return submit<Writer, std::invoke_result_t<F, Writer&>>(std::move(function), lane, true);
    }

    /// A read that may take long (search, export), on a thread for such reads. `what` (a literal) names it in messages
    /// where it keeps the log from being emptied. Throws Error{busy} when it was interrupted for that
    /// (StoreOptions::log).
    template <class F>
    auto read_long(F function, const char* what = "a long read") -> Task<std::invoke_result_t<F, Reader&>>
    {
        return submit<Reader, std::invoke_result_t<F, Reader&>>(std::move(function), Lane::long_reads, false, what);
    }

    /// The active reads of a file, for connections of the caller's own (cache/db/active_reads.hpp).
    ActiveReads& active_reads(File file) noexcept;

    /// Completes when each committing thread has run its queue, without a commit of its own. Throws what made one of
    /// them give up.
    Task<> take_turns();

    /// Whether anything was ever purged, so that the suppression list must be checked
    /// (cache/rows/suppression_list.hpp). Any thread.
    bool has_suppressions() const noexcept;
    void note_suppressions() noexcept; // from now on it must

    const std::string& mirror_path() const noexcept;
    /// A sentence for each damage that was found on opening.
    const std::vector<std::string>& damage() const noexcept;

    /// Whether the pages of a file were not checked on opening, for lack of time (cache/upkeep/inspect.hpp).
    bool is_unread(File file) const noexcept;
    /// Reports damage found outside of read() and write(): the store gives up, as for damage that it finds itself.
    void report_damage(File file, const std::string& what) noexcept;

    /// Number of commits to mirror.db; for caches and waiting readers. Any thread.
    std::uint64_t commits() const noexcept;
    /// Invalidation versions of earlier reads. Any thread.
    const InvalidationVersions& latest() const noexcept;
    /// Number of commits to outbox.db, each with a sync to disk. Any thread.
    std::uint64_t outbox_commits() const noexcept;
    /// `committed` is called after every commit to mirror.db, on the committing thread, and must be quick. An empty
    /// function ends that; when watch() returns no call is under way.
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
    /// After a damaged page, whoever found it, nothing is acknowledged any more.
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

    /// `job` (null: only waits for its turn) must live until the returned task is done. A submitted job always runs:
    /// cancellation waits for it.
    Task<> run_job(Lane lane, Job* job, bool outside = false, const char* what = "");

    struct Core;
    std::unique_ptr<Core> core_;
};

/// A read-only connection for commands beside a running daemon. Throws Error{io} with a hint when there is no mirror
/// yet.
std::unique_ptr<Reader> open_mirror(const std::string& mirror_path);
/// The outbox beside it, in the same way.
std::unique_ptr<Reader> open_outbox(const std::string& mirror_path);

} // namespace alli::cache

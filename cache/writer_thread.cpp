// SPDX-License-Identifier: Apache-2.0
#include "cache/writer_thread.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/log.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <optional>

namespace alli::cache {
namespace {

// A job that committed, or rolled back, what it shares with others: nobody knows what became of their writes.
std::exception_ptr ended_transaction()
{
    return std::make_exception_ptr(
        Error(Fault::io, "this is a bug of this program", "a job ended the transaction that it was run in"));
}

} // namespace

bool is_damage(const std::exception_ptr& failure)
{
    return fault_of(failure) == Fault::damaged;
}

bool is_disk_full(const std::exception_ptr& failure)
{
    return fault_of(failure) == Fault::disk_full;
}

bool is_fatal(const std::exception_ptr& failure)
{
    return is_damage(failure) || fault_of(failure) == Fault::io;
}

std::string text_of(const std::exception_ptr& failure)
{
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "it failed";
    }
}

Committer::Committer(std::unique_ptr<Writer> db) : db_(std::move(db)), held_(*db_) {}

Committer::~Committer()
{
    // A reader may hold the log: then it stays, and the next start reads it.
    if (!dead_) db_->checkpoint(Writer::Checkpoint::truncate);
    if (!data_file_) return;
    note_space(*data_file_); // there is nothing to write any more
    clear_long_log(*data_file_);
}

// A full disk may have rolled back the whole transaction, an index of words that fails while it is released leaves no
// savepoint to go back to, and words of the jobs before may have been written in this one: then everything is undone.
void Committer::undo(const Mark& before) noexcept
{
    if (!db_->in_transaction()) return;
    if (!db_->words().forget_after(before.words)) return db_->roll_back();
    try {
        db_->script("ROLLBACK TO job; RELEASE job");
        db_->row_changes() = before.rows;
    } catch (const Error&) {
        db_->roll_back();
    }
}

std::exception_ptr Committer::run_one(Job& job)
{
    const Mark before{db_->words().mark(), db_->row_changes()};
    try {
        db_->script("SAVEPOINT job");
    } catch (...) {
        return std::current_exception();
    }
    try {
        job(*db_);
        db_->script("RELEASE job");
        return nullptr;
    } catch (...) {
        const auto failure = std::current_exception();
        undo(before);
        return failure;
    }
}

void Committer::commit()
{
    if (!db_->in_transaction())
        throw Error(Fault::disk_full, "free some space; nothing that was acknowledged is lost",
                    "{}: the transaction was undone", db_->path());
    db_->words().flush(*db_); // the longest part: between publishing and committing no answer can be kept
    committing_ = before_commit_ ? before_commit_(*db_) : 0;
    publish_change_set();
    db_->commit();
    commits_.fetch_add(1, std::memory_order_release);
}

void Committer::publish_change_set() noexcept
{
    latest_.publish(db_->change_set(), commits_.load(std::memory_order_relaxed) + 1);
    db_->change_set().clear();
}

// A failed sync is never retried, nor is a damaged page read again: what SQLite says after one is not to be believed
// (docs/decisions/0004).
void Committer::note_fatal(const std::exception_ptr& failure)
{
    if (dead_ || !is_fatal(failure)) return;
    dead_ = failure;
    if (tell_) tell_(failure);
}

// Only what failed for lack of room says so, and only a commit that there is room again.
void Committer::note_space_outcome(const std::exception_ptr& failure) noexcept
{
    if (!data_file_) return;
    if (!failure) return note_space(*data_file_);
    if (is_disk_full(failure)) note_no_space(*data_file_, SystemClock().now());
}

std::optional<std::chrono::milliseconds> Committer::next_try() const noexcept
{
    constexpr std::chrono::seconds pause{1};
    if (dead_ || !data_file_ || has_room(*data_file_)) return std::nullopt;
    return pause;
}

// Whoever was refused may try again only after a long pause of his own.
void Committer::try_for_room() noexcept
{
    if (!next_try() || !stamp_header()) return;
    note_own_change();
    note_space(*data_file_);
    on_room_();
}

std::optional<HeldFile::Loss> Committer::find_loss(bool beside)
{
    try {
        if (auto loss = held_.find_loss()) return loss;
        if (const auto other = beside && find_other_loss_ ? find_other_loss_() : std::nullopt)
            return HeldFile::Loss{*other, false, true};
        return std::nullopt;
    } catch (const Error& error) {
        return HeldFile::Loss{error.what(), true};
    }
}

// Before a batch, for what it writes into a log that was cut short would look whole; and after its commit, before
// anybody is told. Once more where it is dead already: the other file may have been lost first.
void Committer::look_at_files(bool beside)
{
    const bool damaged = is_damage(dead_) && !is_displaced(dead_); // the next start salvages what it can
    if (loss_ || damaged) return;
    loss_ = find_loss(beside);
    if (!loss_) return;
    if (on_loss_) on_loss_(*db_, *loss_, kept_.load(std::memory_order_relaxed));
    note_fatal(std::make_exception_ptr(Displaced(loss_->what)));
}

void Committer::note_own_change() noexcept
{
    try {
        held_.note_own_change();
    } catch (...) {
        note_fatal(std::current_exception());
    }
}

void Committer::run_inside(std::deque<Pending>& batch)
{
    std::vector<std::exception_ptr> outcomes(batch.size(), dead_);
    const bool writes = std::any_of(batch.begin(), batch.end(), [](const Pending& one) { return one.job != nullptr; });
    if (!dead_ && writes) try {
            db_->script("BEGIN IMMEDIATE");
            for (std::size_t i = 0; i < batch.size(); ++i) {
                if (batch[i].job) outcomes[i] = run_one(*batch[i].job);
                if (!outcomes[i] && !db_->in_transaction()) outcomes[i] = ended_transaction();
                if (is_fatal(outcomes[i]) || !db_->in_transaction()) std::rethrow_exception(outcomes[i]);
            }
            commit();
            look_at_files(false); // it is in the file: what lies beside does not make that untrue
            if (loss_) std::rethrow_exception(dead_);
            kept_.store(committing_, std::memory_order_release);
            const auto no_room = std::find_if(outcomes.begin(), outcomes.end(), is_disk_full);
            note_space_outcome(no_room == outcomes.end() ? nullptr : *no_room);
        } catch (...) {
            const auto failure = std::current_exception();
            db_->roll_back();
            if (is_fatal(failure)) look_at_files(); // it may be the file that was taken away
            note_fatal(failure);
            note_space_outcome(failure);
            for (auto& outcome : outcomes)
                if (!outcome) outcome = failure;
        }
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(outcomes[i]);
}

std::exception_ptr Committer::run_outside(Job& job)
{
    if (dead_) return dead_;
    std::exception_ptr failure;
    try {
        job(*db_);
    } catch (...) {
        failure = std::current_exception();
        db_->roll_back();
    }
    note_fatal(failure);
    note_own_change();
    look_at_files();
    if (loss_ && !failure) failure = dead_;
    if (failure) note_space_outcome(failure);
    if (db_->change_set().any()) { // it committed by itself
        publish_change_set();
        commits_.fetch_add(1, std::memory_order_release);
    }
    return failure;
}

void Committer::fail(const std::exception_ptr& failure) noexcept
{
    const std::lock_guard hold(told_mutex_);
    told_ = failure;
}

void Committer::run(std::deque<Pending>& batch)
{
    {
        const std::lock_guard hold(told_mutex_);
        if (!dead_) dead_ = told_;
    }
    look_at_files();
    if (batch.empty()) return try_for_room();
    quiet_ = std::all_of(batch.begin(), batch.end(), [](const Pending& one) { return one.job == nullptr; });
    const auto outside =
        std::stable_partition(batch.begin(), batch.end(), [](const Pending& one) { return !one.outside; });
    std::deque<Pending> alone(std::make_move_iterator(outside), std::make_move_iterator(batch.end()));
    batch.erase(outside, batch.end());
    if (!batch.empty()) run_inside(batch);
    for (const Pending& one : alone) one.done(run_outside(*one.job));
    batch.clear();
}

// With a log a commit seldom changes the header of the file: this does, so that an older copy over the file differs in
// it.
bool Committer::stamp_header() noexcept
{
    try {
        const auto last = db_->require<std::int64_t>("PRAGMA application_id");
        db_->script(fmt::format("PRAGMA application_id = {}", (last + 1) & 0x7fffffff));
        return true;
    } catch (...) {
        note_fatal(std::current_exception());
        return false;
    }
}

void Committer::maintain_log()
{
    if (dead_) return;
    const auto due = log_.find_due(*db_, quiet_);
    if (!due) return;
    look_at_files();
    if (dead_ || !stamp_header()) return;
    const bool done = db_->checkpoint(due->how, due->wait);
    note_own_change();
    log_.note(*db_, *due, done, data_file_);
}

JobThread::JobThread(std::function<void(Batch&)> run, const Committer* tried) : run_(std::move(run)), tried_(tried)
{
    // Signals belong to the loop that waits for them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { loop(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

JobThread::~JobThread()
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

void JobThread::submit(Committer::Pending pending)
{
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(pending));
    }
    arrived_.notify_one();
}

void JobThread::loop()
{
    for (;;) {
        Batch batch;
        {
            std::unique_lock lock(mutex_);
            const auto arrived = [this] { return stopping_ || !queue_.empty(); };
            if (const auto pause = tried_ ? tried_->next_try() : std::nullopt)
                arrived_.wait_for(lock, *pause, arrived);
            else
                arrived_.wait(lock, arrived);
            if (stopping_ && queue_.empty()) return;
            batch.swap(queue_);
        }
        run_(batch);
    }
}

} // namespace alli::cache

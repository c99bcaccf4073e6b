// SPDX-License-Identifier: Apache-2.0
#include "cache/store.hpp"

#include "alli/error.hpp"
#include "cache/db/lock.hpp"
#include "cache/db/migrate.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/db/readers.hpp"
#include "cache/open_files.hpp"
#include "cache/outbox/outbox_identity.hpp"
#include "cache/outbox/rescue.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/writer_thread.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::cache {
namespace {

// What waits for a job: goes back to its own loop, and keeps that loop alive until then.
template <class Handler>
Done resume_on_its_loop(Handler handler)
{
    auto shared = std::make_shared<Handler>(std::move(handler));
    auto executor = asio::prefer(asio::get_associated_executor(*shared), asio::execution::outstanding_work.tracked);
    return [shared, executor](std::exception_ptr failure) {
        asio::post(executor, [shared, failure]() mutable { std::move (*shared)(failure); });
    };
}

// SQLite says only that it was interrupted.
void explain_end(const ActiveReads::Entry& entry, const Error& error)
{
    if (error.fault() != Fault::canceled || !entry.was_ended()) return;
    throw Error(Fault::busy, "ask again, or for less at once: much is being written",
                "the read was ended, for it held up the log of the mirror");
}

} // namespace

struct Store::Core {
    explicit Core(const StoreOptions& options)
        : path(options.mirror_path), lock(directory_of(path)), files(open_files(options)),
          has_suppressions(has_suppression_list(*files.outbox)), outbox_number(last_outbox_number(*files.outbox)),
          mirror(std::move(files.mirror)), outbox(std::move(files.outbox)),
          mirror_readers(path, bool(options.count_steps)), outbox_readers(outbox_path(path), bool(options.count_steps)),
          count_steps(options.count_steps), tell(options.gave_up)
    {
        mirror.on_fatal([this](const std::exception_ptr& failure) { give_up(Lane::mirror, failure); });
        outbox.on_fatal([this](const std::exception_ptr& failure) { give_up(Lane::outbox, failure); });
        for (Committer* file : {&mirror, &outbox}) file->on_room(options.room_again);
        watch_files();
        mirror.bound_log(options.log, &mirror_reads);
        outbox.bound_log(options.log, &outbox_reads);
        if (!options.threads) return;
        committer = std::make_unique<JobThread>([this](JobThread::Batch& batch) { commit_mirror(batch); }, &mirror);
        outbox_committer = std::make_unique<JobThread>([this](JobThread::Batch& all) { commit(outbox, all); }, &outbox);
        for (auto& reader : readers)
            reader = std::make_unique<JobThread>([this](JobThread::Batch& batch) { read(batch); });
    }

    ~Core()
    {
        end_threads();
        JobThread::Batch look;
        look.push_back({nullptr, [](std::exception_ptr) {}});
        outbox.run(look); // an outbox that was taken away since the last commit is rescued
        Job close = [](Connection& db) { close_feed(static_cast<Writer&>(db)); };
        JobThread::Batch last;
        last.push_back({&close, [](std::exception_ptr) {}}); // where it fails, the next start finds a file left open
        mirror.run(last);
    }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    void end_threads()
    {
        for (auto& reader : readers) reader.reset();
        committer.reset();
        outbox_committer.reset();
    }

    void watch_files()
    {
        outbox.note_space_as(DataFile::outbox);
        mirror.note_space_as(DataFile::mirror);
        outbox.require([this] { return find_loss_beside_outbox(); });
        outbox.before_commit([](Writer& db) { return last_outbox_number(db); }, outbox_number);
        mirror.before_commit([this](Writer& db) { return hear_of_outbox(db); }, outbox_number);
        mirror.on_loss([this](Writer&, const HeldFile::Loss& loss, std::int64_t) { tell_mirror_loss(loss.what); });
        outbox.on_loss([this](Writer& db, const HeldFile::Loss& loss, std::int64_t kept) { rescue(db, loss, kept); });
    }

    // On the outbox's committing thread: nothing is accepted that could not show in the mirror any more.
    std::optional<std::string> find_loss_beside_outbox()
    {
        if (auto loss = lock.find_loss()) return loss;
        if (identity_of(path) == mirror_file && (!mirror_log || identity_of(path + "-wal") == mirror_log))
            return std::nullopt;
        const std::string what = "mirror.db or its log was removed or moved, or replaced, while the program ran";
        tell_mirror_loss(what);
        return what;
    }

    void tell_mirror_loss(const std::string& what)
    {
        if (!mirror_loss_told.exchange(true)) write_notice(path, what);
    }

    std::int64_t hear_of_outbox(Writer& db)
    {
        const std::int64_t number = outbox.kept();
        if (number != mirror.kept()) note_outbox_number(db, number);
        return number;
    }

    // What cannot be written is said at least.
    void rescue(Writer& db, const HeldFile::Loss& loss, std::int64_t kept) const
    {
        if (loss.elsewhere) return;
        try {
            rescue_outbox(db, loss, kept);
        } catch (const std::exception& error) {
            write_notice(db.path(),
                         fmt::format("{}; what waited could not be written beside it: {}", loss.what, error.what()));
        }
    }

    static void commit(Committer& file, JobThread::Batch& batch)
    {
        file.run(batch);
        file.maintain_log();
    }

    void commit_mirror(JobThread::Batch& batch)
    {
        commit(mirror, batch);
        const std::lock_guard hold(watch_mutex);
        if (watcher) watcher();
    }

    void read(JobThread::Batch& batch)
    {
        for (const Committer::Pending& one : batch) one.done(read_one(*one.job, one.what));
    }

    // A statement that fails leaves its connection to be closed rather than given back.
    void read_on(const std::function<void(Connection&)>& job, const char* what)
    {
        auto reader = mirror_readers.take();
        {
            const ActiveReads::Entry entry(&mirror_reads, *reader, what);
            reader->run("BEGIN");
            try {
                job(*reader);
            } catch (const Error& error) {
                explain_end(entry, error);
                throw;
            }
            reader->run("COMMIT");
        }
        mirror_readers.give_back(std::move(reader));
    }

    std::exception_ptr read_one(const std::function<void(Connection&)>& job, const char* what)
    {
        try {
            read_on(job, what);
            return nullptr;
        } catch (...) {
            if (is_damage(std::current_exception())) report(Lane::mirror, std::current_exception());
            return std::current_exception();
        }
    }

    // Found by a reader: whether the file was taken away is for its own thread to see, before it counts as damaged.
    void report(Lane file, const std::exception_ptr& failure)
    {
        if (!committer) {
            JobThread::Batch look;
            look.push_back({nullptr, [](std::exception_ptr) {}});
            (file == Lane::outbox ? outbox : mirror).run(look);
            return give_up(file, failure);
        }
        submit(file, {nullptr, [this, file, failure](std::exception_ptr) { give_up(file, failure); }});
    }

    // Whoever found it, on any thread: nothing is acknowledged any more, in either file. What failed without being
    // damaged is opened as it is by the next process.
    void give_up(Lane file, const std::exception_ptr& failure) noexcept
    {
        if (gave_up.exchange(true)) return;
        if (is_damage(failure) && !is_displaced(failure))
            put_damage_marker(file == Lane::outbox ? outbox_path(path) : path, text_of(failure));
        mirror.fail(failure);
        outbox.fail(failure);
        if (file == Lane::mirror && outbox_committer) // is that one in its place?
            outbox_committer->submit({nullptr, [](std::exception_ptr) {}});
        if (tell) tell(failure);
    }

    ActiveReads& reads_of(Lane file) { return file == Lane::outbox ? outbox_reads : mirror_reads; }
    Readers& readers_of(Lane file) { return file == Lane::outbox ? outbox_readers : mirror_readers; }

    void submit(Lane lane, Committer::Pending pending)
    {
        if (lane == Lane::mirror)
            committer->submit(std::move(pending));
        else if (lane == Lane::outbox)
            outbox_committer->submit(std::move(pending));
        else
            readers[next_reader.fetch_add(1, std::memory_order_relaxed) % readers.size()]->submit(std::move(pending));
    }

    void run_inline(Lane lane, Job* job, bool outside, const char* what)
    {
        std::exception_ptr failure;
        if (lane == Lane::long_reads) {
            failure = read_one(*job, what);
        } else {
            JobThread::Batch batch;
            batch.push_back({job, [&failure](std::exception_ptr why) { failure = why; }, outside});
            if (lane == Lane::outbox)
                commit(outbox, batch);
            else
                commit_mirror(batch);
        }
        if (failure) std::rethrow_exception(failure);
    }

    std::string path;
    Lock lock;
    Files files; // on their way
    std::atomic<bool> has_suppressions;
    std::int64_t outbox_number; // the last one, as both files knew at the start
    std::optional<FileIdentity> mirror_file = identity_of(path), mirror_log = identity_of(path + "-wal"); // as opened
    std::atomic<bool> mirror_loss_told{false};
    ActiveReads mirror_reads, outbox_reads;
    Committer mirror;
    Committer outbox;
    Readers mirror_readers, outbox_readers;
    std::function<void(std::uint64_t)> count_steps;
    std::mutex watch_mutex;
    std::function<void()> watcher;
    std::function<void(std::exception_ptr)> tell;
    std::atomic<bool> gave_up{false};
    std::atomic<std::size_t> next_reader{0};
    bool finished = false;
    std::array<std::unique_ptr<JobThread>, 2> readers; // threads go first: they use all of the above
    std::unique_ptr<JobThread> committer, outbox_committer;
};

Store::Store(StoreOptions options) : core_(std::make_unique<Core>(options)) {}

Store::~Store() = default;

void Store::finish()
{
    core_->end_threads();
    core_->finished = true;
}

std::uint64_t Store::commits() const noexcept
{
    return core_->mirror.commits();
}

const InvalidationVersions& Store::latest() const noexcept
{
    return core_->mirror.latest();
}

std::uint64_t Store::outbox_commits() const noexcept
{
    return core_->outbox.commits();
}

void Store::watch(std::function<void()> committed)
{
    const std::lock_guard hold(core_->watch_mutex);
    core_->watcher = std::move(committed);
}

void Store::give_up_if_damaged(Lane file, const std::exception_ptr& failure) noexcept
{
    try {
        if (is_damage(failure)) core_->report(file, failure);
    } catch (...) {
        core_->give_up(file, failure);
    }
}

const std::vector<std::string>& Store::damage() const noexcept
{
    return core_->files.damage;
}

bool Store::is_unread(File file) const noexcept
{
    return file == File::mirror ? core_->files.mirror_unread : core_->files.outbox_unread;
}

void Store::report_damage(File file, const std::string& what) noexcept
{
    const Error damage(Fault::damaged, "restart the program: it is set aside", "{} is damaged: {}",
                       file == File::mirror ? core_->path : outbox_path(core_->path), what);
    core_->give_up(file == File::mirror ? Lane::mirror : Lane::outbox, std::make_exception_ptr(damage));
}

bool Store::has_suppressions() const noexcept
{
    return core_->has_suppressions.load(std::memory_order_acquire);
}

void Store::note_suppressions() noexcept
{
    core_->has_suppressions.store(true, std::memory_order_release);
}

const std::string& Store::mirror_path() const noexcept
{
    return core_->path;
}

ActiveReads& Store::active_reads(File file) noexcept
{
    return core_->reads_of(file == File::outbox ? Lane::outbox : Lane::mirror);
}

Task<> Store::run_job(Lane lane, Job* job, bool outside, const char* what)
{
    if (core_->finished) throw Error(Fault::canceled, "", "the program is ending");
    if (!core_->committer) {
        core_->run_inline(lane, job, outside, what);
        co_return;
    }
    auto submit = [core = core_.get(), lane, job, outside, what](auto handler) {
        core->submit(lane, {job, resume_on_its_loop(std::move(handler)), outside, what});
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(submit, asio::use_awaitable);
}

Task<> Store::take_turns()
{
    co_await run_job(Lane::mirror, nullptr);
    co_await run_job(Lane::outbox, nullptr);
}

Store::ReadLease::ReadLease(Store& store, Lane file)
    : store_(store), file_(file), reader_(store.core_->readers_of(file).take()), steps_before_(reader_->steps())
{
    entry_.emplace(&store.core_->reads_of(file), *reader_, "a read of an application");
    reader_->run("BEGIN");
}

void Store::ReadLease::explain(const Error& error) const
{
    explain_end(*entry_, error);
}

Store::ReadLease::~ReadLease()
{
    entry_.reset();
    try {
        reader_->run("COMMIT");
        if (store_.core_->count_steps) store_.core_->count_steps(reader_->steps() - steps_before_);
        store_.core_->readers_of(file_).give_back(std::move(reader_));
    } catch (const Error&) {
        // A snapshot that cannot be given up: closing the connection gives it up.
    }
}

std::unique_ptr<Reader> open_mirror(const std::string& mirror_path)
{
    return open_beside(mirror_path, mirror_schema, mirror_path);
}

std::unique_ptr<Reader> open_outbox(const std::string& mirror_path)
{
    return open_beside(outbox_path(mirror_path), outbox_schema, mirror_path);
}

} // namespace alli::cache

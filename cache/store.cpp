// SPDX-License-Identifier: Apache-2.0
#include "cache/store.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/random.hpp"
#include "cache/arrivals.hpp"
#include "cache/changes.hpp"
#include "cache/identity.hpp"
#include "cache/index.hpp"
#include "cache/ledger.hpp"
#include "cache/lock.hpp"
#include "cache/migrate.hpp"
#include "cache/writer_thread.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/stat.h>

#include <filesystem>

namespace alli::cache {
namespace {

void require_private(const std::string& path)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return; // made in a moment, mode 0600
    if ((status.st_mode & 077) != 0)
        throw Error(Fault::settings, fmt::format("chmod 600 {}", path), "{} can be read or written by others", path);
}

std::unique_ptr<Writer> open_file(const std::string& path, const Schema& schema, std::string_view synchronous,
                                  const std::string& url)
{
    require_private(path);
    auto db = std::make_unique<Writer>(path, synchronous);
    migrate(*db, schema);
    claim(*db, url);
    return db;
}

std::unique_ptr<Writer> open_mirror_file(const StoreOptions& options)
{
    auto db = open_file(options.mirror_path, mirror_schema, "NORMAL", options.url);
    check_index(*db);
    make_arrivals(*db);
    SystemRandom random; // a secret: never from a seed
    make_cursor_secret(*db, random.bytes(32));
    const Instant now = SystemClock().now(); // nor the numbers of the feed
    open_feed(*db, feed_place(options.mirror_path, now), now);
    return db;
}

void quick_check(Connection& db)
{
    for (const Row row : db.query("PRAGMA quick_check(1)"))
        if (row.text(0) != "ok")
            throw Error(Fault::damaged,
                        "keep a copy of the file before anything else: it may hold writes that were not delivered",
                        "{} is damaged: {}", db.path(), row.text(0));
}

std::string directory_of(const std::string& path)
{
    const auto parent = std::filesystem::path(path).parent_path();
    return parent.empty() ? "." : parent.string();
}

std::string outbox_path(const std::string& mirror_path)
{
    return directory_of(mirror_path) + "/outbox.db";
}

std::unique_ptr<Writer> open_outbox_file(const StoreOptions& options)
{
    auto db = open_file(outbox_path(options.mirror_path), outbox_schema, "FULL", options.url);
    quick_check(*db);
    for (const Row row : db->query("PRAGMA synchronous"))
        if (row.integer(0) != 2)
            throw Error(Fault::io, "this build of SQLite cannot be trusted with it", "{} is not synced", db->path());
    return db;
}

/// Idle read connections of one file.
class Readers {
  public:
    explicit Readers(std::string path) : path_(std::move(path)) {}

    std::unique_ptr<Reader> take()
    {
        {
            const std::lock_guard hold(mutex_);
            if (!idle_.empty()) {
                auto reader = std::move(idle_.back());
                idle_.pop_back();
                return reader;
            }
        }
        return std::make_unique<Reader>(path_, Access::read);
    }

    void give_back(std::unique_ptr<Reader> reader)
    {
        const std::lock_guard hold(mutex_);
        idle_.push_back(std::move(reader));
    }

  private:
    std::string path_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Reader>> idle_;
};

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

} // namespace

struct Files {
    std::unique_ptr<Writer> mirror, outbox;
};

static Files open_files(const StoreOptions& options)
{
    Files files{open_mirror_file(options), open_outbox_file(options)};
    adopt_ledger(*files.mirror, *files.outbox);
    return files;
}

struct Store::Core {
    explicit Core(const StoreOptions& options)
        : path(options.mirror_path), lock(directory_of(path)), files(open_files(options)),
          keeps_ledger(has_ledger(*files.outbox)), mirror(std::move(files.mirror)), outbox(std::move(files.outbox)),
          mirror_readers(path), outbox_readers(outbox_path(path))
    {
        if (!options.threads) return;
        committer = std::make_unique<JobThread>([this](JobThread::Batch& batch) { commit_mirror(batch); });
        outbox_committer = std::make_unique<JobThread>([this](JobThread::Batch& batch) { commit(outbox, batch); });
        for (auto& reader : readers)
            reader = std::make_unique<JobThread>([this](JobThread::Batch& batch) { read(batch); });
    }

    ~Core()
    {
        committer.reset();
        outbox_committer.reset();
        Job close = [](Connection& db) { close_feed(static_cast<Writer&>(db)); };
        JobThread::Batch last;
        last.push_back({&close, [](std::exception_ptr) {}}); // where it fails, the next start finds a file left open
        mirror.run(last);
    }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    static void commit(Committing& file, JobThread::Batch& batch)
    {
        file.run(batch);
        file.checkpoint_when_long();
    }

    void commit_mirror(JobThread::Batch& batch)
    {
        commit(mirror, batch);
        const std::lock_guard hold(watch_mutex);
        if (watcher) watcher();
    }

    void read(JobThread::Batch& batch)
    {
        for (auto& [job, done, outside] : batch) done(read_one(*job));
    }

    std::exception_ptr read_one(const std::function<void(Connection&)>& job)
    {
        try {
            auto reader = mirror_readers.take();
            reader->run("BEGIN");
            job(*reader);
            reader->run("COMMIT");
            mirror_readers.give_back(std::move(reader));
            return nullptr;
        } catch (...) {
            return std::current_exception(); // and that connection is closed rather than given back
        }
    }

    Readers& readers_of(Lane file) { return file == Lane::outbox ? outbox_readers : mirror_readers; }

    void submit(Lane lane, Committing::Pending pending)
    {
        if (lane == Lane::mirror)
            committer->submit(std::move(pending));
        else if (lane == Lane::outbox)
            outbox_committer->submit(std::move(pending));
        else
            readers[next_reader.fetch_add(1, std::memory_order_relaxed) % readers.size()]->submit(std::move(pending));
    }

    void run_inline(Lane lane, Job* job, bool outside)
    {
        std::exception_ptr failure;
        if (lane == Lane::long_reads) {
            failure = read_one(*job);
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
    std::atomic<bool> keeps_ledger;
    Committing mirror;
    Committing outbox;
    Readers mirror_readers, outbox_readers;
    std::mutex watch_mutex;
    std::function<void()> watcher;
    std::atomic<std::size_t> next_reader{0};
    std::array<std::unique_ptr<JobThread>, 2> readers; // threads go first: they use all of the above
    std::unique_ptr<JobThread> committer, outbox_committer;
};

Store::Store(StoreOptions options) : core_(std::make_unique<Core>(options)) {}

Store::~Store() = default;

std::uint64_t Store::commits() const noexcept
{
    return core_->mirror.commits();
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

bool Store::keeps_ledger() const noexcept
{
    return core_->keeps_ledger.load(std::memory_order_acquire);
}

void Store::note_ledger() noexcept
{
    core_->keeps_ledger.store(true, std::memory_order_release);
}

const std::string& Store::mirror_path() const noexcept
{
    return core_->path;
}

Task<> Store::run_job(Lane lane, Job* job, bool outside)
{
    if (!core_->committer) {
        core_->run_inline(lane, job, outside);
        co_return;
    }
    auto submit = [core = core_.get(), lane, job, outside](auto handler) {
        core->submit(lane, {job, resume_on_its_loop(std::move(handler)), outside});
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(submit, asio::use_awaitable);
}

Task<> Store::take_turns()
{
    if (!core_->committer) co_return;
    co_await run_job(Lane::mirror, nullptr);
    co_await run_job(Lane::outbox, nullptr);
}

Store::ReadLease::ReadLease(Store& store, Lane file)
    : store_(store), file_(file), reader_(store.core_->readers_of(file).take())
{
    reader_->run("BEGIN");
}

Store::ReadLease::~ReadLease()
{
    try {
        reader_->run("COMMIT");
        store_.core_->readers_of(file_).give_back(std::move(reader_));
    } catch (const Error&) {
        // A snapshot that cannot be given up: closing the connection gives it up.
    }
}

static std::unique_ptr<Reader> open_beside(const std::string& path, const Schema& schema,
                                           const std::string& mirror_path)
{
    if (!std::filesystem::exists(path))
        throw Error(Fault::io, "start `alli-mirror serve` or run `alli-mirror sync` first",
                    "there is no mirror at {} yet", mirror_path);
    auto db = std::make_unique<Reader>(path, Access::read);
    require_version(*db, schema);
    return db;
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

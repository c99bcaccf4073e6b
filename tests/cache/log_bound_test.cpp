// SPDX-License-Identifier: Apache-2.0
// The log (WAL) stays short whoever reads; where it cannot, it is told who holds it, and it shrinks afterwards.
#include "cache/db/log_bound.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "tests/cache/fixture.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

namespace alli::cache {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// Another process that holds a snapshot of the mirror from tell() to the end of this. Made while nothing is open.
class OtherReader {
  public:
    explicit OtherReader(const std::string& path)
    {
        EXPECT_EQ(::pipe(to_) + ::pipe(from_), 0);
        process_ = ::fork();
        if (process_ != 0) return;
        ::close(to_[1]);
        ::_exit(run(path)); // nothing of the test is its own
    }
    ~OtherReader()
    {
        for (const int end : {to_[0], to_[1], from_[0], from_[1]}) ::close(end);
        ::waitpid(process_, nullptr, 0);
    }
    OtherReader(const OtherReader&) = delete;
    OtherReader& operator=(const OtherReader&) = delete;

    void tell() { turn(); }
    void end() { turn(); }
    int process() const { return process_; }

  private:
    void turn()
    {
        char byte = 'x';
        EXPECT_EQ(::write(to_[1], &byte, 1), 1);
        EXPECT_EQ(::read(from_[0], &byte, 1), 1);
    }
    bool wait() const
    {
        char byte = 0;
        return ::read(to_[0], &byte, 1) == 1;
    }
    int run(const std::string& path) const
    {
        if (!wait()) return 0;
        {
            const auto db = open_mirror(path);
            db->script("BEGIN");
            db->require<std::int64_t>("SELECT count(*) FROM conversation");
            if (::write(from_[1], "x", 1) != 1 || !wait()) return 0;
            db->script("COMMIT");
        }
        return ::write(from_[1], "x", 1) == 1 ? 0 : 1;
    }

    int to_[2]{}, from_[2]{};
    pid_t process_ = 0;
};

class LogBoundTest : public CacheTest {
  protected:
    static constexpr std::int64_t bound = 2 * 1024 * 1024;

    void open(bool threads = false, LogLimits limits = {bound, milliseconds(0), milliseconds(0), milliseconds(0)})
    {
        StoreOptions bounded = options();
        bounded.threads = threads;
        bounded.log = limits;
        store_.reset();
        store_ = std::make_unique<Store>(bounded);
    }
    void write_some(int times = 1)
    {
        const std::string much(100'000, 'x');
        for (int n = 0; n < times; ++n)
            write([&](Writer& db) {
                db.run("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)", "much" + std::to_string(n % 10),
                       much);
            });
    }
    std::int64_t log_bytes() const
    {
        return static_cast<std::int64_t>(std::filesystem::file_size(dir_ / "mirror.db-wal"));
    }
    void rest() { sync_wait(store_->take_turns()); } // nothing waits to be written
    static std::string holder()
    {
        const auto logs = find_long_logs();
        return logs.empty() ? "" : logs.front().held_by;
    }
};

TEST_F(LogBoundTest, StaysShortWhileNobodyReads)
{
    open();
    for (int n = 0; n < 200; ++n) {
        write_some();
        ASSERT_LE(log_bytes(), bound);
    }
    EXPECT_EQ(holder(), "");
    rest();
}

TEST_F(LogBoundTest, NamesTheOtherProcessThatHoldsIt)
{
    put("a", 100, 3);
    store_.reset();
    OtherReader other(dir_ / "mirror.db");
    open();
    write_some();
    other.tell();
    const Instant before = SystemClock().now();
    while (log_bytes() <= bound) {
        EXPECT_EQ(holder(), "");
        write_some();
    }
    write_some(5);
    EXPECT_THAT(holder(), HasSubstr("process " + std::to_string(other.process()) + " (cache_test)"));
    EXPECT_GE(find_long_logs().front().since, before);
    EXPECT_EQ(find_long_logs().front().file, DataFile::mirror);
    EXPECT_GT(find_long_logs().front().bytes, bound);

    write_some(20); // it is slowed at most
    rest();
    EXPECT_THAT(holder(), HasSubstr("process ")) << "nothing was written, and it is held all the same";
    other.end();
    rest();
    EXPECT_EQ(holder(), "");
    EXPECT_EQ(log_bytes(), 0);
}

TEST_F(LogBoundTest, IsEmptiedByTheNextWriteToo)
{
    store_.reset();
    OtherReader other(dir_ / "mirror.db");
    open();
    write_some();
    other.tell();
    while (holder().empty()) write_some();
    other.end();
    write_some(3);
    EXPECT_EQ(holder(), "");
    rest();
    EXPECT_EQ(log_bytes(), 0);
}

TEST_F(LogBoundTest, NamesTheReadOfThisProcessThatHoldsIt)
{
    open();
    const auto look = [&](Reader& db) {
        db.require<std::int64_t>("SELECT count(*) FROM fact");
        while (holder().empty()) write_some();
        return holder();
    };
    EXPECT_EQ(sync_wait(store_->read_long(look, "a look at everything")), "a look at everything");
    EXPECT_EQ(store_->read([&](Reader& db) { return look(db); }), "a look at everything") << "it stands until then";
    rest();
    EXPECT_EQ(holder(), "");
    EXPECT_EQ(store_->read([&](Reader& db) { return look(db); }), "a read of an application");
    rest();
    EXPECT_EQ(log_bytes(), 0);
}

TEST_F(LogBoundTest, EndsAReadOfThisProcessThatHoldsIt)
{
    open();
    put("a", 100, 3);
    std::int64_t most = 0;
    const auto look = [&](Reader& db) {
        for ([[maybe_unused]] const Row row :
             db.query("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
                      " SELECT i, (SELECT count(*) FROM conversation) FROM n")) {
            write_some();
            most = std::max(most, log_bytes());
        }
    };
    std::optional<Error> why;
    for (const bool is_long : {true, false}) try {
            if (is_long)
                sync_wait(store_->read_long(look));
            else
                store_->read(look);
            ADD_FAILURE() << "it went on";
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::busy);
            EXPECT_THAT(error.what(), HasSubstr("held up the log"));
        }
    EXPECT_LT(most, bound + bound / 2);
    EXPECT_TRUE(store_->read([](Reader& db) { return find_conversation(db, {"a"}).has_value(); })) << "the next one";
    write_some();
    EXPECT_EQ(holder(), "");
}

TEST_F(LogBoundTest, StaysShortWhileReadsNeverLeaveAGap)
{
    open(true, {bound, milliseconds(5000), milliseconds(0), milliseconds(3000)}); // no read takes that long
    std::atomic<bool> over{false};
    const auto read_on = [&] {
        while (!over)
            store_->read([&](Reader& db) {
                for (int n = 0; n < 3; ++n) db.require<std::int64_t>("SELECT sum(length(value)) FROM fact");
            });
    };
    std::thread first(read_on), second(read_on), third(read_on);
    std::int64_t most = 0;
    for (int n = 0; n < 100; ++n) {
        write_some();
        most = std::max(most, log_bytes());
    }
    over = true;
    for (std::thread* one : {&first, &second, &third}) one->join();
    EXPECT_LE(most, bound);
    while (log_bytes() > 0) rest(); // what it waits for is the pause between two tries
    EXPECT_EQ(holder(), "");
}

TEST_F(LogBoundTest, IsForgottenWithTheStore)
{
    open();
    store_->read([&](Reader& db) {
        db.require<std::int64_t>("SELECT count(*) FROM fact");
        while (holder().empty()) write_some();
    });
    store_.reset();
    EXPECT_EQ(holder(), "");
}

} // namespace
} // namespace alli::cache

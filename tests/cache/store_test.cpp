// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "cache/db/migrate.hpp"
#include "cache/rows/hmac_key.hpp"
#include "tests/cache/fixture.hpp"

#include <boost/asio/detached.hpp>

#include <sys/stat.h>

#include <fstream>

namespace alli::cache {
namespace {

class StoreTest : public CacheTest {
  protected:
    Fault fault_of(const std::function<void()>& action)
    {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_FALSE(error.hint().empty());
            return error.fault();
        }
        ADD_FAILURE() << "nothing was thrown";
        return Fault::canceled;
    }
};

TEST_F(StoreTest, MakesItsFilesForItsUserAlone)
{
    for (const char* name : {"mirror.db", "mirror.db-wal", "mirror.db-shm", "outbox.db", "alli-mirror.lock"}) {
        struct stat status {};
        ASSERT_EQ(::stat((dir_ / name).c_str(), &status), 0) << name;
        EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
    }
}

TEST_F(StoreTest, RefusesAFileThatOthersCanRead)
{
    store_.reset();
    ::chmod((dir_ / "mirror.db").c_str(), 0644);
    EXPECT_EQ(fault_of([&] { Store again(options()); }), Fault::settings);
}

TEST_F(StoreTest, BelongsToOneProcessAtATime)
{
    EXPECT_EQ(fault_of([&] { Store second(options()); }), Fault::busy);
}

TEST_F(StoreTest, RefusesTheMirrorOfAnotherUpstream)
{
    store_.reset();
    StoreOptions other = options();
    other.url = "https://elsewhere.example";
    EXPECT_EQ(fault_of([&] { Store wrong(other); }), Fault::settings);
    EXPECT_NO_THROW(Store right(options()));
}

TEST_F(StoreTest, RefusesAFileThatIsNoMirrorAndAMissingDirectory)
{
    store_.reset();
    std::ofstream(dir_ / "text.db") << std::string(8192, 'x');
    ::chmod((dir_ / "text.db").c_str(), 0600);
    StoreOptions wrong = options();
    wrong.mirror_path = dir_ / "text.db";
    EXPECT_EQ(fault_of([&] { Store store(wrong); }), Fault::settings);
    wrong.mirror_path = dir_ / "no/such/mirror.db";
    EXPECT_EQ(fault_of([&] { Store store(wrong); }), Fault::io);
}

TEST_F(StoreTest, RefusesTheFileOfANewerProgram)
{
    write([](Writer&) {});
    store_.reset();
    {
        Writer newer(dir_ / "mirror.db");
        newer.script("PRAGMA user_version = 1000");
    }
    EXPECT_EQ(fault_of([&] { Store store(options()); }), Fault::settings);
}

TEST_F(StoreTest, UndoesAWriteThatThrowsAndKeepsTheNext)
{
    const auto count = [&] { return store_->read([](Reader& db) { return count_totals(db); }).conversations; };
    const Conversation conversation = support::make_conversation("a", 5);
    const auto failing = [&](Writer& db) {
        put_conversation(db, conversation);
        throw std::runtime_error("in the middle");
    };
    EXPECT_THROW(write(failing), std::runtime_error);
    EXPECT_EQ(count(), 0);
    put("b", 6, 1);
    EXPECT_EQ(count(), 1);
}

TEST_F(StoreTest, FailsAJobThatEndsTheTransactionOfOthers)
{
    const auto rogue = [](Writer& db) { db.script("COMMIT; SAVEPOINT job"); };
    EXPECT_THROW(write(rogue), Error);
    EXPECT_THROW(put("a", 5, 1), Error) << "what it committed of others nobody knows";
    reopen();
    EXPECT_NO_THROW(put("a", 5, 1));
}

TEST_F(StoreTest, KeepsItsCursorSecretAcrossARestart)
{
    const auto secret = [&] { return store_->read([](Reader& db) { return load_hmac_key(db); }); };
    const std::string before = secret();
    EXPECT_EQ(before.size(), 32U);
    reopen();
    EXPECT_EQ(secret(), before);
}

TEST_F(StoreTest, WithThreadsEveryWriteIsCommittedWhenItsAwaitReturns)
{
    store_.reset();
    StoreOptions threaded = options();
    threaded.threads = true;
    store_ = std::make_unique<Store>(threaded);
    asio::io_context loop;
    int seen = 0;
    for (int n = 0; n < 200; ++n) {
        asio::co_spawn(
            loop,
            [](Store& store, int number, int& good) -> Task<> {
                const Conversation made = support::make_conversation("c" + std::to_string(number), 100 + number);
                auto put_it = [&](Writer& db) { return put_conversation(db, made); };
                const bool changed = co_await store.write(put_it);
                const bool visible = store.read([&](Reader& db) { return find_conversation(db, made.id).has_value(); });
                auto look = [&](Reader& db) { return find_conversation(db, made.id).has_value(); };
                const bool visible_later = co_await store.read_long(look);
                if (changed && visible && visible_later) ++good;
            }(*store_, n, seen),
            asio::detached);
    }
    loop.run();
    EXPECT_EQ(seen, 200);
    EXPECT_LE(store_->commits(), 200U);
}

TEST_F(StoreTest, TakesNoTurnWhileACommitHangs)
{
    store_.reset();
    StoreOptions threaded = options();
    threaded.threads = true;
    store_ = std::make_unique<Store>(threaded);
    asio::io_context loop;
    std::promise<void> begun, go_on;
    bool turned = false;
    const auto hang = [&](Writer&) {
        begun.set_value();
        go_on.get_future().wait();
    };
    asio::co_spawn(loop, store_->write_outbox(hang), asio::detached);
    loop.poll();
    begun.get_future().wait();
    asio::co_spawn(
        loop,
        [](Store& store, bool& done) -> Task<> {
            co_await store.take_turns();
            done = true;
        }(*store_, turned),
        asio::detached);
    loop.run_for(std::chrono::milliseconds(50)); // long enough for a turn of the mirror's thread
    EXPECT_FALSE(turned);
    go_on.set_value();
    loop.run();
    EXPECT_TRUE(turned);
    EXPECT_EQ(store_->commits(), 0U); // a turn is no commit: nobody's copies are out of date
}

TEST_F(StoreTest, FinishesWhatWasSubmittedAndTakesNothingMore)
{
    store_.reset();
    StoreOptions threaded = options();
    threaded.threads = true;
    store_ = std::make_unique<Store>(threaded);
    asio::io_context loop;
    int done = 0;
    bool refused = false;
    const auto write = [](Store& store, int& count) -> Task<> {
        const auto put = [](Writer& db) { put_conversation(db, support::make_conversation("late", 5)); };
        co_await store.write(put);
        ++count;
    };
    asio::co_spawn(loop, write(*store_, done), asio::detached);
    loop.poll();
    loop.stop();
    store_->finish(); // what was submitted is committed now, and its answer waits for its loop
    EXPECT_TRUE(store_->read([](Reader& db) { return find_conversation(db, {"late"}).has_value(); }));
    loop.restart();
    loop.run();
    EXPECT_EQ(done, 1);
    asio::co_spawn(loop, write(*store_, done), [&](std::exception_ptr failure) { refused = failure != nullptr; });
    loop.restart();
    loop.run();
    EXPECT_TRUE(refused);
}

TEST_F(StoreTest, IsReadBesideTheProcessThatOwnsIt)
{
    put("a", 5, 1);
    const auto beside = open_mirror(dir_ / "mirror.db");
    EXPECT_TRUE(find_conversation(*beside, {"a"}));
    store_.reset();
    EXPECT_TRUE(find_conversation(*open_mirror(dir_ / "mirror.db"), {"a"}));
    EXPECT_EQ(fault_of([&] { open_mirror(dir_ / "nothing.db"); }), Fault::io);
}

} // namespace
} // namespace alli::cache

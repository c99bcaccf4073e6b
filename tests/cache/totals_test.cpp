// SPDX-License-Identifier: Apache-2.0
// The totals are those of the rows after every commit, whatever wrote, failed or was undone in it.
#include "cache/rows/totals.hpp"

#include "alli/error.hpp"
#include "cache/db/migrate.hpp"
#include "cache/deletions.hpp"
#include "cache/purge_rows.hpp"
#include "cache/rows/request_fence.hpp"
#include "cache/upkeep/purge.hpp"
#include "cache/upkeep/verify.hpp"
#include "cache/writer_thread.hpp"
#include "tests/cache/fixture.hpp"

#include <algorithm>
#include <random>

namespace alli::cache {
namespace {

class TotalsTest : public CacheTest {
  protected:
    void expect_right(std::int64_t conversations, std::int64_t chats) const
    {
        store_->read([&](Reader& db) {
            EXPECT_EQ(find_wrong_totals(db), std::nullopt);
            EXPECT_EQ(load_totals(db).conversations, conversations);
            EXPECT_EQ(load_totals(db).chats, chats);
        });
    }
    VerifyReport verify(bool repair)
    {
        VerifyOptions options;
        options.repair = repair;
        return sync_wait(cache::verify(*store_, options));
    }
};

TEST_F(TotalsTest, AreThoseOfTheRows)
{
    expect_right(0, 0);
    put("a", 100, 3);
    put("b", 200, 0);
    put("a", 150, 5); // grows
    expect_right(2, 5);
    write([](Writer& db) { cut_chats(db, {"a"}, 2); });
    expect_right(2, 2);
    write([](Writer& db) { mark_deleted(db, {"a"}, support::at_second(9)); });
    expect_right(1, 0);
    reopen();
    expect_right(1, 0);
}

TEST_F(TotalsTest, AreKnownInsideTheWriteThatChangesThem)
{
    put("a", 100, 3);
    write([](Writer& db) {
        put_conversation(db, support::make_conversation("b", 50));
        erase_conversation(db, {"a"});
        EXPECT_EQ(load_totals(db).conversations, 1);
        EXPECT_EQ(load_totals(db).chats, 0);
    });
}

TEST_F(TotalsTest, OfAnOlderFileAreCountedOnceWhenItIsOpened)
{
    const support::TempDir dir;
    const std::string path = dir / "mirror.db";
    const auto makes_totals = [](std::string_view step) { return step.find("CREATE TABLE totals") != step.npos; };
    const auto step_of_totals = std::find_if(mirror_schema.steps.begin(), mirror_schema.steps.end(), makes_totals);
    const auto before = static_cast<std::size_t>(step_of_totals - mirror_schema.steps.begin());
    {
        Writer old(path);
        for (std::size_t step = 0; step < before; ++step) old.script(mirror_schema.steps[step]);
        old.script(fmt::format("PRAGMA user_version = {}", before));
        old.script("INSERT INTO conversation (pk, id, raw, user_name, memo, is_end, held) VALUES"
                   " (1, 'a', '{}', '', '', 0, 2), (2, 'b', '{}', '', '', 0, 0);"
                   "INSERT INTO chat_row (pk, conversation, ordinal, id, sender, completed) VALUES"
                   " (1, 1, 0, 'k0', 'USER', 1), (2, 1, 1, 'k1', 'USER', 1)");
    }
    Store store({path, "http://127.0.0.1:1", false});
    const Totals totals = store.read([](Reader& db) { return load_totals(db); });
    EXPECT_EQ(totals.conversations, 2);
    EXPECT_EQ(totals.chats, 2);
}

TEST_F(TotalsTest, AreRightAfterAPurge)
{
    for (const char* id : {"a", "b", "c"}) put(id, 100, 4);
    PurgeOptions wish;
    wish.conversation = ConversationId{"b"};
    sync_wait(purge(*store_, wish, {}));
    expect_right(2, 8);
}

TEST_F(TotalsTest, ThatAreWrongAreFoundAndMendedByVerify)
{
    put("a", 100, 3);
    write([](Writer& db) { db.run("UPDATE totals SET chats = 4, conversations = 7"); });
    const VerifyReport found = verify(false);
    ASSERT_EQ(found.findings.size(), 1U);
    EXPECT_EQ(found.findings[0].what, "the totals kept are 7 conversations and 4 messages, those of the rows 1 and 3");
    EXPECT_TRUE(verify(true).repaired);
    expect_right(1, 3);
}

TEST_F(TotalsTest, ThatAreMissingAreMadeByVerify)
{
    put("a", 100, 3);
    write([](Writer& db) { db.run("DELETE FROM totals"); });
    EXPECT_TRUE(verify(true).repaired);
    expect_right(1, 3);
    put("b", 100, 1);
    expect_right(2, 4);
}

TEST_F(TotalsTest, AreThoseOfTheNewMirrorWhereTheOldOneLostRows)
{
    put("a", 100, 5);
    put("b", 100, 5);
    write([](Writer& db) { db.run("DELETE FROM chat_row WHERE place = (1 << 24) + 2"); });
    write([](Writer& db) { db.run("DELETE FROM chat_segment WHERE place = (SELECT max(place) FROM chat_segment)"); });
    EXPECT_TRUE(verify(true).restart);
    reopen();
    expect_right(0, 0);
    put("a", 100, 5);
    expect_right(1, 5);
}

/// Random jobs in random batches on the thread-free core of the committing thread.
class RandomJobs {
  public:
    RandomJobs(std::string path, std::uint64_t seed) : random_(seed), path_(std::move(path))
    {
        committing_.before_commit(
            [this](Writer& db) -> std::int64_t {
                EXPECT_EQ(load_totals(db).chats, count_totals(db).chats);
                EXPECT_EQ(load_totals(db).conversations, count_totals(db).conversations);
                if (one_in(12)) throw Error(Fault::disk_full, "", "there is no room, says the test");
                return 0;
            },
            0);
        committing_.on_fatal([](const std::exception_ptr&) { ADD_FAILURE() << "it gave up"; });
    }

    void run_batch()
    {
        std::vector<Job> jobs(1 + random_() % 5);
        std::deque<Committer::Pending> batch;
        for (Job& job : jobs) {
            job = make_job();
            batch.push_back({&job, [](std::exception_ptr) {}, one_in(10)});
        }
        committing_.run(batch);
        Connection db(path_, Access::read);
        EXPECT_EQ(find_wrong_totals(db), std::nullopt);
    }

  private:
    static std::unique_ptr<Writer> open(const std::string& path)
    {
        auto db = std::make_unique<Writer>(path);
        make_request_fence(*db);
        return db;
    }
    bool one_in(unsigned number) { return random_() % number == 0; }
    ConversationId any_id() { return {"c" + std::to_string(random_() % 12)}; }

    void put_some(Writer& db, const ConversationId& id)
    {
        put_conversation(db, support::make_conversation(id.value, static_cast<std::int64_t>(random_() % 500) + 1));
        const auto first = static_cast<std::int64_t>(random_() % 4);
        std::vector<Chat> chats;
        for (int n = 0; n < static_cast<int>(random_() % 6); ++n)
            chats.push_back(support::make_chat(id.value, static_cast<int>(random_() % 40),
                                               static_cast<std::int64_t>(random_() % 50), "x"));
        const auto held = find_held(db, id);
        put_chats(db, id, std::min(first, held ? held->chats : 0), chats);
    }

    void do_something(Writer& db)
    {
        const ConversationId id = any_id();
        switch (random_() % 6) {
        case 0:
            cut_chats(db, id, static_cast<std::int64_t>(random_() % 3));
            break;
        case 1:
            erase_conversation(db, id);
            break;
        case 2:
            mark_deleted(db, id, support::at_second(1));
            break;
        case 3:
            erase_all_of(db, id);
            break;
        default:
            put_some(db, id);
        }
    }

    // A job that undoes a part of itself, and goes on.
    void do_in_savepoint(Writer& db)
    {
        if (one_in(2)) return do_something(db);
        const RowChanges before = db.row_changes();
        const auto words = db.words().mark();
        db.script("SAVEPOINT inner");
        do_something(db);
        if (!one_in(2)) return db.script("RELEASE inner");
        db.script("ROLLBACK TO inner; RELEASE inner");
        db.row_changes() = before;
        if (!db.words().forget_after(words)) throw std::runtime_error("undo all");
    }

    Job make_job()
    {
        return [this](Connection& connection) {
            Writer& db = static_cast<Writer&>(connection);
            const bool alone = !db.in_transaction();
            const auto work = [&] {
                for (std::uint64_t n = random_() % 4 + 1; n > 0; --n) do_in_savepoint(db);
                if (one_in(40)) repair_totals(db);
                if (one_in(4)) throw std::runtime_error("in the middle");
            };
            if (alone)
                in_transaction(db, work); // between the commits of others
            else
                work();
        };
    }

    std::mt19937_64 random_;
    std::string path_;
    Committer committing_{open(path_)};
};

TEST_F(TotalsTest, AreRightAfterRandomJobsThatFailAndAreUndone)
{
    store_.reset(); // it made the file
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE(fmt::format("seed {}", seed));
        RandomJobs jobs(dir_ / "mirror.db", seed);
        for (int n = 0; n < 60 && !HasFailure(); ++n) jobs.run_batch();
    }
}

} // namespace
} // namespace alli::cache

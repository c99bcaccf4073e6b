// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/inspect.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/rows/problems.hpp"
#include "cache/upkeep/verify.hpp"
#include "tests/cache/fixture.hpp"

#include <fstream>

namespace alli::cache {
namespace {

using testing::HasSubstr;

class InspectTest : public CacheTest {
  protected:
    InspectTest()
    {
        for (int n = 0; n < 20; ++n) put("c" + std::to_string(n), 1000 + n * 10, 10);
    }

    void inspect_unread()
    {
        sync_wait(cache::inspect_unread(*store_, [] { return false; }));
    }
    void inspect_when_due(Instant now)
    {
        sync_wait(cache::inspect_when_due(*store_, now, [] { return false; }));
    }

    /// As a process that was killed leaves it: open, and with a page that says nothing any more.
    void leave_open_and_spoil()
    {
        const std::string path = dir_ / "mirror.db";
        std::int64_t page = 0;
        store_->read([&](Reader& db) {
            for (const Row row : db.query("SELECT rootpage FROM sqlite_schema WHERE name = 'chat_segment'"))
                page = row.integer(0);
        });
        store_.reset();
        Writer(path).run("INSERT INTO fact (name, value) VALUES ('feed_inode', 1)");
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp((page - 1) * 4096);
        file << "\xff\xff\xff";
    }

    void open(StoreOptions options)
    {
        options.gave_up = [this](std::exception_ptr) { gave_up_ = true; };
        store_.reset();
        store_ = std::make_unique<Store>(options);
    }

    std::optional<Problem> problem()
    {
        return store_->read([](Reader& db) { return find_problem(db, weekly_check); });
    }

    bool gave_up_ = false;
    const Instant now_{std::chrono::hours(24 * 365 * 50)};
    static constexpr std::chrono::hours day{24};
};

TEST_F(InspectTest, ReadsTheMirrorThatWasLeftOpen)
{
    leave_open_and_spoil();
    open(options());
    ASSERT_TRUE(store_->is_unread(Store::File::mirror));
    EXPECT_FALSE(gave_up_);
    inspect_unread();
    EXPECT_TRUE(gave_up_);
    EXPECT_TRUE(find_damage_marker(dir_ / "mirror.db")) << "the next start sets it aside";
    EXPECT_FALSE(find_damage_marker(dir_ / "outbox.db"));
    EXPECT_THROW(put("more", 5000, 1), Error) << "nothing is acknowledged on top of it";
}

TEST_F(InspectTest, LeavesAMirrorAloneThatWasClosedInOrder)
{
    reopen();
    EXPECT_FALSE(store_->is_unread(Store::File::mirror));
    EXPECT_FALSE(store_->is_unread(Store::File::outbox)) << "the opening did";
}

TEST_F(InspectTest, ReadsALargeOutboxAfterTheStart)
{
    StoreOptions small = options();
    small.most_outbox_read = 0;
    open(small);
    ASSERT_TRUE(store_->is_unread(Store::File::outbox));
    inspect_unread();
    EXPECT_FALSE(gave_up_);

    std::int64_t page = 0;
    store_->read_outbox([&](Reader& db) {
        for (const Row row : db.query("SELECT rootpage FROM sqlite_schema WHERE name = 'purged'"))
            page = row.integer(0);
    });
    store_.reset();
    std::fstream(dir_ / "outbox.db", std::ios::in | std::ios::out | std::ios::binary).seekp((page - 1) * 4096)
        << "\xff";
    open(small);
    EXPECT_FALSE(gave_up_) << "nobody looked there yet";
    inspect_unread();
    EXPECT_TRUE(gave_up_);
    EXPECT_TRUE(find_damage_marker(dir_ / "outbox.db"));
}

TEST_F(InspectTest, LooksAtEverythingOnceAWeek)
{
    inspect_when_due(now_);
    write([](Writer& db) { db.run("UPDATE conversation SET held = 11 WHERE id = 'c7'"); });
    inspect_when_due(now_ + 6 * day);
    EXPECT_FALSE(problem()) << "it was looked at six days ago";
    inspect_when_due(now_ + 8 * day);
    ASSERT_TRUE(problem());
    EXPECT_THAT(problem()->what, HasSubstr("1 conversations count their messages wrongly"));
    EXPECT_EQ(problem()->hint, "alli-mirror verify --repair");

    write([](Writer& db) { db.run("UPDATE conversation SET held = 10 WHERE id = 'c7'"); });
    inspect_when_due(now_ + 16 * day);
    EXPECT_FALSE(problem()) << "nothing is wrong any more: " << problem()->what;
}

TEST_F(InspectTest, IsNotHeldUpByAClockThatWasSetBack)
{
    inspect_when_due(now_);
    write([](Writer& db) { db.run("UPDATE conversation SET held = 11 WHERE id = 'c7'"); });
    inspect_when_due(now_ - 400 * day);
    EXPECT_TRUE(problem());
}

TEST_F(InspectTest, ForgetsItsFindingsOnceAPersonHadThemMended)
{
    inspect_when_due(now_);
    write([](Writer& db) { db.run("UPDATE conversation SET held = 11 WHERE id = 'c7'"); });
    inspect_when_due(now_ + 8 * day);
    ASSERT_TRUE(problem());
    VerifyOptions options;
    options.repair = true;
    sync_wait(verify(*store_, options));
    EXPECT_FALSE(problem());
}

TEST_F(InspectTest, GivesUpOnADamagedPageThatItFinds)
{
    inspect_when_due(now_);
    leave_open_and_spoil();
    open(options());
    inspect_when_due(now_ + 8 * day);
    EXPECT_TRUE(gave_up_);
    EXPECT_TRUE(find_damage_marker(dir_ / "mirror.db"));
}

} // namespace
} // namespace alli::cache

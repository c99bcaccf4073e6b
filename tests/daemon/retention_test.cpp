// SPDX-License-Identifier: Apache-2.0
// mirror.retention: what it erases, what it waits with, and what no clock, setting or write makes it erase.
#include "cache/upkeep/retention.hpp"

#include "cache/lists/daily_counts.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/progress.hpp"
#include "cache/rows/suppression_list.hpp"
#include "daemon/settings/duration.hpp"
#include "daemon/settings/settings.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

using std::chrono::days;
using std::chrono::hours;
using support::at_second;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const Instant now = *from_rfc3339("2026-06-01T12:00:00Z");

class Retention : public CacheTest {
  protected:
    Retention()
    {
        put_aged("old", 400);
        put_aged("older", 900);
        put_aged("young", 10);
        set_boundary(now);
        write([](Writer& db) { cover(db, {beginning_of_time, now, now}); });
    }

    static std::int64_t seconds_of(Instant when)
    {
        return std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count();
    }
    void put_aged(const std::string& id, int age) { put(id, seconds_of(now - days(age)), 2); }
    void set_boundary(Instant boundary)
    {
        write([&](Writer& db) {
            Progress progress = load_progress(db);
            progress.boundary = boundary;
            progress.verified_at = boundary;
            save_progress(db, progress);
        });
    }
    RetentionStep move(std::optional<days> keep, Instant our_time)
    {
        std::optional<std::chrono::milliseconds> span;
        if (keep) span = *keep;
        return sync_wait(move_horizon(*store_, span, our_time, [] { return false; }));
    }
    /// Time goes by, here and upstream.
    RetentionStep move_at(std::optional<days> keep, Instant when)
    {
        set_boundary(when);
        return move(keep, when);
    }
    std::vector<std::string> held()
    {
        return store_->read([](Reader& db) { return db.all<std::string>("SELECT id FROM conversation"); });
    }
    std::optional<Instant> horizon()
    {
        return store_->read([](Reader& db) { return find_horizon(db); });
    }
    std::string problem()
    {
        const auto found = store_->read([](Reader& db) { return find_problem(db, "retention"); });
        return found ? found->what : "";
    }
    void queue_write(const std::string& id)
    {
        const auto job = [&](Writer& db) {
            NewEntry entry;
            entry.conversation = ConversationId{id};
            entry.method = "PUT";
            entry.path = "/webapi/v2/conversations/x/title";
            entry.body = R"({"title":"mine"})";
            entry.headers = "{}";
            entry.upstream_key = "key";
            entry.request_hash = "hash";
            accept(db, entry);
        };
        sync_wait(store_->write_outbox(job));
    }
};

TEST_F(Retention, FirstSaysForADayWhatItWillErase)
{
    const RetentionStep first = move(days(365), now);
    ASSERT_TRUE(first.announced);
    EXPECT_EQ(first.announced->conversations, 2);
    EXPECT_EQ(first.announced->chats, 4);
    EXPECT_EQ(first.not_before, now + hours(24));
    EXPECT_THAT(problem(), HasSubstr("will erase 2 conversations with 4 chats whose last chat was before 2025-06-01"));
    EXPECT_FALSE(move_at(days(365), now + hours(23)).applied);
    EXPECT_THAT(held(), testing::SizeIs(3));
    const RetentionStep due = move_at(days(365), now + hours(24));
    ASSERT_TRUE(due.applied);
    EXPECT_EQ(due.applied->conversations, 2);
    EXPECT_THAT(held(), UnorderedElementsAre("young"));
    EXPECT_EQ(problem(), "");
}

TEST_F(Retention, WhatItErasedIsDeletedInTheFeedAndNotClaimedAsComplete)
{
    const Instant limit = now - days(365);
    const auto before = store_->read([](Reader& db) { return load_feed_bounds(db).last; });
    sync_wait(apply_retention(*store_, limit, days(365), [] { return false; }));
    std::vector<std::string> deleted;
    for (const Change& change : store_->read([&](Reader& db) { return load_changes(db, before, 100); }))
        if (change.kind == "deleted") deleted.push_back(change.conversation.value);
    EXPECT_THAT(deleted, UnorderedElementsAre("old", "older"));
    EXPECT_EQ(store_->read([](Reader& db) { return load_covered(db); }).from, limit);
    write([](Writer& db) { cover(db, {beginning_of_time, now, now}); }); // whatever a task may have read before
    EXPECT_EQ(store_->read([](Reader& db) { return load_covered(db); }).from, limit);
}

TEST_F(Retention, WhatLiesBeforeItIsNotStoredAgainButComesBackWithANewChat)
{
    sync_wait(apply_retention(*store_, now - days(365), days(365), [] { return false; }));
    put_aged("old", 400);
    put_aged("another", 500);
    EXPECT_THAT(held(), UnorderedElementsAre("young"));
    put("old", seconds_of(now), 3);
    EXPECT_THAT(held(), UnorderedElementsAre("young", "old"));
}

TEST_F(Retention, AConversationWithoutAChatIsAsOldAsItsCreation)
{
    write([](Writer& db) {
        put_conversation(db, support::make_conversation("empty-old", 0, {{"createdAt", seconds_of(now - days(400))}}));
        put_conversation(db, support::make_conversation("empty-young", 0, {{"createdAt", seconds_of(now - days(4))}}));
    });
    sync_wait(apply_retention(*store_, now - days(365), days(365), [] { return false; }));
    EXPECT_THAT(held(), UnorderedElementsAre("young", "empty-young"));
}

TEST_F(Retention, AClockThatRunsAheadErasesNothing)
{
    const RetentionStep ahead = move(days(365), now + days(3650)); // upstream says what time it is
    ASSERT_TRUE(ahead.announced);
    EXPECT_EQ(ahead.announced->conversations, 2);
    EXPECT_EQ(ahead.not_before, now + hours(24));
    EXPECT_FALSE(move(days(365), now + days(3660)).applied);
    EXPECT_THAT(held(), testing::SizeIs(3));
}

TEST_F(Retention, AJumpOfBothClocksIsAnnouncedAnew)
{
    move(days(365), now);
    ASSERT_TRUE(move_at(days(365), now + hours(25)).applied);
    const RetentionStep jumped = move_at(days(365), now + days(3650));
    EXPECT_FALSE(jumped.applied);
    ASSERT_TRUE(jumped.announced);
    EXPECT_EQ(jumped.announced->conversations, 1);
    EXPECT_THAT(held(), UnorderedElementsAre("young"));
    move_at(days(365), now + hours(26)); // it was put right
    EXPECT_THAT(held(), UnorderedElementsAre("young"));
    EXPECT_EQ(problem(), "");
}

TEST_F(Retention, AnAnnouncementIsNotForWhatAJumpAdds)
{
    move(days(365), now);
    const RetentionStep jumped = move_at(days(365), now + days(3650));
    EXPECT_FALSE(jumped.applied);
    ASSERT_TRUE(jumped.announced);
    EXPECT_EQ(jumped.announced->conversations, 3);
    EXPECT_THAT(held(), testing::SizeIs(3));
}

TEST_F(Retention, TimeThatGoesByMovesItWithoutAWord)
{
    sync_wait(apply_retention(*store_, now - days(365), days(365), [] { return false; }));
    put_aged("at the edge", 364);
    const RetentionStep step = move_at(days(365), now + days(2) - hours(1));
    ASSERT_TRUE(step.applied);
    EXPECT_EQ(step.applied->conversations, 1);
    EXPECT_THAT(held(), UnorderedElementsAre("young"));
}

TEST_F(Retention, AShorterOneIsAnnouncedALongerOneTakesEffectAtOnce)
{
    sync_wait(apply_retention(*store_, now - days(1000), days(1000), [] { return false; }));
    EXPECT_THAT(held(), testing::SizeIs(3));
    const RetentionStep shorter = move(days(999), now); // by a day alone
    EXPECT_FALSE(shorter.applied && shorter.applied->conversations > 0);
    const RetentionStep much_shorter = move(days(365), now);
    EXPECT_TRUE(much_shorter.announced);
    EXPECT_THAT(held(), testing::SizeIs(3));
    move(days(2000), now);
    EXPECT_EQ(horizon(), now - days(2000));
    EXPECT_EQ(problem(), "");
    move(std::nullopt, now);
    EXPECT_EQ(horizon(), std::nullopt);
}

TEST_F(Retention, TheDaysOfWhatItErasedAreComparedAgainOnceItIsLifted)
{
    const auto purged = [&] { return store_->read([](Reader& db) { return load_purged_days(db); }); };
    const auto day = std::chrono::floor<days>(now - days(400));
    for (const std::optional<days> longer : {std::optional<days>(days(2000)), std::optional<days>()}) {
        sync_wait(apply_retention(*store_, now - days(365), days(365), [] { return false; }));
        put_aged("another", 400);
        EXPECT_TRUE(purged().contains(day));
        move(longer, now);
        EXPECT_FALSE(purged().contains(day));
    }
    EXPECT_TRUE(purged().days.empty() && !purged().before);
}

TEST_F(Retention, WithoutASettingAnAnnouncementIsTakenBack)
{
    move(days(365), now);
    EXPECT_NE(problem(), "");
    move(std::nullopt, now);
    EXPECT_EQ(problem(), "");
    EXPECT_TRUE(move(days(365), now + hours(30)).announced);
    EXPECT_THAT(held(), testing::SizeIs(3));
}

TEST_F(Retention, AConversationWhoseWriteIsNotDeliveredStays)
{
    queue_write("old");
    const RetentionPlan plan = sync_wait(plan_retention(*store_, now - days(365)));
    EXPECT_EQ(plan.conversations, 1);
    EXPECT_EQ(plan.kept, 1);
    sync_wait(apply_retention(*store_, now - days(365), days(365), [] { return false; }));
    EXPECT_THAT(held(), UnorderedElementsAre("young", "old"));
    put("old", seconds_of(now - days(400)), 2, {{"title", "changed upstream"}}); // and follows upstream
    EXPECT_THAT(held(), UnorderedElementsAre("young", "old"));
}

TEST_F(Retention, AnEmptyMirrorNeedsNoNotice)
{
    sync_wait(apply_retention(*store_, now - days(1), days(1), [] { return false; }));
    move(std::nullopt, now);
    const RetentionStep step = move(days(30), now);
    ASSERT_TRUE(step.applied);
    EXPECT_EQ(horizon(), now - days(30));
}

TEST_F(Retention, StoppedInTheMiddleItGoesOnTheNextTime)
{
    int asked = 0;
    EXPECT_THROW(sync_wait(apply_retention(*store_, now - days(1), days(1), [&] { return asked++ >= 0; })), Error);
    EXPECT_EQ(horizon(), now - days(1)); // nothing that old comes in any more
    EXPECT_THAT(held(), testing::SizeIs(3));
    const RetentionStep next = move_at(days(1), now + hours(2));
    ASSERT_TRUE(next.applied);
    EXPECT_THAT(held(), testing::IsEmpty());
}

TEST(RetentionSetting, WithoutAUnitOrWithASmallOneIsAnError)
{
    const auto fault_of = [](const std::string& value) -> std::string {
        daemon::Config config;
        config.retention = value;
        try {
            daemon::read_retention(config);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(fault_of(""), "");
    EXPECT_EQ(fault_of("365d"), "");
    EXPECT_THAT(fault_of("365"), HasSubstr("no duration"));
    EXPECT_THAT(fault_of("365m"), HasSubstr("less than a day"));
    EXPECT_THAT(fault_of("0d"), HasSubstr("mirror.retention"));
    EXPECT_THAT(fault_of("1 year"), HasSubstr("no duration"));
}

} // namespace
} // namespace alli::cache

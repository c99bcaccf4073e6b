// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/chatless.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/progress.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

using support::at_second;

class Coverage : public CacheTest {
  protected:
    void add(std::int64_t from, std::int64_t through, std::int64_t verified = 0)
    {
        write([&](Writer& db) { cover(db, {at_second(from), at_second(through), at_second(verified)}); });
    }

    bool covered(std::int64_t from, std::optional<std::int64_t> through)
    {
        const auto end = through ? std::optional(at_second(*through)) : std::nullopt;
        return store_->read([&](Reader& db) { return is_covered(db, at_second(from), end); });
    }

    std::size_t pieces()
    {
        return store_->read([](Reader& db) { return load_coverage(db).size(); });
    }
};

TEST_F(Coverage, ClaimsNothingBeforeSomethingIsCertified)
{
    EXPECT_FALSE(covered(0, std::nullopt));
    EXPECT_FALSE(covered(10, 20));
}

TEST_F(Coverage, JoinsWhatTouchesAndKeepsGapsApart)
{
    add(100, 200), add(300, 400);
    EXPECT_EQ(pieces(), 2U);
    EXPECT_TRUE(covered(100, 200));
    EXPECT_FALSE(covered(150, 350));
    EXPECT_FALSE(covered(99, 150));
    add(200, 300);
    EXPECT_EQ(pieces(), 1U);
    EXPECT_TRUE(covered(150, 350));
    add(0, 1000);
    EXPECT_EQ(pieces(), 1U);
    EXPECT_TRUE(covered(0, std::nullopt));
}

TEST_F(Coverage, ReachesAboveItsNewestEndButNeverBelowItsStart)
{
    add(100, 200);
    EXPECT_TRUE(covered(150, 999));
    EXPECT_TRUE(covered(250, std::nullopt));
    EXPECT_FALSE(covered(50, 999));
}

class Boundary : public Coverage {
  protected:
    Boundary() { move(200, 200); }

    void move(std::int64_t boundary, std::optional<std::int64_t> verified)
    {
        write([&](Writer& db) {
            Progress progress = load_progress(db);
            progress.boundary = at_second(boundary);
            progress.verified_at = verified ? std::optional(at_second(*verified)) : std::nullopt;
            save_progress(db, progress);
        });
    }

    void pass_by(std::int64_t from, std::int64_t through)
    {
        Problem problem;
        problem.what = "cannot be listed";
        problem.unreadable = Span{at_second(from), at_second(through)};
        write([&](Writer& db) { put_problem(db, "window", problem); });
    }
};

// It once looked like the room above the newest stretch, which the next increment fills.
TEST_F(Boundary, ClaimsNothingAcrossAHoleJustBelowIt)
{
    add(0, 200);
    ASSERT_TRUE(covered(0, std::nullopt));
    pass_by(190, 200);
    EXPECT_FALSE(covered(0, std::nullopt));
    EXPECT_FALSE(covered(195, std::nullopt));
    EXPECT_FALSE(covered(250, std::nullopt)) << "nobody looked above it either";
    EXPECT_FALSE(covered(0, 195));
    EXPECT_TRUE(covered(0, 190));
}

TEST_F(Boundary, ClaimsNothingAcrossWhatCannotBeReadAboveIt)
{
    add(0, 200);
    pass_by(300, 301);
    EXPECT_FALSE(covered(0, std::nullopt));
    EXPECT_FALSE(covered(250, 400));
    EXPECT_TRUE(covered(0, 300));
    EXPECT_TRUE(covered(301, std::nullopt));
}

TEST_F(Boundary, ClaimsNothingAboveItBeforeAPollWasThere)
{
    add(0, 200);
    move(200, std::nullopt);
    EXPECT_FALSE(covered(0, std::nullopt));
    EXPECT_TRUE(covered(0, 200));
}

TEST_F(Coverage, IgnoresAnEmptyInterval)
{
    add(200, 200), add(300, 200);
    EXPECT_EQ(pieces(), 0U);
}

TEST_F(Coverage, HasAFloorBelowWhichSomethingIsMissing)
{
    add(100, 200), add(300, 400), add(400, 500, 90'000);
    const auto floor = [&](std::optional<std::int64_t> through) -> std::int64_t {
        const auto end = through ? std::optional(at_second(*through)) : std::nullopt;
        const auto found = store_->read([&](Reader& db) { return find_floor(db, load_progress(db), end); });
        return found ? std::chrono::duration_cast<std::chrono::seconds>(found->time_since_epoch()).count() : -1;
    };
    EXPECT_EQ(floor(std::nullopt), 300);
    EXPECT_EQ(floor(900), 300);
    EXPECT_EQ(floor(450), 300) << "whenever it was verified";
    EXPECT_EQ(floor(300), 300) << "nothing just below it is covered";
    EXPECT_EQ(floor(250), 250);
    EXPECT_EQ(floor(200), 100);
    EXPECT_EQ(floor(50), 50);
    write([](Writer& db) {
        Progress progress;
        progress.boundary = at_second(600);
        progress.verified_at = at_second(600);
        save_progress(db, progress);
    });
    EXPECT_EQ(floor(std::nullopt), -1) << "passed by just below the boundary";
    EXPECT_EQ(floor(450), 300);
}

TEST_F(Coverage, IsCompleteOnlyWithTheChatlessFound)
{
    add(0, 1000);
    EXPECT_FALSE(store_->read([](Reader& db) { return is_complete(db); }));
    write([](Writer& db) {
        Progress progress;
        progress.chatless_at = at_second(5);
        save_progress(db, progress);
    });
    EXPECT_TRUE(store_->read([](Reader& db) { return is_complete(db); }));
}

class ProgressTest : public CacheTest {};

TEST_F(ProgressTest, SurvivesARestartValueForValue)
{
    Progress progress;
    progress.unit = TimeUnit::seconds;
    progress.boundary = at_second(7);
    progress.reconcile_started_at = Instant{std::chrono::microseconds{1615246647609666}};
    progress.backfill_done = true;
    progress.list_embeds = 20;
    write([&](Writer& db) { save_progress(db, progress); });
    reopen();
    const Progress back = store_->read([](Reader& db) { return load_progress(db); });
    EXPECT_EQ(back.unit, TimeUnit::seconds);
    EXPECT_EQ(back.boundary, progress.boundary);
    EXPECT_EQ(back.reconcile_started_at, progress.reconcile_started_at);
    EXPECT_TRUE(back.backfill_done);
    EXPECT_EQ(back.list_embeds, 20);
    EXPECT_FALSE(back.chatless_at);
}

TEST_F(ProgressTest, KeepsTheFirstSinceOfAProblemUntilItIsCleared)
{
    write([](Writer& db) {
        put_problem(db, "k", {"first words", "h", at_second(1)});
        put_problem(db, "k", {"later words", "h", at_second(2)});
    });
    const auto problems = store_->read([](Reader& db) { return load_problems(db); });
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].what, "later words");
    EXPECT_EQ(problems[0].since, at_second(1));
    write([](Writer& db) { EXPECT_TRUE(clear_problem(db, "k")); });
    EXPECT_TRUE(store_->read([](Reader& db) { return load_problems(db); }).empty());
}

TEST_F(ProgressTest, TriesAgainWhatAClockThatRanAheadPutOff)
{
    const Instant now = at_second(1'000'000);
    auto put = [&](std::string_view key, std::chrono::microseconds pause) {
        Problem problem{"what", "hint", now};
        problem.retry_at = now + pause;
        write([&](Writer& db) { put_problem(db, key, problem); });
    };
    put("late", -std::chrono::seconds(1));
    put("waits", longest_retry);
    put("ahead", std::chrono::hours(24 * 400));
    const auto due = store_->read([&](Reader& db) { return load_due_problems(db, now); });
    ASSERT_EQ(due.size(), 2U);
    EXPECT_EQ(due[0].key, "late");
    EXPECT_EQ(due[1].key, "ahead");
    for (const Problem& it : store_->read([](Reader& db) { return load_problems(db); }))
        EXPECT_EQ(is_due(it, now), it.key != "waits");
}

} // namespace

class ChatlessPlaceTest : public CacheTest {
  protected:
    ChatlessPlaces places()
    {
        return store_->read([](Reader& db) { return load_chatless_places(db); });
    }
    void save(ChatlessPlaces places)
    {
        write([&](Writer& db) { save_chatless_places(db, places); });
    }
};

TEST_F(ChatlessPlaceTest, IsUnknownUntilTheEngineSaysSo)
{
    EXPECT_EQ(places(), ChatlessPlaces{});
    save({});
    EXPECT_EQ(places(), ChatlessPlaces{});
}

TEST_F(ChatlessPlaceTest, IsKeptForEachOrderAndSurvivesARestart)
{
    for (const ChatlessPlace place : {ChatlessPlace::first, ChatlessPlace::last, ChatlessPlace::nowhere}) {
        const ChatlessPlaces known{place, ChatlessPlace::last};
        save(known);
        reopen();
        EXPECT_EQ(places(), known);
    }
}

TEST_F(ChatlessPlaceTest, CanBeTakenBackAndStandsApartFromTheRestOfTheProgress)
{
    save({ChatlessPlace::first, ChatlessPlace::nowhere});
    write([](Writer& db) { save_progress(db, Progress{}); });
    EXPECT_EQ(places().newest_first, ChatlessPlace::first);
    save({ChatlessPlace::unknown, ChatlessPlace::nowhere});
    EXPECT_EQ(places(), (ChatlessPlaces{ChatlessPlace::unknown, ChatlessPlace::nowhere}));
}

TEST_F(ChatlessPlaceTest, MakesListsOutOfDateOnlyWhenItChanges)
{
    save({ChatlessPlace::first, ChatlessPlace::unknown});
    const auto lists = [&] { return store_->latest().of_lists(); };
    const auto before = lists();
    save({ChatlessPlace::first, ChatlessPlace::unknown});
    EXPECT_EQ(lists(), before);
    save({ChatlessPlace::last, ChatlessPlace::unknown});
    EXPECT_GT(lists(), before);
}

TEST_F(ChatlessPlaceTest, IsUnknownWhereTheFileHoldsAnotherWord)
{
    write([](Writer& db) { db.run("INSERT INTO progress VALUES ('chatless_newest_first', 'sideways')"); });
    EXPECT_EQ(places(), ChatlessPlaces{});
}

} // namespace alli::cache

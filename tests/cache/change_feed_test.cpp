// SPDX-License-Identifier: Apache-2.0
#include "cache/db/meta.hpp"
#include "cache/deletions.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/progress.hpp"
#include "cache/rows/variables.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

class Changes : public CacheTest {
  protected:
    FeedBounds bounds()
    {
        return store_->read([](Reader& db) { return load_feed_bounds(db); });
    }
    /// "kind conversation" of each after a number.
    std::vector<std::string> after(std::int64_t since)
    {
        std::vector<std::string> all;
        for (const Change& change : store_->read([&](Reader& db) { return load_changes(db, since, 1000); }))
            all.push_back(change.kind + ' ' + change.conversation.value);
        return all;
    }
    /// What that leaves behind.
    std::vector<std::string> left_by(const std::function<void(Writer&)>& function)
    {
        const std::int64_t since = bounds().last;
        write(function);
        return after(since);
    }
    static Entry entry_of(std::int64_t id, EditKind kind, const std::string& body)
    {
        Entry entry;
        entry.id = entry.place = id;
        entry.kind = kind;
        entry.conversation = ConversationId{"a"};
        if (kind == EditKind::feedback) entry.chat = ChatId{"a/1"};
        entry.body = body;
        return entry;
    }
};

TEST_F(Changes, TellsTheLatestOfEachKindInOrder)
{
    put("a", 100, 2);
    put("b", 200, 1);
    put("a", 300, 3);
    EXPECT_THAT(after(0), ElementsAre("conversation b", "chats b", "conversation a", "chats a"));
    put("a", 300, 3);
    EXPECT_THAT(after(0), testing::SizeIs(4)) << "nothing new leaves nothing";
}

TEST_F(Changes, AreNotTakenForThoseOfAnotherWhoseRowHasTheNumberOfAnId)
{
    put("2", 100, 1); // row 1
    put("1", 100, 1); // row 2
    write([](Writer& db) { note_change(db, {"3"}, ChangeKind::outbox); });
    put("x", 100, 0); // row 3
    EXPECT_THAT(after(0),
                ElementsAre("conversation 2", "chats 2", "conversation 1", "chats 1", "outbox 3", "conversation x"));
    write([](Writer& db) { mark_deleted(db, {"1"}, support::at_second(9)); });
    EXPECT_THAT(after(0), ElementsAre("conversation 2", "chats 2", "outbox 3", "conversation x", "deleted 1"));
    write([](Writer& db) { mark_deleted(db, {"2"}, support::at_second(9)); });
    put("1", 100, 1);
    EXPECT_THAT(after(0), ElementsAre("outbox 3", "conversation x", "deleted 2", "conversation 1", "chats 1"));
    Visibility one;
    one.user = "nobody";
    EXPECT_TRUE(store_->read([&](Reader& db) { return load_visible_changes(db, one, 0, 100); }).empty());
}

TEST_F(Changes, OfAnotherKindStayWhereAConversationGoesAndComesBack)
{
    put("a", 100, 1);
    write([](Writer& db) { note_change(db, {"a"}, ChangeKind::outbox); });
    write([](Writer& db) { mark_deleted(db, {"a"}, support::at_second(9)); });
    EXPECT_THAT(after(0), ElementsAre("outbox a", "deleted a"));
    put("a", 100, 1);
    write([](Writer& db) { note_change(db, {"a"}, ChangeKind::outbox); });
    EXPECT_THAT(after(0), ElementsAre("conversation a", "chats a", "outbox a"));
}

TEST_F(Changes, ADeletionTakesThePlaceOfWhatCameBefore)
{
    put("a", 100, 2);
    EXPECT_THAT(left_by([](Writer& db) { mark_deleted(db, {"a"}, Instant{}); }), ElementsAre("deleted a"));
    EXPECT_THAT(after(0), ElementsAre("deleted a"));
    put("a", 200, 1);
    EXPECT_THAT(after(0), ElementsAre("conversation a", "chats a"));
}

TEST_F(Changes, TellsWhatWaitingWritesDoToReads)
{
    write([](Writer& db) {
        Progress progress;
        progress.unit = TimeUnit::seconds;
        save_progress(db, progress);
    });
    put("a", 100, 2);
    const Entry title = entry_of(1, EditKind::title, R"({"title":"new"})");
    EXPECT_THAT(left_by([&](Writer& db) { show_edit(db, title); }), ElementsAre("outbox a", "conversation a"));
    EXPECT_THAT(left_by([&](Writer& db) { drop_edit(db, 1); }), ElementsAre("outbox a", "conversation a"));

    const Entry rating = entry_of(2, EditKind::feedback, R"({"rating":"GOOD"})");
    EXPECT_THAT(left_by([&](Writer& db) { show_edit(db, rating); }), ElementsAre("outbox a", "chats a"));
    EXPECT_THAT(left_by([&](Writer& db) { drop_edit(db, 2); }), ElementsAre("outbox a", "chats a"));

    const Entry removal = entry_of(3, EditKind::remove, "");
    EXPECT_THAT(left_by([&](Writer& db) { show_edit(db, removal); }), ElementsAre("outbox a", "deleted a"));
    EXPECT_THAT(left_by([&](Writer& db) { drop_edit(db, 3); }), ElementsAre("outbox a", "conversation a", "chats a"));
    EXPECT_THAT(left_by([&](Writer& db) { confirm_edit(db, removal, {}, {}); }), ElementsAre("outbox a", "deleted a"));
}

TEST_F(Changes, TellsOfVariablesThatChangedButNotOfNewlyKeptOnes)
{
    put("a", 100, 1);
    const std::vector<std::string> names{"city"};
    const auto keep = [&](const char* body) {
        return left_by([&, body](Writer& db) { put_variables(db, {"a"}, names, body, Instant{}); });
    };
    EXPECT_THAT(keep(R"({"variables":{"city":"Seoul"}})"), IsEmpty());
    EXPECT_THAT(keep(R"({"variables":{"city":"Seoul"}})"), IsEmpty());
    EXPECT_THAT(keep(R"({"variables":{"city":"Osaka"}})"), ElementsAre("conversation a"));
    EXPECT_THAT(keep(R"({"variables":{}})"), ElementsAre("conversation a"));
}

TEST_F(Changes, GoesOnAfterAnOrderlyStop)
{
    put("a", 100, 1);
    const FeedBounds before = bounds();
    reopen();
    EXPECT_EQ(bounds().first, before.first);
    EXPECT_EQ(bounds().last, before.last);
    put("b", 100, 1);
    EXPECT_THAT(after(before.last), ElementsAre("conversation b", "chats b"));
}

TEST_F(Changes, BeginsANewMirrorAboveAllNumbersOfTheOldOne)
{
    put("a", 100, 1);
    const FeedBounds old = bounds();
    store_.reset();
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(dir_ / "mirror.db" + ending);
    store_ = std::make_unique<Store>(options());
    EXPECT_GT(bounds().first, old.last);
    EXPECT_FALSE(bounds().hold(old.last));
    EXPECT_TRUE(bounds().hold(0));
    EXPECT_TRUE(bounds().hold(bounds().first));
    EXPECT_FALSE(bounds().hold(bounds().last + 1)) << "never given out";
}

/// What becomes of the feed of a file that was left open.
class FeedPlaces : public Changes {
  protected:
    void open(FeedPlace place, Instant now)
    {
        write([&](Writer& db) { open_feed(db, place, now); });
    }
    static constexpr Instant start{std::chrono::hours(24 * 365 * 50)};
};

TEST_F(FeedPlaces, AKilledProcessLosesNothing)
{
    open({1, start}, start);
    const FeedBounds before = bounds();
    open({1, start + std::chrono::seconds(1)}, start + std::chrono::hours(1));
    EXPECT_EQ(bounds().first, before.first);
}

TEST_F(FeedPlaces, APowerCutMayTakeTheLastCommits)
{
    open({1, start}, start);
    put("a", 100, 1);
    const FeedBounds before = bounds();
    open({1, start + std::chrono::minutes(5)}, start + std::chrono::hours(1));
    EXPECT_GT(bounds().first, before.last);
    EXPECT_THAT(after(0), ElementsAre("conversation a", "chats a")) << "what is there is told to who starts again";
}

TEST_F(FeedPlaces, WhoStartsAgainGoesOnFromEachNumberThatItGets)
{
    open({1, start}, start);
    for (const char* id : {"a", "b", "c"}) put(id, 100, 1);
    const auto before = after(0);
    const FeedBounds old = bounds();
    open({2, start}, start + std::chrono::hours(1));
    EXPECT_EQ(after(0), before) << "in the same order";
    for (const Change& change : store_->read([](Reader& db) { return load_changes(db, 0, 1000); })) {
        EXPECT_TRUE(bounds().hold(change.seq)) << change.conversation.value;
        EXPECT_GT(change.seq, old.last) << "none is used twice";
    }
    put("d", 100, 1);
    EXPECT_THAT(after(bounds().last - 2), ElementsAre("conversation d", "chats d"));
}

TEST_F(FeedPlaces, AFileOfAnEarlierVersionGetsNumbersThatOneCanGoOnFrom)
{
    open({1, start}, start);
    put("a", 100, 1);
    const std::int64_t first = bounds().last + 10;
    write([&](Writer& db) { put_meta(db, "feed_first", first); });
    open({1, start}, start);
    for (const Change& change : store_->read([](Reader& db) { return load_changes(db, 0, 1000); }))
        EXPECT_TRUE(bounds().hold(change.seq)) << change.conversation.value;
}

TEST_F(FeedPlaces, ACopyIsAnotherFile)
{
    open({1, start}, start);
    const FeedBounds before = bounds();
    open({2, start}, start);
    EXPECT_GT(bounds().first, before.last) << "and the clock may stand still";
}

TEST_F(FeedPlaces, OneClosedInOrderMayBeMoved)
{
    open({1, start}, start);
    write([](Writer& db) { close_feed(db); });
    const FeedBounds before = bounds();
    open({2, start + std::chrono::hours(1)}, start);
    EXPECT_EQ(bounds().first, before.first);
}

} // namespace
} // namespace alli::cache

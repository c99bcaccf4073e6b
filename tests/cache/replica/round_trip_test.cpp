// SPDX-License-Identifier: Apache-2.0
// A leader's mirror, filled by the engine, and a follower's that knows nothing but what is published: row by row and
// list by list the same.
#include "cache/chat_detail.hpp"
#include "cache/deletions.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/rows/variables.hpp"
#include "tests/cache/replica/follower.hpp"
#include "tests/support/oddities.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using cache::Follower;
using cache::Reader;
using cache::Writer;

class RoundTrip : public EngineTest {
  protected:
    void SetUp() override
    {
        open();
        model_.now = 100'000;
    }

    void open()
    {
        store_.reset();
        store_ = std::make_unique<cache::Store>(cache::noting(store_options()));
        write([](Writer& db) { cache::note_all(db); }); // as a first leader does
    }

    template <class F>
    void write(F function)
    {
        sync_wait(store_->write(std::move(function)));
    }

    void advance(std::chrono::seconds by)
    {
        clock_.advance(by);
        model_.now += by.count();
    }
};

TEST_F(RoundTrip, MakesAFollowerTheSameAfterEveryPass)
{
    for (const std::size_t limit : {1U, 7U, 1000U}) {
        SCOPED_TRACE(limit);
        Follower follower;
        model_.conversations.clear();
        store_.reset();
        std::filesystem::remove(dir_ / "mirror.db");
        open();
        fill(60);
        model_.add("none", 0, 0);
        pass();
        follower.follow(*store_, limit);
        follower.expect_equals(*store_);
        EXPECT_TRUE(follower.store().read([](Reader& db) { return cache::is_complete(db); }));

        model_.add("c3", 99'000, 2);
        model_.add("new", 99'001, 130);
        model_.conversations["c5"].title = "another \xF0\x9F\x98\x80";
        model_.conversations["c5"].last = 99'002;
        model_.conversations["c6"].chats.resize(1);
        model_.conversations["c6"].last = 99'003;
        model_.conversations.erase("c7");
        advance(std::chrono::hours(30));
        pass();
        follower.follow(*store_, limit);
        follower.expect_equals(*store_);
    }
}

// On the way a follower never claims more than what it holds: after each batch.
TEST_F(RoundTrip, ClaimsNothingBeforeTheLastBatch)
{
    Follower follower;
    fill(60);
    pass();
    for (bool whole = false; !whole;) {
        const cache::Unpublished found = store_->read([](Reader& db) { return cache::read_unpublished(db, 50); });
        EXPECT_TRUE(follower.store().read([](Reader& db) { return cache::load_coverage(db); }).empty());
        follower.take(found);
        write([&](Writer& db) { cache::drop_notes(db, found.notes); });
        whole = found.whole;
    }
    EXPECT_FALSE(follower.store().read([](Reader& db) { return cache::load_coverage(db); }).empty());
}

// Of notes without a row more are loaded than rows are sent.
TEST_F(RoundTrip, ClaimsComeTogetherThoughWhatIsLoadedEndsAmidThem)
{
    Follower follower;
    fill(3);
    pass();
    follower.follow(*store_);
    constexpr int limit = 5;
    write([](Writer& db) {
        cache::note_all(db);
        db.run("DELETE FROM unpublished WHERE kind = 1");
        for (int n = 0; n <= limit; ++n)
            db.run("INSERT INTO unpublished (kind, key, from_ordinal, times) VALUES (1, ?1, NULL, 1)", 1'000'000 + n);
    });
    const cache::Unpublished found = store_->read([](Reader& db) { return cache::read_unpublished(db, limit); });
    EXPECT_FALSE(found.whole);
    EXPECT_LE(found.rows.state.size(), 1U) << "the unit of time alone";
    EXPECT_TRUE(std::ranges::none_of(found.notes, [](const auto& note) { return note.kind == 0; }))
        << "they stay noted";
    follower.follow(*store_, limit);
    follower.expect_equals(*store_);
}

TEST_F(RoundTrip, MayBeRepeated)
{
    Follower follower;
    fill(30);
    pass();
    const cache::Unpublished found = store_->read([](Reader& db) { return cache::read_unpublished(db, 10'000); });
    follower.take(found);
    const auto commits =
        follower.store().read([](Reader& db) { return db.require<std::int64_t>("SELECT max(seq) FROM change"); });
    follower.take(found);
    EXPECT_EQ(follower.store().read([](Reader& db) { return db.require<std::int64_t>("SELECT max(seq) FROM change"); }),
              commits)
        << "nothing changed, and nothing is said to have";
    follower.expect_equals(*store_);
}

TEST_F(RoundTrip, CarriesWhateverUpstreamSendsByteForByte)
{
    const auto oddities = support::odd_values();
    const std::vector<std::pair<std::string, std::string>> places{
        {R"("title":)", R"("x": @ ,"title":)"},
        {R"("title":"about ID")", R"("title":@)"},
        {R"("title":)", R"("user":@,"title":)"},
        {R"("title":)", R"("categories":[@],"title":)"},
        {R"("createdAt":1)", R"("createdAt":@)"},
        {R"("lastChatTime":LAST)", R"("lastChatTime":@)"},
        {R"("chatCount":2)", R"("chatCount":@)"},
        {R"("message":"words of ID")", R"("message":@)"},
        {R"("timestamp":LAST)", R"("timestamp":@)"},
        {R"("id":"ID")", R"("id":@)"},
        {R"("id":"ID/1")", R"("id":@)"},
    };
    Follower follower;
    const auto put = [](std::string& text, const std::string& name, const std::string& by) {
        if (const auto at = text.find(name); at != text.npos) text.replace(at, name.size(), by);
    };
    std::vector<Conversation> all;
    TimeUnit unit = TimeUnit::seconds;
    for (std::size_t place = 0; place < places.size(); ++place)
        for (std::size_t n = 0; n < oddities.size(); ++n) {
            const std::string id = fmt::format("p{}n{}", place, n), last = std::to_string(10'000 + n);
            std::string item =
                fmt::format(R"({{"chatCount":2,"chats":[{{"id":"{0}/0","message":"words of {0}","timestamp":9000}},)"
                            R"({{"id":"{0}/1","message":"words of {0}","timestamp":{1}}}],"createdAt":1,"id":"{0}",)"
                            R"("lastChatTime":{1},"title":"about {0}"}})",
                            id, last);
            std::string from = places[place].first, to = places[place].second;
            put(from, "ID", id);
            put(from, "LAST", last);
            put(to, "@", oddities[n].value);
            put(item, from, to);
            const std::string page = R"({"conversations":[)" + item + R"(],"cursor":null})";
            for (Conversation& one : read_conversation_page(page, unit).conversations) all.push_back(std::move(one));
        }
    write([&](Writer& db) {
        cache::Progress progress;
        progress.unit = unit;
        cache::save_progress(db, progress);
        for (const Conversation& one : all) {
            cache::put_conversation(db, one);
            cache::put_chats(db, one.id, 0, one.chats);
        }
    });
    follower.follow(*store_);
    follower.expect_equals(*store_);
    EXPECT_GT(follower.store().read([](Reader& db) { return cache::count_totals(db); }).conversations, 500);
}

TEST_F(RoundTrip, PublishesUpstreamsCopyWhereAWaitingWriteShows)
{
    Follower follower;
    fill(5);
    pass();
    follower.follow(*store_);
    cache::Entry title;
    title.id = title.place = 1;
    title.kind = cache::EditKind::title;
    title.conversation = ConversationId{"c1"};
    title.body = R"({"title":"waiting"})";
    cache::Entry removal;
    removal.id = removal.place = 2;
    removal.kind = cache::EditKind::remove;
    removal.conversation = ConversationId{"c2"};
    const auto before = follower.store().read([](Reader& db) { return cache::dump_conversations(db); });
    write([&](Writer& db) {
        cache::show_edit(db, title);
        cache::show_edit(db, removal);
    });
    EXPECT_GT(store_->read([](Reader& db) { return cache::count_notes(db); }), 0);
    follower.follow(*store_);
    EXPECT_EQ(follower.store().read([](Reader& db) { return cache::dump_conversations(db); }), before);

    model_.add("c2", 99'000, 1); // upstream goes on with both
    model_.add("c1", 99'000, 1);
    advance(std::chrono::hours(1));
    pass();
    follower.follow(*store_);
    write([](Writer& db) {
        cache::drop_edit(db, 1);
        cache::drop_edit(db, 2);
    });
    follower.follow(*store_);
    follower.expect_equals(*store_);
}

TEST_F(RoundTrip, TellsADeletionFromWhatIsNotKeptAnyMore)
{
    Follower follower;
    fill(5);
    pass();
    follower.follow(*store_);
    write([&](Writer& db) {
        cache::mark_deleted(db, {"c1"}, clock_.now());
        cache::erase_conversation(db, {"c2"});
    });
    follower.follow(*store_);
    follower.expect_equals(*store_);
    const auto deleted = [&](const char* id) {
        return follower.store().read([&](Reader& db) { return cache::is_deleted(db, {id}); });
    };
    EXPECT_TRUE(deleted("c1"));
    EXPECT_FALSE(deleted("c2"));
}

TEST_F(RoundTrip, CarriesTheSuppressionListWithItsKey)
{
    Follower follower;
    const std::vector<std::string> hashes{std::string("\0\xff'|", 4), "another"};
    cache::SuppressionList list{"key\n;7:", 3, Instant(std::chrono::seconds(50)), hashes};
    write([&](Writer& db) {
        cache::put_suppression_list(db, list);
        cache::put_suppression_version(db, list.version);
    });
    const cache::Unpublished found = store_->read([](Reader& db) { return cache::read_unpublished(db, 10); });
    const auto carried = cache::find_suppressions(found.rows.state);
    ASSERT_TRUE(carried);
    EXPECT_EQ(carried->key, list.key);
    EXPECT_EQ(carried->version, 0) << "which is a file's own";
    EXPECT_EQ(carried->before, list.before);
    EXPECT_THAT(carried->hashes, testing::UnorderedElementsAreArray(hashes));
    follower.take(found);
    follower.expect_equals(*store_);
}

TEST_F(RoundTrip, CarriesVariablesAndTheDetailsOfChats)
{
    Follower follower;
    fill(5);
    pass();
    follower.follow(*store_);
    const std::vector<std::string> names{"x", "none"};
    const auto chat = [&] { return store_->read([](Reader& db) { return cache::find_chat(db, {"c1"}, {"c1/0"}); }); };
    ASSERT_TRUE(chat());
    const std::uint64_t of = chat()->of;
    write([&](Writer& db) {
        cache::put_variables_object(db, {"c1"}, names, R"({"x":"\"odd\""})", clock_.now());
        EXPECT_TRUE(cache::put_chat_detail(db, {"c1"}, {"c1/0"}, of, R"({"id":"c1/0","steps":[1]})"));
    });
    const cache::Unpublished found = store_->read([](Reader& db) { return cache::read_unpublished(db, 100); });
    ASSERT_EQ(found.rows.conversations.size(), 1U);
    follower.follow(*store_);
    follower.expect_equals(*store_);
    const auto read = [&](Reader& db) { return cache::find_with_variables(db, {"c1"}, names); };
    ASSERT_TRUE(follower.store().read(read));
    EXPECT_EQ(follower.store().read(read)->body, store_->read(read)->body);
    const auto detail = follower.store().read([](Reader& db) { return cache::find_chat(db, {"c1"}, {"c1/0"}); });
    EXPECT_TRUE(detail->whole);
    EXPECT_EQ(detail->raw, chat()->raw);

    write([&](Writer& db) { cache::put_variables_object(db, {"c1"}, names, "{}", clock_.now()); });
    follower.follow(*store_);
    follower.expect_equals(*store_);
}

// Another id at an ordinal removes all behind it; rows that did not change again are not in the round.
TEST_F(RoundTrip, SaysWhichConversationIsNotWhole)
{
    Follower follower;
    model_.add("c", 10'000, 10);
    pass();
    follower.follow(*store_);
    cache::PublishedRows rows;
    cache::PublishedChat chat;
    chat.conversation = "c";
    chat.ordinal = 4;
    chat.id = "another";
    chat.chat = R"({"id":"another","message":"m"})";
    rows.chats.push_back(chat);
    cache::PublishedConversation conversation;
    conversation.id = "c";
    conversation.item = *store_->read([](Reader& db) { return cache::find_item(db, {"c"}); });
    conversation.held = 10;
    rows.conversations.push_back(conversation);
    const auto incomplete = sync_wait(follower.store().write([&](Writer& db) { return cache::apply_rows(db, rows); }));
    ASSERT_EQ(incomplete.size(), 1U);
    EXPECT_EQ(incomplete[0].value, "c");
}

// There is nothing more of it to read, however often it is asked for.
TEST_F(RoundTrip, AConversationThatADeletionHidesHereIsWhole)
{
    Follower follower;
    model_.add("none", 9'000, 0);
    model_.add("waits", 10'000, 3);
    model_.add("confirmed", 11'000, 3);
    pass();
    follower.follow(*store_);
    std::int64_t number = 0;
    for (const char* const id : {"none", "waits", "confirmed"}) {
        cache::Entry removal;
        removal.id = removal.place = ++number;
        removal.kind = cache::EditKind::remove;
        removal.conversation = ConversationId{id};
        sync_wait(follower.store().write([&](Writer& db) {
            cache::show_edit(db, removal);
            if (removal.conversation->value == "confirmed")
                cache::confirm_edit(db, removal, std::nullopt, {clock_.steady(), std::nullopt, std::chrono::hours(1)});
        }));
    }
    write([](Writer& db) { cache::note_all(db); });
    follower.follow(*store_); // expects each to be whole
    EXPECT_TRUE(follower.store().read([](Reader& db) { return cache::dump_conversations(db); }).empty());
}

TEST_F(RoundTrip, KeepsThePositionWithTheLastCommit)
{
    Follower follower;
    fill(3);
    pass();
    follower.follow(*store_);
    const auto position = [&] { return follower.store().read([](Reader& db) { return cache::find_position(db); }); };
    const cache::ReplicaPosition first{"store", 1, "nonce"};
    EXPECT_EQ(position(), first);
}

TEST_F(RoundTrip, AMirrorThatWasOpenedAloneHasNoPosition)
{
    write([](Writer& db) { cache::put_position(db, {"store", 7, "nonce"}); });
    open();
    EXPECT_TRUE(store_->read([](Reader& db) { return cache::find_position(db); }));
    reopen();
    open();
    EXPECT_FALSE(store_->read([](Reader& db) { return cache::find_position(db); }));
}

TEST_F(RoundTrip, PartsARoundBetweenConversationsAlone)
{
    fill(40);
    pass();
    cache::Unpublished found = store_->read([](Reader& db) { return cache::read_unpublished(db, 10'000); });
    const std::size_t rows = found.rows.conversations.size() + found.rows.chats.size();
    std::size_t together = 0;
    std::map<std::string, int> seen;
    for (const cache::PublishedRows& part : cache::in_parts(found.rows, 50)) {
        together += part.size();
        std::set<std::string> here;
        for (const auto& one : part.conversations) here.insert(one.id);
        for (const auto& one : part.chats) here.insert(one.conversation);
        for (const std::string& id : here) ++seen[id];
        EXPECT_TRUE(part.state.empty());
    }
    EXPECT_EQ(together, rows);
    for (const auto& [id, times] : seen) EXPECT_EQ(times, 1) << id;
}

} // namespace
} // namespace alli::sync

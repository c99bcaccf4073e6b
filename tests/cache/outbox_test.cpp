// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "alli/sync_wait.hpp"
#include "cache/db/migrate.hpp"
#include "cache/outbox/fifos.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OutboxTest : public CacheTest {
  protected:
    template <class F>
    void change(F function)
    {
        sync_wait(store_->write_outbox(std::move(function)));
    }

    static NewEntry title_of(const std::string& conversation, const std::string& title)
    {
        NewEntry entry;
        entry.kind = EditKind::title;
        if (!conversation.empty()) entry.conversation = ConversationId{conversation};
        if (conversation.empty()) entry.kind = EditKind::bulk_update;
        entry.method = "PUT";
        entry.path = "/webapi/v2/conversations/" + conversation + "/title";
        entry.headers = "{}";
        entry.body = R"({"title":")" + title + R"("})";
        entry.upstream_key = "key of " + title;
        entry.request_hash = "hash of " + title;
        entry.created_at = support::at_second(1000);
        return entry;
    }

    std::int64_t add(const NewEntry& entry, const OutboxLimits& limits = {})
    {
        Acceptance accepted;
        change([&](Writer& db) { accepted = accept(db, entry, limits); });
        kind_ = accepted.kind;
        return accepted.id;
    }
    std::int64_t add(const std::string& conversation, const std::string& title)
    {
        return add(title_of(conversation, title));
    }

    Entry entry(std::int64_t id)
    {
        auto found = store_->read_outbox([&](Reader& db) { return find_entry(db, id); });
        EXPECT_TRUE(found) << "there is no entry " << id;
        return found.value_or(Entry{});
    }
    std::int64_t head(const std::string& conversation)
    {
        std::optional<ConversationId> line;
        if (!conversation.empty()) line = ConversationId{conversation};
        const auto found = store_->read_outbox([&](Reader& db) { return find_head(db, line); });
        return found ? found->id : 0;
    }
    OutboxCounts counts()
    {
        return store_->read_outbox([](Reader& db) { return count_entries(db); });
    }
    void begin(std::int64_t id)
    {
        change([&](Writer& db) { EXPECT_TRUE(begin_sending(db, id)); });
    }
    void end(std::int64_t id, EntryState state)
    {
        Outcome outcome;
        outcome.state = state;
        change([&](Writer& db) { settle(db, id, outcome, support::at_second(2000)); });
    }
    Recovered start_again()
    {
        reopen();
        Recovered recovered;
        change([&](Writer& db) { recovered = recover(db, support::at_second(3000), support::at_second(1500)); });
        return recovered;
    }

    Acceptance::Kind kind_{};
};

TEST_F(OutboxTest, KeepsWhatItAcceptedAcrossARestart)
{
    NewEntry given = title_of("c", "one");
    given.base = R"({"title":"old"})";
    given.headers = R"({"OWN-USER-ID":"me"})";
    const auto id = add(given);
    reopen();
    const Entry kept = entry(id);
    EXPECT_EQ(kept.state, EntryState::pending);
    EXPECT_EQ(kept.kind, EditKind::title);
    EXPECT_EQ(kept.conversation, ConversationId{"c"});
    EXPECT_EQ(kept.body, given.body);
    EXPECT_EQ(kept.path, given.path);
    EXPECT_EQ(kept.headers, given.headers);
    EXPECT_EQ(kept.base, given.base);
    EXPECT_EQ(kept.upstream_key, given.upstream_key);
    EXPECT_EQ(kept.created_at, given.created_at);
}

TEST_F(OutboxTest, HasALineForEachConversationInTheOrderOfAcceptance)
{
    const auto a1 = add("a", "1"), b1 = add("b", "2"), a2 = add("a", "3"), bulk = add("", "4");
    EXPECT_EQ(head("a"), a1);
    EXPECT_EQ(head("b"), b1);
    EXPECT_EQ(head(""), bulk);
    begin(a1);
    EXPECT_EQ(head("a"), a1) << "what is being sent holds its place";
    end(a1, EntryState::delivered);
    EXPECT_EQ(head("a"), a2);
    end(a2, EntryState::failed);
    EXPECT_EQ(head("a"), 0) << "a failed one holds up nobody";
    end(b1, EntryState::conflict);
    EXPECT_EQ(head("b"), b1) << "one in conflict blocks its line";
    const auto heads = store_->read_outbox([](Reader& db) { return load_lines(db); });
    ASSERT_EQ(heads.size(), 2U);
    EXPECT_EQ(heads[0].id, b1);
    EXPECT_EQ(heads[1].id, bulk);
}

TEST_F(OutboxTest, CountsInItsTallyWhatTheRowsSay)
{
    const auto a = add("a", "1"), b = add("b", "2"), c = add("c", "3");
    add("d", "4");
    begin(a);
    end(a, EntryState::delivered);
    begin(b);
    end(c, EntryState::conflict);
    EXPECT_EQ(counts().pending, 2);
    EXPECT_EQ(counts().conflicts, 1);
    EXPECT_EQ(counts().delivered, 1);
    EXPECT_EQ(counts().oldest, support::at_second(1000));
    change([&](Writer& db) { EXPECT_EQ(discard_entry(db, c), OperatorResult::done); });
    EXPECT_EQ(counts().conflicts, 0);
    const auto off = store_->read_outbox([](Reader& db) {
        Rows rows = db.query("SELECT count(*) FROM tally t WHERE entries <> (SELECT count(*) FROM entry e WHERE e.state"
                             " = t.state) OR bytes <> (SELECT coalesce(sum(length(body) + coalesce(length(response),"
                             " 0)), 0) FROM entry e WHERE e.state = t.state)");
        rows.step();
        return rows.row().integer(0);
    });
    EXPECT_EQ(off, 0);
}

TEST_F(OutboxTest, KnowsARequestByItsKey)
{
    NewEntry first = title_of("a", "one");
    first.client_key = "k";
    const auto id = add(first);
    EXPECT_EQ(kind_, Acceptance::Kind::fresh);
    EXPECT_EQ(add(first), id);
    EXPECT_EQ(kind_, Acceptance::Kind::repeated);
    NewEntry other = title_of("a", "two");
    other.client_key = "k";
    EXPECT_EQ(add(other), id);
    EXPECT_EQ(kind_, Acceptance::Kind::mismatch);
    EXPECT_EQ(counts().pending, 1);
}

TEST_F(OutboxTest, KnowsARequestByTheKeyAsAnEarlierVersionStoredIt)
{
    NewEntry former = title_of("a", "one");
    former.client_key = "k", former.request_hash = "as that version took it";
    const auto id = add(former);
    NewEntry again = title_of("a", "one");
    again.client_key = "app\nk", again.request_hash = "as this one does";
    EXPECT_EQ(add(again), id);
    EXPECT_EQ(kind_, Acceptance::Kind::repeated);
    NewEntry other = title_of("a", "two");
    other.client_key = "another app\nk";
    EXPECT_NE(add(other), id);
    EXPECT_EQ(kind_, Acceptance::Kind::fresh) << "whose that one was is not known";
}

TEST_F(OutboxTest, RefusesWhatItHasNoRoomFor)
{
    const OutboxLimits two{2, 1000};
    add(title_of("a", "1"), two);
    const auto id = add(title_of("a", "2"), two);
    EXPECT_THROW(add(title_of("a", "3"), two), Error);
    end(id, EntryState::delivered);
    EXPECT_NO_THROW(add(title_of("a", "3"), two));
    EXPECT_THROW(add(title_of("b", std::string(1000, 'x')), {100, 1000}), Error);
}

// An app that was told that its write failed needs nothing of it.
TEST_F(OutboxTest, GivesTheRoomOfRefusalsThatWereAnsweredToWhatComes)
{
    const OutboxLimits two{2, 1000};
    const auto refuse = [this](std::int64_t id, bool told) {
        Outcome outcome;
        outcome.state = EntryState::failed;
        outcome.told = told;
        change([&](Writer& db) { settle(db, id, outcome, support::at_second(2000)); });
    };
    for (int n = 0; n < 10; ++n) refuse(add(title_of("a", "told " + std::to_string(n)), two), true);
    refuse(add(title_of("b", std::string(900, 'x')), two), true);
    const auto large = add(title_of("b", std::string(800, 'y')), two);
    refuse(large, false);
    add(title_of("c", "waits"), two);
    EXPECT_THROW(add(title_of("d", "one too many"), two), Error) << "what nobody was told of stays";
    EXPECT_EQ(entry(large).state, EntryState::failed);
    EXPECT_EQ(counts().failed, 1);
}

TEST_F(OutboxTest, GivesNoPlaceOutASecondTime)
{
    add("a", "1");
    const auto newest = add("b", "2");
    const auto place = entry(newest).place;
    change([&](Writer& db) { EXPECT_EQ(discard_entry(db, newest), OperatorResult::done); });
    EXPECT_GT(entry(add("c", "3")).place, place) << "delivery may not know yet that it is gone";
    start_again();
    const auto last = add("d", "4");
    change([&](Writer& db) { discard_entry(db, last); });
    const auto failed = add("e", "5");
    end(failed, EntryState::failed);
    const auto after = add("f", "6");
    const auto highest = entry(after).place;
    change([&](Writer& db) { discard_entry(db, after); });
    change([&](Writer& db) { retry_entry(db, failed); });
    EXPECT_GT(entry(failed).place, highest);
}

TEST_F(OutboxTest, GivesThePlaceOfARefusalThatMadeRoomToNobody)
{
    const OutboxLimits one{1, 1000};
    const auto refused = add(title_of("a", "1"), one);
    const auto place = entry(refused).place;
    Outcome outcome;
    outcome.state = EntryState::failed;
    outcome.told = true;
    change([&](Writer& db) { settle(db, refused, outcome, support::at_second(2000)); });
    EXPECT_GT(entry(add(title_of("b", "2"), one)).place, place) << "delivery may not know yet that it is gone";
}

TEST_F(OutboxTest, PutsABulkUpdateInConflictBehindWhatCameSince)
{
    const auto bulk = add("", "1"), own = add("a", "2");
    end(bulk, EntryState::conflict);
    end(own, EntryState::conflict);
    const auto later = add("b", "3");
    const auto place = entry(own).place;
    change([&](Writer& db) {
        retry_entry(db, bulk);
        retry_entry(db, own);
    });
    EXPECT_GT(entry(bulk).place, entry(later).place);
    EXPECT_EQ(entry(own).place, place) << "nothing of its conversation overtook it";
}

TEST_F(OutboxTest, TakesUpAgainWhatWasBeingSentWhenTheProcessDied)
{
    const auto id = add("a", "1"), delivered = add("b", "2");
    begin(delivered);
    end(delivered, EntryState::delivered);
    begin(id);
    const Recovered recovered = start_again();
    EXPECT_TRUE(recovered.unclean);
    EXPECT_EQ(recovered.resumed, 1);
    EXPECT_THAT(recovered.recent, ElementsAre(ConversationId{"b"}));
    EXPECT_EQ(entry(id).state, EntryState::pending);
    EXPECT_TRUE(entry(id).in_doubt);
    EXPECT_EQ(entry(id).attempts, 1);
}

TEST_F(OutboxTest, FindsWhatItMayHaveSentLast)
{
    const auto find = [this] {
        std::vector<std::string> ids;
        for (const auto& id :
             store_->read_outbox([](Reader& db) { return find_sent_last(db, std::chrono::seconds(70)); }))
            ids.push_back(id.value);
        return ids;
    };
    const auto deliver = [this](std::int64_t id, int second) {
        Outcome outcome;
        outcome.state = EntryState::delivered;
        change([&](Writer& db) { settle(db, id, outcome, support::at_second(second)); });
    };
    EXPECT_THAT(find(), IsEmpty());
    deliver(add("long ago", "a"), 1000);
    add("never sent", "b");
    deliver(add("lately", "c"), 2000);
    EXPECT_THAT(find(), ElementsAre("lately")); // however long ago that was
    NewEntry bulk = title_of("", "d");
    bulk.body = R"({"conversationIds":["many","lately"],"stateUpdate":"SOLVED"})";
    deliver(add(bulk), 2070);
    const std::int64_t sending = add("under way", "e");
    change([&](Writer& db) { begin_sending(db, sending); });
    EXPECT_THAT(find(), ElementsAre("lately", "many", "under way"));
    change([](Writer& db) { close_line(db); });
    EXPECT_THAT(find(), ElementsAre("lately", "many", "under way"));
    Outcome failed;
    failed.state = EntryState::failed;
    change([&](Writer& db) { settle(db, sending, failed, support::at_second(3000)); });
    EXPECT_THAT(find(), ElementsAre("lately", "many"));
}

TEST_F(OutboxTest, ParksWhatWasAtTheHeadOfThreeDeaths)
{
    const auto id = add("a", "1"), next = add("a", "2");
    for (int death = 0; death < 2; ++death) {
        begin(id);
        EXPECT_EQ(start_again().dead_lettered, 0);
    }
    begin(id);
    EXPECT_EQ(start_again().dead_lettered, 1);
    EXPECT_EQ(entry(id).state, EntryState::failed);
    EXPECT_EQ(head("a"), next);
}

TEST_F(OutboxTest, CountsNoDeathWhereAnAnswerCameBetween)
{
    const auto id = add("a", "1");
    for (int death = 0; death < 5; ++death) {
        begin(id);
        EXPECT_EQ(start_again().dead_lettered, 0);
        begin(id);
        end(id, EntryState::pending);
    }
}

TEST_F(OutboxTest, FindsAnOrderlyEndClean)
{
    const auto id = add("a", "1");
    begin(id);
    change([](Writer& db) { close_line(db); });
    EXPECT_FALSE(start_again().unclean);
    EXPECT_EQ(entry(id).state, EntryState::pending);
    EXPECT_TRUE(entry(id).in_doubt);
    EXPECT_TRUE(start_again().unclean) << "it is clean for one start";
}

TEST_F(OutboxTest, PutsARetryAtTheEndOfTheLine)
{
    const auto first = add("a", "1"), second = add("a", "2");
    end(first, EntryState::failed);
    RetryResult retried;
    change([&](Writer& db) { retried = retry_entry(db, first); });
    EXPECT_EQ(retried.outcome, OperatorResult::done);
    EXPECT_GT(retried.entry.place, entry(second).place);
    EXPECT_EQ(head("a"), second);
    end(second, EntryState::delivered);
    EXPECT_EQ(head("a"), first);
    change([&](Writer& db) { EXPECT_EQ(retry_entry(db, second).outcome, OperatorResult::wrong_state); });
    change([&](Writer& db) { EXPECT_EQ(retry_entry(db, 99).outcome, OperatorResult::absent); });
}

TEST_F(OutboxTest, SendsAConflictThatAPersonDecidedInItsOldPlace)
{
    const auto first = add("a", "1");
    add("a", "2");
    end(first, EntryState::conflict);
    change([&](Writer& db) { EXPECT_TRUE(retry_entry(db, first).entry.forced); });
    EXPECT_EQ(head("a"), first);
}

TEST_F(OutboxTest, TakesNothingBackThatIsOnItsWay)
{
    const auto id = add("a", "1");
    begin(id);
    change([&](Writer& db) { EXPECT_EQ(discard_entry(db, id), OperatorResult::wrong_state); });
    end(id, EntryState::pending);
    change([&](Writer& db) { EXPECT_EQ(discard_entry(db, id), OperatorResult::done); });
    change([&](Writer& db) { EXPECT_FALSE(begin_sending(db, id)); });
    change([&](Writer& db) { EXPECT_EQ(discard_entry(db, id), OperatorResult::absent); });
}

TEST_F(OutboxTest, ForgetsWhatNeedsNobodyAndKeepsTheRest)
{
    const auto delivered = add("a", "1"), failed = add("b", "2"), told = add("c", "3"), waits = add("d", "4");
    end(delivered, EntryState::delivered);
    end(failed, EntryState::failed);
    Outcome outcome;
    outcome.state = EntryState::failed;
    outcome.told = true;
    change([&](Writer& db) { settle(db, told, outcome, support::at_second(2000)); });
    change([](Writer& db) { EXPECT_EQ(purge_entries(db, support::at_second(2000), 100), 0); });
    change([](Writer& db) { EXPECT_EQ(purge_entries(db, support::at_second(2001), 100), 2); });
    const auto left = store_->read_outbox([](Reader& db) { return list_entries(db, {}); });
    std::vector<std::int64_t> ids;
    for (const Entry& one : left) ids.push_back(one.id);
    EXPECT_THAT(ids, ElementsAre(waits, failed));
}

TEST_F(OutboxTest, ListsByStateAPageAtATime)
{
    const auto a = add("a", "1"), b = add("b", "2"), c = add("c", "3");
    end(b, EntryState::failed);
    const auto ids = [&](const EntryQuery& query) {
        std::vector<std::int64_t> found;
        for (const Entry& one : store_->read_outbox([&](Reader& db) { return list_entries(db, query); }))
            found.push_back(one.id);
        return found;
    };
    EXPECT_THAT(ids({std::nullopt, std::nullopt, 2}), ElementsAre(c, b));
    EXPECT_THAT(ids({std::nullopt, b, 2}), ElementsAre(a));
    EXPECT_THAT(ids({EntryState::failed, std::nullopt, 10}), ElementsAre(b));
    EXPECT_THAT(ids({EntryState::conflict, std::nullopt, 10}), IsEmpty());
}

TEST_F(OutboxTest, SharesOneSyncAmongWritesThatWaitTogether)
{
    store_.reset();
    StoreOptions threaded = options();
    threaded.threads = true;
    store_ = std::make_unique<Store>(threaded);
    const auto before = store_->outbox_commits();
    asio::io_context loop;
    constexpr int writers = 400;
    int done = 0;
    for (int i = 0; i < writers; ++i) {
        const std::string name = std::to_string(i);
        auto task = store_->write_outbox([entry = title_of(name, name)](Writer& db) { accept(db, entry); });
        asio::co_spawn(loop, std::move(task), [&done](std::exception_ptr why) { done += why ? 0 : 1; });
    }
    loop.run();
    EXPECT_EQ(done, writers);
    EXPECT_EQ(counts().pending, writers);
    EXPECT_LT(store_->outbox_commits() - before, writers / 4) << "each write was synced by itself";
}

TEST_F(OutboxTest, BringsTheFirstReleasesQueueUp)
{
    store_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(dir_ / "outbox.db" + suffix);
    {
        Writer old(dir_ / "outbox.db", "FULL");
        old.script(outbox_schema.steps[0]);
        old.script("PRAGMA user_version = 1; INSERT INTO fact VALUES ('url', 'http://127.0.0.1:1');"
                   "INSERT INTO entry (conversation, method, path, headers, body, state, created_at, upstream_key,"
                   " request_hash) VALUES ('c', 'PUT', '/p', '{}', x'7b7d', 'failed', 5, 'k', 'h'),"
                   " ('c', 'PUT', '/p', '{}', x'7b7d', 'pending', 6, 'k', 'h')");
    }
    store_ = std::make_unique<Store>(options());
    EXPECT_EQ(head("c"), 2);
    EXPECT_EQ(entry(2).place, 2);
    EXPECT_EQ(counts().pending, 1);
    EXPECT_EQ(counts().failed, 1);
}

} // namespace
} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
// A node's copy of the shared outbox, from rows that are made by hand: whatever was here before, what a row says holds.
#include "cache/replica/shared_writes.hpp"

#include "cache/outbox/overlay.hpp"
#include "cache/replica/notes.hpp"
#include "tests/cache/fixture.hpp"
#include "tests/cache/replica/follower.hpp"

namespace alli::cache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t first = 1'790'000'000'000'000;

class SharedWrites : public CacheTest {
  protected:
    void SetUp() override
    {
        store_.reset();
        store_ = std::make_unique<Store>(noting(options()));
        for (const char* const id : {"a", "b"}) put(id, 1000, 1, {{"title", "old"}});
        write([](Writer& db) { drop_notes(db); });
    }

    static SharedWrite row(std::int64_t id, const std::string& conversation, const std::string& title)
    {
        SharedWrite made;
        made.entry.id = made.entry.place = made.number = first + id;
        made.entry.kind = EditKind::title;
        made.entry.conversation = ConversationId{conversation};
        made.entry.method = "PUT", made.entry.path = "/x";
        made.entry.headers = R"({"OWN-USER-ID":"me"})";
        made.entry.body = nlohmann::json{{"title", title}}.dump();
        made.entry.upstream_key = "key " + std::to_string(id);
        made.entry.created_at = support::at_second(100);
        made.request_hash = "h";
        made.node = "other";
        return made;
    }
    static SharedWrite delivered(SharedWrite row)
    {
        row.entry.state = EntryState::delivered;
        row.entry.attempts = 1;
        row.entry.last_status = 200;
        row.entry.response = row.entry.body;
        row.settled_at = support::at_second(200);
        ++row.number;
        return row;
    }

    std::vector<AppliedWrite> apply(const std::vector<SharedWrite>& rows, std::int64_t kept_since = 0)
    {
        const SuppressedNames names = find_suppressed_names(*store_, rows);
        auto applied = sync_wait(store_->write_outbox(
            [&](Writer& db) { return apply_writes(db, rows, support::at_second(kept_since), names).writes; }));
        store_->read_outbox([&](Reader& db) { find_heads(db, applied); });
        write([&](Writer& db) { show_writes(db, applied); });
        return applied;
    }

    std::string title(const std::string& id)
    {
        const auto raw = store_->read([&](Reader& db) { return find_conversation(db, {id}); });
        return raw ? nlohmann::json::parse(*raw)["title"].get<std::string>() : "(gone)";
    }
    std::optional<Entry> entry(std::int64_t id)
    {
        return store_->read_outbox([&](Reader& db) { return find_entry(db, first + id); });
    }
    OutboxCounts counts()
    {
        return store_->read_outbox([](Reader& db) { return count_entries(db); });
    }
    std::vector<std::int64_t> line(const std::string& id)
    {
        return store_->read_outbox([&](Reader& db) {
            return db.all<std::int64_t>("SELECT id - 1790000000000000 FROM entry WHERE conversation = ?1"
                                        " AND state IN ('pending', 'sending', 'conflict') ORDER BY place",
                                        id);
        });
    }
    std::int64_t accept_alone(const std::string& id, const std::string& key)
    {
        NewEntry made;
        made.kind = EditKind::title;
        made.conversation = ConversationId{id};
        made.method = "PUT", made.path = "/x", made.headers = "{}", made.body = R"({"title":"alone"})";
        made.upstream_key = key, made.request_hash = "h", made.client_key = "client " + key;
        return sync_wait(store_->write_outbox([&](Writer& db) { return accept(db, made).id; }));
    }
    std::int64_t noted()
    {
        return store_->read([](Reader& db) { return count_notes(db); });
    }
};

TEST_F(SharedWrites, AreHereUnderTheirIdsAndShowWithoutNotes)
{
    const std::int64_t before = noted();
    const auto applied = apply({row(1, "a", "new")});
    ASSERT_EQ(applied.size(), 1U);
    EXPECT_TRUE(applied[0].is_new && applied[0].heads_line);
    EXPECT_EQ(entry(1)->body, R"({"title":"new"})");
    EXPECT_EQ(title("a"), "new");
    EXPECT_EQ(counts().pending, 1);
    EXPECT_EQ(noted(), before);
}

TEST_F(SharedWrites, StandInTheirOrderWhateverOrderTheyCameIn)
{
    apply({row(3, "a", "third"), row(1, "a", "first"), row(2, "b", "other")});
    EXPECT_THAT(line("a"), ElementsAre(1, 3));
    EXPECT_EQ(title("a"), "third");
    const auto again = apply({row(1, "a", "first")});
    EXPECT_FALSE(again[0].is_new);
    EXPECT_EQ(counts().pending, 3);
}

TEST_F(SharedWrites, MoveOnInAnyStateAndAgain)
{
    SharedWrite sending = row(1, "a", "new");
    sending.entry.state = EntryState::sending;
    sending.entry.attempts = 1;
    SharedWrite conflict = sending;
    conflict.entry.state = EntryState::conflict;
    conflict.entry.conflict = "{}";
    SharedWrite failed = sending;
    failed.entry.state = EntryState::failed;
    failed.settled_at = support::at_second(150);
    for (const SharedWrite& from : {row(1, "a", "new"), sending, conflict, failed, delivered(sending)})
        for (const SharedWrite& to : {sending, failed, conflict, delivered(sending), row(1, "a", "new")}) {
            apply({from});
            apply({to});
            apply({to});
            EXPECT_EQ(entry(1)->state, to.entry.state);
            EXPECT_EQ(entry(1)->attempts, to.entry.attempts);
            const bool shows = to.entry.state != EntryState::failed;
            // What was delivered once is upstream's from then on.
            EXPECT_TRUE(from.entry.state == EntryState::delivered || (title("a") == "new") == shows) << title("a");
            const OutboxCounts now = counts();
            EXPECT_EQ(now.pending + now.conflicts + now.failed + now.delivered, 1);
            SharedWrite gone = to;
            gone.discarded = true;
            apply({gone});
            write([](Writer& db) { put_conversation(db, support::make_conversation("a", 1000, {{"title", "old"}})); });
        }
}

TEST_F(SharedWrites, AreUpstreamsCopyOnceDelivered)
{
    apply({row(1, "a", "new")});
    apply({delivered(row(1, "a", "new"))});
    EXPECT_EQ(title("a"), "new");
    EXPECT_EQ(entry(1)->last_status, 200);
    EXPECT_FALSE(store_->read([](Reader& db) { return has_confirmed(db); }));
    // What is published next holds, also where it is what was before.
    write([](Writer& db) { put_conversation(db, support::make_conversation("a", 1000, {{"title", "old"}})); });
    EXPECT_EQ(title("a"), "old");
}

TEST_F(SharedWrites, AreNotPutOverALaterOneThatWasHeardOfBefore)
{
    apply({delivered(row(3, "a", "later"))});
    apply({delivered(row(2, "a", "earlier"))});
    EXPECT_EQ(title("a"), "later");
    EXPECT_EQ(entry(2)->state, EntryState::delivered);
    apply({delivered(row(4, "a", "last"))});
    apply({delivered(row(5, "b", "one")), delivered(row(6, "b", "two"))});
    EXPECT_EQ(title("a"), "last");
    EXPECT_EQ(title("b"), "two");
    apply({delivered(row(8, "b", "four")), delivered(row(7, "b", "three"))}); // which changed once more
    EXPECT_EQ(title("b"), "four");
}

TEST_F(SharedWrites, GoWhenTheyAreDiscarded)
{
    apply({row(1, "a", "new"), row(2, "a", "newer")});
    SharedWrite gone = row(2, "a", "newer");
    gone.discarded = true;
    EXPECT_TRUE(apply({gone})[0].gone);
    EXPECT_THAT(apply({gone}), IsEmpty());
    EXPECT_EQ(title("a"), "new");
    EXPECT_FALSE(entry(2));
}

TEST_F(SharedWrites, GoToTheEndOfTheirLineWhenTheyAreRetried)
{
    apply({row(1, "a", "one"), row(2, "a", "two")});
    SharedWrite retried = row(1, "a", "one");
    retried.entry.place = retried.number = first + 9;
    EXPECT_FALSE(apply({retried})[0].heads_line);
    EXPECT_THAT(line("a"), ElementsAre(2, 1));
    EXPECT_EQ(title("a"), "one");
}

TEST_F(SharedWrites, LeaveAloneWhatWasAcceptedWithoutACluster)
{
    const std::int64_t alone = accept_alone("a", "mine");
    EXPECT_EQ(alone, 1);
    apply({row(1, "a", "new")});
    EXPECT_THAT(line("a"), ElementsAre(1 - first, 1));
    const auto strays = store_->read_outbox([](Reader& db) { return find_strays(db, {"key 1"}, Instant{}); });
    ASSERT_EQ(strays.size(), 1U);
    EXPECT_EQ(strays[0].entry.id, 1);
    EXPECT_EQ(strays[0].client_key, "client mine");
}

// A node that left the cluster, and came back.
TEST_F(SharedWrites, DoNotReplaceAnotherUnderTheirId)
{
    apply({row(1, "a", "new")});
    const std::int64_t alone = accept_alone("b", "mine");
    EXPECT_EQ(alone, first + 2);
    EXPECT_THAT(apply({row(2, "a", "newer")}), IsEmpty());
    EXPECT_EQ(entry(2)->upstream_key, "mine");
    SharedWrite same_place = row(3, "a", "newest");
    same_place.entry.place = first + 2;
    apply({same_place});
    EXPECT_THAT(line("a"), ElementsAre(1, 3));
    EXPECT_EQ(store_->read_outbox([](Reader& db) {
                        return find_strays(db, {"key 1", "key 3"}, Instant{});
                    })
                  .size(),
              1U);
}

TEST_F(SharedWrites, KeepAnIdempotencyKeyForEachPrincipal)
{
    SharedWrite one = row(1, "a", "one"), other = row(2, "a", "other");
    one.client_key = other.client_key = "same";
    one.principal = "app 1", other.principal = "app 2";
    apply({one, other});
    const auto strays = store_->read_outbox([](Reader& db) { return find_strays(db, {}, Instant{}); });
    ASSERT_EQ(strays.size(), 2U);
    EXPECT_EQ(strays[0].principal, "app 1");
    EXPECT_EQ(strays[1].client_key, "same");
}

TEST_F(SharedWrites, AreLeftOutWhenSettledForLong)
{
    SharedWrite failed = row(2, "a", "failed");
    failed.entry.state = EntryState::failed;
    failed.settled_at = support::at_second(200);
    EXPECT_EQ(apply({delivered(row(1, "a", "new")), failed}, 300).size(), 1U);
    EXPECT_FALSE(entry(1));
    EXPECT_TRUE(entry(2)) << "a person has to see to it";
}

TEST_F(SharedWrites, OfWhatWasPurgedHereNeverShow)
{
    const std::vector<ConversationId> ids{ConversationId{"a"}};
    sync_wait(store_->write_outbox([&](Writer& db) { suppress(db, {ids, {}, {}}, "the key"); }));
    store_->note_suppressions();
    const auto applied = apply({row(1, "a", "new"), row(2, "b", "new")});
    EXPECT_TRUE(applied[0].gone);
    EXPECT_FALSE(entry(1));
    EXPECT_TRUE(entry(2));
}

TEST_F(SharedWrites, ThatNameWhatWasPurgedHereAreToBeEmptied)
{
    const std::vector<ConversationId> ids{ConversationId{"a"}};
    sync_wait(store_->write_outbox([&](Writer& db) { suppress(db, {ids, "me", {}}, "the key"); }));
    store_->note_suppressions();
    SharedWrite other = row(2, "b", "new"), dropped = row(3, "a", ""), emptied = dropped;
    other.entry.headers = "{}";
    dropped.discarded = emptied.discarded = true;
    emptied.entry.id = first + 4, emptied.entry.path.clear();
    SharedWrite bulk = row(5, "", "");
    bulk.entry.kind = EditKind::bulk_update, bulk.entry.conversation.reset(), bulk.entry.headers = "{}";
    bulk.entry.body = R"({"conversationIds":["a","b"],"userIds":["you","me"],"set":{"state":"done"}})";
    bulk.entry.base = R"({"a":{"state":"x"},"b":{"state":"y"}})";
    SharedWrite own = bulk;
    own.entry.id = first + 6, own.entry.body = R"({"conversationIds":["a"]})";
    SharedWrite mine = row(7, "b", "new"); // in the name of the user
    const std::vector rows{row(1, "a", "new"), other, dropped, emptied, bulk, own, mine};
    const auto erased =
        store_->read_outbox([&](Reader& db) { return find_erased(db, rows, find_suppressed_names(*store_, rows)); });
    std::map<std::int64_t, ErasedWrite> by_id;
    for (const ErasedWrite& one : erased) by_id[one.id - first] = one;
    EXPECT_THAT(by_id, testing::SizeIs(5));
    for (const std::int64_t gone : {1, 3, 6, 7}) EXPECT_FALSE(by_id.at(gone).body) << gone;
    EXPECT_EQ(by_id.at(5).body, R"({"conversationIds":["b"],"userIds":["you"],"set":{"state":"done"}})");
    EXPECT_THAT(by_id.at(5).base.value(), testing::Not(testing::HasSubstr("\"a\"")));
    EXPECT_EQ(by_id.at(5).number, bulk.number);
}

TEST_F(SharedWrites, HaveAPositionThatTheFileKeeps)
{
    EXPECT_FALSE(store_->read_outbox([](Reader& db) { return find_writes_position(db); }));
    const WritesPosition position{"store", first, "nonce"};
    sync_wait(store_->write_outbox([&](Writer& db) { put_writes_position(db, position); }));
    EXPECT_EQ(store_->read_outbox([](Reader& db) { return find_writes_position(db); }), position);
}

TEST_F(SharedWrites, AreHandedOverWithWhatIsKnownOfAnswersToThem)
{
    SharedWrite noted = row(1, "a", "new");
    noted.foreign = ForeignNote{"403", "a gateway", 3, support::at_second(50)};
    noted.unproven_at = support::at_second(60);
    noted.crashes = 2;
    apply({noted});
    const auto strays = store_->read_outbox([](Reader& db) { return find_strays(db, {}, Instant{}); });
    EXPECT_EQ(strays[0].foreign, noted.foreign);
    EXPECT_EQ(strays[0].unproven_at, noted.unproven_at);
    EXPECT_EQ(strays[0].crashes, 2);
    const WriteOutcome whole = store_->read_outbox([](Reader& db) { return whole_outcome(db, first + 1, Outcome{}); });
    EXPECT_EQ(whole.foreign, noted.foreign);
}

} // namespace
} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
// What another node purged, in this node's files.
#include "cache/replica/suppressions.hpp"

#include "cache/outbox/outbox.hpp"
#include "cache/purge_rows.hpp"
#include "tests/cache/fixture.hpp"
#include "tests/cache/replica/follower.hpp"

namespace alli::cache {
namespace {

class Suppressions : public CacheTest {
  protected:
    void SetUp() override
    {
        store_.reset();
        store_ = std::make_unique<Store>(noting(options()));
        for (const char* const id : {"gone", "of u1", "old", "stays"})
            put(id, std::string_view(id) == "old" ? 50 : 1000, 2,
                {{"user", {{"userId", std::string_view(id) == "of u1" ? "u1" : "u2"}}}});
        write([](Writer& db) { drop_notes(db); });
    }

    /// As the node that purged has it.
    SuppressionList list_of(const Suppression& entry)
    {
        support::TempDir elsewhere;
        Store other({elsewhere / "mirror.db", "http://model", false});
        const auto job = [&](Writer& db) {
            suppress(db, entry, "the key");
            return load_suppression_list(db);
        };
        return sync_wait(other.write_outbox(job));
    }

    std::int64_t accept_write(const std::string& id, const std::string& user)
    {
        NewEntry entry;
        entry.conversation = ConversationId{id};
        entry.method = "PUT", entry.path = "/x";
        entry.headers = R"({"OWN-USER-ID":")" + user + "\"}";
        entry.upstream_key = id + user, entry.request_hash = "h";
        entry.body = R"({"title":"t"})";
        const auto job = [&](Writer& db) { return accept(db, entry).id; };
        return sync_wait(store_->write_outbox(job));
    }

    ErasedBySuppression take(const SuppressionList& list, bool noted)
    {
        EXPECT_TRUE(sync_wait(adopt_suppressions(*store_, list, noted)));
        return sync_wait(erase_suppressed(*store_, noted));
    }

    std::vector<std::string> held()
    {
        return store_->read([](Reader& db) { return db.all<std::string>("SELECT id FROM conversation ORDER BY id"); });
    }
    std::int64_t noted()
    {
        return store_->read([](Reader& db) { return count_notes(db); });
    }
};

TEST_F(Suppressions, EraseRowsByIdByUserAndByAge)
{
    const std::vector<ConversationId> ids{ConversationId{"gone"}};
    const ErasedBySuppression erased = take(list_of({ids, "u1", ::support::at_second(100)}), false);
    EXPECT_EQ(erased.conversations, 3);
    EXPECT_TRUE(store_->read([](Reader& db) { return find_remains(db); })) << "its bytes are there still";
    EXPECT_THAT(held(), testing::ElementsAre("stays"));
    EXPECT_EQ(noted(), 0);
    put("gone", 2000, 1);
    put("of u1 again", 2000, 1, {{"user", {{"userId", "u1"}}}});
    EXPECT_THAT(held(), testing::ElementsAre("stays")) << "nothing of it comes in";
}

TEST_F(Suppressions, OfALeaderAreNotedSoThatTheirEndsArePublished)
{
    const std::vector<ConversationId> ids{ConversationId{"gone"}};
    take(list_of({ids, {}, {}}), true);
    const Unpublished found = store_->read([](Reader& db) { return read_unpublished(db, 100); });
    ASSERT_EQ(found.rows.conversations.size(), 1U);
    EXPECT_EQ(found.rows.conversations[0].id, "gone");
    EXPECT_TRUE(found.rows.conversations[0].deleted);
}

TEST_F(Suppressions, OfAFollowerArePublishedByItWhereItLeadsBeforeAnotherDid)
{
    const std::vector<ConversationId> ids{ConversationId{"gone"}, ConversationId{"of u1"}};
    take(list_of({ids, {}, {}}), false);
    PublishedRows ended;
    ended.conversations.resize(1);
    ended.conversations[0].id = "gone";
    ended.conversations[0].deleted = true;
    write([&](Writer& db) { apply_rows(db, ended); });
    EXPECT_EQ(noted(), 0);
    write([](Writer& db) {
        drop_notes(db);
        publish_purged(db);
    });
    const Unpublished found = store_->read([](Reader& db) { return read_unpublished(db, 100); });
    ASSERT_EQ(found.rows.conversations.size(), 1U) << "the other's end was heard";
    EXPECT_EQ(found.rows.conversations[0].id, "of u1");
    EXPECT_TRUE(found.rows.conversations[0].deleted);
}

TEST_F(Suppressions, TakeWritesThatWaitWithThem)
{
    const std::int64_t kept = accept_write("stays", "u2");
    accept_write("gone", "u2");
    accept_write("stays", "u1");
    const std::vector<ConversationId> ids{ConversationId{"gone"}};
    const ErasedBySuppression erased = take(list_of({ids, "u1", {}}), false);
    EXPECT_EQ(erased.lines.size(), 2U);
    const auto left =
        store_->read_outbox([](Reader& db) { return db.all<std::int64_t>("SELECT id FROM entry ORDER BY id"); });
    EXPECT_THAT(left, testing::ElementsAre(kept));
}

TEST_F(Suppressions, ThatAreKnownCostNothing)
{
    const std::vector<ConversationId> ids{ConversationId{"gone"}};
    const SuppressionList list = list_of({ids, {}, {}});
    take(list, false);
    EXPECT_FALSE(sync_wait(adopt_suppressions(*store_, list, false)));
    const auto version = store_->read_outbox([](Reader& db) { return suppression_version(db); });
    EXPECT_EQ(store_->read([](Reader& db) { return suppression_version(db); }), version)
        << "the next start looks for nothing";
}

TEST_F(Suppressions, ThatWereCutShortAreFinishedByTheNextStart)
{
    const std::vector<ConversationId> ids{ConversationId{"gone"}};
    EXPECT_TRUE(sync_wait(adopt_suppressions(*store_, list_of({ids, {}, {}}), false)));
    store_.reset();
    store_ = std::make_unique<Store>(noting(options()));
    EXPECT_THAT(held(), testing::ElementsAre("of u1", "old", "stays"));
}

TEST_F(Suppressions, AFilesFirstListIsMadeWithTheKeyThatItShares)
{
    const auto job = [](Writer& db) {
        put_shared_key(db, "shared");
        suppress(db, {}, "its own");
        return load_suppression_list(db).key;
    };
    EXPECT_EQ(sync_wait(store_->write_outbox(job)), "shared");
}

} // namespace
} // namespace alli::cache

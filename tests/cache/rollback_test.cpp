// SPDX-License-Identifier: Apache-2.0
// What was undone leaves no word in the index, and an index that lacks rows says nothing of them.
#include "cache/search/index.hpp"
#include "cache/search/search.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RollbackTest : public CacheTest {
  protected:
    std::vector<std::string> find(const std::string& text)
    {
        SearchQuery query;
        query.text = text;
        std::vector<std::string> ids;
        for (const auto& hit : store_->read([&](Reader& db) { return search(db, query); }).hits)
            ids.push_back(hit.conversation_id);
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        return ids;
    }

    static void put_said(Writer& db, const std::string& id, const std::string& text)
    {
        put_conversation(db, support::make_conversation(id, 100));
        put_chats(db, {id}, 0, std::vector<Chat>{support::make_chat(id, 0, 100, text)});
    }
};

TEST_F(RollbackTest, LeavesNoWordForTheNextCommit)
{
    const auto outside = [](Writer& db) {
        db.script("BEGIN IMMEDIATE");
        put_said(db, "ghost", "phantom");
        db.roll_back();
        db.script("BEGIN IMMEDIATE");
        put_said(db, "real", "solid");
        db.commit();
    };
    sync_wait(store_->between_commits(Store::File::mirror, outside));
    EXPECT_THAT(find("solid"), ElementsAre("real"));
    EXPECT_THAT(find("phantom"), IsEmpty());
    const auto words = store_->read([](Reader& db) {
        return db.require<std::int64_t>("SELECT count(*) FROM chat_words WHERE chat_words MATCH 'phantom'");
    });
    EXPECT_EQ(words, 0) << "of a row that is not there";
}

TEST_F(RollbackTest, UnwantedWordAloneLeavesOutWhatHoldsIt)
{
    write([](Writer& db) { put_said(db, "a", "apple pie"), put_said(db, "b", "plum pie"); });
    EXPECT_THAT(find("-apple"), ElementsAre("b"));
    EXPECT_THAT(find("pie -apple"), ElementsAre("b"));
}

TEST_F(RollbackTest, IndexThatIsMadeAnewDoesNotSayThatAWordIsAbsent)
{
    write([](Writer& db) { put_said(db, "a", "apple pie"), put_said(db, "b", "plum pie"); });
    write([](Writer& db) { rebuild_index(db); });
    EXPECT_THAT(find("-apple"), IsEmpty());
    for (bool more = true; more;) write([&](Writer& db) { more = extend_index(db); });
    EXPECT_THAT(find("-apple"), ElementsAre("b"));
}

} // namespace
} // namespace alli::cache

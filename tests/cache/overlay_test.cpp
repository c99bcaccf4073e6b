// SPDX-License-Identifier: Apache-2.0
#include "alli/random.hpp"
#include "cache/db/migrate.hpp"
#include "tests/cache/overlay_fixture.hpp"

namespace alli::cache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(OverlayTest, ShowsAWaitingWriteInItemsListsFiltersAndSearch)
{
    put("c", 1000, 3, {{"title", "before"}, {"categories", {"x"}}});
    put("d", 900, 1);
    const std::string before = raw("c");
    show(entry_of(1, EditKind::update, "c", R"({"title":"lighthouse","categoryIds":["y"],"state":"OPEN"})"));
    EXPECT_EQ(one("c")["title"], "lighthouse");
    EXPECT_EQ(one("c")["state"], "OPEN");
    EXPECT_EQ(one("c")["chats"].size(), 3U);
    ListFilter old_category, new_category;
    old_category.category_id = "x";
    new_category.category_id = "y";
    EXPECT_THAT(listed(old_category), IsEmpty());
    EXPECT_THAT(listed(new_category), ElementsAre("c"));
    EXPECT_EQ(hits("lighthouse"), 1);
    EXPECT_EQ(hits("before"), 0);

    drop(1);
    EXPECT_EQ(raw("c"), before) << "taken back byte for byte";
    EXPECT_THAT(listed(old_category), ElementsAre("c"));
    EXPECT_EQ(hits("before"), 1);
    EXPECT_EQ(left("edit") + left("upstream_raw"), 0);
}

TEST_F(OverlayTest, AppliesSeveralInTheirOrder)
{
    put("c", 1000, 1);
    show(title(2, "c", "second"));
    show(title(1, "c", "first"));
    EXPECT_EQ(one("c")["title"], "second");
    drop(2);
    EXPECT_EQ(one("c")["title"], "first");
    confirm(title(1, "c", "first"), 10);
    EXPECT_EQ(one("c")["title"], "first");
}

TEST_F(OverlayTest, ShowsWhatWaitsOverWhateverComes)
{
    put("c", 1000, 1);
    show(title(1, "c", "ours"));
    come("c", 5, {{"title", "theirs"}, {"memo", "new memo"}});
    EXPECT_EQ(one("c")["title"], "ours");
    EXPECT_EQ(one("c")["memo"], "new memo");
    drop(1);
    EXPECT_EQ(one("c")["title"], "theirs");
}

TEST_F(OverlayTest, ShowsAConfirmedWriteOverWhatWasAskedForBefore)
{
    put("c", 1000, 1, {{"title", "old"}});
    confirm(title(1, "c", "new"), 10);
    EXPECT_EQ(one("c")["title"], "new");
    come("c", 9, {{"title", "old"}}); // an increment that was under way
    EXPECT_EQ(one("c")["title"], "new");
    come("c", -1, {{"title", "old"}}); // nobody knows when that was asked for
    EXPECT_EQ(one("c")["title"], "new");
    come("c", 11, {{"title", "changed again"}});
    EXPECT_EQ(one("c")["title"], "changed again");
    EXPECT_EQ(left("edit") + left("upstream_raw"), 0);
}

TEST_F(OverlayTest, KeepsAConfirmedWriteWhenItsCoverEnds)
{
    put("c", 1000, 1, {{"title", "old"}});
    show(title(1, "c", "new"));
    confirm(title(1, "c", "new"), 10, R"({"id":"c","title":"New, as upstream spells it","updatedAt":5})");
    EXPECT_EQ(one("c")["title"], "New, as upstream spells it");
    come("c", 9, {{"title", "old"}});
    forget();
    EXPECT_EQ(one("c")["title"], "New, as upstream spells it");
    EXPECT_EQ(left("edit") + left("upstream_raw"), 0);
}

TEST_F(OverlayTest, HidesWhatIsToBeDeletedAndPutsItBackWhole)
{
    put("c", 1000, 230, {{"title", "keepsake"}, {"chatCount", 230}});
    put("d", 900, 1);
    const std::string before = raw("c");
    show(entry_of(1, EditKind::remove, "c"));
    EXPECT_EQ(raw("c"), "");
    EXPECT_THAT(listed(), ElementsAre("d"));
    EXPECT_EQ(hits("keepsake"), 0);
    EXPECT_EQ(store_->read([](Reader& db) { return count_totals(db); }).conversations, 1);
    EXPECT_EQ(store_->read([](Reader& db) { return find_held(db, ConversationId{"c"}); })->chats, 230)
        << "the engine need not fetch it all again";
    come("c", 5, {{"title", "keepsake"}, {"chatCount", 230}});
    EXPECT_EQ(raw("c"), "");
    drop(1);
    EXPECT_EQ(raw("c"), before);
    EXPECT_EQ(store_->read([](Reader& db) { return find_chats(db, ConversationId{"c"}, 3); })->size(), 30U);
    EXPECT_EQ(hits("keepsake"), 1);
    EXPECT_EQ(left("edit") + left("upstream_raw") + left("hidden_chat"), 0);
}

TEST_F(OverlayTest, BringsNothingBackThatUpstreamDeleted)
{
    put("c", 1000, 3);
    show(entry_of(1, EditKind::remove, "c"));
    confirm(entry_of(1, EditKind::remove, "c"), 10);
    write([](Writer& db) { erase_conversation(db, ConversationId{"c"}); });
    come("c", 9, {{"title", "old page"}});
    EXPECT_EQ(raw("c"), "");
    EXPECT_EQ(left("upstream_raw") + left("hidden_chat"), 0);
    come("c", 11, {{"title", "made again"}});
    EXPECT_EQ(one("c")["title"], "made again");
}

TEST_F(OverlayTest, ChangesOneChatAndTakesThatBack)
{
    put("c", 1000, 3);
    const std::string before = raw("c");
    Entry rate = entry_of(1, EditKind::feedback, "c", R"({"rating":true,"suggestedAnswer":"better"})");
    rate.chat = ChatId{"c/1"};
    show(rate);
    EXPECT_EQ(one("c")["chats"][1]["rating"], true);
    EXPECT_EQ(one("c")["chats"][1]["suggestedAnswer"], "better");
    EXPECT_FALSE(one("c")["chats"][0].contains("rating"));
    put("c", 1000, 3); // the same again from upstream
    EXPECT_EQ(one("c")["chats"][1]["rating"], true);
    drop(1);
    EXPECT_EQ(raw("c"), before);

    rate.id = rate.place = 2;
    show(rate);
    confirm(rate, 10);
    come("c", 9, json::object());
    EXPECT_EQ(one("c")["chats"][1]["rating"], true);
    forget();
    EXPECT_EQ(one("c")["chats"][1]["rating"], true);
    EXPECT_EQ(left("edit") + left("upstream_raw"), 0);
}

TEST_F(OverlayTest, SelectsForABulkUpdateByAllKindsAndAnyOfEach)
{
    put("a", 1000, 1, {{"user", {{"userId", "u1"}}}, {"categories", {"x"}}});
    put("b", 999, 1, {{"user", {{"userId", "u2"}}}, {"categories", {"x"}}});
    put("c", 998, 1, {{"user", {{"userId", "u1"}}}, {"categories", {"y"}}});
    show(entry_of(1, EditKind::bulk_update, "",
                  R"({"userIds":["u1","u2"],"categoryIds":["x"],"conversationInfo":{"title":"bulk"}})"));
    EXPECT_EQ(one("a")["title"], "bulk");
    EXPECT_EQ(one("b")["title"], "bulk");
    EXPECT_NE(one("c")["title"], "bulk");
    drop(1);
    EXPECT_NE(one("a")["title"], "bulk");
    show(entry_of(2, EditKind::bulk_update, "", R"({"conversationInfo":{"title":"all"}})"));
    EXPECT_NE(one("a")["title"], "all") << "no filter selects nothing";
}

// SQLite takes 250,000 values at most; a request of 1 MiB holds more ids than that.
TEST_F(OverlayTest, ShowsABulkUpdateThatNamesAnyNumber)
{
    for (const char* id : {"a", "b"}) come(id, 0, {{"title", "old"}, {"user", {{"id", "u"}}}});
    json many = json::array();
    for (int n = 0; n < 262'000; ++n) many.push_back("");
    many.push_back("a");
    const json info{{"title", "bulk"}};
    show(entry_of(1, EditKind::bulk_update, "", json{{"conversationIds", many}, {"conversationInfo", info}}.dump()));
    EXPECT_EQ(one("a")["title"], "bulk");
    EXPECT_EQ(one("b")["title"], "old");
    many.back() = "of nobody";
    show(entry_of(2, EditKind::bulk_update, "", json{{"categoryIds", many}, {"conversationInfo", info}}.dump()));
    EXPECT_EQ(one("b")["title"], "old");
}

TEST_F(OverlayTest, TakesAnIdOfABulkUpdateByAllOfItsBytes)
{
    const std::string nul("a\0b", 3);
    come("a", 0, {{"title", "old"}});
    const json info{{"title", "bulk"}};
    show(entry_of(1, EditKind::bulk_update, "", json{{"conversationIds", {nul}}, {"conversationInfo", info}}.dump()));
    EXPECT_EQ(one("a")["title"], "old");
    come("\"q\\", 0, {{"title", "old"}});
    show(entry_of(2, EditKind::bulk_update, "",
                  json{{"conversationIds", {"\"q\\"}}, {"conversationInfo", info}}.dump()));
    EXPECT_EQ(one("\"q\\")["title"], "bulk");
}

TEST_F(OverlayTest, ShowsWaitingWritesOfAConversationThatComesLater)
{
    show(title(1, "late", "ours"));
    EXPECT_EQ(raw("late"), "");
    come("late", 5, {{"title", "theirs"}});
    EXPECT_EQ(one("late")["title"], "ours");
    drop(1);
    EXPECT_EQ(one("late")["title"], "theirs");
}

TEST_F(OverlayTest, BringsAMirrorFromBeforeItUp)
{
    store_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(dir_ / "mirror.db" + suffix);
    {
        Writer old(dir_ / "mirror.db");
        int version = 0;
        for (const char* step : mirror_schema.steps) {
            if (std::string_view(step).find("CREATE TABLE edit") != std::string_view::npos) break;
            old.script(step);
            ++version;
        }
        old.script("PRAGMA user_version = " + std::to_string(version) +
                   "; INSERT INTO fact VALUES ('url', 'http://127.0.0.1:1');");
    }
    store_ = std::make_unique<Store>(options());
    put("c", 1000, 1, {{"title", "kept"}});
    show(title(1, "c", "new"));
    EXPECT_EQ(one("c")["title"], "new");
    drop(1);
    EXPECT_EQ(one("c")["title"], "kept");
}

TEST_F(OverlayTest, LeavesUpstreamsCopyWhateverHappenedBetween)
{
    const std::uint64_t seed = SystemRandom().next();
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    const std::vector<std::string> ids{"a", "b", "c"};
    std::map<std::string, json> truth;
    std::vector<std::int64_t> waiting;
    for (const std::string& id : ids) {
        truth[id] = {{"title", "title of " + id}};
        put(id, 1000, 2, truth[id]);
    }
    for (std::int64_t step = 1; step <= 300; ++step) {
        const std::string id = ids[random.below(ids.size())];
        Entry entry = title(step, id, "edit " + std::to_string(step));
        switch (random.below(6)) {
        case 0:
            entry = entry_of(step, EditKind::remove, id);
            [[fallthrough]];
        case 1:
            [[fallthrough]];
        case 2:
            show(entry);
            waiting.push_back(step);
            break;
        case 3:
            entry = entry_of(step, EditKind::feedback, id, R"({"rating":false})");
            entry.chat = ChatId{id + "/0"};
            show(entry);
            waiting.push_back(step);
            break;
        case 4:
            truth[id]["title"] = "upstream's " + std::to_string(step);
            put(id, 1000, 2, truth[id]);
            break;
        default:
            if (waiting.empty()) break;
            const std::size_t at = random.below(waiting.size());
            drop(waiting[at]);
            waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }
    for (const std::int64_t id : waiting) drop(id);
    for (const std::string& id : ids) {
        EXPECT_EQ(one(id)["title"], truth[id]["title"]);
        EXPECT_EQ(one(id)["chats"].size(), 2U);
        EXPECT_FALSE(one(id)["chats"][0].contains("rating"));
    }
    EXPECT_EQ(left("edit") + left("upstream_raw") + left("hidden_chat"), 0);
    EXPECT_EQ(hits("edit"), 0);
    EXPECT_NO_THROW(write([](Writer& db) {
        db.run("INSERT INTO conversation_words (conversation_words) VALUES ('integrity-check')");
        db.run("INSERT INTO chat_words (chat_words) VALUES ('integrity-check')");
    }));
}

} // namespace
} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "alli/quick_hash.hpp"
#include "cache/lists/list.hpp"
#include "cache/lists/summaries.hpp"
#include "cache/rows/progress.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using Ids = std::vector<std::string>;

class List : public CacheTest {
  protected:
    ListPage page(const ListFilter& filter, int size, const std::optional<ListKey>& after = std::nullopt)
    {
        return store_->read([&](Reader& db) { return list_conversations(db, filter, size, after); });
    }

    static Ids ids(const ListPage& page)
    {
        Ids found;
        const json whole = json::parse(page.body + "]}");
        for (const json& item : whole["conversations"]) found.push_back(item["id"]);
        return found;
    }

    Ids walk(const ListFilter& filter, int size)
    {
        Ids all;
        std::optional<ListKey> after;
        do {
            const ListPage part = page(filter, size, after);
            for (auto& id : ids(part)) all.push_back(std::move(id));
            after = part.next;
        } while (after);
        return all;
    }
};

TEST_F(List, SortsByLastChatWithTheChatlessLastInBothDirections)
{
    put("b", 200, 1), put("a", 100, 1), put("n", 0, 0), put("m", 0, 0), put("c", 200, 1);
    ListFilter filter;
    for (const int size : {1, 2, 3, 50}) {
        filter.order = Order::last_chat_desc;
        EXPECT_THAT(walk(filter, size), ElementsAre("c", "b", "a", "n", "m")) << size;
        filter.order = Order::last_chat_asc;
        EXPECT_THAT(walk(filter, size), ElementsAre("a", "b", "c", "m", "n")) << size;
    }
}

TEST_F(List, TakesWindowsAsExclusive)
{
    put("a", 100, 1), put("b", 200, 1), put("c", 300, 1), put("n", 0, 0);
    ListFilter filter;
    filter.started_at = support::at_second(100);
    filter.end_at = support::at_second(300);
    EXPECT_THAT(walk(filter, 50), ElementsAre("b"));
}

TEST_F(List, FiltersByUserAppCategoryFirstChatAndState)
{
    put("a", 100, 1, {{"user", {{"userId", "u1"}}}, {"categories", json::array({"x", "y"})}});
    put("b", 200, 5, {{"user", {{"userId", "u2"}}}, {"isEnd", true}, {"llmApp", {{"id", "app"}}}});
    put("c", 300, 1, {{"user", {{"userId", "u1"}}}, {"categories", json::array({"y"})}});
    ListFilter users;
    users.user_ids = {"u1"};
    EXPECT_THAT(walk(users, 1), ElementsAre("c", "a"));
    users.user_ids = {"u1", "u2"};
    EXPECT_THAT(walk(users, 1), ElementsAre("c", "b", "a"));
    users.user_ids = {std::string("u1\0x", 4), "u2"};
    EXPECT_THAT(walk(users, 1), ElementsAre("b")) << "nobody has the first, and it is not u1";
    ListFilter app;
    app.app_id = "app";
    EXPECT_THAT(walk(app, 50), ElementsAre("b"));
    ListFilter category;
    category.category_id = "x";
    EXPECT_THAT(walk(category, 50), ElementsAre("a"));
    ListFilter active;
    active.active_only = true;
    EXPECT_THAT(walk(active, 50), ElementsAre("c", "a"));
    ListFilter first;
    first.first_started_at = support::at_second(195);
    first.first_end_at = support::at_second(197);
    EXPECT_THAT(walk(first, 50), ElementsAre("b"));
}

TEST_F(List, ShowsNothingTwiceInAscendingOrderWhenARowMoves)
{
    put("a", 100, 1), put("b", 200, 1), put("c", 300, 1);
    ListFilter filter;
    filter.order = Order::last_chat_asc;
    const ListPage first = page(filter, 1);
    EXPECT_THAT(ids(first), ElementsAre("a"));
    put("a", 400, 2);
    EXPECT_THAT(ids(page(filter, 50, first.next)), ElementsAre("b", "c"));
}

TEST_F(List, EmbedsAsManyChatsAsUpstreamDoes)
{
    put("a", 100, 5);
    const auto embedded = [&] { return json::parse(page({}, 50).body + "]}")["conversations"][0]["chats"].size(); };
    EXPECT_EQ(embedded(), 0U);
    write([](Writer& db) {
        Progress progress;
        progress.list_embeds = 3;
        save_progress(db, progress);
    });
    EXPECT_EQ(embedded(), 3U);
}

TEST_F(List, IsEmptyWithoutANextPageWhereThereIsNothing)
{
    const ListPage nothing = page({}, 50);
    EXPECT_THAT(ids(nothing), IsEmpty());
    EXPECT_FALSE(nothing.next);
}

class DecidedList : public List {
  protected:
    void SetUp() override
    {
        put("a", 100, 1), put("b", 200, 1), put("c", 200, 1), put("d", 300, 1), put("n", 0, 0);
        write([](Writer& db) {
            Progress progress;
            progress.verified_at = progress.boundary = support::at_second(400);
            save_progress(db, progress);
            save_chatless_places(db, {ChatlessPlace::last, ChatlessPlace::first});
        });
    }

    void hold(std::int64_t from)
    {
        write([&](Writer& db) { cover(db, {support::at_second(from), support::at_second(400), {}}); });
    }

    ListPage decided(int size, const std::optional<ListKey>& after = std::nullopt, const ListFilter& filter = {})
    {
        return store_->read(
            [&](Reader& db) { return list_conversations(db, filter, size, after, {}, Extent::decided); });
    }
};

TEST_F(DecidedList, HasAPageWhoseRowsAllLieAboveTheFloor)
{
    EXPECT_FALSE(decided(1).decided) << "nothing is covered";
    hold(200);
    EXPECT_THAT(ids(decided(3)), ElementsAre("d", "c", "b")) << "the floor itself is covered";
    EXPECT_TRUE(decided(3).next) << "who follows is not known";
    EXPECT_FALSE(decided(4).decided);
    EXPECT_FALSE(decided(1, decided(3).next).decided);
    hold(0);
    EXPECT_THAT(ids(decided(4)), ElementsAre("d", "c", "b", "a"));
    EXPECT_FALSE(decided(5).decided) << "those without a chat are not all known";
}

TEST_F(DecidedList, PutsThoseWithoutAChatWhereUpstreamDoes)
{
    hold(0);
    ListFilter oldest;
    oldest.order = Order::last_chat_asc;
    EXPECT_FALSE(decided(1, std::nullopt, oldest).decided);
    write([](Writer& db) {
        Progress progress = load_progress(db);
        progress.chatless_at = progress.verified_at;
        save_progress(db, progress);
    });
    EXPECT_THAT(ids(decided(9)), ElementsAre("d", "c", "b", "a", "n"));
    for (const int size : {1, 2, 9}) EXPECT_THAT(walk(oldest, size), ElementsAre("n", "a", "b", "c", "d")) << size;
    write([](Writer& db) { save_chatless_places(db, {ChatlessPlace::nowhere, ChatlessPlace::nowhere}); });
    EXPECT_THAT(walk(oldest, 2), ElementsAre("a", "b", "c", "d"));
    EXPECT_THAT(ids(decided(9)), ElementsAre("d", "c", "b", "a"));
}

TEST_F(DecidedList, GoesOnBehindRowsThatWereShownInAnotherOrder)
{
    hold(0);
    put("e", 200, 1), put("f", 200, 1);
    ListKey key{support::at_second(200), "", std::nullopt, ChatlessPlace::nowhere, {quick_hash("b"), quick_hash("e")}};
    Ids all;
    for (std::optional<ListKey> next = key; next;) {
        const ListPage page = decided(1, next);
        for (auto& id : ids(page)) all.push_back(id);
        next = page.next;
    }
    EXPECT_THAT(all, ElementsAre("f", "c", "a"));
}

TEST_F(DecidedList, TellsAPersonWhetherSomebodyMayBeMissing)
{
    const auto whole = [&](int limit) {
        return store_->read([&](Reader& db) { return is_whole(db, list_summaries(db, limit), limit); });
    };
    EXPECT_FALSE(whole(1));
    hold(200);
    EXPECT_TRUE(whole(3));
    EXPECT_FALSE(whole(4));
    EXPECT_FALSE(whole(100));
}

} // namespace
} // namespace alli::cache

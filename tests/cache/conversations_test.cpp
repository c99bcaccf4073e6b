// SPDX-License-Identifier: Apache-2.0
#include "cache/db/index_batch.hpp"
#include "cache/search/search.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

using nlohmann::json;

class Conversations : public CacheTest {
  protected:
    json get(const std::string& id)
    {
        const auto found = store_->read([&](Reader& db) { return find_conversation(db, {id}); });
        return found ? json::parse(*found) : json();
    }

    std::size_t hits(const std::string& words)
    {
        SearchQuery query;
        query.text = words;
        return store_->read([&](Reader& db) { return search(db, query); }).hits.size();
    }
};

TEST_F(Conversations, ComeBackWithTheirLastTwentyChats)
{
    put("a", 1000, 25);
    const json conversation = get("a");
    EXPECT_EQ(conversation["title"], "about a");
    ASSERT_EQ(conversation["chats"].size(), 20U);
    EXPECT_EQ(conversation["chats"][0]["id"], "a/5");
    EXPECT_EQ(conversation["chats"][19]["id"], "a/24");
    EXPECT_TRUE(get("b").is_null());
}

// From a list that embeds no chats, or says so with a null.
TEST_F(Conversations, ComeWithTheirChatsWhereTheirListHadNone)
{
    put("with", 1000, 3);
    put("null", 1000, 3, {{"chats", nullptr}});
    TimeUnit unit = TimeUnit::seconds;
    const Conversation bare = read_conversation(R"({"id":"bare","title":"about bare"})", unit);
    write([&](Writer& db) { put_conversation(db, bare); });
    EXPECT_EQ(get("bare"), json::parse(R"({"id":"bare","title":"about bare","chats":[]})"));
    put("bare", 1000, 0, {{"lastChatTime", 1000}});
    for (const std::string id : {"with", "null"}) {
        const json chats = get(id)["chats"];
        ASSERT_EQ(chats.size(), 3U) << id;
        EXPECT_EQ(chats[2]["id"], id + "/2");
    }
}

TEST_F(Conversations, GiveChatsInPagesOfAHundred)
{
    put("a", 1000, 230);
    const auto page = [&](int number) {
        return store_->read([&](Reader& db) { return find_chats(db, {"a"}, number); });
    };
    EXPECT_EQ(page(1)->size(), 100U);
    EXPECT_EQ(page(3)->size(), 30U);
    EXPECT_EQ(page(4)->size(), 0U);
    EXPECT_EQ(json::parse(page(3)->front())["id"], "a/200");
    EXPECT_FALSE(store_->read([&](Reader& db) { return find_chats(db, {"b"}, 1); }));
}

TEST_F(Conversations, AreWrittenOnlyWhereSomethingChanged)
{
    put("a", 1000, 3);
    const Conversation same = support::make_conversation("a", 1000);
    const std::vector<Chat> chats{support::make_chat("a", 0, 998, "chat 0 of a"),
                                  support::make_chat("a", 1, 999, "chat 1 of a")};
    write([&](Writer& db) {
        EXPECT_FALSE(put_conversation(db, same));
        EXPECT_FALSE(put_chats(db, same.id, 0, chats));
    });
}

TEST_F(Conversations, LoseTheirOldWordsWhenAChatIsEdited)
{
    put("a", 1000, 3);
    EXPECT_EQ(hits("\"chat 1\""), 1U);
    const std::vector<Chat> edited{support::make_chat("a", 1, 999, "quite another thing")};
    write([&](Writer& db) { EXPECT_TRUE(put_chats(db, {"a"}, 1, edited)); });
    EXPECT_EQ(hits("\"chat 1\""), 0U);
    EXPECT_EQ(hits("another"), 1U);
    EXPECT_EQ(hits("\"chat 2\""), 1U);
}

TEST_F(Conversations, CutWhatStandsBehindAChatThatIsNoLongerThere)
{
    put("a", 1000, 5);
    const std::vector<Chat> moved{support::make_chat("a", 7, 999, "moved up")};
    write([&](Writer& db) { put_chats(db, {"a"}, 2, moved); });
    const auto ids = store_->read([](Reader& db) { return chat_ids_from(db, {"a"}, 0); });
    EXPECT_THAT(ids, testing::ElementsAre(ChatId{"a/0"}, ChatId{"a/1"}, ChatId{"a/7"}));
    EXPECT_EQ(store_->read([](Reader& db) { return find_held(db, {"a"}); })->chats, 3);
}

TEST_F(Conversations, LeaveNothingBehindWhenErased)
{
    put("a", 1000, 5, {{"categories", json::array({"x"})}});
    put("b", 1001, 1);
    write([&](Writer& db) {
        EXPECT_TRUE(erase_conversation(db, {"a"}));
        EXPECT_FALSE(erase_conversation(db, {"never"}));
    });
    EXPECT_TRUE(get("a").is_null());
    EXPECT_EQ(hits("a"), 0U);
    const Totals totals = store_->read([](Reader& db) { return count_totals(db); });
    EXPECT_EQ(totals.conversations, 1);
    EXPECT_EQ(totals.chats, 1);
}

TEST_F(Conversations, TakeAThousandChatsOfOneSecond)
{
    std::vector<Chat> chats;
    for (int n = 0; n < 1000; ++n) chats.push_back(support::make_chat("a", n, 500, "same time"));
    const Conversation conversation = support::make_conversation("a", 500);
    write([&](Writer& db) {
        put_conversation(db, conversation);
        put_chats(db, conversation.id, 0, chats);
    });
    EXPECT_EQ(store_->read([](Reader& db) { return count_totals(db); }).chats, 1000);
}

// A common sequence of numbers would make it quadratic: the last of them would be far away.
TEST_F(Conversations, OfChatsOfOneSecondTheNumbersLieCloseTogether)
{
    static constexpr int count = 3000;
    write([&](Writer& db) {
        for (const char* id : {"a", "b"}) {
            std::vector<Chat> chats;
            for (int n = 0; n < count / 2; ++n) chats.push_back(support::make_chat(id, n, 500, "same time"));
            const Conversation conversation = support::make_conversation(id, 500);
            put_conversation(db, conversation);
            put_chats(db, conversation.id, 0, chats);
        }
    });
    store_->read([](Reader& db) {
        EXPECT_EQ(count_totals(db).chats, count);
        EXPECT_LT(db.require<std::int64_t>("SELECT max(pk) - min(pk) FROM chat_row"), 32 * count);
    });
}

// An unlucky conversation of hundreds of thousands of chats does not take the memory of all its words.
TEST_F(Conversations, ThatAreErasedHaveFewOfTheirWordsInMemory)
{
    static constexpr std::size_t count = 600;
    const std::string text = std::string(16'000, 'x') + " lorem";
    std::vector<Chat> chats;
    for (std::size_t n = 0; n < count; ++n) chats.push_back(support::make_chat("a", static_cast<int>(n), 500, text));
    const Conversation conversation = support::make_conversation("a", 500, {{"title", "entitled"}});
    write([&](Writer& db) {
        put_conversation(db, conversation);
        put_chats(db, conversation.id, 0, chats);
    });
    write([&](Writer& db) {
        erase_conversation(db, conversation.id);
        EXPECT_LT(db.words().mark().chats, count / 2);
    });
    EXPECT_EQ(hits("entitled"), 0U);
    EXPECT_EQ(hits("lorem"), 0U);
}

TEST_F(Conversations, ReadDraftJsForItsWords)
{
    const std::string draft =
        R"({"blocks":[{"text":"여행 계획","type":"unstyled"},{"text":"second line"}],"entityMap":{}})";
    const std::vector<Chat> chats{support::make_chat("a", 0, 500, draft)};
    const Conversation conversation = support::make_conversation("a", 500);
    write([&](Writer& db) {
        put_conversation(db, conversation);
        put_chats(db, conversation.id, 0, chats);
    });
    EXPECT_EQ(hits("여행"), 1U);
    EXPECT_EQ(hits("second"), 1U);
    EXPECT_EQ(hits("unstyled"), 0U);
}

} // namespace
} // namespace alli::cache

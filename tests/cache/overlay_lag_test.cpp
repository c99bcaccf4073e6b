// SPDX-License-Identifier: Apache-2.0
// Reads that lag behind what was delivered: answered at second 10, they may show the state before until second 20.
#include "cache/chat_detail.hpp"
#include "cache/outbox/overlay_answer.hpp"
#include "tests/cache/overlay_fixture.hpp"

namespace alli::cache {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class OverlayLagTest : public OverlayTest {
  protected:
    static Confirmation at_10() { return {at(10), support::at_second(1'010), 10s}; }
    static Confirmation at_second(int seconds) { return {at(seconds), support::at_second(1'000 + seconds), 10s}; }

    /// What a forwarded answer shows of it.
    json answered(const std::string& id, int asked, const json& body)
    {
        const EditedAnswer shown = store_->read([&](Reader& db) {
            return apply_edits(db, Shape::conversation, ConversationId{id}, {}, body.dump(), at(asked));
        });
        if (shown.removed) return "gone";
        return shown.body ? json::parse(*shown.body) : body;
    }
    std::vector<std::string> covered(int now)
    {
        std::vector<std::string> ids;
        write([&](Writer& db) {
            for (const ConversationId& id : take_covered(db, at(now), 100)) ids.push_back(id.value);
        });
        return ids;
    }
    void chats_come(const std::string& id, int asked, const json& more)
    {
        json chat = support::chat_json(id, 0, 1000, "hello");
        chat.update(more);
        TimeUnit unit = TimeUnit::seconds;
        const std::vector<Chat> chats{read_chat(chat.dump(), unit)};
        write([&](Writer& db) { put_chats(db, ConversationId{id}, 0, chats, at(asked)); });
    }
    static Entry rating(std::int64_t id, const std::string& conversation, bool good)
    {
        Entry entry = entry_of(id, EditKind::feedback, conversation, json{{"rating", good}}.dump());
        entry.chat = ChatId{conversation + "/0"};
        return entry;
    }
};

TEST_F(OverlayLagTest, GoesOnShowingWhatWasWrittenHoweverOftenTheStateBeforeComes)
{
    put("c", 1000, 1, {{"title", "lighthouse"}});
    show(title(1, "c", "harbour"));
    confirm(title(1, "c", "harbour"), at_10());
    for (const int second : {9, 10, 12, 20}) {
        come("c", second, {{"title", "lighthouse"}});
        EXPECT_EQ(one("c")["title"], "harbour") << second;
        EXPECT_EQ(hits("lighthouse"), 0);
        ListFilter filter;
        filter.search_term = "harbour";
        EXPECT_THAT(listed(filter), ElementsAre("c"));
        EXPECT_EQ(answered("c", second, {{"id", "c"}, {"title", "lighthouse"}})["title"], "harbour");
        come("c", second, {{"title", "harbour"}}); // another replica has it already
    }
    EXPECT_EQ(answered("c", 21, {{"id", "c"}, {"title", "lighthouse"}})["title"], "lighthouse");
    come("c", 21, {{"title", "lighthouse"}});
    EXPECT_EQ(one("c")["title"], "lighthouse") << "after the lag upstream's word counts";
    EXPECT_EQ(left("edit") + left("upstream_raw"), 0);
}

TEST_F(OverlayLagTest, ShowsAnothersChangeAtOnceAndHoldsOnToIt)
{
    put("c", 1000, 1, {{"title", "old"}, {"memo", "1"}});
    confirm(title(1, "c", "ours"), at_10());
    EXPECT_EQ(answered("c", 12, {{"id", "c"}, {"title", "theirs"}})["title"], "theirs");
    come("c", 12, {{"title", "theirs"}, {"memo", "2"}});
    EXPECT_EQ(one("c")["title"], "theirs");
    for (const char* late : {"old", "ours"}) {
        come("c", 13, {{"title", late}});
        EXPECT_EQ(one("c")["title"], "theirs") << "nothing that was replaced comes back: " << late;
    }
    come("c", 14, {{"title", "theirs again"}});
    EXPECT_EQ(one("c")["title"], "theirs again");
    come("c", 15, {{"title", "old"}, {"memo", "3"}});
    EXPECT_EQ(one("c")["memo"], "3") << "what we did not set is upstream's";
}

TEST_F(OverlayLagTest, TellsNothingByWhatWasAskedForBeforeTheAnswer)
{
    put("c", 1000, 1, {{"title", "old"}});
    confirm(title(1, "c", "ours"), at_10());
    come("c", 9, {{"title", "from before ours, and never seen"}});
    EXPECT_EQ(one("c")["title"], "ours");
    come("c", -1, {{"title", "nobody knows from when"}});
    EXPECT_EQ(one("c")["title"], "ours");
}

TEST_F(OverlayLagTest, HoldsSeveralWritesInTheirOrder)
{
    put("c", 1000, 1, {{"title", "old"}, {"state", "NEW"}});
    confirm(title(1, "c", "a"), at_10());
    confirm(entry_of(2, EditKind::update, "c", R"({"title":"b","state":"OPEN"})"), at_second(14));
    for (const char* late : {"old", "a", "b"}) {
        come("c", 16, {{"title", late}, {"state", "NEW"}});
        EXPECT_EQ(one("c")["title"], "b") << late;
        EXPECT_EQ(one("c")["state"], "OPEN");
    }
    come("c", 22, {{"title", "a"}, {"state", "NEW"}});
    EXPECT_EQ(one("c")["title"], "b") << "that one's lag lasts to 24";
    come("c", 23, {{"title", "old"}});
    EXPECT_EQ(one("c")["title"], "old") << "the lag of the one that replaced it is over: somebody set it back";
}

TEST_F(OverlayLagTest, TakesTheStateFromBeforeItWasSentWhereAReadWasQuickerThanTheAnswer)
{
    put("c", 1000, 1, {{"title", "old"}});
    Confirmation when = at_10();
    when.base = R"({"title":"old"})";
    come("c", 9, {{"title", "new"}});
    confirm(title(1, "c", "new"), when);
    come("c", 12, {{"title", "old"}});
    EXPECT_EQ(one("c")["title"], "new");
    come("c", 12, {{"title", "theirs"}});
    EXPECT_EQ(one("c")["title"], "theirs");

    put("d", 1000, 1, {{"title", "new"}}); // what it was before is not known
    confirm(title(2, "d", "new"), at_10());
    come("d", 12, {{"title", "old"}});
    EXPECT_EQ(one("d")["title"], "new");
    come("d", 21, {{"title", "old"}});
    EXPECT_EQ(one("d")["title"], "old");
}

TEST_F(OverlayLagTest, KnowsTheValueThatUpstreamMadeOfIt)
{
    put("c", 1000, 1, {{"categories", {"x"}}});
    const Entry named = entry_of(1, EditKind::update, "c", R"({"categoryIds":["c1"]})");
    confirm(named, at_10(), R"({"id":"c","categories":["Travel"]})");
    come("c", 12, {{"categories", {"x"}}});
    EXPECT_EQ(one("c")["categories"], json({"Travel"}));

    put("d", 1000, 1, {{"categories", {"x"}}}); // no copy: the first other value is what it made of it
    confirm(entry_of(2, EditKind::bulk_update, "",
                     R"({"conversationIds":["d"],"conversationInfo":{"categoryIds":["c1"]}})"),
            at_10());
    EXPECT_EQ(one("d")["categories"], json({"c1"}));
    come("d", 12, {{"categories", {"Travel"}}});
    come("d", 13, {{"categories", {"x"}}});
    EXPECT_EQ(one("d")["categories"], json({"Travel"}));
}

TEST_F(OverlayLagTest, HoldsABulkUpdateForEveryConversationItTouched)
{
    put("a", 1000, 1, {{"title", "1"}, {"user", {{"userId", "u"}}}});
    put("b", 999, 1, {{"title", "2"}, {"user", {{"userId", "u"}}}});
    const Entry bulk =
        entry_of(1, EditKind::bulk_update, "", R"({"userIds":["u"],"conversationInfo":{"title":"all"}})");
    show(bulk);
    confirm(bulk, at_10());
    come("a", 12, {{"title", "1"}, {"user", {{"userId", "u"}}}});
    come("b", 12, {{"title", "theirs"}, {"user", {{"userId", "u"}}}});
    EXPECT_EQ(one("a")["title"], "all");
    EXPECT_EQ(one("b")["title"], "theirs");
}

TEST_F(OverlayLagTest, BringsNoRowBackThatWasDeleted)
{
    put("c", 1000, 3);
    confirm(entry_of(1, EditKind::remove, "c"), at_10());
    for (const int second : {9, 12, 20}) {
        come("c", second, {{"title", "still there"}});
        EXPECT_EQ(raw("c"), "") << second;
        EXPECT_THAT(listed(), IsEmpty());
        EXPECT_EQ(answered("c", second, {{"id", "c"}}), "gone");
    }
    EXPECT_EQ(store_->read([](Reader& db) { return find_chats(db, ConversationId{"c"}, 1); }), std::nullopt);
    write([](Writer& db) { erase_conversation(db, ConversationId{"c"}); }); // a read that says 404, and one that lags
    come("c", 15, {{"title", "still there"}});
    EXPECT_EQ(raw("c"), "");
    come("c", 21, {{"title", "never deleted at all"}});
    EXPECT_EQ(one("c")["title"], "never deleted at all");
}

TEST_F(OverlayLagTest, HoldsARatingInChatsWhateverPageTheyComeWith)
{
    put("c", 1000, 1);
    chats_come("c", 5, {{"rating", nullptr}});
    confirm(rating(1, "c", true), at_10());
    for (const json& late : {json{{"rating", nullptr}}, json::object()}) {
        chats_come("c", 12, late);
        EXPECT_EQ(one("c")["chats"][0]["rating"], true);
    }
    chats_come("c", 13, {{"rating", false}});
    EXPECT_EQ(one("c")["chats"][0]["rating"], false) << "somebody changed his mind";
    chats_come("c", 14, {{"rating", true}});
    EXPECT_EQ(one("c")["chats"][0]["rating"], false);
    come("c", 21, json::object()); // the item alone tells nothing of the chat
    EXPECT_EQ(one("c")["chats"][0]["rating"], false);
    chats_come("c", 22, {{"rating", nullptr}});
    EXPECT_EQ(one("c")["chats"][0]["rating"], nullptr);
    EXPECT_EQ(left("edit") + left("upstream_raw"), 0);
}

TEST_F(OverlayLagTest, KeepsNoChatForLaterThatMayLackTheRating)
{
    put("c", 1000, 1);
    confirm(rating(1, "c", true), at_10());
    const ConversationId id{"c"};
    const ChatId chat{"c/0"};
    const auto of = store_->read([&](Reader& db) { return find_chat(db, id, chat); })->of;
    bool kept = true;
    write([&](Writer& db) { kept = put_chat_detail(db, id, chat, of, R"({"id":"c/0","rating":null,"steps":[]})"); });
    EXPECT_FALSE(kept);
}

TEST_F(OverlayLagTest, HasWhatWasCoveredReadAgainOnce)
{
    put("a", 1000, 1, {{"title", "old"}});
    put("b", 1000, 1, {{"title", "old"}});
    put("gone", 1000, 1);
    confirm(title(1, "a", "new"), at_10());
    confirm(title(2, "b", "new"), at_10());
    confirm(entry_of(3, EditKind::remove, "gone"), at_10());
    come("a", 12, {{"title", "old"}});
    come("b", 12, {{"title", "new"}});
    come("gone", 12, json::object());
    EXPECT_THAT(covered(20), IsEmpty()) << "it may lag still";
    EXPECT_THAT(covered(21), testing::UnorderedElementsAre("a", "gone"));
    EXPECT_THAT(covered(22), IsEmpty());
}

TEST_F(OverlayLagTest, LastsOverARestartForAsLongAsItWould)
{
    put("c", 1000, 1, {{"title", "old"}});
    confirm(title(1, "c", "new"), at_10()); // 1010 by the wall
    reopen();
    // Another process, four seconds later; its steady clock counts from somewhere else.
    write([](Writer& db) { resume_lag(db, at(500), support::at_second(1'014), 10s); });
    come("c", 505, {{"title", "old"}});
    EXPECT_EQ(one("c")["title"], "new");
    come("c", 507, {{"title", "old"}});
    EXPECT_EQ(one("c")["title"], "old");
}

TEST_F(OverlayLagTest, OfAnOlderWriteThatCoveredAReadHidesNoNewerOneAtAStart)
{
    confirm(title(1, "c", "one"), at_10()); // what it replaced is not known: the mirror has no such conversation yet
    come("c", 12, {{"title", "old"}});
    confirm(title(2, "c", "two"), at_second(15));
    come("c", 17, {{"title", "two"}});
    reopen();
    // As soon after the second one's lag as a start may come: a read may have been asked for just before its end.
    write([](Writer& db) { resume_lag(db, at(500), support::at_second(1'026), 10s); });
    for (const int asked : {498, 500}) {
        come("c", asked, {{"title", "two"}});
        EXPECT_EQ(one("c")["title"], "two") << asked;
    }
    EXPECT_EQ(left("edit"), 0) << "such a read needs no other";
}

TEST_F(OverlayLagTest, IsOverAtAStartAfterItAndNoLongerThanWholeWhenTheClockWasSetBack)
{
    put("c", 1000, 1, {{"title", "old"}});
    put("d", 1000, 1, {{"title", "old"}});
    confirm(title(1, "c", "new"), at_10());
    confirm(title(2, "d", "new"), at_second(15));
    write([](Writer& db) { resume_lag(db, at(5), support::at_second(1'021), 10s); });
    EXPECT_EQ(left("edit"), 1);
    come("c", 5, {{"title", "old"}});
    EXPECT_EQ(one("c")["title"], "old");
    write([](Writer& db) { resume_lag(db, at(6), support::at_second(3), 10s); });
    come("d", 16, {{"title", "old"}});
    EXPECT_EQ(one("d")["title"], "new");
    come("d", 17, {{"title", "old"}});
    EXPECT_EQ(one("d")["title"], "old");
}

} // namespace
} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
// What is read for all conversations of a page together is what is read of each alone.
#include "cache/page_state.hpp"

#include "cache/outbox/overlay.hpp"
#include "cache/rows/chat_owner.hpp"
#include "cache/rows/request_fence.hpp"
#include "cache/rows/suppression_list.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

bool is_same(const std::optional<Held>& a, const std::optional<Held>& b)
{
    if (!a || !b) return a.has_value() == b.has_value();
    return a->chats == b->chats && a->last_chat_at == b->last_chat_at && a->last_completed == b->last_completed &&
           a->maybe_since == b->maybe_since;
}

class PageStateTest : public CacheTest {
  protected:
    std::vector<ConversationState> load(const std::vector<ConversationId>& ids, std::int64_t tail_from = 0)
    {
        const std::vector<std::int64_t> first(ids.size(), tail_from);
        return store_->read([&](Reader& db) {
            auto states = load_states(db, ids);
            load_tail_ids(db, ids, first, states);
            return states;
        });
    }

    /// Each by itself tells the same.
    void expect_as_alone(const std::vector<ConversationId>& ids, std::int64_t tail_from)
    {
        const auto states = load(ids, tail_from);
        ASSERT_EQ(states.size(), ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto held = store_->read([&](Reader& db) { return find_held(db, ids[i]); });
            const auto tail = store_->read([&](Reader& db) { return chat_ids_from(db, ids[i], tail_from); });
            EXPECT_TRUE(is_same(states[i].held, held)) << ids[i].value;
            EXPECT_EQ(states[i].tail, tail) << ids[i].value;
        }
    }

    void hide(const std::string& id)
    {
        Entry entry;
        entry.id = 1;
        entry.place = 1;
        entry.kind = EditKind::remove;
        entry.conversation = ConversationId{id};
        write([&](Writer& db) { show_edit(db, entry); });
    }
};

TEST_F(PageStateTest, IsThatOfEachConversationAlone)
{
    std::vector<ConversationId> ids;
    for (int n = 0; n < 120; ++n) { // more than one statement takes
        ids.push_back({"c" + std::to_string(n)});
        if (n % 3 != 0) put(ids.back().value, 1000 + n, n % 7);
    }
    ids.push_back(ids[1]); // twice
    ids.push_back({"0"});
    hide("c4");
    expect_as_alone(ids, 0);
    expect_as_alone(ids, 2);
    expect_as_alone({ids[5]}, 1);
    EXPECT_TRUE(load({}).empty());
}

TEST_F(PageStateTest, TellsWhatWaitsAndWhatIsWrong)
{
    put("a", 1000, 3);
    put("b", 1000, 3);
    put("c", 1000, 5);
    Problem problem;
    problem.what = "conversation b cannot be read";
    problem.conversation = "b";
    write([&](Writer& db) { put_problem(db, problem_key({"b"}), problem); });
    hide("c");
    const auto states = load({{"a"}, {"b"}, {"c"}, {"d"}});
    EXPECT_EQ(states[0].end, 3);
    EXPECT_FALSE(states[0].problem || states[0].hidden || states[0].lags);
    EXPECT_EQ(states[1].problem.value().what, problem.what);
    EXPECT_TRUE(states[2].hidden);
    EXPECT_EQ(states[2].held.value().chats, 5);
    EXPECT_FALSE(states[3].held || states[3].pk || states[3].problem);
}

TEST_F(PageStateTest, SuppressesWhatEachWouldBeAlone)
{
    std::vector<Conversation> listed;
    for (int n = 0; n < 60; ++n) {
        nlohmann::json user;
        user["user"]["id"] = "u" + std::to_string(n);
        listed.push_back(support::make_conversation("c" + std::to_string(n), n < 5 ? 10 : 1000, user));
    }
    const std::vector<ConversationId> purged{{"c7"}, {"c59"}};
    const Suppression entry{purged, "u30", support::at_second(100)};
    write([&](Writer& db) { suppress(db, entry, "key"); });
    store_->read([&](Reader& db) {
        const auto together = is_suppressed(db, listed);
        int out = 0;
        for (std::size_t i = 0; i < listed.size(); ++i) {
            EXPECT_EQ(together[i], is_suppressed(db, listed[i])) << i;
            out += together[i] ? 1 : 0;
        }
        EXPECT_EQ(out, 5 + 2 + (listed[30].user_id ? 1 : 0));
    });
}

TEST_F(PageStateTest, NamesAllThatAYoungerAnswerHasPut)
{
    write([](Writer& db) {
        raise_request_fence(db, {"a"}, 7);
        raise_request_fence(db, {"b"}, 9);
        EXPECT_EQ(load_superseded(db, 6).size(), 2U);
        EXPECT_EQ(load_superseded(db, 7), std::unordered_set<ConversationId>{{"b"}});
        EXPECT_TRUE(load_superseded(db, 9).empty());
    });
}

TEST_F(PageStateTest, KnowsAPageOfChatsOfAnotherConversation)
{
    put("a", 1000, 30);
    put("b", 2000, 30);
    std::vector<Chat> of_a, of_nobody;
    for (int n = 0; n < 30; ++n) {
        of_a.push_back(support::make_chat("a", n, 971 + n, "x"));
        of_nobody.push_back(support::make_chat("z", n, 971 + n, "x"));
    }
    store_->read([&](Reader& db) {
        EXPECT_TRUE(is_known_elsewhere(db, {"b"}, of_a));
        EXPECT_TRUE(is_known_elsewhere(db, {"new"}, of_a));
        EXPECT_FALSE(is_known_elsewhere(db, {"a"}, of_a));
        EXPECT_FALSE(is_known_elsewhere(db, {"b"}, of_nobody));
        EXPECT_FALSE(is_known_elsewhere(db, {"b"}, {}));
        for (Chat& chat : of_a) chat.sent_at.reset();
        EXPECT_FALSE(is_known_elsewhere(db, {"b"}, of_a)) << "nothing tells when it was sent";
    });
}

} // namespace
} // namespace alli::cache

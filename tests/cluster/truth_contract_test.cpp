// SPDX-License-Identifier: Apache-2.0
// What every implementation of the shared truth keeps: the model that the simulation runs on, and PostgreSQL.
#include "alli/clock.hpp"
#include "tests/cluster/rows.hpp"
#include "tests/cluster/truths.hpp"

#include <gtest/gtest.h>

namespace cluster_tests {
namespace {

using namespace std::chrono_literals;

struct Kind {
    const char* name;
    std::unique_ptr<Store> (*make)();
};

class TruthContract : public testing::TestWithParam<Kind> {
  protected:
    std::int64_t lead(Truth& truth)
    {
        const Head head = wait(truth.head());
        return wait(truth.campaign(head.epoch, head.beat)).value();
    }
    template <class T>
    T wait(Task<T> task)
    {
        return store->wait(std::move(task));
    }

    std::unique_ptr<Store> store = GetParam().make();
    std::unique_ptr<Truth> one = store->node("one"), two = store->node("two");
};

TEST_P(TruthContract, NobodyLeadsANewClusterAndItsNumbersBeginAtNow)
{
    const Head head = wait(one->head());
    EXPECT_EQ(head.holder, "");
    EXPECT_EQ(head.leader, "");
    EXPECT_EQ(head.epoch, 0);
    EXPECT_FALSE(head.store.empty());
    EXPECT_FALSE(head.last.nonce.empty());
    const Instant began{std::chrono::microseconds(head.last.number)};
    EXPECT_LT(std::chrono::abs(SystemClock().now() - began), 1min);
}

TEST_P(TruthContract, OfTwoThatSawTheSameOneTakesTheLease)
{
    const Head seen = wait(one->head());
    const auto first = wait(one->campaign(seen.epoch, seen.beat)), second = wait(two->campaign(seen.epoch, seen.beat));
    EXPECT_EQ(first, seen.epoch + 1);
    EXPECT_FALSE(second);
    const Head now = wait(two->head());
    EXPECT_EQ(now.leader, "one");
    EXPECT_EQ(now.holder.substr(0, 4), "one-");
    EXPECT_EQ(now.store, seen.store);
}

TEST_P(TruthContract, AHeartbeatKeepsTheLeaseAndAForeignOneDoesNot)
{
    const std::int64_t epoch = lead(*one);
    const Head seen = wait(two->head());
    EXPECT_FALSE(wait(two->beat(epoch, {})).ours);
    EXPECT_EQ(wait(two->head()).beat, seen.beat);
    EXPECT_TRUE(wait(one->beat(epoch, seen.last)).ours);
    EXPECT_FALSE(wait(two->campaign(seen.epoch, seen.beat)));
    EXPECT_FALSE(wait(one->beat(epoch - 1, {})).ours);
    const Head now = wait(two->head());
    EXPECT_EQ(wait(two->campaign(now.epoch, now.beat)), epoch + 1);
    EXPECT_FALSE(wait(one->beat(epoch, {})).ours);
}

TEST_P(TruthContract, TheHeadSaysWhichLeaseToWaitForAndSinceWhenNoOtherNodeLed)
{
    EXPECT_EQ(wait(one->head()).lease, 0ms);
    const std::int64_t first = lead(*one);
    EXPECT_EQ(wait(two->head()).lease, 30s);
    EXPECT_EQ(wait(two->head()).led_from, first);
    const std::int64_t again = lead(*one);
    EXPECT_EQ(again, first + 1);
    EXPECT_EQ(wait(two->head()).led_from, first);
    wait(one->resign(again));
    EXPECT_EQ(wait(two->head()).led_from, first);
    const std::int64_t third = lead(*two);
    EXPECT_EQ(wait(one->head()).led_from, third);
    EXPECT_EQ(wait(one->head()).lease, 4s);
    EXPECT_FALSE(wait(one->beat(third, {})).ours);
    EXPECT_EQ(wait(one->head()).lease, 4s);
    EXPECT_EQ(lead(*one), third + 1);
    EXPECT_EQ(wait(one->head()).led_from, third + 1);
}

TEST_P(TruthContract, AHeartbeatSaysTheLeaseAgain)
{
    const std::int64_t epoch = lead(*one);
    ASSERT_TRUE(wait(one->beat(epoch, {})).ours);
    EXPECT_EQ(wait(two->head()).lease, 30s);
}

TEST_P(TruthContract, LiftedNumbersGoOnAboveTheClockAndAboveWhatANodeKnows)
{
    const Position began = wait(one->head()).last;
    wait(one->lift(0));
    const Position clock = wait(one->head()).last;
    EXPECT_GT(clock.number, began.number);
    EXPECT_LT(std::chrono::abs(SystemClock().now() - Instant(std::chrono::microseconds(clock.number))), 1min);
    wait(two->lift(clock.number + 60'000'000));
    const Position known = wait(one->head()).last;
    EXPECT_EQ(known.number, clock.number + 60'000'001);
    wait(two->lift(began.number));
    EXPECT_EQ(wait(one->head()).last.number, known.number + 1);
    wait(two->lift(std::numeric_limits<std::int64_t>::max()));
    EXPECT_EQ(wait(one->head()).last.number, known.number + 2) << "no clock is there yet";
    for (const Position& given : {began, clock, known})
        EXPECT_EQ(wait(one->read(given, 10)).continuity, Continuity::same);
}

TEST_P(TruthContract, WhoResignsLeadsNoMore)
{
    const std::int64_t epoch = lead(*one);
    const Head seen = wait(two->head());
    wait(two->resign(epoch));
    EXPECT_EQ(wait(two->head()).leader, "one");
    wait(one->resign(epoch));
    EXPECT_EQ(wait(two->head()).holder, "");
    EXPECT_EQ(wait(two->head()).leader, "");
    EXPECT_THROW(wait(one->publish(epoch, whole("a", 1))), NotLeader);
    EXPECT_FALSE(wait(one->beat(epoch, {})).ours);
    EXPECT_FALSE(wait(two->campaign(seen.epoch, seen.beat))) << "it saw the lease as it was before";
}

TEST_P(TruthContract, AnOldLeaderPublishesNothing)
{
    const std::int64_t old = lead(*one);
    wait(one->publish(old, whole("a", 1)));
    lead(*two);
    const Position before = wait(two->head()).last;
    EXPECT_THROW(wait(one->publish(old, whole("b", 2))), NotLeader);
    EXPECT_THROW(wait(one->publish(old, {})), NotLeader);
    EXPECT_EQ(wait(two->head()).last, before);
    EXPECT_EQ(wait(two->read_all("", 100)).rows.conversations.size(), 1U);
    EXPECT_THROW(wait(two->publish(old, whole("c", 1))), NotLeader) << "another's epoch";
}

TEST_P(TruthContract, ARoundHasWhatChangedSinceInOrderOfConversations)
{
    const std::int64_t epoch = lead(*one);
    const Position start = wait(two->head()).last;
    PublishedRows rows = whole("b", 2);
    const PublishedRows more = whole("a", 3);
    rows.conversations.insert(rows.conversations.end(), more.conversations.begin(), more.conversations.end());
    rows.chats.insert(rows.chats.end(), more.chats.rbegin(), more.chats.rend());
    rows.state = {{"coverage", "1-2"}};
    const Position after = wait(one->publish(epoch, rows));
    EXPECT_GT(after.number, start.number);

    const Round round = wait(two->read(start, 100));
    PublishedRows expected = whole("a", 3);
    const PublishedRows second = whole("b", 2);
    expected.conversations.insert(expected.conversations.end(), second.conversations.begin(),
                                  second.conversations.end());
    expected.chats.insert(expected.chats.end(), second.chats.begin(), second.chats.end());
    expected.state = rows.state;
    EXPECT_EQ(say(round.rows), say(expected));
    EXPECT_EQ(round.head.last, after);
    EXPECT_EQ(round.head.leader, "one");
    EXPECT_EQ(round.continuity, Continuity::same);
    EXPECT_EQ(round.upto, after);
    EXPECT_LT(std::chrono::abs(SystemClock().now() - round.now), 1min);
    EXPECT_EQ(wait(two->read(after, 100)).rows.size(), 0U);

    const Position last = wait(one->publish(epoch, whole("a", 1)));
    EXPECT_EQ(say(wait(two->read(after, 100)).rows), say(whole("a", 1)));
    EXPECT_EQ(wait(two->head()).last, last);
}

TEST_P(TruthContract, WhatIsPublishedAgainComesAgainAndChangesNothing)
{
    const std::int64_t epoch = lead(*one);
    const Position first = wait(one->publish(epoch, whole("a", 3)));
    wait(one->publish(epoch, whole("a", 3)));
    EXPECT_EQ(say(wait(two->read(first, 100)).rows), say(whole("a", 3)));
    EXPECT_EQ(say(wait(two->read_all("", 100)).rows), say(whole("a", 3)));
}

TEST_P(TruthContract, ChatsBeyondWhatAConversationHoldsAreGone)
{
    const std::int64_t epoch = lead(*one);
    wait(one->publish(epoch, whole("a", 5)));
    wait(one->publish(epoch, whole("b", 2)));
    PublishedRows cut;
    cut.conversations = {conversation("a", 3)};
    wait(one->publish(epoch, cut));
    EXPECT_EQ(wait(two->read_all("", 100)).rows.chats.size(), 5U);

    PublishedRows gone;
    gone.conversations = {conversation("a", 3)};
    gone.conversations[0].deleted = true;
    gone.conversations[0].deleted_at = Instant(1s);
    wait(one->publish(epoch, gone));
    const Chunk all = wait(two->read_all("", 100));
    ASSERT_EQ(all.rows.conversations.size(), 2U);
    EXPECT_TRUE(all.rows.conversations[0].deleted);
    EXPECT_EQ(all.rows.conversations[0].deleted_at, Instant(1s));
    EXPECT_EQ(all.rows.conversations[0].item, "") << "what is deleted is not kept";
    EXPECT_EQ(all.rows.conversations[0].title, std::nullopt);
    EXPECT_EQ(say({{}, all.rows.chats, {}}), say({{}, whole("b", 2).chats, {}}));
}

TEST_P(TruthContract, TheLastOfSeveralRowsWithOneKeyCounts)
{
    const std::int64_t epoch = lead(*one);
    PublishedRows rows = whole("a", 2);
    rows.conversations.push_back(conversation("a", 1));
    rows.conversations.back().title = "Later";
    rows.chats.push_back(chat("a", 0, "Later"));
    rows.state = {{"s", "1"}, {"s", "2"}};
    wait(one->publish(epoch, rows));
    const PublishedRows all = wait(two->read_all("", 100)).rows;
    ASSERT_EQ(all.conversations.size(), 1U);
    EXPECT_EQ(all.conversations[0].title, "Later");
    ASSERT_EQ(all.chats.size(), 1U);
    EXPECT_EQ(all.chats[0].message, "Later");
    EXPECT_EQ(wait(two->state({})).at(0).value, "2");
}

TEST_P(TruthContract, BytesComeBackAsTheyWere)
{
    using namespace std::string_literals;
    const std::int64_t epoch = lead(*one);
    PublishedRows rows;
    for (const std::string& odd :
         {"\xff"s, "\0"s, "a\0b"s, "\\"s, "\\x00"s, "\\\\x"s, ""s, "é"s, "\xc3"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s,
          "'; DROP TABLE chat; --"s, "\x01\n\r\t"s, "\xc0\x80"s, "\xf0\x9f\x98\x80"s, "e\xcc\x81"s}) {
        PublishedConversation row = conversation("id" + odd, 1);
        row.item = "{" + odd + "}";
        row.is_end = odd.empty();
        row.chats_at = 7;
        PublishedChat one_chat = chat(row.id, 0);
        one_chat.id = odd;
        one_chat.chat = odd;
        rows.conversations.push_back(row);
        rows.chats.push_back(one_chat);
        rows.state.push_back({"name" + odd, odd});
    }
    rows.conversations[0].last_chat_at = Instant::min();
    rows.conversations[1].last_chat_at = Instant::max();
    rows.conversations[2].created_at = std::nullopt;
    rows.conversations[3].user_id = "";
    rows.chats[0].sent_at = Instant::min();
    rows.chats[1].sent_at = Instant::max();
    rows.chats[2].sent_at = Instant(std::chrono::microseconds(-1));
    rows.chats[3].sent_at = std::nullopt;
    const Position before = wait(two->head()).last;
    wait(one->publish(epoch, rows));
    const auto sorted = [](PublishedRows some) {
        std::sort(some.conversations.begin(), some.conversations.end(),
                  [](const auto& a, const auto& b) { return a.id < b.id; });
        std::sort(some.chats.begin(), some.chats.end(),
                  [](const auto& a, const auto& b) { return a.conversation < b.conversation; });
        std::sort(some.state.begin(), some.state.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
        return say(some);
    };
    EXPECT_EQ(sorted(wait(two->read(before, 100)).rows), sorted(rows));
}

TEST_P(TruthContract, TextsForPeopleLoseOnlyWhatNoTextCanHold)
{
    const std::int64_t epoch = lead(*one);
    PublishedRows rows = whole("a", 1);
    rows.chats[0].message = "Grüße\n😀";
    rows.conversations[0].categories = "Hotels; Züge";
    wait(one->publish(epoch, rows));
    EXPECT_EQ(say(wait(two->read_all("", 9)).rows), say(rows));
}

TEST_P(TruthContract, ALongRoundComesInPartsThatEndWithATransaction)
{
    const std::int64_t epoch = lead(*one);
    const Position start = wait(two->head()).last;
    const Position first = wait(one->publish(epoch, whole("a", 4)));
    PublishedRows rows = whole("b", 9);
    rows.state = {{"s", "1"}};
    const Position second = wait(one->publish(epoch, rows));
    const Position last = wait(one->publish(epoch, whole("c", 1)));
    for (const std::size_t limit : {5, 7, 14}) {
        const Round part = wait(two->read(start, limit));
        EXPECT_EQ(part.upto, first) << limit;
        EXPECT_EQ(part.head.last, last);
        EXPECT_EQ(say(part.rows), say(whole("a", 4)));
    }
    const Round long_one = wait(two->read(first, 3));
    EXPECT_EQ(long_one.upto, second) << "a transaction is whole, whatever the limit";
    EXPECT_EQ(say(long_one.rows), say(rows));
    EXPECT_EQ(wait(two->read(second, 2)).upto, last);
    EXPECT_EQ(wait(two->read(start, 17)).upto, last);
    wait(one->publish(epoch, whole("a", 1))); // its rows move on
    EXPECT_EQ(say(wait(two->read(start, 10)).rows), say(rows));
}

TEST_P(TruthContract, APositionThatNeverWasIsNoticed)
{
    const std::int64_t epoch = lead(*one);
    const Position after = wait(one->publish(epoch, whole("a", 1)));
    EXPECT_EQ(wait(two->read(after, 10)).continuity, Continuity::same);
    EXPECT_EQ(wait(two->read({}, 10)).continuity, Continuity::same);
    EXPECT_EQ(wait(two->read({after.number, "another"}, 10)).continuity, Continuity::other);
    const Round ahead = wait(two->read({after.number + 1, after.nonce}, 10));
    EXPECT_EQ(ahead.continuity, Continuity::other);
    EXPECT_EQ(ahead.rows.size(), 0U);
    EXPECT_EQ(wait(two->read({1, "old"}, 10)).continuity, Continuity::forgotten);
    EXPECT_EQ(wait(one->beat(epoch, after)).continuity, Continuity::same);
    EXPECT_EQ(wait(one->beat(epoch, {after.number, "another"})).continuity, Continuity::other);
}

TEST_P(TruthContract, ALeaderDoesNotPublishIntoADatabaseThatIsAnother)
{
    const std::int64_t epoch = lead(*one);
    const Position mine = wait(one->publish(epoch, whole("a", 1)));
    EXPECT_THROW(wait(one->publish_after({mine.number, "another"}, epoch, whole("b", 1))), NotLeader);
    EXPECT_THROW(wait(two->publish_after(mine, epoch, whole("b", 1))), NotLeader);
    EXPECT_EQ(wait(two->head()).last, mine);
    const Position next = wait(one->publish_after(mine, epoch, whole("b", 1)));
    EXPECT_EQ(wait(two->head()).last, next);
}

TEST_P(TruthContract, ConversationsAreFoundByTheirIds)
{
    const std::int64_t epoch = lead(*one);
    for (const char* const id : {"a", "b\\x", "c"}) wait(one->publish(epoch, whole(id, 2)));
    PublishedRows expected = whole("b\\x", 2);
    const std::vector<ConversationId> ids{ConversationId{"b\\x"}, ConversationId{"absent"}};
    EXPECT_EQ(say(wait(two->find(ids))), say(expected));
    EXPECT_EQ(wait(two->find({})).size(), 0U);
}

TEST_P(TruthContract, AllIsReadOnceInWholeConversations)
{
    const std::int64_t epoch = lead(*one);
    std::map<std::string, std::int64_t> held;
    for (int n = 0; n < 40; ++n) held["c" + std::to_string(n * 7919 % 1000)] = n % 7;
    for (const auto& [id, count] : held) wait(one->publish(epoch, whole(id, count)));

    for (const std::size_t limit : {1U, 5U, 64U, 1000U}) {
        std::map<std::string, std::int64_t> seen;
        std::string after;
        for (bool at_end = false; !at_end;) {
            const Chunk chunk = wait(two->read_all(after, limit));
            std::map<std::string, std::int64_t> chats;
            for (const PublishedChat& row : chunk.rows.chats) ++chats[row.conversation];
            for (const PublishedConversation& row : chunk.rows.conversations) {
                EXPECT_EQ(chats[row.id], row.held);
                EXPECT_TRUE(seen.emplace(row.id, row.held).second);
                after = row.id;
            }
            at_end = chunk.at_end;
            ASSERT_TRUE(at_end || !chunk.rows.conversations.empty());
        }
        EXPECT_EQ(seen, held) << limit;
    }
    EXPECT_TRUE(wait(two->read_all("zzz", 10)).at_end);
}

TEST_P(TruthContract, StateIsGivenByName)
{
    const std::int64_t epoch = lead(*one);
    EXPECT_TRUE(wait(two->state({})).empty());
    PublishedRows rows;
    rows.state = {{"progress", "p"}, {"coverage", "c"}, {"cursor_key", std::string("\0\xff", 2)}};
    wait(one->publish(epoch, rows));
    EXPECT_EQ(wait(two->state({})).size(), 3U);
    const auto found = wait(two->state({"cursor_key", "absent"}));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].value, std::string("\0\xff", 2));
}

TEST_P(TruthContract, WhatIsPurgedIsKnownToAllOnce)
{
    const Position start = wait(two->head()).last;
    wait(one->suppress({{"k", std::string("\0\xff", 2)}, {"k", "b"}}));
    const Position after = wait(two->head()).last;
    EXPECT_GT(after.number, start.number);
    EXPECT_EQ(wait(one->read(start, 10)).suppressed.size(), 2U);
    wait(two->suppress({{"k", "b"}, {"k", "c"}}));
    const Round round = wait(one->read(after, 10));
    ASSERT_EQ(round.suppressed.size(), 1U);
    EXPECT_EQ(round.suppressed[0].hash, "c");
    const auto all = wait(one->suppressions());
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].hash, std::string("\0\xff", 2));
    wait(two->suppress({}));
    EXPECT_EQ(wait(two->head()).last, round.head.last);
}

TEST_P(TruthContract, ARunIsHeardByAllFromWhenItIsNotedUntilItIsSettled)
{
    const std::int64_t epoch = lead(*one);
    const Position start = wait(two->head()).last;
    const std::string odd = "a\\\xff";
    const Position ran = wait(two->note_run(odd, RunState::running));
    EXPECT_GT(ran.number, start.number);
    for (const Round& round : {wait(one->hear(start)), wait(one->read(start, 10))}) {
        EXPECT_EQ(round.head.last, ran);
        ASSERT_EQ(round.runs.size(), 1U);
        EXPECT_EQ(round.runs[0].conversation, odd);
        EXPECT_EQ(round.runs[0].node, "two");
        EXPECT_EQ(round.runs[0].state, RunState::running);
        EXPECT_EQ(round.runs[0].number, ran.number);
    }
    EXPECT_TRUE(wait(one->hear(ran)).runs.empty());
    wait(two->note_run(odd, RunState::ended));
    const Round ended = wait(one->hear(ran));
    ASSERT_EQ(ended.runs.size(), 1U);
    EXPECT_EQ(ended.runs[0].state, RunState::ended);
    wait(one->settle(epoch, ended.runs, {}));
    const Round settled = wait(two->read(ended.head.last, 10));
    ASSERT_EQ(settled.runs.size(), 1U);
    EXPECT_EQ(settled.runs[0].state, RunState::settled);
    EXPECT_EQ(settled.runs[0].number, settled.head.last.number);
}

TEST_P(TruthContract, WhatIsAskedForIsHeardUntilItIsDone)
{
    const std::int64_t epoch = lead(*one);
    const Position start = wait(two->head()).last;
    wait(two->ask_refresh({"*"}));
    wait(two->ask_refresh({"a"}));
    const Round heard = wait(one->hear(start));
    ASSERT_EQ(heard.refreshes.size(), 2U);
    EXPECT_EQ(heard.refreshes[0].conversation, "*");
    EXPECT_EQ(heard.refreshes[0].node, "two");
    EXPECT_EQ(heard.rows.size(), 0U);
    EXPECT_TRUE(wait(one->hear(heard.head.last)).refreshes.empty());
    wait(one->settle(epoch, {}, {heard.refreshes[0]}));
    const Round left = wait(one->hear({}));
    ASSERT_EQ(left.refreshes.size(), 1U);
    EXPECT_EQ(left.refreshes[0].conversation, "a");
}

TEST_P(TruthContract, WhatIsAskedForAgainMeanwhileIsNotDone)
{
    const std::int64_t epoch = lead(*one);
    wait(two->ask_refresh({"a"}));
    wait(two->note_run("a", RunState::ended));
    const Round heard = wait(one->hear({}));
    wait(two->ask_refresh({"a"}));
    wait(two->note_run("a", RunState::running));
    wait(one->settle(epoch, heard.runs, heard.refreshes));
    const Round left = wait(two->hear({}));
    ASSERT_EQ(left.runs.size(), 1U);
    EXPECT_EQ(left.runs[0].state, RunState::running);
    EXPECT_EQ(left.refreshes.size(), 1U);
    EXPECT_THROW(wait(two->settle(epoch, left.runs, left.refreshes)), NotLeader);
    EXPECT_EQ(wait(one->hear({})).refreshes.size(), 1U);
}

TEST_P(TruthContract, WhatAnyNodeAddsIsNotHeardFromAPositionThatNeverWas)
{
    lead(*one);
    wait(two->ask_refresh({"a"}));
    wait(two->suppress({{"k", "h"}}));
    const Round all = wait(one->hear({}));
    EXPECT_EQ(all.suppressed.size(), 1U);
    const Round none = wait(one->hear({all.head.last.number, "another"}));
    EXPECT_EQ(none.continuity, Continuity::other);
    EXPECT_TRUE(none.refreshes.empty());
    EXPECT_TRUE(none.suppressed.empty());
}

TEST_P(TruthContract, SaysBelowWhichNumberANodeJoinsAnew)
{
    const std::int64_t first = wait(one->head()).kept_since;
    EXPECT_EQ(first, wait(one->head()).last.number) << "nothing was told yet";
    wait(one->publish(lead(*one), whole("a", 1)));
    const Round round = wait(two->read({}, 10));
    EXPECT_EQ(round.head.kept_since, first);
    EXPECT_EQ(wait(two->read({first - 1, "old"}, 10)).continuity, Continuity::forgotten);
}

TEST_P(TruthContract, NodesAreListedAsTheyLastAnnouncedThemselves)
{
    EXPECT_TRUE(wait(one->nodes()).empty());
    NodeRow row{"somebody else", "0.3.0", "http://10.0.0.2:8787", "full", "joining", 7, {}};
    wait(two->announce(row));
    wait(one->announce(row));
    row.doing = "follower";
    row.position = 8;
    wait(two->announce(row));
    const auto nodes = wait(one->nodes());
    ASSERT_EQ(nodes.size(), 2U);
    EXPECT_EQ(nodes[0].name, "one");
    EXPECT_EQ(nodes[0].doing, "joining");
    EXPECT_EQ(nodes[1].name, "two");
    EXPECT_EQ(nodes[1].doing, "follower");
    EXPECT_EQ(nodes[1].position, 8);
    EXPECT_LT(nodes[1].age, 1min);
}

TEST_P(TruthContract, NewsIsHeard)
{
    const std::int64_t epoch = lead(*one);
    EXPECT_FALSE(wait(two->wait_news(1ms)));
    wait(one->publish(epoch, whole("a", 1)));
    EXPECT_TRUE(wait(two->wait_news(30s))) << "it listens between two waits";
    EXPECT_FALSE(wait(two->wait_news(1ms)));
}

INSTANTIATE_TEST_SUITE_P(Of, TruthContract,
                         testing::Values(Kind{"TheModel", make_model_store}, Kind{"PostgreSQL", make_postgres_store}),
                         [](const auto& kind) { return std::string(kind.param.name); });

} // namespace
} // namespace cluster_tests

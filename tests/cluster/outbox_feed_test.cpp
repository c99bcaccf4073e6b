// SPDX-License-Identifier: Apache-2.0
// How nodes hear of the shared outbox, what is forgotten of it, and what comes back into it after commits were lost:
// the contract's second half. At last random calls, after each of which both implementations must agree.
#include "tests/cluster/outbox_contract.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <random>

namespace cluster_tests {
namespace {

using namespace std::chrono_literals;
using alli::cache::Acceptance;
using testing::IsEmpty;

class OutboxFeed : public OutboxContract {
  protected:
    WriteChanges changes(Truth& truth, const Position& after, std::size_t limit = 1'000)
    {
        return wait(truth.outbox().changes(after, limit));
    }
    std::vector<SharedWrite> hand_over(Truth& truth, std::vector<SharedWrite> held)
    {
        return wait(truth.outbox().hand_over(std::move(held), "commits were lost"));
    }
};

SharedWrite held_write(const std::string& key, EntryState state, std::int64_t id)
{
    NewWrite write = title_of("a", key);
    SharedWrite held;
    held.entry = cache::accepted_write(write.entry, {}).entry;
    held.entry.id = held.entry.place = held.number = id;
    held.entry.state = state;
    held.node = "gone";
    held.principal = write.principal;
    held.request_hash = write.entry.request_hash;
    held.client_key = "client " + key;
    return held;
}

TEST_P(OutboxFeed, AnyNodeHearsWhatChangedSinceAsItIsNow)
{
    const Position start = last(*one);
    const std::int64_t epoch = lead(*one);
    EXPECT_THAT(changes(*one, start).writes, IsEmpty());
    const SharedWrite first = accepted(*two, "a", "k1"), second = accepted(*one, "b", "k2");
    const WriteChanges heard = changes(*one, start);
    EXPECT_EQ(heard.continuity, Continuity::same);
    EXPECT_EQ(say(heard.writes), say(std::vector{first, second}));
    EXPECT_EQ(heard.upto, heard.last);
    EXPECT_EQ(heard.last, last(*two));
    const SharedWrite begun = begin(*one, epoch, first);
    EXPECT_EQ(say(changes(*two, heard.last).writes), say(std::vector{begun}));
    EXPECT_EQ(say(changes(*two, start).writes), say(std::vector{second, begun})) << "in the order of their numbers";
}

TEST_P(OutboxFeed, WhatChangedComesInPartsOfWholeTransactions)
{
    const Position start = last(*one);
    std::int64_t epoch = lead(*one);
    for (int n = 0; n < 3; ++n) begin(*one, epoch, accepted(*two, "a", "k" + std::to_string(n)));
    epoch = lead(*two);
    ASSERT_EQ(wait(two->outbox().recover(epoch)).size(), 3U); // of one number
    const SharedWrite later = accepted(*one, "b", "k3");
    const WriteChanges part = changes(*one, start, 2);
    EXPECT_EQ(part.writes.size(), 3U);
    EXPECT_EQ(part.upto.number, part.writes[2].number);
    EXPECT_LT(part.upto.number, part.last.number);
    const WriteChanges rest = changes(*one, part.upto, 2);
    EXPECT_EQ(say(rest.writes), say(std::vector{later}));
    EXPECT_EQ(rest.upto, rest.last);
    EXPECT_EQ(changes(*one, start, 3).writes.size(), 3U);
    EXPECT_EQ(changes(*one, start, 4).upto, rest.last);
}

TEST_P(OutboxFeed, APositionThatNeverWasHearsNothing)
{
    accepted(*one, "a", "k1");
    const Position now = last(*one);
    EXPECT_EQ(changes(*two, now).continuity, Continuity::same);
    for (const auto& [position, expected] :
         {std::pair(Position{now.number, "another"}, Continuity::other), std::pair(Position{}, Continuity::forgotten),
          std::pair(Position{1, "old"}, Continuity::forgotten)}) {
        const WriteChanges heard = changes(*two, position);
        EXPECT_EQ(heard.continuity, expected);
        EXPECT_THAT(heard.writes, IsEmpty());
        EXPECT_EQ(heard.last, now);
    }
}

TEST_P(OutboxFeed, AllIsReadInTheOrderOfIds)
{
    const std::int64_t epoch = lead(*one);
    EXPECT_TRUE(wait(two->outbox().read_all(0, 10)).at_end);
    std::vector<SharedWrite> taken;
    for (int n = 0; n < 5; ++n) taken.push_back(accepted(*one, "a", "k" + std::to_string(n)));
    taken[1] = settle(*one, epoch, taken[1], outcome(EntryState::delivered));
    for (const std::size_t limit : {1U, 2U, 5U, 9U}) {
        std::vector<SharedWrite> seen;
        for (bool at_end = false; !at_end;) {
            const WriteChunk chunk = wait(two->outbox().read_all(seen.empty() ? 0 : seen.back().entry.id, limit));
            seen.insert(seen.end(), chunk.writes.begin(), chunk.writes.end());
            at_end = chunk.at_end;
            ASSERT_LE(chunk.writes.size(), limit);
        }
        EXPECT_EQ(say(seen), say(taken)) << limit;
    }
}

TEST_P(OutboxFeed, WhatIsDoneIsForgottenAndWhoeverDidNotHearOfItJoinsAnew)
{
    const std::int64_t epoch = lead(*one);
    const Position before = last(*one);
    const SharedWrite delivered = settle(*one, epoch, accepted(*one, "a", "k1"), outcome(EntryState::delivered));
    WriteOutcome told = outcome(EntryState::failed);
    told.outcome.told = true;
    settle(*one, epoch, accepted(*one, "b", "k2"), told);
    wait(two->outbox().discard(accepted(*one, "c", "k3").entry.id));
    const Position known = last(*one);
    const SharedWrite failed = settle(*one, epoch, accepted(*one, "d", "k4"), outcome(EntryState::failed));
    const SharedWrite waits = accepted(*one, "e", "k5");

    EXPECT_EQ(wait(one->outbox().forget(epoch, 1h)), 0);
    EXPECT_EQ(changes(*two, before).continuity, Continuity::same);
    EXPECT_EQ(wait(one->outbox().forget(epoch, 0s)), 3);
    EXPECT_EQ(say(all(*two)), say(std::vector{failed, waits}));
    EXPECT_EQ(changes(*two, before).continuity, Continuity::forgotten);
    EXPECT_EQ(changes(*two, known).continuity, Continuity::same);
    EXPECT_EQ(wait(two->head()).kept_since, known.number);
    EXPECT_EQ(wait(one->outbox().forget(epoch, 0s)), 0);
    EXPECT_EQ(changes(*two, known).continuity, Continuity::same);
    EXPECT_EQ(wait(two->outbox().find(delivered.entry.id)), std::nullopt);
}

TEST_P(OutboxFeed, RunsThatWereSettledLongAgoAreForgottenToo)
{
    const std::int64_t epoch = lead(*one);
    wait(two->note_run("goes on", RunState::running));
    const Position ended = wait(two->note_run("settled", RunState::ended));
    wait(one->settle(epoch, {alli::cluster::Run{"settled", "two", RunState::ended, ended.number}}, {}));
    const Position known = last(*one);
    wait(one->outbox().forget(epoch, 1h));
    EXPECT_EQ(wait(two->hear({})).runs.size(), 2U);
    wait(one->outbox().forget(epoch, 0s));
    ASSERT_EQ(wait(two->hear({})).runs.size(), 1U);
    EXPECT_EQ(wait(two->hear({})).runs[0].conversation, "goes on");
    EXPECT_EQ(wait(two->hear(ended)).continuity, Continuity::forgotten) << "it did not hear that it was settled";
    EXPECT_EQ(wait(two->hear(known)).continuity, Continuity::same);
}

TEST_P(OutboxFeed, WhatWaitsIsCounted)
{
    const std::int64_t epoch = lead(*one);
    EXPECT_EQ(wait(one->outbox().count()).oldest, std::nullopt);
    NewWrite old = title_of("a", "k1");
    old.entry.created_at = Instant(7s);
    settle(*one, epoch, accept(*two, old).write, outcome(EntryState::conflict));
    const SharedWrite sent = begin(*one, epoch, accepted(*two, "b", "k2"));
    accepted(*two, "c", "k3");
    settle(*one, epoch, accepted(*two, "d", "k4"), outcome(EntryState::failed));
    settle(*one, epoch, accepted(*two, "e", "k5"), outcome(EntryState::delivered));
    wait(two->outbox().discard(accepted(*two, "f", "k6").entry.id));
    const WriteCounts counts = wait(two->outbox().count());
    EXPECT_EQ(counts.pending, 1);
    EXPECT_EQ(counts.sending, 1);
    EXPECT_EQ(counts.conflicts, 1);
    EXPECT_EQ(counts.failed, 1);
    EXPECT_EQ(counts.bytes, 4 * static_cast<std::int64_t>(sent.entry.body.size()));
    EXPECT_EQ(counts.oldest, sent.entry.created_at) << "a conflict waits for a person";
}

TEST_P(OutboxFeed, WhatIsDeliveredHereAndOpenThereIsDeliveredThere)
{
    SharedWrite held = accepted(*one, "a", "key");
    const SharedWrite dropped = accepted(*one, "b", "dropped");
    wait(one->outbox().discard(dropped.entry.id));
    held.entry.state = EntryState::delivered;
    held.entry.last_status = 200;
    held.entry.response = "answer";
    SharedWrite gone = dropped;
    gone.entry.state = EntryState::delivered;
    const auto now = hand_over(*two, {held, gone});
    EXPECT_EQ(now[0].entry.state, EntryState::delivered);
    EXPECT_EQ(now[0].entry.response, "answer");
    EXPECT_GT(now[0].number, held.number);
    EXPECT_TRUE(now[0].settled_at);
    EXPECT_TRUE(now[1].discarded);
    EXPECT_EQ(wait(two->outbox().count()).pending, 0);
    EXPECT_EQ(say(hand_over(*two, {held})[0]), say(now[0])) << "it is told once";
}

TEST_P(OutboxFeed, WhatTheDatabaseLostComesBackAsConflicts)
{
    const SharedWrite known = accepted(*one, "a", "known");
    const std::int64_t ahead = last(*one).number + 1'000;
    SharedWrite sent = held_write("sent", EntryState::sending, ahead),
                done = held_write("done", EntryState::delivered, 7);
    done.entry.response = "answer";
    done.told = true;
    const SharedWrite waits = held_write("waits", EntryState::pending, known.entry.id),
                      kept = held_write("kept", EntryState::pending, 0);
    const std::vector<SharedWrite> held{sent, known, done, waits, kept};
    const auto now = hand_over(*two, held);
    ASSERT_EQ(now.size(), 5U);
    EXPECT_EQ(say(now[1]), say(known));
    for (const std::size_t at : {0U, 3U, 4U}) {
        EXPECT_EQ(now[at].entry.state, EntryState::conflict);
        EXPECT_TRUE(now[at].entry.in_doubt);
        EXPECT_EQ(now[at].entry.last_error, "commits were lost");
        EXPECT_EQ(now[at].client_key, "client " + now[at].entry.upstream_key);
        EXPECT_EQ(now[at].node, "gone");
        EXPECT_EQ(now[at].number, last(*one).number);
    }
    EXPECT_EQ(now[0].entry.id, ahead) << "the app knows it by this one";
    EXPECT_GT(now[3].entry.id, ahead) << "another has its id";
    EXPECT_GT(now[4].entry.id, now[3].entry.id);
    EXPECT_EQ(now[2].entry.id, 7);
    EXPECT_EQ(now[2].entry.state, EntryState::delivered);
    EXPECT_EQ(now[2].entry.response, "answer");
    EXPECT_TRUE(now[2].told);
    EXPECT_TRUE(now[2].settled_at);

    const Position before = last(*one);
    EXPECT_EQ(say(hand_over(*one, held)), say(now)) << "again, or by another node";
    EXPECT_THAT(changes(*one, before).writes, IsEmpty());
    EXPECT_GT(accepted(*one, "b", "next").entry.id, now[4].entry.id);
    EXPECT_EQ(wait(one->outbox().count()).conflicts, 3);
    EXPECT_THAT(hand_over(*one, {}), IsEmpty());
}

TEST_P(OutboxFeed, OfTwoWritesOfOneIdempotencyKeyTheOneThatWasHandedOverFails)
{
    NewWrite first = title_of("a", "u1");
    first.entry.client_key = "client u2";
    accept(*one, first);
    const auto now =
        hand_over(*two, {held_write("u2", EntryState::pending, 7), held_write("u3", EntryState::pending, 8)});
    EXPECT_EQ(now[0].entry.state, EntryState::failed);
    EXPECT_THAT(now[0].entry.last_error.value(), testing::HasSubstr("Idempotency-Key"));
    EXPECT_EQ(now[0].client_key, std::nullopt);
    EXPECT_TRUE(now[0].settled_at);
    EXPECT_EQ(now[1].entry.state, EntryState::conflict);
}

TEST_P(OutboxFeed, NewsOfAWriteIsHeard)
{
    EXPECT_FALSE(wait(two->wait_news(1ms)));
    accepted(*one, "a", "k1");
    EXPECT_TRUE(wait(two->wait_news(30s)));
}

INSTANTIATE_TEST_SUITE_P(Of, OutboxFeed, both_stores(), name_of_store);

/// One store of a pair that is asked the same.
struct Side {
    explicit Side(std::unique_ptr<Store> its_store)
        : store(std::move(its_store)), nodes{store->node("one"), store->node("two")},
          from(store->wait(nodes[0]->head()).last.number)
    {}

    std::unique_ptr<Store> store;
    std::unique_ptr<Truth> nodes[2];
    std::int64_t from;
    std::int64_t epochs[2] = {0, 0};
    std::vector<SharedWrite> known; // each write as it was heard of last, or before

    std::string say_row(const std::optional<SharedWrite>& write) const
    {
        return write ? say(*write, from) : std::string("none");
    }
    std::string say_all() const
    {
        const std::vector<SharedWrite> all = store->wait(nodes[0]->outbox().read_all(0, 10'000)).writes;
        return fmt::format("{}\n{}", store->wait(nodes[1]->head()).last.number - from, say(all, from));
    }
};

WriteOutcome random_outcome(std::mt19937_64& random)
{
    WriteOutcome settled = outcome(static_cast<EntryState>(std::array{0, 2, 3, 4}[random() % 4]));
    if (random() % 2 == 0) settled.outcome.response = "answer";
    if (random() % 3 == 0) settled.outcome.error = "error";
    settled.outcome.in_doubt = random() % 2 == 0;
    settled.outcome.uncounted = random() % 3 == 0;
    settled.outcome.told = random() % 3 == 0;
    return settled;
}

std::string call(Side& side, std::mt19937_64 random)
{
    const std::size_t at = random() % 2;
    Truth& truth = *side.nodes[at];
    SharedOutbox& outbox = truth.outbox();
    const auto write = side.known.empty() ? SharedWrite{} : side.known[random() % side.known.size()];
    const auto note = [&](const std::optional<SharedWrite>& now) {
        if (now) side.known.push_back(*now);
        return side.say_row(now);
    };
    switch (random() % 11) {
    case 0:
    case 1: {
        NewWrite asked = title_of("c" + std::to_string(random() % 4), "u" + std::to_string(random() % 60));
        if (random() % 3 == 0) asked.entry.client_key = "k" + std::to_string(random() % 9);
        asked.entry.request_hash = std::to_string(random() % 2);
        const Accepted accepted = side.store->wait(outbox.accept(asked, {12, 1'000}));
        return std::to_string(static_cast<int>(accepted.kind)) + note(accepted.write);
    }
    case 2:
    case 3:
    case 4:
        return note(side.store->wait(outbox.begin(side.epochs[at], known(write), std::nullopt)));
    case 5:
    case 6:
        return note(side.store->wait(outbox.settle(side.epochs[at], known(write), random_outcome(random))));
    case 7: {
        const auto action =
            side.store->wait(random() % 2 == 0 ? outbox.retry(write.entry.id) : outbox.discard(write.entry.id));
        const bool absent = action.result == cache::OperatorResult::absent;
        return std::to_string(static_cast<int>(action.result)) +
               note(absent ? std::nullopt : std::optional(action.write));
    }
    case 8: {
        if (random() % 2 == 0)
            return note((side.store->wait(outbox.note_told(write.entry.id, write.number)), std::nullopt));
        const Head head = side.store->wait(truth.head());
        side.epochs[at] = side.store->wait(truth.campaign(head.epoch, head.beat)).value();
        std::string text;
        for (const SharedWrite& one : side.store->wait(outbox.recover(side.epochs[at]))) text += note(one);
        return text;
    }
    case 9: {
        std::optional<std::string> left;
        if (random() % 3 == 0) left = "{}";
        side.store->wait(outbox.purge({{write.entry.id, write.number, left, write.entry.base}}));
        return note(side.store->wait(outbox.find(write.entry.id)));
    }
    default: {
        if (random() % 8 == 0) return std::to_string(side.store->wait(outbox.forget(side.epochs[at], 0s)));
        const WriteCounts counts = side.store->wait(outbox.count());
        return fmt::format("{} {} {} {} {}", counts.pending, counts.sending, counts.conflicts, counts.failed,
                           counts.bytes);
    }
    }
}

std::string try_call(Side& side, const std::mt19937_64& random)
{
    try {
        return call(side, random);
    } catch (const NotLeader&) {
        return "not the leader";
    } catch (const Error& error) {
        return std::to_string(static_cast<int>(error.fault()));
    }
}

TEST(OutboxAgreement, TheModelAndPostgreSQLAgreeAfterEveryCall)
{
    const char* const set = std::getenv("ALLI_SEED");
    const std::uint64_t seed = set ? std::stoull(set) : 20261130;
    RecordProperty("seed", std::to_string(seed));
    std::mt19937_64 random(seed);
    Side model(make_model_store()), postgres(make_postgres_store());
    for (int n = 0; n < 600; ++n) {
        const std::mt19937_64 its(random());
        ASSERT_EQ(try_call(model, its), try_call(postgres, its)) << "call " << n << " of seed " << seed;
        ASSERT_EQ(model.say_all(), postgres.say_all()) << "call " << n << " of seed " << seed;
    }
}

} // namespace
} // namespace cluster_tests

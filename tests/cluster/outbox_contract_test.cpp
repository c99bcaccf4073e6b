// SPDX-License-Identifier: Apache-2.0
// What every implementation of the shared outbox keeps: the model that the simulation runs on, and PostgreSQL.
#include "alli/clock.hpp"
#include "tests/cluster/outbox_contract.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <random>
#include <set>

namespace cluster_tests {
namespace {

using namespace std::chrono_literals;
using alli::cache::Acceptance;
using alli::cache::OperatorResult;
using testing::IsEmpty;

TEST_P(OutboxContract, WritesOfAllNodesAreInOneOrderThatOfTheirCommits)
{
    std::int64_t before = last(*one).number;
    for (int n = 0; n < 6; ++n) {
        Truth& truth = n % 2 == 0 ? *one : *two;
        const Accepted taken = accept(truth, title_of("a", "key" + std::to_string(n)));
        EXPECT_EQ(taken.kind, Acceptance::Kind::fresh);
        EXPECT_GT(taken.write.entry.id, before);
        EXPECT_EQ(taken.write.entry.place, taken.write.entry.id);
        EXPECT_EQ(taken.write.number, taken.write.entry.id);
        EXPECT_EQ(taken.write.number, last(*two).number);
        EXPECT_EQ(taken.write.node, n % 2 == 0 ? "one" : "two");
        EXPECT_EQ(taken.write.entry.state, EntryState::pending);
        EXPECT_EQ(wait(one->head()).last_write, taken.write.number);
        before = taken.write.number;
    }
}

Task<> accept_all(Truth& truth, std::vector<NewWrite> writes, std::vector<std::string>& results)
{
    const asio::any_io_executor loop = co_await asio::this_coro::executor;
    std::vector<std::future<Accepted>> accepting;
    for (const NewWrite& write : writes)
        accepting.push_back(asio::co_spawn(loop, truth.outbox().accept(write, {20, 1'000}), asio::use_future));
    for (auto& one : accepting) {
        while (one.wait_for(0s) != std::future_status::ready) co_await asio::post(loop, asio::use_awaitable);
        try {
            const Accepted accepted = one.get();
            results.push_back(std::to_string(static_cast<int>(accepted.kind)) + accepted.write.entry.upstream_key);
        } catch (const Error& error) {
            results.push_back("full");
        }
    }
}

TEST_P(OutboxContract, OfManyRequestsAtOnceEachGetsItsOwnAnswer)
{
    const Position start = last(*two);
    std::vector<NewWrite> writes;
    std::vector<std::string> expected, results;
    for (int n = 0; n < 12; ++n) writes.push_back(title_of("a", "u" + std::to_string(n)));
    for (int n = 0; n < 12; ++n) expected.push_back("0u" + std::to_string(n));
    writes[4].entry.client_key = writes[7].entry.client_key = writes[9].entry.client_key = "k";
    writes[9].entry.request_hash = "another";
    expected[7] = "1u4", expected[9] = "2u4";
    writes[10].entry.body.assign(1'000, 'x');
    expected[10] = "full";
    writes.push_back(writes[3]);
    expected.push_back("0u3");
    wait(accept_all(*one, writes, results));
    EXPECT_THAT(results, testing::ElementsAreArray(expected));
    const WriteChanges heard = wait(two->outbox().changes(start, 100));
    std::string keys;
    std::set<std::int64_t> numbers;
    for (const SharedWrite& write : heard.writes) {
        keys += write.entry.upstream_key + " ";
        EXPECT_EQ(write.entry.id, write.number);
        numbers.insert(write.number);
    }
    EXPECT_EQ(keys, "u0 u1 u2 u3 u4 u5 u6 u8 u11 ");
    EXPECT_EQ(numbers.size(), 9U);
    const WriteChanges part = wait(two->outbox().changes(start, 5));
    EXPECT_EQ(part.writes.size(), 5U);
    EXPECT_EQ(wait(two->outbox().changes(part.upto, 100)).continuity, Continuity::same) << "each is a position";
}

TEST_P(OutboxContract, ARequestThatIsRepeatedIsOneWriteAndACommitOfItsOwn)
{
    const SharedWrite first = accepted(*one, "a", "key");
    const std::int64_t before = last(*one).number;
    const Accepted again = accept(*one, title_of("a", "key"));
    EXPECT_EQ(again.kind, Acceptance::Kind::fresh);
    EXPECT_EQ(say(again.write), say(first));
    EXPECT_GT(last(*one).number, before);
    EXPECT_EQ(all(*two).size(), 1U);
}

TEST_P(OutboxContract, AnIdempotencyKeyIsOneWriteOfItsPrincipalAtAllNodes)
{
    NewWrite first = title_of("a", "u1"), again = title_of("a", "u2"), other = title_of("a", "u3", "Another"),
             foreign = title_of("a", "u4");
    for (NewWrite* const write : {&first, &again, &other, &foreign}) write->entry.client_key = "k";
    foreign.principal = "app2";
    const SharedWrite taken = accept(*one, first).write;
    const Accepted repeated = accept(*two, again), mismatch = accept(*two, other);
    EXPECT_EQ(repeated.kind, Acceptance::Kind::repeated);
    EXPECT_EQ(say(repeated.write), say(taken));
    EXPECT_EQ(mismatch.kind, Acceptance::Kind::mismatch);
    EXPECT_EQ(mismatch.write.entry.id, taken.entry.id);
    EXPECT_EQ(accept(*two, foreign).kind, Acceptance::Kind::fresh);
    EXPECT_EQ(accept(*one, first).kind, Acceptance::Kind::fresh) << "it is its own";
    EXPECT_EQ(accept(*one, title_of("a", "u5")).kind, Acceptance::Kind::fresh);
    EXPECT_EQ(all(*one).size(), 3U);
}

TEST_P(OutboxContract, BytesComeBackAsTheyWere)
{
    using namespace std::string_literals;
    const std::int64_t epoch = lead(*one);
    std::mt19937_64 random(7);
    std::string noise;
    for (int n = 0; n < 10'000; ++n) noise += static_cast<char>(random());
    int made = 0;
    for (const std::string& odd : {"\xff"s, "\0"s, "a\0b"s, "\\"s, ""s, "\xed\xa0\x80"s, "'; --"s, noise}) {
        NewWrite write = title_of("c" + odd, "key" + std::to_string(++made));
        write.entry.chat = ChatId{odd};
        write.principal = write.entry.method = write.entry.path = write.entry.headers = write.entry.body = odd;
        write.entry.client_key = write.entry.base = write.entry.request_hash = odd;
        write.entry.created_at = made % 2 == 0 ? Instant::max() : Instant::min();
        const SharedWrite taken = accept(*two, write).write;
        SharedWrite expected;
        expected.entry = cache::accepted_write(write.entry, {}).entry;
        expected.entry.id = expected.entry.place = expected.number = taken.entry.id;
        expected.node = "two";
        expected.principal = expected.request_hash = odd;
        expected.client_key = odd;
        EXPECT_EQ(say(taken), say(expected));

        WriteOutcome settled = outcome(EntryState::pending, 503);
        settled.outcome.error = settled.outcome.response = settled.outcome.response_type = settled.outcome.conflict =
            odd;
        settled.outcome.next_attempt_at = Instant::max();
        settled.outcome.in_doubt = true;
        settled.before = odd;
        settled.foreign = cache::ForeignNote{odd, odd, 7, Instant(1s)};
        settled.unproven_at = Instant(2s);
        expected.entry.last_error = expected.entry.response = expected.entry.response_type = expected.entry.conflict =
            expected.before = odd;
        expected.entry.last_status = 503;
        expected.entry.next_attempt_at = Instant::max();
        expected.entry.in_doubt = true;
        expected.foreign = settled.foreign;
        expected.unproven_at = Instant(2s);
        const SharedWrite now = settle(*one, epoch, taken, settled);
        expected.number = now.number;
        EXPECT_EQ(say(now), say(expected));
        EXPECT_EQ(say(find(*two, now)), say(expected));
    }
}

TEST_P(OutboxContract, AFullQueueTakesNothingNewAndAnswersWhatItHas)
{
    const std::int64_t epoch = lead(*one);
    const SharedWrite first = accepted(*one, "a", "k1");
    accepted(*one, "b", "k2");
    const auto size = static_cast<std::int64_t>(first.entry.body.size());
    const auto refuses = [&](cache::OutboxLimits limits) {
        try {
            accept(*two, title_of("c", "k3"), limits);
            return false;
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::unavailable);
            return true;
        }
    };
    EXPECT_TRUE(refuses({2, 1'000}));
    EXPECT_TRUE(refuses({3, 3 * size - 1}));
    EXPECT_EQ(all(*one).size(), 2U);
    EXPECT_EQ(accept(*two, title_of("b", "k2"), {2, 1'000}).kind, Acceptance::Kind::fresh) << "it is in already";
    settle(*one, epoch, first, outcome(EntryState::delivered, 200));
    EXPECT_FALSE(refuses({2, 2 * size}));
    EXPECT_TRUE(refuses({2, 1'000}) || all(*one).size() == 3U);
    const SharedWrite third = accept(*two, title_of("c", "k3")).write;
    EXPECT_EQ(wait(two->outbox().discard(third.entry.id)).result, OperatorResult::done);
    EXPECT_EQ(accept(*two, title_of("d", "k4"), {2, 2 * size}).kind, Acceptance::Kind::fresh);
}

TEST_P(OutboxContract, ABeginCountsTheAttemptOnceHoweverOftenItIsRepeated)
{
    const std::int64_t epoch = lead(*one);
    const SharedWrite waits = accepted(*two, "a", "key");
    const SharedWrite begun = begin(*one, epoch, waits);
    EXPECT_EQ(begun.entry.state, EntryState::sending);
    EXPECT_EQ(begun.epoch, epoch);
    EXPECT_EQ(begun.entry.attempts, 1);
    EXPECT_GT(begun.number, waits.number);
    EXPECT_EQ(wait(two->head()).last_write, begun.number);
    EXPECT_EQ(say(begin(*one, epoch, waits)), say(begun)) << "its answer was lost";
    const SharedWrite anew = begin(*one, epoch, begun);
    EXPECT_EQ(anew.entry.attempts, 1);
    EXPECT_GT(anew.number, begun.number);
    EXPECT_FALSE(anew.entry.in_doubt);
    alli::cluster::KnownWrite other = known(anew); // a leader holds another write under this id
    other.upstream_key = "another";
    EXPECT_EQ(say(*wait(one->outbox().begin(epoch, other, std::nullopt))), say(anew));
    EXPECT_EQ(say(*wait(one->outbox().settle(epoch, other, outcome(EntryState::delivered)))), say(anew));
    EXPECT_EQ(wait(one->outbox().begin(epoch, {anew.entry.id + 1'000'000, 1, anew.entry.upstream_key}, std::nullopt)),
              std::nullopt);
}

TEST_P(OutboxContract, ABulkUpdateKeepsWhatItIsSentOverForAsLongAsItIsOpen)
{
    const std::int64_t epoch = lead(*one);
    NewWrite write = title_of("a", "key");
    write.entry.conversation.reset();
    write.entry.base.reset();
    const SharedWrite taken = accept(*two, write).write;
    const auto begun = wait(one->outbox().begin(epoch, known(taken), "over"));
    EXPECT_EQ(begun->entry.base, "over");
    const SharedWrite again = settle(*one, epoch, *begun, outcome(EntryState::pending));
    EXPECT_EQ(again.entry.base, "over");
    EXPECT_EQ(settle(*one, epoch, again, outcome(EntryState::delivered)).entry.base, std::nullopt);
}

TEST_P(OutboxContract, AnOutcomeIsSettledOnceAndNeverOverWhatAPersonSaidSince)
{
    const std::int64_t epoch = lead(*one);
    const SharedWrite begun = begin(*one, epoch, accepted(*two, "a", "key"));
    const Instant before = SystemClock().now();
    WriteOutcome refused = outcome(EntryState::failed, 422);
    refused.outcome.response = "no";
    const SharedWrite failed = settle(*one, epoch, begun, refused);
    EXPECT_EQ(failed.entry.state, EntryState::failed);
    EXPECT_EQ(failed.entry.attempts, 1);
    EXPECT_EQ(failed.entry.response, "no");
    EXPECT_LT(std::chrono::abs(failed.settled_at.value() - before), 1min);
    EXPECT_EQ(say(settle(*one, epoch, begun, refused)), say(failed)) << "its answer was lost";

    const WriteAction retried = wait(two->outbox().retry(begun.entry.id));
    EXPECT_EQ(say(settle(*one, epoch, begun, refused)), say(retried.write));
    EXPECT_EQ(say(begin(*one, epoch, begun)), say(retried.write)) << "a request that arrives late";
    EXPECT_EQ(begin(*one, epoch, retried.write).entry.state, EntryState::sending);
}

TEST_P(OutboxContract, AnAttemptWithoutAResponseDoesNotCount)
{
    const std::int64_t epoch = lead(*one);
    const SharedWrite begun = begin(*one, epoch, accepted(*two, "a", "key"));
    WriteOutcome away = outcome(EntryState::pending);
    away.outcome.uncounted = true;
    const SharedWrite waits = settle(*one, epoch, begun, away);
    EXPECT_EQ(waits.entry.attempts, 0);
    EXPECT_EQ(waits.settled_at, std::nullopt);
    EXPECT_EQ(settle(*one, epoch, waits, away).entry.attempts, 0) << "also where it was not begun";
}

TEST_P(OutboxContract, WhoeverDoesNotLeadBeginsAndSettlesNothing)
{
    const std::int64_t old = lead(*one);
    const SharedWrite begun = begin(*one, old, accepted(*one, "a", "key"));
    const std::int64_t now = lead(*two);
    const Position before = last(*two);
    SharedOutbox& outbox = one->outbox();
    for (const std::int64_t epoch : {old, now}) {
        EXPECT_THROW(wait(outbox.begin(epoch, known(begun), std::nullopt)), NotLeader);
        EXPECT_THROW(wait(outbox.settle(epoch, known(begun), outcome(EntryState::delivered))), NotLeader);
        EXPECT_THROW(wait(outbox.recover(epoch)), NotLeader);
        EXPECT_THROW(wait(outbox.forget(epoch, 0s)), NotLeader);
    }
    EXPECT_EQ(last(*two), before);
    EXPECT_EQ(say(find(*two, begun)), say(begun));
}

TEST_P(OutboxContract, WhatALostLeaderWasSendingWaitsAgainInDoubt)
{
    std::int64_t epoch = lead(*one);
    SharedWrite sent = begin(*one, epoch, accepted(*one, "a", "k1"));
    const SharedWrite waits = accepted(*one, "b", "k2");
    EXPECT_THAT(wait(one->outbox().recover(epoch)), IsEmpty()) << "it is its own";
    for (int lost = 1; lost <= 3; ++lost) {
        Truth& next = lost % 2 == 0 ? *one : *two;
        epoch = lead(next);
        const auto recovered = wait(next.outbox().recover(epoch));
        ASSERT_EQ(recovered.size(), 1U);
        sent = recovered[0];
        EXPECT_EQ(sent.crashes, lost);
        EXPECT_TRUE(sent.entry.in_doubt);
        EXPECT_EQ(sent.number, last(*one).number);
        EXPECT_THAT(wait(next.outbox().recover(epoch)), IsEmpty());
        EXPECT_EQ(sent.entry.state, lost < 3 ? EntryState::pending : EntryState::failed);
        if (lost < 3) sent = begin(next, epoch, sent);
    }
    EXPECT_THAT(sent.entry.last_error.value(), testing::HasSubstr("retry it by hand"));
    EXPECT_TRUE(sent.settled_at);
    EXPECT_EQ(say(find(*one, waits)), say(waits));
    EXPECT_EQ(wait(two->outbox().retry(sent.entry.id)).write.crashes, 0);
}

TEST_P(OutboxContract, WhatALeaderThatResignsWasSendingWaitsInDoubtAndNobodyWasLostOverIt)
{
    SharedWrite write = accepted(*one, "a", "u1");
    for (int n = 0; n < 4; ++n) { // a restart of each node, and one more
        Truth& leader = n % 2 == 0 ? *one : *two;
        const std::int64_t epoch = lead(leader);
        EXPECT_EQ(wait(leader.outbox().recover(epoch)).size(), 0U);
        begin(leader, epoch, find(leader, write));
        const Position before = last(leader);
        wait(leader.outbox().release(epoch));
        wait(leader.outbox().release(epoch)); // the answer was lost
        const WriteChanges heard = wait(two->outbox().changes(before, 9));
        ASSERT_EQ(heard.writes.size(), 1U);
        write = heard.writes[0];
        EXPECT_EQ(write.entry.state, EntryState::pending);
        EXPECT_TRUE(write.entry.in_doubt);
        EXPECT_EQ(write.crashes, 0);
    }
    EXPECT_THROW(wait(one->outbox().release(1)), NotLeader);
}

TEST_P(OutboxContract, ATakenOverWriteThatIsBegunAtOnceIsInDoubt)
{
    const SharedWrite sent = begin(*one, lead(*one), accepted(*one, "a", "k1"));
    const SharedWrite again = begin(*two, lead(*two), sent);
    EXPECT_TRUE(again.entry.in_doubt);
    EXPECT_EQ(again.entry.attempts, 2);
}

TEST_P(OutboxContract, AnyNodeRetriesAndDiscardsWhatIsNotBeingSent)
{
    const std::int64_t epoch = lead(*one);
    SharedOutbox& steering = two->outbox();
    const SharedWrite failed =
        settle(*one, epoch, begin(*one, epoch, accepted(*one, "a", "k1")), outcome(EntryState::failed, 400));
    WriteOutcome other = outcome(EntryState::conflict);
    other.outcome.conflict = "{}";
    const SharedWrite conflict = settle(*one, epoch, accepted(*one, "b", "k2"), other);
    WriteOutcome later = outcome(EntryState::pending);
    later.outcome.next_attempt_at = Instant::max();
    const SharedWrite waits = settle(*one, epoch, accepted(*one, "c", "k3"), later);
    const SharedWrite sent = begin(*one, epoch, accepted(*one, "d", "k4"));
    const SharedWrite done = settle(*one, epoch, accepted(*one, "e", "k5"), outcome(EntryState::delivered));

    const WriteAction retried = wait(steering.retry(failed.entry.id));
    EXPECT_EQ(retried.result, OperatorResult::done);
    EXPECT_EQ(retried.write.entry.state, EntryState::pending);
    EXPECT_EQ(retried.write.entry.place, retried.write.number) << "at the end of its line";
    EXPECT_EQ(retried.write.settled_at, std::nullopt);
    const SharedWrite forced = wait(steering.retry(conflict.entry.id)).write;
    EXPECT_TRUE(forced.entry.forced);
    EXPECT_EQ(forced.entry.conflict, std::nullopt);
    EXPECT_EQ(forced.entry.place, conflict.entry.place);
    const SharedWrite due = wait(steering.retry(waits.entry.id)).write;
    EXPECT_EQ(due.entry.next_attempt_at, std::nullopt);
    EXPECT_FALSE(due.entry.forced);
    for (const SharedWrite& write : {sent, done}) {
        const WriteAction refused = wait(steering.retry(write.entry.id)), kept = wait(steering.discard(write.entry.id));
        EXPECT_EQ(refused.result, OperatorResult::wrong_state);
        EXPECT_EQ(kept.result, OperatorResult::wrong_state);
        EXPECT_EQ(say(kept.write), say(write));
    }
    EXPECT_EQ(wait(steering.retry(1)).result, OperatorResult::absent);
    EXPECT_EQ(wait(steering.discard(1)).result, OperatorResult::absent);
}

TEST_P(OutboxContract, WhatIsDiscardedIsToldAndItsContentIsGone)
{
    NewWrite write = title_of("a", "u1");
    write.entry.client_key = "k";
    const SharedWrite taken = accept(*one, write).write;
    const WriteAction discarded = wait(two->outbox().discard(taken.entry.id));
    EXPECT_EQ(discarded.result, OperatorResult::done);
    EXPECT_TRUE(discarded.write.discarded);
    EXPECT_EQ(discarded.write.entry.body, "");
    EXPECT_EQ(discarded.write.entry.conversation, ConversationId{"a"});
    EXPECT_EQ(discarded.write.request_hash, "") << "which could be guessed from";
    EXPECT_EQ(say(wait(two->outbox().discard(taken.entry.id)).write), say(discarded.write));
    EXPECT_EQ(wait(two->outbox().retry(taken.entry.id)).result, OperatorResult::absent);
    const std::int64_t epoch = lead(*one);
    EXPECT_TRUE(begin(*one, epoch, discarded.write).discarded);
    EXPECT_TRUE(settle(*one, epoch, discarded.write, outcome(EntryState::delivered)).discarded);
    EXPECT_EQ(wait(one->head()).last_write, discarded.write.number);
    write.entry.upstream_key = "u2";
    EXPECT_EQ(accept(*two, write).kind, Acceptance::Kind::fresh) << "its Idempotency-Key is free";
}

TEST_P(OutboxContract, OfWhatIsPurgedTheIdAndTheFactStayAlone)
{
    const std::int64_t epoch = lead(*one);
    NewWrite write = title_of("secret-a", "u1", "secret-b");
    write.entry.chat = ChatId{"secret-c"};
    write.entry.headers = R"({"OWN-USER-ID":"secret-d"})";
    write.entry.client_key = "secret-e";
    write.entry.request_hash = "secret-f";
    write.principal = "secret-g";
    const SharedWrite waits = accept(*one, write).write;
    write.entry.upstream_key = "u2";
    write.entry.client_key = "secret-h";
    WriteOutcome settled = outcome(EntryState::delivered, 200);
    settled.outcome.response = settled.outcome.response_type = settled.outcome.error = settled.before = "secret-i";
    settled.outcome.conflict = "secret-j";
    settled.foreign = cache::ForeignNote{"secret-k", "secret-l", 1, Instant()};
    const SharedWrite delivered = settle(*one, epoch, accept(*one, write).write, settled);
    write.entry.upstream_key = "u3";
    write.entry.client_key = "secret-m";
    const SharedWrite dropped = wait(one->outbox().discard(accept(*one, write).write.entry.id)).write;
    const SharedWrite other = accepted(*two, "b", "u4");
    const Position before = last(*one);
    std::vector<cache::ErasedWrite> erased(4);
    erased[0].id = waits.entry.id, erased[1].id = delivered.entry.id, erased[2].id = dropped.entry.id;

    for (int n = 0; n < 2; ++n) { // also after an answer that was lost
        wait(two->outbox().purge(erased));
        for (const SharedWrite& was : {waits, delivered, dropped}) {
            const SharedWrite left = find(*one, was);
            EXPECT_THAT(say(left), testing::Not(testing::HasSubstr("secret")));
            EXPECT_TRUE(left.discarded);
            EXPECT_EQ(left.entry.upstream_key, was.entry.upstream_key);
            EXPECT_EQ(left.entry.state, was.entry.state);
            EXPECT_TRUE(left.entry.conversation) << "it was no bulk update";
        }
        EXPECT_EQ(say(find(*one, other)), say(other));
        EXPECT_EQ(wait(one->outbox().count()).pending, 1);
        EXPECT_EQ(wait(one->outbox().changes(before, 100)).writes.size(), 3U) << "all nodes hear of it once";
    }
    EXPECT_EQ(wait(one->outbox().retry(waits.entry.id)).result, OperatorResult::absent);
}

TEST_P(OutboxContract, OfABulkUpdateThatIsPurgedTheRestStaysUnlessItIsBeingSent)
{
    const std::int64_t epoch = lead(*one);
    NewWrite bulk = title_of("", "u1");
    bulk.entry.kind = alli::cache::EditKind::bulk_update;
    bulk.entry.conversation.reset();
    const SharedWrite waits = accept(*one, bulk).write;
    wait(two->outbox().purge({{waits.entry.id, waits.number - 1, "rest", std::nullopt}}));
    EXPECT_EQ(say(find(*one, waits)), say(waits)) << "it is another one by now";
    wait(two->outbox().purge({{waits.entry.id, waits.number, "rest", std::nullopt}}));
    const SharedWrite left = find(*one, waits);
    EXPECT_EQ(left.entry.body, "rest");
    EXPECT_EQ(left.entry.base, std::nullopt);
    EXPECT_FALSE(left.discarded);
    EXPECT_EQ(wait(one->outbox().count()).bytes, 4);
    const SharedWrite sent = begin(*one, epoch, left);
    wait(two->outbox().purge({{sent.entry.id, sent.number, "less", std::nullopt}}));
    EXPECT_EQ(say(find(*one, sent)), say(sent));
    EXPECT_EQ(settle(*one, epoch, sent, outcome(EntryState::delivered)).entry.state, EntryState::delivered);
}

TEST_P(OutboxContract, WhetherAnAppGotTheOutcomeIsNotedForThatOutcomeAlone)
{
    const std::int64_t epoch = lead(*one);
    const SharedWrite failed = settle(*one, epoch, accepted(*two, "a", "k1"), outcome(EntryState::failed, 400));
    wait(two->outbox().note_told(failed.entry.id, failed.number));
    const SharedWrite told = find(*one, failed);
    EXPECT_TRUE(told.told);
    EXPECT_GT(told.number, failed.number);
    const SharedWrite again = wait(one->outbox().retry(failed.entry.id)).write;
    EXPECT_FALSE(again.told);
    wait(two->outbox().note_told(failed.entry.id, told.number));
    wait(two->outbox().note_told(failed.entry.id, again.number));
    EXPECT_FALSE(find(*one, failed).told);
}

INSTANTIATE_TEST_SUITE_P(Of, OutboxContract, both_stores(), name_of_store);

} // namespace
} // namespace cluster_tests

// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/overlay.hpp"
#include "tests/sync/deliver_fixture.hpp"

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::EntryState;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

TEST_F(DeliverTest, SendsAtOnceAndHandsOnUpstreamsAnswer)
{
    const auto offered = title("a", "new");
    ASSERT_TRUE(offered->done);
    ASSERT_TRUE(offered->reply);
    EXPECT_EQ(offered->reply->status, 200);
    EXPECT_EQ(json::parse(offered->reply->body)["title"], "new");
    EXPECT_THAT(upstream_.applied, ElementsAre(R"(PUT a/title {"title":"new"})"));
    EXPECT_EQ(upstream_.count("GET"), 0U) << "what did not wait needs no look";
    const cache::Entry kept = entry(last_);
    EXPECT_EQ(kept.state, EntryState::delivered);
    EXPECT_EQ(kept.last_status, 200);
    EXPECT_EQ(kept.attempts, 1);
    EXPECT_EQ(mirrored_title("a"), "new") << "a confirmed write is in the next read";
}

TEST_F(DeliverTest, SendsTheHeadersItCameWithAndAKeyOfItsOwn)
{
    upstream_.before = [n = 0](const upstream::Request&) mutable {
        return ++n == 1 ? std::optional(WritableUpstream::says(503)) : std::nullopt;
    };
    title("a", "new");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    std::vector<std::string> keys;
    for (const upstream::Request& request : upstream_.requests) {
        if (request.method != "PUT") continue;
        for (const Header& header : request.headers)
            if (header.name == "Idempotency-Key") keys.push_back(header.value);
        EXPECT_THAT(request.headers, Contains(testing::Field(&Header::name, "OWN-USER-ID")));
    }
    EXPECT_THAT(keys, ElementsAre("key 1", "key 1"));
}

TEST_F(DeliverTest, QueuesWhatUpstreamCannotTakeNow)
{
    upstream_.away = true;
    const auto first = title("a", "1"), second = title("a", "2");
    EXPECT_TRUE(first->done && second->done);
    EXPECT_FALSE(first->reply || second->reply);
    EXPECT_EQ(mirrored_title("a"), "2");
    EXPECT_EQ(entry(1).attempts, 0) << "an attempt without an answer does not count";
    upstream_.away = false;
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(upstream_.applied, ElementsAre(R"(PUT a/title {"title":"1"})", R"(PUT a/title {"title":"2"})"));
    EXPECT_EQ(mirrored_title("a"), "2");
    EXPECT_EQ(counts().delivered, 2);
}

TEST_F(DeliverTest, ComesBackWithin15SecondsHoweverLongUpstreamWasAway)
{
    upstream_.away = true;
    for (const char* id : {"a", "b", "c", "d"}) title(id, "x");
    until([&] { return clock_.passed() > 2h; }, 100'000);
    const auto requests = upstream_.requests.size();
    upstream_.away = false;
    const auto since = clock_.passed();
    until([&] { return !upstream_.applied.empty(); });
    EXPECT_LE(clock_.passed() - since, 16s);
    EXPECT_GT(requests, 2U * 240U);
    EXPECT_LT(requests, 2U * 3600U) << "one probe at a time";
}

TEST_F(DeliverTest, GoesOnAtOnceWhenItIsToldThatUpstreamIsBack)
{
    upstream_.away = true;
    for (const char* id : {"a", "b", "c", "d"}) title(id, "x");
    until([&] { return clock_.passed() > 2h; }, 100'000);
    upstream_.away = false;
    const auto since = clock_.passed();
    deliverer_->make_due();
    until([&] { return all_settled(); });
    EXPECT_LT(clock_.passed() - since, 100ms);
}

struct Permanent : DeliverTest, testing::WithParamInterface<int> {};
TEST_P(Permanent, AnswersMakeItFailAndTheAppSeesThem)
{
    upstream_.before = [](const upstream::Request& request) { // of a 404 more is asked
        return request.method == "PUT"
                   ? std::optional(WritableUpstream::says(GetParam(), R"({"code":7003,"message":"no"})"))
                   : std::nullopt;
    };
    const auto offered = title("a", "new");
    ASSERT_TRUE(offered->reply);
    EXPECT_EQ(offered->reply->status, GetParam());
    const cache::Entry kept = entry(last_);
    EXPECT_EQ(kept.state, EntryState::failed);
    EXPECT_EQ(kept.last_status, GetParam());
    EXPECT_THAT(*kept.response, HasSubstr("7003"));
    EXPECT_THAT(*kept.last_error, HasSubstr("no"));
    EXPECT_EQ(mirrored_title("a"), "old");
}
INSTANTIATE_TEST_SUITE_P(Deliver, Permanent, testing::Values(400, 404, 405, 409, 413, 422));

struct Temporary : DeliverTest, testing::WithParamInterface<int> {};
TEST_P(Temporary, AnswersAreWaitedOut)
{
    int times = 0;
    upstream_.before = [&times](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.method != "PUT" || ++times > 3) return std::nullopt;
        return WritableUpstream::says(GetParam(), "<html>busy</html>");
    };
    const auto offered = title("a", "new");
    EXPECT_TRUE(offered->done);
    EXPECT_FALSE(offered->reply);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::delivered);
    EXPECT_EQ(entry(last_).attempts, 4);
    EXPECT_EQ(upstream_.applied.size(), 1U);
}
INSTANTIATE_TEST_SUITE_P(Deliver, Temporary, testing::Values(408, 425, 429, 500, 502, 503, 504, 301, 200));

TEST_F(DeliverTest, WaitsAsLongAsUpstreamAsksFor)
{
    upstream_.before = [n = 0](const upstream::Request&) mutable {
        return ++n == 1 ? std::optional(WritableUpstream::says(429, "{}", "120")) : std::nullopt;
    };
    title("a", "1");
    const auto other = title("b", "2");
    EXPECT_FALSE(other->reply) << "429 is said to all";
    EXPECT_TRUE(other->done) << "so its app need not wait";
    EXPECT_EQ(entry(last_).attempts, 0) << "nor does it count as being sent";
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_GE(clock_.passed(), 120s);
}

TEST_F(DeliverTest, WaitsAsLongAsUpstreamAsksForWhoeverSaysThatItIsBack)
{
    upstream_.before = [n = 0](const upstream::Request&) mutable {
        return ++n == 1 ? std::optional(WritableUpstream::says(429, "{}", "120")) : std::nullopt;
    };
    title("a", "1");
    deliverer_->make_due();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_GE(clock_.passed(), 120s);
}

TEST_F(DeliverTest, FindsOutWhetherALostAnswerWasAYes)
{
    upstream_.after = [n = 0](const upstream::Request& request) mutable {
        if (request.method == "PUT" && ++n == 1) throw Error(Fault::unreachable, "", "reset");
    };
    const auto offered = title("a", "new");
    EXPECT_FALSE(offered->reply);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.applied.size(), 1U) << "it was there already";
    EXPECT_EQ(entry(last_).state, EntryState::delivered);
}

TEST_F(DeliverTest, TakesADeletionThatIsDoneForDone)
{
    upstream_.after = [](const upstream::Request& request) {
        if (request.method == "DELETE") throw Error(Fault::unreachable, "", "reset");
    };
    offer(write_of(EditKind::remove, "a", ""));
    EXPECT_EQ(mirrored_title("a"), "(gone)");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::delivered);
    EXPECT_EQ(upstream_.count("DELETE"), 1U);
    EXPECT_THAT(changed_, Contains("a"));
}

TEST_F(DeliverTest, RunsAgainAfterItWasCancelledMidway)
{
    upstream_.takes = 1h;
    title("a", "1");
    title("b", "2");
    EXPECT_GT(upstream_.requests.size(), 0U) << "one is being sent";
    cancel_.emit(asio::cancellation_type::terminal);
    support::run_until_idle(loop_);
    ASSERT_FALSE(running_);
    upstream_.takes = 0s;
    running_ = true;
    asio::co_spawn(loop_, deliverer_->run(),
                   asio::bind_cancellation_slot(cancel_.slot(), [this](std::exception_ptr) { running_ = false; }));
    support::run_until_idle(loop_);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.conversations["a"]["title"], "1");
    EXPECT_EQ(upstream_.conversations["b"]["title"], "2");
}

TEST_F(DeliverTest, LooksBeforeItSendsAgainWhatADeadProcessWasSending)
{
    upstream_.takes = 30s;
    title("a", "new");
    until([&] { return clock_.passed() >= 20s; }, 3);
    ASSERT_EQ(entry(last_).state, EntryState::sending);
    upstream_.conversations["a"]["title"] = "new"; // it had got there
    die_and_start_again();
    upstream_.takes = 0s;
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::delivered);
    EXPECT_THAT(upstream_.applied, IsEmpty());
}

TEST_F(DeliverTest, KeepsTheOrderWhenTheProcessDiesMidway)
{
    upstream_.away = true;
    for (int n = 1; n <= 3; ++n) title("a", std::to_string(n));
    die_and_start_again();
    for (int n = 4; n <= 6; ++n) title("a", std::to_string(n));
    upstream_.away = false;
    ASSERT_TRUE(until([&] { return all_settled(); }));
    std::vector<std::string> bodies;
    for (const std::string& one : upstream_.applied) bodies.push_back(one.substr(12));
    std::vector<std::string> expected;
    for (int n = 1; n <= 6; ++n) expected.push_back(json{{"title", std::to_string(n)}}.dump());
    EXPECT_EQ(bodies, expected);
}

TEST_F(DeliverTest, SendsOneOfAConversationAndFourInAllAtATime)
{
    upstream_.takes = 100ms;
    std::map<std::string, int> applied;
    int at_once = 0;
    upstream_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.method != "PUT") return std::nullopt;
        const auto of_the_same = [&](const upstream::Request& other) {
            return other.method == "PUT" && other.target == request.target;
        };
        const auto sent = std::count_if(upstream_.requests.begin(), upstream_.requests.end(), of_the_same);
        at_once = std::max(at_once, static_cast<int>(sent) - applied[request.target]++);
        return std::nullopt;
    };
    for (const char* id : {"a", "b", "c", "d", "e"})
        for (int n = 0; n < 3; ++n) title(id, std::to_string(n));
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(at_once, 1);
    EXPECT_EQ(upstream_.most_under_way, 4);
    EXPECT_EQ(upstream_.applied.size(), 15U);
    for (const char* id : {"a", "b", "c", "d", "e"}) EXPECT_EQ(upstream_.conversations[id]["title"], "2");
}

TEST_F(DeliverTest, AnswersWaitingAndGoesOnWhenUpstreamTakesTooLong)
{
    upstream_.takes = 60s;
    const auto offered = title("a", "new");
    EXPECT_FALSE(offered->done);
    until([&] { return offered->done; });
    EXPECT_TRUE(offered->done);
    EXPECT_FALSE(offered->reply);
    EXPECT_LE(clock_.passed(), 11s);
    EXPECT_EQ(mirrored_title("a"), "new");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.applied.size(), 1U);
    EXPECT_EQ(entry(last_).state, EntryState::delivered);
}

TEST_F(DeliverTest, HoldsBackWhatUpstreamChangedMeanwhile)
{
    upstream_.away = true;
    title("a", "ours");
    offer(write_of(EditKind::update, "a", R"({"state":"OPEN"})"));
    upstream_.away = false;
    upstream_.conversations["a"]["title"] = "theirs";
    until([&] { return counts().conflicts > 0; });
    const cache::Entry held = entry(1);
    EXPECT_EQ(held.state, EntryState::conflict);
    EXPECT_EQ(json::parse(*held.conflict),
              json::parse(R"({"title":{"base":"old","upstream":"theirs","ours":"ours"}})"));
    EXPECT_THAT(upstream_.applied, IsEmpty());
    until([&] { return false; }, 50);
    EXPECT_EQ(entry(2).state, EntryState::pending) << "a conflict blocks its conversation";

    EXPECT_EQ(run(deliverer_->retry(1)).outcome, cache::OperatorResult::done);
    ASSERT_TRUE(until([&] { return all_settled() && counts().conflicts == 0; }));
    EXPECT_EQ(upstream_.conversations["a"]["title"], "ours");
    EXPECT_EQ(upstream_.applied.size(), 2U);
}

TEST_F(DeliverTest, TakesOnlyTheSameFieldsForAConflictAndNeverOurOwn)
{
    upstream_.away = true;
    title("a", "1");
    title("a", "2");
    offer(write_of(EditKind::update, "b", R"({"state":"OPEN"})"));
    upstream_.away = false;
    upstream_.conversations["b"]["title"] = "theirs";
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(counts().conflicts, 0);
    EXPECT_EQ(upstream_.conversations["a"]["title"], "2");
    EXPECT_EQ(upstream_.conversations["b"]["state"], "OPEN");
}

TEST_F(DeliverTest, TakesNoValueForOursThatUpstreamRefusedOfUs)
{
    upstream_.before = [](const upstream::Request& request) {
        const bool refused = request.body.find("same") != std::string::npos;
        return refused ? std::optional(WritableUpstream::says(400)) : std::nullopt;
    };
    title("a", "same");
    ASSERT_EQ(entry(last_).state, EntryState::failed);
    upstream_.away = true;
    title("a", "ours");
    upstream_.away = false;
    upstream_.conversations["a"]["title"] = "same"; // somebody else may write it
    ASSERT_TRUE(until([&] { return counts().conflicts > 0; }));
    EXPECT_EQ(entry(last_).state, EntryState::conflict);
}

TEST_F(DeliverTest, OverwritesWhenItIsSetTo)
{
    stop();
    options_.overwrite = true;
    start();
    upstream_.away = true;
    title("a", "ours");
    upstream_.away = false;
    upstream_.conversations["a"]["title"] = "theirs";
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.conversations["a"]["title"], "ours");
}

TEST_F(DeliverTest, LetsABulkUpdateWaitForAllBeforeItAndAllAfterItForIt)
{
    upstream_.away = true;
    title("a", "before");
    title("b", "before");
    offer(write_of(EditKind::bulk_update, "", R"({"conversationIds":["a","b"],"conversationInfo":{"title":"bulk"}})"));
    title("a", "after");
    title("c", "after");
    EXPECT_EQ(mirrored_title("a"), "after");
    EXPECT_EQ(mirrored_title("b"), "bulk");
    upstream_.away = false;
    upstream_.takes = 10ms;
    int beside = 0;
    upstream_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.target.ends_with("bulk_update")) beside = upstream_.under_way - 1;
        return std::nullopt;
    };
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(beside, 0) << "what comes after it is not even sent before it is answered";
    ASSERT_EQ(upstream_.applied.size(), 5U);
    EXPECT_THAT(upstream_.applied[2], HasSubstr("bulk"));
    EXPECT_THAT(std::vector(upstream_.applied.begin(), upstream_.applied.begin() + 2),
                UnorderedElementsAre(HasSubstr("PUT a/"), HasSubstr("PUT b/")));
    EXPECT_EQ(counts().conflicts, 0);
    EXPECT_EQ(mirrored_title("a"), "after");
}

TEST_F(DeliverTest, LetsNoBulkUpdateWaitForAConflict)
{
    upstream_.away = true;
    title("a", "ours");
    title("a", "ours again");
    offer(write_of(EditKind::bulk_update, "", R"({"conversationIds":["b"],"conversationInfo":{"state":"x"}})"));
    upstream_.away = false;
    upstream_.conversations["a"]["title"] = "theirs";
    until([&] { return !upstream_.applied.empty(); });
    EXPECT_EQ(entry(1).state, EntryState::conflict);
    EXPECT_EQ(entry(3).state, EntryState::delivered);
}

TEST_F(DeliverTest, PausesForARejectedKeyAndGoesOnByItself)
{
    bool rejects = true;
    upstream_.before = [&](const upstream::Request&) {
        return rejects ? std::optional(WritableUpstream::says(401)) : std::nullopt;
    };
    EXPECT_FALSE(title("a", "1")->reply) << "a rejected key is not the app's fault";
    EXPECT_FALSE(title("b", "2")->reply);
    until([&] { return clock_.passed() > 1h; });
    EXPECT_EQ(counts().pending, 2);
    EXPECT_EQ(upstream_.count("PUT"), 1U) << "only the key is tried";
    const auto tries = upstream_.requests.size();
    EXPECT_GE(tries, 3600U / 15U);
    rejects = false;
    const auto since = clock_.passed();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_LE(clock_.passed() - since, 16s);
    EXPECT_EQ(counts().delivered, 2);
}

TEST_F(DeliverTest, FailsWhatIsRefusedToAnIdentityAlone)
{
    upstream_.before = [](const upstream::Request& request) {
        return request.method == "PUT" ? std::optional(WritableUpstream::says(403)) : std::nullopt;
    };
    const auto offered = title("a", "1");
    ASSERT_TRUE(offered->reply);
    EXPECT_EQ(offered->reply->status, 403);
    EXPECT_EQ(entry(last_).state, EntryState::failed);
}

TEST_F(DeliverTest, StopsNothingAfterAMinute)
{
    upstream_.away = true;
    offer(write_of(EditKind::stop, "a", ""));
    title("a", "behind it");
    until([&] { return entry(1).state == EntryState::failed; });
    EXPECT_GE(clock_.passed(), 60s);
    EXPECT_LE(clock_.passed(), 70s);
    upstream_.away = false;
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(upstream_.applied, ElementsAre(HasSubstr("behind it")));
}

TEST_F(DeliverTest, TellsTheFeedOfAStopThatRanOutOfTime)
{
    upstream_.away = true;
    offer(write_of(EditKind::stop, "a", ""));
    const auto before = feed_place();
    until([&] { return entry(1).state == EntryState::failed && feed_place() > before; });
    EXPECT_THAT(outbox_rows_after(before), ElementsAre("a"));
}

// What became of a write may be in the outbox and not in the feed.
TEST_F(DeliverTest, TellsTheFeedAfterADeathToLookAtAllWrites)
{
    auto before = feed_place();
    die_and_start_again();
    EXPECT_THAT(outbox_rows_after(before), IsEmpty()) << "nothing was ever written";
    offer(write_of(EditKind::title, "a", R"({"title":"new"})"));
    ASSERT_TRUE(until([&] { return all_settled(); }));
    before = feed_place();
    stop();
    start();
    EXPECT_THAT(outbox_rows_after(before), IsEmpty()) << "it ended in order";
    before = feed_place();
    die_and_start_again();
    EXPECT_THAT(outbox_rows_after(before), ElementsAre(""));
}

// They were let in together while nothing was known; the first of them find out, and the others need not.
TEST_F(DeliverTest, KeepsNobodyWaitingOnceUpstreamIsAway)
{
    upstream_.away = true;
    std::vector<cache::AcceptedWrite> made;
    for (int n = 0; n < 12; ++n)
        made.push_back(accept(write_of(EditKind::title, "c" + std::to_string(n), R"({"title":"new"})")));
    std::vector<std::shared_ptr<Offered>> all;
    for (cache::AcceptedWrite& one : made) all.push_back(begin(std::move(one), 10s));
    support::run_until_idle(loop_);
    EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](const auto& one) { return one->done; }));
    EXPECT_EQ(clock_.passed(), 0s);
}

TEST_F(DeliverTest, LetsOneThatFailsForEverHoldUpNobody)
{
    upstream_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.method == "PUT" && request.target.find("/a/") != std::string::npos)
            throw Error(Fault::unreachable, "", "reset");
        return std::nullopt;
    };
    title("a", "never");
    for (int n = 0; n < 50; ++n) {
        const auto offered = title(n % 2 == 0 ? "b" : "c", std::to_string(n));
        EXPECT_TRUE(offered->reply) << n;
        until([&] { return false; }, 3);
    }
    EXPECT_EQ(entry(1).state, EntryState::pending);
}

TEST_F(DeliverTest, ShowsAWaitingWriteUntilItFails)
{
    upstream_.away = true;
    title("a", "new");
    EXPECT_EQ(mirrored_title("a"), "new");
    upstream_.away = false;
    upstream_.before = [](const upstream::Request& request) {
        return request.method == "PUT" ? std::optional(WritableUpstream::says(422)) : std::nullopt;
    };
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::failed);
    EXPECT_EQ(mirrored_title("a"), "old");
}

TEST_F(DeliverTest, TakesBackWhatAPersonDiscards)
{
    upstream_.away = true;
    title("a", "1");
    title("a", "2");
    EXPECT_EQ(run(deliverer_->discard(2)), cache::OperatorResult::done);
    EXPECT_EQ(mirrored_title("a"), "1");
    EXPECT_EQ(run(deliverer_->discard(1)), cache::OperatorResult::done);
    EXPECT_EQ(mirrored_title("a"), "old");
    EXPECT_EQ(run(deliverer_->discard(1)), cache::OperatorResult::absent);
    upstream_.away = false;
    until([&] { return false; }, 50);
    EXPECT_THAT(upstream_.applied, IsEmpty());
}

TEST_F(DeliverTest, ShowsWhatWaitsAgainWhenTheMirrorIsMadeAnew)
{
    upstream_.away = true;
    title("a", "waiting");
    stop();
    store_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(dir_ / "mirror.db" + suffix);
    store_ = std::make_unique<cache::Store>(cache::StoreOptions{dir_ / "mirror.db", "http://127.0.0.1:1", false});
    start();
    mirror("a");
    until([&] { return mirrored_title("a") == "waiting"; }, 20);
    EXPECT_EQ(mirrored_title("a"), "waiting");
}

TEST_F(DeliverTest, SurvivesAClockThatJumps)
{
    upstream_.away = true;
    title("a", "1");
    clock_.set_now(clock_.now() - std::chrono::hours(24 * 3650));
    die_and_start_again();
    upstream_.away = false;
    const auto since = clock_.passed();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_LE(clock_.passed() - since, options_.retry_max + 1s);
}

// ---- operations that the settings have elsewhere

TEST_F(DeliverTest, SendsWhatWasQueuedBeforeByTheSettingThatHoldsNow)
{
    upstream_.away = true;
    auto asked = write_of(EditKind::title, "a", R"({"title":"1"})");
    asked.method = "PATCH";
    asked.path += "?who=me";
    offer(asked);
    offer(write_of(EditKind::update, "b", R"({"state":"x"})"));
    stop();
    options_.operations.title = {"POST", "/webapi/v2/conversations/{id}/name"};
    start();
    EXPECT_EQ(entry(1).path, "/webapi/v2/conversations/a/name?who=me");
    EXPECT_EQ(entry(1).method, "POST");
    upstream_.away = false;
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(upstream_.applied, UnorderedElementsAre(R"(POST a/name {"title":"1"})", R"(PUT b {"state":"x"})"));
    EXPECT_EQ(mirrored_title("a"), "1");
}

TEST_F(DeliverTest, LeavesTheMethodOfAnAppAsItIsWhileTheSettingStays)
{
    options_.operations.title = {"PUT", "/webapi/v2/conversations/{id}/title"};
    upstream_.away = true;
    auto asked = write_of(EditKind::title, "a", R"({"title":"1"})");
    asked.method = "PATCH";
    offer(asked);
    stop();
    start();
    EXPECT_EQ(entry(1).method, "PATCH");
    upstream_.away = false;
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(upstream_.applied, ElementsAre(R"(PATCH a/title {"title":"1"})"));
}

TEST_F(DeliverTest, RetriesWhatFailedByTheSettingThatAPersonMended)
{
    upstream_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.method != "PUT") return std::nullopt;
        upstream::Reply reply = WritableUpstream::says(405, "Method not allowed");
        reply.headers = {{"Content-Type", "text/html"}};
        return reply;
    };
    title("a", "new");
    EXPECT_EQ(entry(last_).state, EntryState::failed);
    EXPECT_THAT(*entry(last_).last_error, HasSubstr("upstream.title"));
    stop();
    options_.operations.title.method = "POST";
    start();
    run(deliverer_->retry(last_));
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(upstream_.applied, ElementsAre(R"(POST a/title {"title":"new"})"));
    stop(); // and back, by the note of what held in between
    upstream_.before = {};
    upstream_.away = true;
    start();
    title("b", "other");
    stop();
    options_.operations = {};
    start();
    EXPECT_EQ(entry(last_).method, "PUT");
}

} // namespace
} // namespace alli::sync

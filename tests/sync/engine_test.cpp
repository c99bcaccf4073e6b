// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/variables.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

TEST_F(EngineTest, MirrorsEverythingWhateverTheContractLeavesOpen)
{
    fill(70);
    model_.add("chatless", 0, 0);
    model_.add("long", 9'000, 230);
    for (const bool position : {false, true})
        for (const bool inclusive : {false, true})
            for (const bool empty : {false, true})
                for (const std::size_t embedded : {0U, 1U, 20U}) {
                    SCOPED_TRACE(testing::Message() << position << inclusive << empty << embedded);
                    support::TempDir fresh;
                    store_ =
                        std::make_unique<cache::Store>(cache::StoreOptions{fresh / "mirror.db", "http://model", false});
                    model_.position_cursor = position, model_.inclusive = inclusive;
                    model_.empty_pages = empty, model_.embedded = embedded;
                    pass();
                    expect_mirror_equals_model();
                    EXPECT_TRUE(complete());
                    EXPECT_TRUE(state_.backfill_done);
                    store_.reset();
                }
}

TEST_F(EngineTest, GetsPastMoreConversationsOfOneTimeThanAPageHolds)
{
    for (int n = 0; n < 180; ++n) model_.add("same" + std::to_string(n), 5'000, 2);
    fill(60);
    for (const bool position : {false, true}) {
        model_.position_cursor = position;
        pass();
        expect_mirror_equals_model();
    }
}

// A chain of pages is scanned twice, and what was met before is not read again: it is as old as it was then.
TEST_F(EngineTest, CertifiesNothingAsYoungerThanItsFirstSight)
{
    for (int n = 0; n < 180; ++n) model_.add("same" + std::to_string(n), 5'000, 2);
    std::optional<Instant> edited;
    model_.before = [&](const upstream::Request&) {
        clock_.advance(1h);
        if (model_.lists() == 8 && !edited) { // the first page, the other end, the chain, and into its second scan
            for (auto& [id, entry] : model_.conversations) entry.title = "edited";
            edited = clock_.now();
        }
        return std::optional<upstream::Reply>();
    };
    pass();
    ASSERT_TRUE(edited);
    const auto of_old = store_->read([](cache::Reader& db) { return cache::find_conversation(db, {"same0"}); });
    ASSERT_EQ(json::parse(*of_old)["title"], "about same0");
    const auto covered = store_->read([](cache::Reader& db) { return cache::load_coverage(db); });
    const auto part = std::find_if(covered.begin(), covered.end(), [](const cache::Interval& it) {
        return it.from <= Instant(5'000s) && Instant(5'000s) < it.through;
    });
    ASSERT_NE(part, covered.end());
    EXPECT_LT(part->verified_at, *edited);
}

TEST_F(EngineTest, BringsTheVariablesThatAreSetAlong)
{
    fill(70);
    variables_ = {"plan"};
    pass();
    expect_mirror_equals_model();
    const ConversationId id{"c3"};
    const auto bare = store_->read([&](cache::Reader& db) { return cache::find_conversation(db, id); });
    const auto whole = store_->read([&](cache::Reader& db) { return cache::find_with_variables(db, id, variables_); });
    ASSERT_TRUE(bare && whole);
    EXPECT_FALSE(json::parse(*bare).contains("variables")) << "they lie apart";
    EXPECT_EQ(json::parse(whole->body)["variables"], json({{"plan", "of c3"}}));
    variables_.clear();
    model_.targets.clear();
    pass();
    EXPECT_EQ(model_.targets.size(), 1U) << "nothing differs without them";
}

TEST_F(EngineTest, ASecondPassWithNothingNewCostsOneRequestAndWritesNothing)
{
    fill(120);
    pass();
    model_.targets.clear();
    const auto before = store_->read([](cache::Reader& db) { return cache::count_totals(db); });
    pass();
    EXPECT_EQ(model_.targets.size(), 1U) << json(model_.targets).dump(1);
    EXPECT_EQ(store_->read([](cache::Reader& db) { return cache::count_totals(db); }).chats, before.chats);
}

TEST_F(EngineTest, APollWithFewChangesCostsOneRequest)
{
    fill(120);
    pass();
    for (int n = 0; n < 30; ++n) model_.add("c" + std::to_string(n * 4), 1'000'010 + n, 5);
    model_.now += 60;
    model_.targets.clear();
    pass();
    EXPECT_EQ(model_.targets.size(), 1U) << json(model_.targets).dump(1);
    expect_mirror_equals_model();
}

TEST_F(EngineTest, AsksOnlyForTheChatPageThatHoldsSomethingNew)
{
    model_.embedded = 0;
    model_.add("long", 900'000, 230);
    pass();
    model_.add("long", 1'000'010, 5);
    model_.now += 60;
    model_.targets.clear();
    pass();
    ASSERT_EQ(model_.targets.size(), 2U) << json(model_.targets).dump(1);
    EXPECT_THAT(model_.targets[1], testing::HasSubstr("pageNo=3"));
    expect_mirror_equals_model();
}

TEST_F(EngineTest, NoticesThatChatsWereRemoved)
{
    model_.add("a", 900'000, 40);
    pass();
    auto& chats = model_.conversations["a"].chats;
    chats.erase(chats.begin() + 30);
    model_.add("a", 1'000'010, 3);
    model_.now += 60;
    pass();
    expect_mirror_equals_model();
}

TEST_F(EngineTest, LosesNothingThatIsTouchedWhileItIsPaged)
{
    fill(160);
    model_.position_cursor = true;
    int touched = 0;
    on_commit_ = [&] { // after each page, one that was not seen yet and one that was move to the front
        if (touched < 20) {
            model_.add("c" + std::to_string(touched), 1'000'000 + touched, 1);
            model_.add("c" + std::to_string(159 - touched), 1'000'000 + touched, 1);
            ++touched;
        }
    };
    pass();
    on_commit_ = nullptr;
    model_.now += 100;
    pass();
    EXPECT_GT(touched, 2);
    expect_mirror_equals_model();
}

TEST_F(EngineTest, SkipsNothingWhenOneIsDeletedWhileTheListIsPaged)
{
    fill(160);
    model_.position_cursor = true;
    int deleted = 0;
    on_commit_ = [&] { // of those that were seen: what follows them shifts by one
        if (deleted < 3) model_.conversations.erase("c" + std::to_string(159 - deleted++));
    };
    pass();
    for (const auto& [id, entry] : model_.conversations)
        EXPECT_TRUE(store_->read([&](cache::Reader& db) { return cache::find_held(db, {id}); })) << id;
}

TEST_F(EngineTest, GoesOnWhereItWasStopped)
{
    fill(400);
    std::size_t lists_then = 0;
    model_.before = [&](const upstream::Request&) -> std::optional<upstream::Reply> {
        if (model_.lists() > 4) throw Error(Fault::key_rejected, "hint", "stopped");
        return std::nullopt;
    };
    EXPECT_THROW(pass(), Error);
    EXPECT_FALSE(complete());
    EXPECT_FALSE(state_.key_accepted);
    reopen();
    model_.before = nullptr;
    model_.targets.clear();
    pass();
    lists_then = model_.lists();
    expect_mirror_equals_model();
    EXPECT_TRUE(complete());
    EXPECT_LE(lists_then, 6U + 1U + 2U + 8U); // what was left, the increment, both ends, the whole list
}

TEST_F(EngineTest, AFailedPassMovesNoBoundary)
{
    fill(10);
    pass();
    const auto boundary = [&] {
        return store_->read([](cache::Reader& db) { return cache::load_progress(db); }).boundary;
    };
    const auto before = boundary();
    for (int n = 0; n < 60; ++n) model_.add("new" + std::to_string(n), 1'000'010 + n, 1);
    model_.now += 100;
    model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.target.find("endAt") == std::string::npos) return std::nullopt;
        upstream::Reply html;
        html.status = 502;
        html.body = "<html><title>Bad Gateway</title></html>";
        return html;
    };
    EXPECT_THROW(pass(), Error);
    EXPECT_EQ(boundary(), before);
    EXPECT_FALSE(state_.error.empty());
    model_.before = nullptr;
    pass();
    EXPECT_GT(boundary(), before);
    expect_mirror_equals_model();
}

TEST_F(EngineTest, RetriesWhatPassesByItself)
{
    fill(120);
    int failures = 0;
    model_.before = [&](const upstream::Request&) -> std::optional<upstream::Reply> {
        if (++failures % 7 == 0) throw Error(Fault::unreachable, "hint", "reset");
        upstream::Reply busy;
        busy.status = 429;
        return failures % 7 == 3 ? std::optional(busy) : std::nullopt;
    };
    pass();
    expect_mirror_equals_model();
}

TEST_F(EngineTest, RefusesACursorThatDoesNotAdvance)
{
    model_.before = [&](const upstream::Request&) -> std::optional<upstream::Reply> {
        upstream::Reply same;
        same.status = 200;
        same.body = R"({"conversations":[],"cursor":"again"})";
        return same;
    };
    EXPECT_THROW(pass(), Error);
    EXPECT_FALSE(complete());
}

TEST_F(EngineTest, ReportsAnUpstreamWithoutADate)
{
    fill(3);
    model_.sends_date = false;
    pass();
    EXPECT_EQ(store_->read([](cache::Reader& db) { return cache::load_problems(db); }).size(), 1U);
    model_.sends_date = true;
    pass();
    EXPECT_TRUE(store_->read([](cache::Reader& db) { return cache::load_problems(db); }).empty());
}

TEST_F(EngineTest, StopsAtTheDateAskedForAndClaimsNoMore)
{
    fill(100);
    options_.backfill_since = support::at_second(10'500);
    pass();
    EXPECT_FALSE(complete());
    EXPECT_TRUE(store_->read(
        [](cache::Reader& db) { return cache::is_covered(db, support::at_second(10'500), std::nullopt); }));
    EXPECT_FALSE(store_->read(
        [](cache::Reader& db) { return cache::is_covered(db, support::at_second(10'400), std::nullopt); }));
    options_.backfill_since.reset();
    pass();
    expect_mirror_equals_model();
    EXPECT_TRUE(complete());
}

TEST_F(EngineTest, LeavesNoGapWhereTheDateAskedForHadANeighbour)
{
    model_.inclusive = true;
    fill(10);
    model_.add("just before", 10'049, 1); // within the unit by which windows overlap
    options_.backfill_since = support::at_second(10'050);
    pass();
    options_.backfill_since.reset();
    pass();
    expect_mirror_equals_model();
    EXPECT_TRUE(complete());
}

TEST_F(EngineTest, RefusesToReadOnInAnotherUnitOfTime)
{
    fill(3);
    pass();
    unit_ = TimeUnit::milliseconds;
    EXPECT_THROW(pass(), Error);
    unit_ = TimeUnit::unknown;
    EXPECT_NO_THROW(pass());
}

TEST_F(EngineTest, FetchesAgainWhatALocalAppChanged)
{
    fill(3);
    pass();
    model_.conversations.erase("c0");            // deleted through the proxy, say
    model_.conversations["c1"].chats.pop_back(); // and this one answers something unreadable
    model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.target.find("/c1") == std::string::npos) return std::nullopt;
        upstream::Reply odd;
        odd.status = 200;
        odd.body = "{}";
        return odd;
    };
    bool woken = false;
    run_until([&](Engine& engine) {
        if (!woken && engine.state()->passes == 1) {
            woken = true;
            engine.wake_conversation({"c1"});
            engine.wake_conversation({"c0"});
        }
        return engine.state()->passes >= 3;
    });
    const auto held = [&](const char* id) {
        return store_->read([&](cache::Reader& db) { return cache::find_held(db, {id}); });
    };
    EXPECT_FALSE(held("c0"));
    EXPECT_TRUE(held("c1"));
    EXPECT_EQ(store_->read([](cache::Reader& db) { return cache::load_problems(db); }).size(), 1U);
}

// A hundred conversations, of which the older fifty take about half a minute to read.
class SlowPage : public EngineTest {
  protected:
    void SetUp() override
    {
        model_.embedded = 0;
        for (int n = 0; n < 50; ++n) model_.add("new" + std::to_string(n), 20'000 + n, 1);
        for (int n = 0; n < 50; ++n) model_.add("old" + std::to_string(n), 10'000 + n, 301);
        model_.carry = [this](const upstream::Request& request) -> Task<> {
            if (request.target.find("/old") != std::string::npos) return clock_.sleep(std::chrono::milliseconds(400));
            return clock_.sleep(std::chrono::milliseconds(10));
        };
        options_.interval = std::chrono::seconds(5);
    }
};

TEST_F(SlowPage, OfABackfillHoldsUpNoPoll)
{
    bool changed = false;
    std::chrono::nanoseconds seen_after{0};
    run_until(
        [&](Engine&) {
            if (!holds("new49")) return false;
            if (!std::exchange(changed, true)) {
                model_.add("latest", 1'000'010, 1);
                seen_after = clock_.passed();
            }
            return holds("latest");
        },
        10'000);
    EXPECT_LE(clock_.passed() - seen_after, options_.interval + std::chrono::seconds(1));
    EXPECT_FALSE(holds("old49")) << "the page is still being read";
}

TEST_F(SlowPage, PutsNothingBackToWhatItSawBeforeAPoll)
{
    bool changed = false;
    run_until(
        [&](Engine& engine) {
            if (!holds("new49")) return false;
            if (!std::exchange(changed, true)) { // both are listed on the page that is being read
                model_.add("old7", 1'000'010, 1);
                model_.conversations["old7"].title = "renamed meanwhile";
                model_.conversations.erase("old9");
                engine.wake_conversation({"old9"});
            }
            return engine.state()->backfill_done;
        },
        10'000);
    expect_mirror_equals_model();
}

TEST_F(EngineTest, LooksAtOnceWhenAPersonInsistsAndNotForEveryReader)
{
    fill(3);
    pass();
    bool away = true;
    model_.before = [&](const upstream::Request&) -> std::optional<upstream::Reply> {
        if (away) throw Error(Fault::unreachable, "hint", "no route");
        return std::nullopt;
    };
    std::optional<std::chrono::nanoseconds> insisted;
    run_until(
        [&](Engine& engine) {
            engine.wake(); // readers of an old mirror
            if (engine.state()->passes > 0) return true;
            if (!insisted && clock_.passed() > std::chrono::minutes(2)) {
                EXPECT_LT(model_.targets.size(), 120U) << "an upstream in trouble hears of each reader";
                away = false;
                insisted = clock_.passed();
                engine.insist();
            }
            return false;
        },
        10'000);
    ASSERT_TRUE(insisted);
    EXPECT_LE(clock_.passed() - *insisted, std::chrono::seconds(5)) << "the tries under way have pauses of their own";
}

TEST_F(EngineTest, TellsThatUpstreamIsBackWhereOnlyAnothersRequestFailed)
{
    fill(3);
    pass();
    int told = 0;
    bool failed = false;
    run_until(
        [&](Engine& engine) {
            if (engine.state()->reachable && !std::exchange(failed, true)) {
                engine.when_back([&told] { ++told; });
                upstream::Outcome refused;
                refused.kind = upstream::Outcome::Kind::unreachable;
                refused.unconnected = true;
                refused.words = "connection refused";
                engine.heard(refused);
            }
            return told > 0;
        },
        10'000);
    EXPECT_EQ(told, 1) << "what a delivery waits for is not the next failure of a poll";
}

TEST_F(EngineTest, FindsAMirrorOfNothingComplete)
{
    pass();
    EXPECT_TRUE(complete());
}

} // namespace
} // namespace alli::sync

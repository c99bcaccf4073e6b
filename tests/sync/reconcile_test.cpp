// SPDX-License-Identifier: Apache-2.0
#include "alli/sync_wait.hpp"
#include "cache/deletions.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/drift.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;

class Reconciled : public Settled {
  protected:
    /// A round of comparison is over within the interval.
    void run_one_reconcile() { run_for(options_.reconcile_interval); }

    cache::Drift drift()
    {
        return store_->read([](cache::Reader& db) { return cache::load_drift(db); });
    }

    /// Every answer about that conversation, alone or in a list, is of a wrong type.
    void spoil(const std::string& id)
    {
        model_.before = [id](const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (!request.target.ends_with('/' + id) && request.target.find('/' + id + '/') == std::string::npos)
                return std::nullopt;
            upstream::Reply odd;
            odd.status = 200;
            odd.body = R"({"id":7,"chats":"soon"})";
            return odd;
        };
    }

    std::vector<std::string> requests_since(std::size_t count) const
    {
        return {model_.targets.begin() + static_cast<std::ptrdiff_t>(count), model_.targets.end()};
    }
};

TEST_F(Reconciled, FindsASilentEditAndSaysInWhichField)
{
    model_.conversations["c7"].title = "renamed by somebody";
    run_one_reconcile();
    const auto found = store_->read([](cache::Reader& db) { return cache::find_item(db, {"c7"}); });
    EXPECT_EQ(json::parse(*found)["title"], "renamed by somebody");
    EXPECT_GE(drift().audited, 60);
    EXPECT_EQ(drift().differed, 1);
    EXPECT_EQ(drift().fields.at("title"), 1);
}

// Each poll verifies a piece of time of its own: their turns must not come one by one for ever.
TEST_F(Reconciled, AsksNoMoreAfterManyDaysThanInTheFirst)
{
    options_.interval = minutes(20);
    model_.before = [this](const upstream::Request&) -> std::optional<upstream::Reply> {
        model_.now = std::chrono::floor<seconds>(clock_.now()).time_since_epoch().count();
        return std::nullopt;
    };
    std::vector<std::size_t> asked;
    for (int day = 0; day < 10; ++day) {
        const std::size_t before = model_.targets.size();
        run_for(hours(24));
        asked.push_back(model_.targets.size() - before);
    }
    EXPECT_LE(asked.back(), asked[2] + 12) << testing::PrintToString(asked);
    EXPECT_LE(store_->read([](cache::Reader& db) { return cache::load_coverage(db); }).size(), 40U);
}

TEST_F(Reconciled, ComparesAgainWhatAClockThatRanAheadVerified)
{
    const Instant right = clock_.now();
    clock_.set_now(right + hours(24 * 400));
    run_one_reconcile();
    clock_.set_now(right);
    model_.conversations["c7"].title = "renamed by somebody";
    run_one_reconcile();
    const auto found = store_->read([](cache::Reader& db) { return cache::find_item(db, {"c7"}); });
    EXPECT_EQ(json::parse(*found)["title"], "renamed by somebody");
}

/// A comparison takes long: at so few requests a second, some minutes a page.
class SlowComparison : public Reconciled {
  protected:
    void SetUp() override
    {
        fill(400);
        Reconciled::SetUp();
        model_.embedded = 0;
        options_.reconcile_rate = 0.25;
        model_.targets.clear();
        advance(hours(20));
    }

    /// Somebody noted that this one is to be read again.
    void note(const std::string& id)
    {
        cache::Problem problem{"it cannot be read", "", clock_.now()};
        problem.tries = 1;
        problem.retry_at = clock_.now();
        problem.conversation = id;
        auto put = [&](cache::Writer& db) { cache::put_problem(db, cache::problem_key({id}), problem); };
        sync_wait(store_->write(put));
    }

    bool is_over()
    {
        const Instant before = clock_.now() - hours(18);
        const auto coverage = store_->read([](cache::Reader& db) { return cache::load_coverage(db); });
        return std::none_of(coverage.begin(), coverage.end(), [&](const auto& it) { return it.verified_at < before; });
    }
};

TEST_F(SlowComparison, HoldsUpNothingThatIsToBeTriedAgain)
{
    bool noted = false;
    run_until(
        [&](Engine&) {
            if (model_.chat_pages() < 30) return false;
            if (!std::exchange(noted, true)) note("c7");
            return problems().empty();
        },
        100'000);
    EXPECT_LE(model_.chat_pages(), 170U) << "a page, and the one after it that was begun";
    EXPECT_FALSE(is_over());
}

TEST_F(SlowComparison, GoesOnWhereItMadeRoomForOthers)
{
    run_until([&](Engine&) { return is_over(); }, 100'000);
    EXPECT_LE(model_.chat_pages(), 430U) << "where it goes on, one comes again";
}

TEST_F(Reconciled, GoesOnThoughOneConversationIsAnsweredWithAFailure)
{
    cache::Problem problem{"it cannot be read", "", clock_.now()};
    problem.retry_at = clock_.now();
    problem.conversation = "c5";
    auto put = [&](cache::Writer& db) { cache::put_problem(db, cache::problem_key({"c5"}), problem); };
    sync_wait(store_->write(put));
    model_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!request.target.ends_with("/c5")) return std::nullopt;
        upstream::Reply broken;
        broken.status = 500;
        return broken;
    };
    model_.conversations["c7"].title = "renamed by somebody";
    run_one_reconcile();
    const auto found = store_->read([](cache::Reader& db) { return cache::find_item(db, {"c7"}); });
    EXPECT_EQ(json::parse(*found)["title"], "renamed by somebody");
}

TEST_F(Reconciled, FindsARatingOfAnOldChatThatNoListShows)
{
    model_.embedded = 0;
    model_.add("long", 11'000, 230);
    pass();
    model_.conversations["long"].chats[3]["rating"] = "GOOD";
    run_one_reconcile();
    expect_mirror_equals_model();
}

TEST_F(Reconciled, DeletesWhatA404ConfirmsAndTells)
{
    const auto before = store_->read([](cache::Reader& db) { return cache::load_changes(db, 0, 1000); });
    model_.conversations.erase("c9");
    run_one_reconcile();
    EXPECT_FALSE(holds("c9"));
    EXPECT_TRUE(store_->read([](cache::Reader& db) { return cache::is_deleted(db, {"c9"}); }));
    const auto last = store_->read([&](cache::Reader& db) { return cache::load_changes(db, before.back().seq, 10); });
    ASSERT_EQ(last.size(), 1U);
    EXPECT_EQ(last[0].kind, "deleted");
    EXPECT_EQ(last[0].conversation.value, "c9");
}

TEST_F(Reconciled, DoesNotTakeAbsenceForDeletion)
{
    // Lists lack it, yet it answers by itself.
    model_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.target.find("conversations?") == std::string::npos) return std::nullopt;
        upstream::Reply nothing;
        nothing.status = 200;
        nothing.body = R"({"conversations":[],"cursor":null})";
        return nothing;
    };
    run_one_reconcile();
    model_.before = nullptr;
    expect_mirror_equals_model();
}

TEST_F(Reconciled, HoldsAMassDeletionUntilAPersonSaysSo)
{
    model_.conversations.clear();
    run_one_reconcile();
    const auto held = store_->read([](cache::Reader& db) { return cache::count_totals(db); }).conversations;
    EXPECT_EQ(held, 50); // ten at once, or a tenth
    ASSERT_FALSE(problems().empty());
    EXPECT_THAT(problems()[0].what, testing::HasSubstr("50 mirrored conversations do not exist"));
    options_.accept_deletions = true;
    pass();
    EXPECT_EQ(store_->read([](cache::Reader& db) { return cache::count_totals(db); }).conversations, 0);
    EXPECT_TRUE(problems().empty());
}

TEST_F(Reconciled, AConversationThatCannotBeReadHoldsUpNothing)
{
    model_.embedded = 0;
    model_.add("spoilt", model_.now - 5, 3);
    model_.add("sound", model_.now - 4, 3);
    spoil("spoilt");
    pass();
    EXPECT_TRUE(holds("sound"));
    EXPECT_FALSE(holds("spoilt"));
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_THAT(problems()[0].what, testing::HasSubstr("spoilt"));
    const Instant at = support::at_second(model_.now - 5);
    const auto covered = [&] {
        return store_->read(
            [&](cache::Reader& db) { return cache::is_covered(db, at, at + std::chrono::microseconds(1)); });
    };
    EXPECT_FALSE(covered());
    EXPECT_FALSE(complete());

    model_.before = nullptr;
    run_for(hours(1));
    expect_mirror_equals_model();
    EXPECT_TRUE(problems().empty());
    EXPECT_TRUE(covered());
    EXPECT_TRUE(complete());
}

TEST_F(Reconciled, ReadsARunningMessageUntilItIsDone)
{
    model_.embedded = 0;
    model_.add("running", model_.now, 1);
    json& growing = model_.conversations["running"].chats.back();
    growing["completed"] = false;
    pass();
    advance(hours(2)); // no poll lists it any more
    growing["message"] = "all of it";
    growing["completed"] = true;
    run_for(minutes(5));
    expect_mirror_equals_model();
}

TEST_F(Reconciled, AQuietPollCostsOneRequestAndSoDoesOneOfThirtyChanges)
{
    model_.now += 1000;
    pass();
    std::size_t before = model_.targets.size();
    pass();
    EXPECT_EQ(requests_since(before).size(), 1U);
    for (int n = 0; n < 30; ++n) model_.add("c" + std::to_string(n), model_.now, 5);
    before = model_.targets.size();
    pass();
    EXPECT_EQ(requests_since(before).size(), 1U);
    expect_mirror_equals_model();
}

TEST_F(Reconciled, FiveNewChatsAfterManyCostOneListAndOnePage)
{
    model_.embedded = 0;
    model_.add("long", model_.now, 230);
    pass();
    model_.add("long", model_.now + 1, 5);
    const std::size_t before = model_.targets.size();
    pass();
    const auto asked = requests_since(before);
    ASSERT_EQ(asked.size(), 2U);
    EXPECT_THAT(asked[1], testing::EndsWith("/long/chats?pageNo=3"));
    expect_mirror_equals_model();
}

TEST_F(Reconciled, FindsWhatIsNewOnAClockThatWasSetBack)
{
    model_.now -= 7200;
    model_.add("after", model_.now - 1, 2);
    pass();
    EXPECT_TRUE(holds("after"));
    const auto through = store_->read([](cache::Reader& db) { return cache::load_covered(db).through; });
    EXPECT_LE(*through, support::at_second(model_.now));
}

TEST_F(EngineTest, AsksForNoWindowBeforeItKnowsUpstreamsUnitOfTime)
{
    pass(); // nothing there yet: no time was seen
    model_.now += 100;
    model_.add("first", model_.now - 50, 1); // in seconds
    pass();
    EXPECT_TRUE(holds("first"));
}

TEST_F(EngineTest, GoesOnBelowAPageThatCannotBeRead)
{
    fill(120);
    model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        const auto at = request.target.find("endAt=");
        if (at == std::string::npos) return std::nullopt;
        const auto end = std::stod(request.target.substr(at + 6));
        if (end < 10'450 || end > 10'710) return std::nullopt;
        upstream::Reply cut;
        cut.status = 200;
        cut.body = R"({"conversations":[{"id":)";
        return cut;
    };
    pass();
    EXPECT_TRUE(holds("c0"));
    EXPECT_TRUE(holds("c119"));
    EXPECT_FALSE(complete());
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_THAT(problems()[0].what, testing::HasSubstr("cannot be listed"));

    model_.before = nullptr;
    run_for(hours(1));
    expect_mirror_equals_model();
    EXPECT_TRUE(problems().empty());
    EXPECT_TRUE(complete());
}

} // namespace
} // namespace alli::sync

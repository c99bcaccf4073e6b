// SPDX-License-Identifier: Apache-2.0
// Conversations that no list with them in it can be read: the times around them are problems, tried again after pauses
// that grow, and verified by nobody who did not read them.
#include "alli/sync_wait.hpp"
#include "tests/sync/engine_fixture.hpp"

#include <set>

namespace alli::sync {
namespace {

class Unlisted : public EngineTest {
  protected:
    Unlisted()
    {
        model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (away_ && request.target.find("endAt") != std::string::npos)
                throw Error(Fault::unreachable, "hint", "no route");
            if (request.target.find("edAt=") == std::string::npos && request.target.find("endAt=") == std::string::npos)
                return std::nullopt; // no window: the scan for conversations without a chat sees everything
            auto made = model_.answer_of(request.target);
            for (const std::string& id : poison_)
                if (made.body.find('"' + id + '"') != std::string::npos) made.body = "<html>";
            return made;
        };
    }

    void add_poison(const std::string& id, std::int64_t last)
    {
        model_.add(id, last, 1);
        poison_.insert(id);
    }

    bool covered(std::int64_t second)
    {
        const Instant at = support::at_second(second);
        return store_->read(
            [&](cache::Reader& db) { return cache::is_covered(db, at, at + std::chrono::microseconds(1)); });
    }

    std::set<std::string> poison_;
    bool away_ = false; // but for polls
};

TEST_F(Unlisted, AreTriedAgainAfterPausesThatGrow)
{
    fill(100);
    add_poison("poison", 10'045);
    pass();
    ASSERT_EQ(problems().size(), 1U);
    const cache::Problem first = problems()[0];
    run_for(12h);
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_EQ(problems()[0].since, first.since);
    EXPECT_GE(problems()[0].tries, 6);
    EXPECT_LE(problems()[0].tries, 40);
    EXPECT_FALSE(covered(10'045));
    poison_.clear();
    clock_.advance(7h);
    pass();
    EXPECT_TRUE(problems().empty());
    EXPECT_TRUE(complete());
}

TEST_F(Unlisted, StayProblemsWhenATryFindsNoUpstream)
{
    fill(100);
    add_poison("poison", 10'045);
    pass();
    const Instant since = problems().at(0).since;
    clock_.advance(8h);
    away_ = true;
    EXPECT_THROW(pass(), Error);
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_TRUE(problems()[0].unreadable);
    EXPECT_EQ(problems()[0].since, since);
    EXPECT_FALSE(covered(10'045));
    away_ = false;
    pass();
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_EQ(problems()[0].since, since);
    EXPECT_EQ(problems()[0].tries, 2);
}

TEST_F(Unlisted, AreReadAsFarAsTheyCanBeAndTheRestKeepsItsAge)
{
    fill(100);
    add_poison("lower", 10'040);
    add_poison("upper", 10'046);
    pass();
    const Instant since = problems().at(0).since;
    ASSERT_FALSE(covered(10'048));
    poison_.erase("upper");
    clock_.advance(8h);
    pass();
    EXPECT_TRUE(holds("upper"));
    EXPECT_TRUE(covered(10'048));
    EXPECT_FALSE(covered(10'040));
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_EQ(problems()[0].since, since);
    EXPECT_EQ(problems()[0].tries, 2);
    EXPECT_TRUE(state_.backfill_done) << "nothing else is left to read";
}

TEST_F(Unlisted, DoNotHoldUpOthersOfTheirKind)
{
    fill(100);
    add_poison("lower", 10'215);
    add_poison("upper", 10'405);
    pass();
    ASSERT_EQ(problems().size(), 2U);
    clock_.advance(8h);
    for (const char* healed : {"lower", "upper"}) {
        poison_.erase(healed);
        clock_.advance(8h);
        pass();
        EXPECT_TRUE(holds(healed));
    }
    EXPECT_TRUE(problems().empty());
    EXPECT_TRUE(complete());
}

// Where both bounds of a window are inclusive, the next one down brings the very second that was passed by.
TEST_F(Unlisted, AreNotCertifiedByThePagesBelowThem)
{
    model_.inclusive = true;
    fill(100);
    for (int n = 0; n < 5; ++n) model_.add("s" + std::to_string(n), 10'045, 1);
    add_poison("poison", 10'045);
    pass();
    EXPECT_TRUE(holds("c0"));
    EXPECT_FALSE(holds("poison"));
    EXPECT_FALSE(covered(10'045));
}

// Who tries again side by side with a poll takes a problem away for what he read, not for what the poll did.
TEST_F(Unlisted, AreNotCertifiedByAPollThatPassedThemByWhoeverReadThemMeanwhile)
{
    fill(3);
    pass();
    model_.now += 200;
    for (int n = 0; n < 160; ++n) model_.add("new" + std::to_string(n), 1'000'020 + n, 1);
    add_poison("poison", 1'000'150);
    const auto verified_at = [&] {
        return store_->read([](cache::Reader& db) { return cache::load_progress(db); }).verified_at;
    };
    const auto before = verified_at();
    int taken = 0;
    on_commit_ = [&] {
        if (taken > 0) return;
        auto take = [&](cache::Writer& db) {
            for (const cache::Problem& it : cache::load_problems(db)) taken += cache::clear_problem(db, it.key) ? 1 : 0;
        };
        sync_wait(store_->write(take));
    };
    pass();
    EXPECT_GT(taken, 0);
    EXPECT_TRUE(holds("new0"));
    EXPECT_FALSE(holds("poison"));
    EXPECT_FALSE(covered(1'000'150));
    EXPECT_EQ(verified_at(), before) << "a poll that passed something by verified nothing";
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_TRUE(problems()[0].unreadable);
}

} // namespace
} // namespace alli::sync

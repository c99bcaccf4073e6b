// SPDX-License-Identifier: Apache-2.0
// Polls of more than a page, and polls beside all else that goes on: what is claimed meanwhile, and who waits for whom.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

class Poll : public Settled {
  protected:
    /// So many that nobody has polled yet; each bears another time.
    void begin_many(int count)
    {
        model_.now += 10'000;
        clock_.advance(10'000s);
        for (int n = 0; n < count; ++n) model_.add("n" + std::to_string(n), model_.now - 8'000 + n * 10, 1);
        first_ = model_.now - 8'000;
    }

    /// Every list that the mirror would answer as whole, whatever the first of those that it lacks.
    void expect_no_hole(int count)
    {
        for (int n = count - 1; n >= 0; --n) {
            if (holds("n" + std::to_string(n))) continue;
            const Instant at = support::at_second(first_ + n * 10);
            const bool any_newer = n + 1 < count && holds("n" + std::to_string(count - 1));
            const bool is_claimed =
                store_->read([&](cache::Reader& db) { return cache::is_covered(db, at, std::nullopt); });
            EXPECT_FALSE(any_newer && is_claimed) << n << " is missing below what is shown";
            return;
        }
    }

    std::int64_t first_ = 0;
};

TEST_F(Poll, OfSomePagesShowsNothingBeforeAllOfIt)
{
    begin_many(120);
    model_.before = [this](const upstream::Request&) -> std::optional<upstream::Reply> {
        EXPECT_EQ(holds("n0"), holds("n119"));
        return std::nullopt;
    };
    model_.targets.clear();
    pass();
    model_.before = nullptr;
    EXPECT_EQ(model_.targets.size(), 3U) << json(model_.targets).dump(1);
    expect_mirror_equals_model();
}

TEST_F(Poll, OfMorePagesThanOneCommitTakesLeavesAGapAndNoHole)
{
    begin_many(620);
    model_.before = [this](const upstream::Request&) -> std::optional<upstream::Reply> {
        expect_no_hole(620);
        return std::nullopt;
    };
    pass();
    model_.before = nullptr;
    expect_mirror_equals_model();
    EXPECT_TRUE(complete());
}

TEST_F(Poll, ThatIsStoppedGoesOnWhereItStood)
{
    begin_many(620);
    model_.targets.clear();
    model_.before = [this](const upstream::Request&) -> std::optional<upstream::Reply> {
        expect_no_hole(620);
        if (model_.lists() > 12) throw Error(Fault::unreachable, "hint", "the network is gone");
        return std::nullopt;
    };
    EXPECT_THROW(pass(), Error);
    EXPECT_TRUE(holds("n619"));
    expect_no_hole(620);
    EXPECT_FALSE(holds("n0"));
    const Instant newest = support::at_second(first_ + 6190);
    EXPECT_TRUE(store_->read([&](cache::Reader& db) { return cache::is_covered(db, newest, std::nullopt); }))
        << "what is there is claimed";
    model_.before = nullptr;
    model_.targets.clear();
    pass();
    EXPECT_LE(model_.lists(), 9U) << "the rest, and a poll";
    expect_mirror_equals_model();
    EXPECT_TRUE(complete());
}

TEST_F(Poll, InTheDaemonHasTheRestReadAtOnce)
{
    begin_many(620);
    options_.interval = std::chrono::hours(1);
    const auto began = clock_.passed();
    run_until([&](Engine&) { return holds("n0") && holds("n619"); }, 10'000);
    EXPECT_LT(clock_.passed() - began, std::chrono::minutes(5));
    expect_mirror_equals_model();
}

TEST_F(Poll, AsksAboutWhoIsMissingInItsOwnTurn)
{
    model_.add("c1", model_.now, 1);
    pass();
    model_.conversations.erase("c1");
    std::vector<upstream::Priority> asked;
    model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.target.ends_with("/c1")) asked.push_back(request.priority);
        return std::nullopt;
    };
    advance(60s);
    pass();
    EXPECT_FALSE(holds("c1"));
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0], upstream::Priority::increment) << "a backfill would starve it";
}

/// A machine behind upstream's address that is some seconds behind the others.
class Replica : public Poll {
  protected:
    Replica()
    {
        options_.interval = 1s;
        options_.read_lag = 10s;
    }

    /// "c1" changes, and somebody fetches it; from then on, for a while, all answers are from `before`, without that.
    void run_behind(std::function<void()> change, std::function<void()> look, std::chrono::seconds lag)
    {
        std::map<std::string, Model::Entry> old = model_.conversations;
        bool changed = false, fetched = false;
        std::chrono::nanoseconds since{};
        model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (!fetched || clock_.passed() - since > lag) return std::nullopt;
            std::swap(old, model_.conversations);
            auto made = model_.answer_of(request.target);
            std::swap(old, model_.conversations);
            return made;
        };
        const auto end = clock_.passed() + 60s;
        run_until(
            [&](Engine& engine) {
                if (engine.state()->passes > 0 && !std::exchange(changed, true)) {
                    change();
                    engine.wake_conversation({subject_});
                }
                if (changed && !fetched && held_chats() == model_.conversations.at(subject_).chats.size()) {
                    fetched = true;
                    since = clock_.passed();
                }
                if (fetched) look();
                return clock_.passed() >= end || HasFailure();
            },
            100'000);
        EXPECT_TRUE(fetched);
        model_.before = nullptr;
    }

    std::size_t held_chats()
    {
        const auto held = store_->read([&](cache::Reader& db) { return cache::find_held(db, {subject_}); });
        return held ? static_cast<std::size_t>(held->chats) : 0;
    }

    std::string subject_ = "c1";
};

TEST_F(Replica, TakesNoAnswerBackThatWasThere)
{
    model_.add("c1", model_.now, 1);
    run_behind(
        [this] {
            model_.now += 5;
            model_.add("c1", model_.now, 4);
        },
        [this] { ASSERT_EQ(held_chats(), model_.conversations.at(subject_).chats.size()); }, 5s);
    expect_mirror_equals_model();
}

TEST_F(Replica, DeletesNothingThatIsNew)
{
    subject_ = "fresh";
    run_behind(
        [this] {
            model_.now += 5;
            model_.add("fresh", model_.now, 4);
        },
        [this] { ASSERT_TRUE(holds("fresh")); }, 5s);
    expect_mirror_equals_model();
}

TEST_F(Replica, ThatIsRightAfterAllIsBelievedInTheEnd)
{
    model_.add("c1", model_.now, 6);
    pass();
    auto& chats = model_.conversations.at("c1").chats;
    const std::size_t left = chats.size() - 2;
    run_behind(
        [&] {
            model_.now += 5;
            model_.add("c1", model_.now, 1);
        },
        [&] {
            if (chats.size() != left) chats.resize(left);
        },
        0s);
    EXPECT_EQ(held_chats(), left);
}

} // namespace
} // namespace alli::sync

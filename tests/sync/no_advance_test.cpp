// SPDX-License-Identifier: Apache-2.0
// Pages that are empty and give back the cursor that they were asked with: upstream may only need time. What does not
// go on is a problem that says so, and is tried again.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;

class NoAdvanceTest : public EngineTest {
  protected:
    void SetUp() override
    {
        model_.now = 100'000;
        fill(400);
        model_.add("chatless", 0, 0);
        model_.before = [this](const upstream::Request& request) { return stand_still(request); };
    }

    static std::string cursor_of(const std::string& target)
    {
        const auto at = target.find("cursor=");
        return at == target.npos ? "" : target.substr(at + 7, target.find('&', at) - at - 7);
    }

    /// A page of the list behind a cursor comes only when it was asked for so often.
    std::optional<upstream::Reply> stand_still(const upstream::Request& request)
    {
        const std::string cursor = cursor_of(request.target);
        if (cursor.empty() || request.target.find("conversations?") == std::string::npos) return std::nullopt;
        asked_[cursor].push_back(clock_.passed());
        if (std::ssize(asked_[cursor]) > empty_) return std::nullopt;
        json body;
        body["conversations"] = json::array();
        body["cursor"] = cursor.find("%3A") == cursor.npos
                             ? cursor
                             : cursor.substr(0, cursor.find("%3A")) + ":" + cursor.substr(cursor.find("%3A") + 3);
        upstream::Reply made;
        made.status = 200;
        made.body = body.dump();
        return made;
    }

    const cache::Problem* failure(const std::string& of)
    {
        found_ = problems();
        for (const cache::Problem& it : found_)
            if (it.what.find(of) != std::string::npos) return &it;
        return nullptr;
    }

    /// A first pass in a mirror of its own, while each page comes after so many that do not advance.
    void expect_whole_after(int empty, const support::TempDir& place)
    {
        store_.reset();
        store_ = std::make_unique<cache::Store>(cache::StoreOptions{place / "mirror.db", "http://model", false});
        empty_ = empty;
        asked_.clear();
        pass();
        expect_mirror_equals_model();
        EXPECT_TRUE(complete());
        EXPECT_TRUE(problems().empty());
    }

    int empty_ = 0;
    std::map<std::string, std::vector<std::chrono::nanoseconds>> asked_;
    std::vector<cache::Problem> found_;
};

TEST_F(NoAdvanceTest, ScanAsksAgainAtGrowingPausesUntilThePageComes)
{
    for (const int empty : {1, 3, 5}) {
        SCOPED_TRACE(empty);
        support::TempDir fresh;
        expect_whole_after(empty, fresh);
        ASSERT_GE(asked_.size(), 8U) << "the whole list was read by its cursors";
        for (const auto& [cursor, times] : asked_) {
            ASSERT_EQ(times.size(), static_cast<std::size_t>(empty) + 1) << cursor;
            for (std::size_t n = 2; n < times.size(); ++n)
                EXPECT_GT(times[n] - times[n - 1], times[n - 1] - times[n - 2]) << cursor;
        }
        store_.reset();
    }
}

TEST_F(NoAdvanceTest, ScanThatGoesOnStandingStillIsAProblemAndIsTriedAgain)
{
    empty_ = 1'000'000;
    run_for(minutes(3));
    EXPECT_FALSE(complete());
    EXPECT_FALSE(holds("chatless"));
    ASSERT_TRUE(failure("a list's cursor does not advance"));
    ASSERT_EQ(asked_.size(), 1U);
    const auto& times = asked_.begin()->second;
    ASSERT_GE(times.size(), 6U);
    EXPECT_LT(times.size(), 60U) << "in three minutes";
    empty_ = 0;
    run_for(hours(7));
    EXPECT_TRUE(complete());
    EXPECT_TRUE(problems().empty());
    expect_mirror_equals_model();
}

// More conversations of one time than a page holds: a scan follows the cursor.
TEST_F(NoAdvanceTest, WalkAsksAgainAndLosesNothing)
{
    for (int n = 0; n < 180; ++n) model_.add("same" + std::to_string(n), 5'000, 2);
    for (const int empty : {1, 5}) {
        SCOPED_TRACE(empty);
        support::TempDir fresh;
        expect_whole_after(empty, fresh);
        store_.reset();
    }
}

TEST_F(NoAdvanceTest, WalkThatGoesOnStandingStillGetsPastItAndComesBack)
{
    for (int n = 0; n < 180; ++n) model_.add("same" + std::to_string(n), 12'005, 2);
    empty_ = 1'000'000;
    run_for(minutes(20));
    for (int n = 0; n < 400; ++n) EXPECT_TRUE(holds("c" + std::to_string(n))) << n;
    ASSERT_TRUE(failure("cannot be listed: a list's cursor does not advance"));
    EXPECT_FALSE(complete());
    empty_ = 0;
    run_for(hours(13));
    EXPECT_TRUE(complete());
    expect_mirror_equals_model();
    EXPECT_TRUE(problems().empty());
}

TEST_F(NoAdvanceTest, PollWhoseFirstPageIsEmptyIsAskedAgain)
{
    pass();
    model_.add("new", 100'005, 2);
    model_.now += 60;
    clock_.advance(seconds(60));
    int left = 4;
    model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.target.find("startedAt") == std::string::npos) return std::nullopt;
        const auto cursor = request.target.find("&cursor=x");
        if (left-- <= 0 && cursor != std::string::npos)
            return model_.answer_of(std::string(request.target).erase(cursor, 9));
        upstream::Reply made;
        made.status = 200;
        made.body = R"({"conversations":[],"cursor":"x"})";
        return made;
    };
    pass();
    EXPECT_TRUE(holds("new"));
    EXPECT_TRUE(complete());
    EXPECT_TRUE(problems().empty());
}

} // namespace
} // namespace alli::sync

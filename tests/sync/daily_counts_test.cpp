// SPDX-License-Identifier: Apache-2.0
// Upstream's daily counts: an operation that it may lack, refuse or break, for itself alone.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

class DailyCounts : public EngineTest {
  protected:
    DailyCounts()
    {
        fill(3);
        model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (!request.target.starts_with("/count")) return std::nullopt;
            asked_.push_back(request.target);
            upstream::Reply reply;
            reply.status = status_;
            reply.body = R"({"counts":[]})";
            return reply;
        };
    }

    int status_ = 200;
    std::vector<std::string> asked_;
};

TEST_F(DailyCounts, AreAskedForOnceARoundWhereThereAreNone)
{
    status_ = 404;
    run_for(6h);
    EXPECT_EQ(asked_.size(), 1U);
    EXPECT_TRUE(problems().empty());
    run_for(24h);
    EXPECT_LE(asked_.size(), 4U);
}

TEST_F(DailyCounts, HoldUpNothingWhenTheyAloneFail)
{
    for (const int status : {403, 500}) {
        status_ = status;
        asked_.clear();
        State last;
        const auto end = clock_.passed() + 6h;
        run_until(
            [&](Engine& engine) {
                last = *engine.state();
                return clock_.passed() >= end;
            },
            100'000);
        EXPECT_LE(asked_.size(), 30U) << "after pauses that grow";
        EXPECT_GE(asked_.size(), 2U);
        EXPECT_TRUE(last.error.empty()) << last.error;
        EXPECT_TRUE(last.key_accepted);
        ASSERT_EQ(problems().size(), 1U);
        EXPECT_THAT(problems()[0].what, testing::HasSubstr("daily counts could not be compared"));
    }
}

TEST_F(DailyCounts, AreAskedForFrom1970OnWhateverTimesUpstreamClaims)
{
    const auto count = std::exchange(model_.before, nullptr);
    model_.before = [this, count](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (auto counted = count(request)) return counted;
        auto made = model_.answer_of(request.target);
        for (std::size_t at; (at = made.body.find(R"("createdAt":1,)")) != std::string::npos;)
            made.body.replace(at, 14, R"("createdAt":-3000000000,)");
        return made;
    };
    run_for(1h);
    ASSERT_FALSE(asked_.empty());
    EXPECT_THAT(asked_[0], testing::HasSubstr("startDate=1970-01-01"));
}

TEST_F(DailyCounts, ThatGoOnDisagreeingAreLeftAloneForAWeek)
{
    options_.interval = 1h;
    run_for(24h * 4);
    EXPECT_GE(asked_.size(), 3U) << "once may be a slip";
    asked_.clear();
    run_for(24h * 4);
    EXPECT_TRUE(asked_.empty());
    run_for(24h * 5);
    EXPECT_FALSE(asked_.empty()) << "they may have been put right";
}

} // namespace
} // namespace alli::sync

// SPDX-License-Identifier: Apache-2.0
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;

class ChatlessScanFaults : public EngineTest {
  protected:
    void SetUp() override
    {
        model_.now = 100'000;
        fill(400);
        pass();
        model_.now += 3'600;
        clock_.advance(hours(24)); // another one is due
    }

    /// Polls and windows name times.
    static bool is_of_chatless_scan(const std::string& target)
    {
        return target.starts_with("/webapi/v2/conversations?") && target.find("At=") == std::string::npos;
    }

    static upstream::Reply say(std::string body)
    {
        upstream::Reply made;
        made.status = 200;
        made.body = std::move(body);
        return made;
    }

    const cache::Problem* failure()
    {
        found_ = problems();
        for (const cache::Problem& it : found_)
            if (it.what.starts_with("the scan for conversations without a chat failed")) return &it;
        return nullptr;
    }

    std::optional<Instant> counted_at()
    {
        return store_->read([](cache::Reader& db) { return cache::load_progress(db); }).chatless_at;
    }

    std::vector<cache::Problem> found_;
};

TEST_F(ChatlessScanFaults, AsksForLessWhereAPageIsTooMuch)
{
    model_.add("late", 0, 0);
    model_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!is_of_chatless_scan(request.target)) return std::nullopt;
        const auto size = std::stoi(request.target.substr(request.target.find("pageSize=") + 9));
        if (size <= 12) return std::nullopt;
        return say(R"({"conversations":[{"id":)");
    };
    const auto before = counted_at();
    run_for(minutes(30));
    EXPECT_TRUE(holds("late"));
    EXPECT_GT(counted_at(), before);
    EXPECT_FALSE(failure());
}

TEST_F(ChatlessScanFaults, SaysThatNothingLeadsPastAnItemThatCannotBeRead)
{
    model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!is_of_chatless_scan(request.target)) return std::nullopt;
        std::string body = model_.answer_of(request.target).body;
        body.resize(std::min(body.size(), body.find(R"("id":"c100")")));
        return say(body);
    };
    const auto before = counted_at();
    run_for(minutes(30));
    EXPECT_EQ(counted_at(), before);
    ASSERT_TRUE(failure());
    EXPECT_THAT(failure()->what, testing::HasSubstr("behind 299 conversations the list cannot be read on"));
    model_.before = nullptr;
    run_for(hours(12));
    EXPECT_GT(counted_at(), before);
    EXPECT_FALSE(failure());
}

TEST_F(ChatlessScanFaults, KeepsToTheShareOfComparisonsOnEachPage)
{
    options_.reconcile_rate = 0.1;
    std::vector<std::chrono::nanoseconds> asked;
    model_.before = [&](const upstream::Request& request) {
        if (is_of_chatless_scan(request.target)) asked.push_back(clock_.passed());
        return std::optional<upstream::Reply>();
    };
    run_for(minutes(5));
    ASSERT_GE(asked.size(), 8U);
    for (std::size_t i = 1; i < 8; ++i) EXPECT_GE(asked[i] - asked[i - 1], seconds(10)) << i;
}

TEST_F(ChatlessScanFaults, EndsWhereCursorsGoRoundInACircle)
{
    model_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!is_of_chatless_scan(request.target)) return std::nullopt;
        const bool a = request.target.find("cursor=a") != std::string::npos;
        return say(a ? R"({"conversations":[],"cursor":"b"})" : R"({"conversations":[],"cursor":"a"})");
    };
    const auto before = counted_at();
    run_for(minutes(30));
    EXPECT_EQ(counted_at(), before);
    ASSERT_TRUE(failure());
    EXPECT_LT(std::count_if(model_.targets.begin(), model_.targets.end(), is_of_chatless_scan), 100);
}

TEST_F(ChatlessScanFaults, DoesNotEndInAnEndlessRowOfEmptyPages)
{
    int number = 0;
    model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!is_of_chatless_scan(request.target)) return std::nullopt;
        return say(R"({"conversations":[],"cursor":"n)" + std::to_string(number++) + "\"}");
    };
    options_.reconcile_rate = 0;
    bool failed = false;
    run_until([&](Engine&) { return failed = failed || failure() || number > 5'000; }, 10'000);
    EXPECT_TRUE(failure());
}

// Lists that name no time would lack it, and claim to be whole.
TEST_F(ChatlessScanFaults, ClaimsNothingWhileOneWithoutAChatCannotBeRead)
{
    model_.add("chatless", 0, 0);
    model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
        auto made = model_.answer_of(request.target);
        if (request.target.find("/chatless") != std::string::npos) made.status = 500;
        json body = json::parse(made.body);
        if (body.contains("conversations"))
            for (json& item : body["conversations"])
                if (item["id"] == "chatless") item.erase("chatCount");
        made.body = body.dump();
        return made;
    };
    run_for(minutes(30));
    EXPECT_FALSE(holds("chatless"));
    EXPECT_FALSE(complete());
    ASSERT_TRUE(failure());
    EXPECT_THAT(failure()->what, testing::HasSubstr("1 cannot be read"));
    model_.before = nullptr;
    run_for(hours(12));
    expect_mirror_equals_model();
    EXPECT_TRUE(complete());
    EXPECT_TRUE(problems().empty());
}

// The first scan: a cursor that is refused once, or forgotten by then, keeps no list out of the mirror for minutes.
class FirstCensus : public EngineTest, public testing::WithParamInterface<int> {};

TEST_P(FirstCensus, IsNotPutOffByACursorThatIsRefused)
{
    model_.now = 100'000;
    fill(400);
    model_.add("late", 0, 0);
    int left = GetParam();
    model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        const bool scan_chatless =
            request.target.find("At=") == std::string::npos && request.target.starts_with("/webapi/v2/conversations?");
        if (!scan_chatless || request.target.find("cursor=") == std::string::npos || left-- <= 0) return std::nullopt;
        upstream::Reply made;
        made.status = 400;
        made.body = R"({"type":"APIError","code":7003,"message":"cursor"})";
        return made;
    };
    const auto begin = clock_.passed();
    run_until([&](Engine&) { return complete() || clock_.passed() - begin > minutes(10); }, 100'000);
    EXPECT_LE(clock_.passed() - begin, options_.interval + seconds(15));
    EXPECT_TRUE(holds("late"));
    EXPECT_LE(left, 0) << "it was refused so often";
}

INSTANTIATE_TEST_SUITE_P(ChatlessScanFaults, FirstCensus, testing::Values(1, 2, 3, 5, 8));

} // namespace
} // namespace alli::sync

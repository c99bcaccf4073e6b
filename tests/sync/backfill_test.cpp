// SPDX-License-Identifier: Apache-2.0
// How a gap is closed: in windows side by side where requests are slow, for few requests, whatever cannot be read.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using testing::HasSubstr;

class BackfillTest : public EngineTest {
  protected:
    void fill_pages(int pages)
    {
        for (int n = 0; n < pages * 50; ++n) model_.add("c" + std::to_string(n), 10'000 + n * 10, 1);
        pages_ = static_cast<std::size_t>(pages);
    }

    /// Every answer is under way for so long, and for so many at once at most.
    void slow_down(std::chrono::milliseconds latency)
    {
        model_.carry = [this, latency](const upstream::Request&) -> Task<> {
            most_at_once_ = std::max(most_at_once_, ++at_once_);
            co_await clock_.sleep(latency);
            --at_once_;
        };
    }

    std::chrono::nanoseconds time_of_a_pass()
    {
        const auto before = clock_.passed();
        pass();
        return clock_.passed() - before;
    }

    std::size_t pages_ = 0;
    int at_once_ = 0, most_at_once_ = 0;
};

TEST_F(BackfillTest, WalksWindowsSideBySideWhereRequestsAreSlow)
{
    fill_pages(60);
    slow_down(200ms);
    const auto time = time_of_a_pass();
    expect_mirror_equals_model();
    EXPECT_TRUE(complete());
    EXPECT_EQ(most_at_once_, 3); // of four: one is left to local apps
    // The census lists as many pages, one after the other.
    EXPECT_LT(time, (9 + 60 / 2 + 60 + 5) * 200ms);
    EXPECT_LE(model_.lists(), pages_ + pages_ / 8 + 3 + pages_);
}

TEST_F(BackfillTest, WalksOnePageAfterTheOtherWhereThatUsesUpTheBudget)
{
    fill_pages(30);
    slow_down(20ms);
    rate_ = 10;
    pass();
    expect_mirror_equals_model();
    EXPECT_LE(model_.lists(),
              2 * pages_ + 3); // without counts the scan reads the whole list; it asks the other end first
}

TEST_F(BackfillTest, AsksFewTimesForAStretchOfTimeWithoutAnything)
{
    fill_pages(40);
    for (auto& [id, entry] : model_.conversations)
        if (entry.last > 20'000) entry.last += 900'000'000;
    model_.now += 1'000'000'000;
    slow_down(200ms);
    pass();
    EXPECT_TRUE(complete());
    EXPECT_LE(model_.lists(), 2 * pages_ + 16);
}

// A scan that ends within such a second would begin it anew, for ever.
TEST_F(BackfillTest, GetsThroughSecondsThatAreFullerThanAnOpening)
{
    for (int n = 0; n < 600; ++n) model_.add("second" + std::to_string(n), 20'000, 1);
    for (int n = 0; n < 600; ++n) model_.add("next" + std::to_string(n), 20'001, 1);
    fill_pages(1);
    for (const bool position : {false, true}) {
        model_.position_cursor = position;
        store_.reset();
        support::TempDir fresh;
        store_ = std::make_unique<cache::Store>(cache::StoreOptions{fresh / "mirror.db", "http://model", false});
        model_.before = [this](const upstream::Request&) -> std::optional<upstream::Reply> {
            if (model_.targets.size() > 2'000) throw Error(Fault::canceled, "", "it never ends");
            return std::nullopt;
        };
        pass();
        expect_mirror_equals_model();
        EXPECT_TRUE(complete());
        store_.reset();
        model_.targets.clear();
    }
}

TEST_F(BackfillTest, BringsTheNewestFirst)
{
    fill_pages(60);
    slow_down(200ms);
    std::optional<bool> newest_held;
    on_commit_ = [&] {
        const auto totals = store_->read([](cache::Reader& db) { return cache::count_totals(db); });
        if (totals.conversations < 30 * 50 || newest_held) return;
        newest_held = true;
        for (int n = 45 * 50; n < 60 * 50; ++n) newest_held = *newest_held && holds("c" + std::to_string(n));
    };
    pass();
    EXPECT_EQ(newest_held, true);
}

TEST_F(BackfillTest, GetsPastWhatCannotBeReadAtTheEndOfAWindowToo)
{
    fill_pages(40);
    slow_down(200ms);
    for (int n = 600; n < 1'000; ++n) model_.conversations["c" + std::to_string(n)].title = "unreadable";
    model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.target.find("endAt") == std::string::npos) return std::nullopt;
        auto made = model_.answer_of(request.target);
        if (made.body.find("unreadable") != std::string::npos) made.body = "<html>";
        return made;
    };
    EXPECT_NO_THROW(pass());
    // It leaps a second, then four, sixteen, ...
    for (int n = 1'000; n < 2'000; ++n) ASSERT_TRUE(holds("c" + std::to_string(n))) << n;
    EXPECT_TRUE(holds("c0"));
    ASSERT_FALSE(problems().empty());
    EXPECT_THAT(problems().front().what, HasSubstr("cannot be listed"));
    EXPECT_FALSE(complete());

    model_.before = nullptr;
    for (int tries = 0; tries < 3 && !complete(); ++tries) {
        clock_.advance(8h);
        pass();
    }
    EXPECT_TRUE(complete());
    expect_mirror_equals_model();
}

TEST_F(BackfillTest, ReadsNothingTwiceThatWasCommittedBeforeAStop)
{
    fill_pages(60);
    slow_down(200ms);
    run_until([&](Engine&) { return model_.lists() > 30; }, 100'000);
    const auto held = store_->read([](cache::Reader& db) { return cache::count_totals(db); }).conversations;
    ASSERT_GT(held, 1'000);
    model_.targets.clear();
    reopen();
    pass();
    expect_mirror_equals_model();
    EXPECT_TRUE(complete());
    const auto left = pages_ - static_cast<std::size_t>(held) / 50;
    EXPECT_LE(model_.lists(), left + left / 8 + 12 +
                                  pages_); // what was under way comes again; the scan for conversations without a chat
}

} // namespace
} // namespace alli::sync

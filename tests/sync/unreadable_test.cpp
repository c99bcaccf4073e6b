// SPDX-License-Identifier: Apache-2.0
// One conversation that upstream spoils, in lists or by itself: it alone is missing, and nothing says otherwise.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using std::chrono::hours, std::chrono::microseconds, std::chrono::minutes, std::chrono::seconds;

class Unreadable : public EngineTest {
  protected:
    /// Upstream's clock goes with ours; what is mirrored first lies well in its past.
    void SetUp() override
    {
        model_.now = 100'000;
        fill(60);
        pass();
        advance(hours(1));
        pass();
    }

    void advance(seconds by)
    {
        clock_.advance(by);
        model_.now += by.count();
    }

    /// Every list that shows it has a field of a wrong type there.
    void spoil_in_lists(const std::string& id)
    {
        model_.before = [this, id](const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (!request.target.starts_with("/webapi/v2/conversations?")) return std::nullopt;
            upstream::Reply made = model_.answer_of(request.target);
            json body = json::parse(made.body);
            for (json& item : body["conversations"])
                if (item["id"] == id) item["lastChatTime"] = "soon";
            made.body = body.dump();
            return made;
        };
    }

    bool covers(std::int64_t second)
    {
        const Instant at = support::at_second(second);
        return store_->read([&](cache::Reader& db) { return cache::is_covered(db, at, at + microseconds(1)); });
    }

    Instant boundary()
    {
        return *store_->read([](cache::Reader& db) { return cache::load_progress(db); }).boundary;
    }

    void expect_healed()
    {
        model_.before = nullptr;
        run_for(hours(8));
        expect_mirror_equals_model();
        EXPECT_TRUE(problems().empty()) << problems()[0].what;
        EXPECT_TRUE(complete());
    }
};

// Six minutes below the next one: the leap that gets past it goes below the overlap.
TEST_F(Unreadable, ItemNearTheLowerEndOfAPollStopsNoPoll)
{
    advance(seconds(500));
    model_.add("spoilt", model_.now - 400, 2);
    model_.add("sound", model_.now - 40, 2);
    const std::int64_t at = model_.now - 400;
    spoil_in_lists("spoilt");
    const Instant before = boundary();
    pass();
    EXPECT_TRUE(holds("sound"));
    EXPECT_FALSE(holds("spoilt"));
    EXPECT_GT(boundary(), before);
    EXPECT_FALSE(covers(at));
    EXPECT_FALSE(complete());
    EXPECT_TRUE(covers(10'000)) << "what nobody doubts stays certified";
    expect_healed();
}

// Until it has left the overlap, at whichever distance from its end.
TEST_F(Unreadable, ItemStopsNoLaterPollEither)
{
    for (const bool inclusive : {false, true}) {
        model_.inclusive = inclusive;
        advance(hours(1));
        const std::string id = inclusive ? "spoilt" : "bad";
        model_.add(id, model_.now - 100, 2);
        model_.add("sound " + id, model_.now - 10, 2);
        const std::int64_t at = model_.now - 100;
        spoil_in_lists(id);
        advance(seconds(480));
        for (int second = 0; second < 60; ++second) {
            advance(seconds(1));
            ASSERT_NO_THROW(pass()) << second;
            ASSERT_FALSE(covers(at)) << second;
            ASSERT_LE(problems().size(), 3U) << "each poll leaves one of its own";
        }
        EXPECT_TRUE(holds("sound " + id));
        expect_healed();
    }
}

TEST_F(Unreadable, ItemIsTriedAgainWithoutFailingWhatTriesIt)
{
    model_.add("spoilt", model_.now - 400, 2);
    model_.add("sound", model_.now - 40, 2);
    const std::int64_t at = model_.now - 400;
    spoil_in_lists("spoilt");
    run_for(hours(3));
    EXPECT_FALSE(covers(at));
    EXPECT_TRUE(covers(model_.now - 4'000));
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_THAT(problems()[0].what, testing::HasSubstr("cannot be listed"));
    expect_healed();
}

TEST_F(Unreadable, ListsAltogetherAreAFailure)
{
    model_.before = [](const upstream::Request&) -> std::optional<upstream::Reply> {
        upstream::Reply odd;
        odd.status = 200;
        odd.body = R"({"conversations":"none"})";
        return odd;
    };
    const Instant before = boundary();
    advance(minutes(1));
    EXPECT_THROW(pass(), Error);
    EXPECT_EQ(boundary(), before);
}

} // namespace
} // namespace alli::sync

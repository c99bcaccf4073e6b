// SPDX-License-Identifier: Apache-2.0
// What an answer to a write makes of it: sent again or not, and when.
#include "tests/sync/deliver_fixture.hpp"

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::EntryState;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

class VerdictTest : public DeliverTest {
  protected:
    /// The first write gets this, whatever becomes of it.
    void answer_first(const upstream::Reply& reply)
    {
        upstream_.before = [reply, n = 0](const upstream::Request& request) mutable {
            return request.method == "PUT" && ++n == 1 ? std::optional(reply) : std::nullopt;
        };
    }
    void pass(std::chrono::milliseconds time)
    {
        bool over = false;
        asio::co_spawn(loop_, clock_.sleep(time), [&](std::exception_ptr) { over = true; });
        ASSERT_TRUE(until([&] { return over; }));
    }
};

TEST_F(VerdictTest, ErrorOfTheServicesOwnAfterItWasAppliedMakesNothingTwice)
{
    for (const int status : {500, 502, 504, 507}) {
        upstream_.applied.clear();
        bool lost = false;
        upstream_.change = [&](const upstream::Request& request, upstream::Reply& reply) {
            if (request.method == "PUT" && !std::exchange(lost, true)) reply = WritableUpstream::says(status);
        };
        title("a", "new " + std::to_string(status));
        ASSERT_TRUE(until([&] { return all_settled(); }));
        EXPECT_EQ(entry(last_).state, EntryState::delivered) << status;
        EXPECT_THAT(upstream_.applied, SizeIs(1)) << status;
    }
}

TEST_F(VerdictTest, DeletionOfWhatWasNeverThereFailsAsUpstreamSays)
{
    upstream_.conversations.erase("a");
    const auto offered = offer(write_of(EditKind::remove, "a", ""));
    ASSERT_TRUE(offered->reply);
    EXPECT_EQ(offered->reply->status, 404);
    EXPECT_EQ(entry(last_).state, EntryState::failed);
}

TEST_F(VerdictTest, GatewayThatAsksForAnHourIsWaitedForHalfAMinute)
{
    answer_first(WritableUpstream::says(504, R"({"message":"Endpoint request timed out"})", "3600"));
    title("a", "new");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_LE(clock_.passed(), 60s);
    EXPECT_THAT(upstream_.applied, SizeIs(1));
}

TEST_F(VerdictTest, WriteThatIsToWaitDoesNotCountAsBeingSentMeanwhile)
{
    answer_first(WritableUpstream::says(503, "{}", "120"));
    title("a", "new");
    pass(60s);
    EXPECT_EQ(entry(last_).state, EntryState::pending);
    EXPECT_EQ(entry(last_).attempts, 1);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_GE(clock_.passed(), 120s);
}

TEST_F(VerdictTest, WaitThatAClockWroteTenYearsAheadEndsSoonAfterAStart)
{
    upstream_.away = true;
    title("a", "new");
    stop();
    run(store_->write_outbox([&](cache::Writer& db) {
        db.run("UPDATE entry SET next_attempt_at = ?1", clock_.now() + std::chrono::hours(24 * 3650));
    }));
    upstream_.away = false;
    start();
    const auto since = clock_.passed();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_LE(clock_.passed() - since, 2 * options_.retry_max) << "rather than in ten years";
}

} // namespace
} // namespace alli::sync

// SPDX-License-Identifier: Apache-2.0
// A stop that had to wait: it is for the run that was under way when it was made, and for no other.
#include "tests/sync/deliver_fixture.hpp"

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::EntryState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

class Stop : public DeliverTest {
  protected:
    Stop()
    {
        upstream_.change = [this](const upstream::Request&, upstream::Reply& reply) {
            if (tells_time) reply.headers.add("Date", to_http_date(clock_.now() + ahead));
        };
    }
    double stamp(std::chrono::milliseconds later = 0ms) const
    {
        const auto when = clock_.now() + ahead + later;
        return static_cast<double>(when.time_since_epoch().count()) / 1e6;
    }
    void say(const char* sender, std::optional<bool> completed = std::nullopt)
    {
        json& chats = upstream_.conversations["a"]["chats"];
        json chat{{"id", "m" + std::to_string(chats.size())}, {"sender", sender}, {"timestamp", stamp()}};
        if (completed) chat["completed"] = *completed;
        chats.push_back(chat);
    }
    /// A run is under way; upstream hears nothing of the stop.
    void stop_in_vain()
    {
        say("USER");
        say("BOT", false);
        upstream_.running = {"a"};
        clock_.advance(2s);
        upstream_.away = true;
        offer(write_of(EditKind::stop, "a", ""));
        EXPECT_EQ(entry(1).state, EntryState::pending);
    }
    void come_back()
    {
        upstream_.away = false;
        ASSERT_TRUE(until([&] { return all_settled(); }));
    }

    std::chrono::seconds ahead{0}; // upstream's clock
    bool tells_time = true;
};

TEST_F(Stop, IsSentWhileItsRunGoesOn)
{
    stop_in_vain();
    come_back();
    EXPECT_THAT(upstream_.applied, ElementsAre("POST a/stop "));
    EXPECT_EQ(entry(1).state, EntryState::delivered);
    EXPECT_THAT(upstream_.running, IsEmpty());
}

TEST_F(Stop, IsSettledUnsentWhenItsRunIsOver)
{
    stop_in_vain();
    upstream_.running.clear();
    come_back();
    EXPECT_THAT(upstream_.applied, IsEmpty());
    EXPECT_EQ(entry(1).state, EntryState::delivered);
    EXPECT_EQ(entry(1).attempts, 0);
    EXPECT_THAT(entry(1).last_error.value_or(""), HasSubstr("it was not sent"));
}

// Its minute is over, and nobody has looked through the queue since.
TEST_F(Stop, IsNotSentRightAfterItsMinute)
{
    stop_in_vain();
    bool over = false;
    asio::co_spawn(loop_, clock_.sleep(60500ms), [&](std::exception_ptr) { over = true; });
    ASSERT_TRUE(until([&] { return over; }));
    ASSERT_EQ(entry(1).state, EntryState::pending);
    upstream_.away = false;
    deliverer_->make_due();
    support::run_until_idle(loop_);
    EXPECT_EQ(entry(1).state, EntryState::failed);
    EXPECT_THAT(upstream_.applied, IsEmpty());
}

TEST_F(Stop, NeverEndsALaterRun)
{
    for (const auto skew : {0s, 3600s, -3600s}) {
        for (const bool told : {true, false}) {
            if (!told && skew != 0s) continue; // then nothing tells their clock from ours
            ahead = skew;
            tells_time = told;
            upstream_.conversations["a"]["chats"] = json::array();
            title("b", "so that its clock is known");
            upstream_.applied.clear();
            upstream_.running = {"a"};
            say("USER");
            say("BOT", false);
            clock_.advance(2s);
            upstream_.away = true;
            offer(write_of(EditKind::stop, "a", ""));
            clock_.advance(5s);
            say("USER");
            come_back();
            EXPECT_THAT(upstream_.applied, IsEmpty()) << skew.count();
            EXPECT_EQ(entry(last_).state, EntryState::delivered);
            EXPECT_THAT(upstream_.running, ElementsAre("a")) << "it goes on";
        }
    }
}

TEST_F(Stop, IsSentWhereItsOwnQuestionIsAMomentOld)
{
    say("USER");
    upstream_.running = {"a"};
    title("b", "so that its clock is known");
    upstream_.applied.clear();
    upstream_.away = true;
    offer(write_of(EditKind::stop, "a", ""));
    say("BOT", false); // the run goes on answering
    come_back();
    EXPECT_THAT(upstream_.applied, ElementsAre("POST a/stop "));
}

TEST_F(Stop, GoesByTheLastChatWhereNobodySaysWhatRuns)
{
    const auto deaf = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!request.target.ends_with("/running")) return std::nullopt;
        return WritableUpstream::says(405, "Method not allowed");
    };
    upstream_.before = deaf;
    say("USER");
    say("BOT", true);
    upstream_.away = true;
    offer(write_of(EditKind::stop, "a", ""));
    come_back();
    EXPECT_THAT(upstream_.applied, IsEmpty());
    EXPECT_EQ(entry(1).state, EntryState::delivered);
}

TEST_F(Stop, IsSettledWhereTheConversationIsGone)
{
    stop_in_vain();
    upstream_.conversations.erase("a");
    upstream_.running.clear();
    come_back();
    EXPECT_THAT(upstream_.applied, IsEmpty());
    EXPECT_EQ(entry(1).state, EntryState::delivered);
}

} // namespace
} // namespace alli::sync

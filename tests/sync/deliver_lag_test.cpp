// SPDX-License-Identifier: Apache-2.0
// Delivery to an upstream whose reads show the state before each write for a while.
#include "tests/support/pass_time.hpp"
#include "tests/sync/deliver_fixture.hpp"

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::EntryState;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

class DeliverLagTest : public DeliverTest {
  protected:
    void SetUp() override
    {
        DeliverTest::SetUp();
        upstream_.before = [this](const upstream::Request& request) { return intercept(request); };
        upstream_.after = [this](const upstream::Request& request) {
            if (request.method != "GET" && lost_ > 0 && lost_--) throw Error(Fault::unreachable, "", "reset");
        };
    }

    std::optional<upstream::Reply> intercept(const upstream::Request& request)
    {
        if (request.method == "GET") return read(request.target);
        if (busy_ > 0 && busy_--) return WritableUpstream::says(503);
        past_.push_back({clock_.steady(), upstream_.conversations});
        return std::nullopt;
    }
    // As it was before the first write that reads do not show yet.
    std::optional<upstream::Reply> read(const std::string& target)
    {
        const std::string root = "/webapi/v2/conversations/";
        if (!target.starts_with(root)) return std::nullopt;
        const auto shown = std::find_if(past_.begin(), past_.end(),
                                        [&](const Past& past) { return clock_.steady() < past.written + read_lag_; });
        if (shown == past_.end()) return std::nullopt;
        const std::string rest = target.substr(root.size()), id = rest.substr(0, rest.find('/'));
        if (!shown->conversations.contains(id)) return WritableUpstream::says(404);
        const json& conversation = shown->conversations[id];
        const auto chat = rest.find("/chats/");
        if (chat == rest.npos) return WritableUpstream::says(200, conversation.dump());
        return WritableUpstream::says(200, conversation["chats"][0].dump());
    }
    /// A read of the engine's: what upstream shows now goes into the mirror.
    void read_again(const std::string& id)
    {
        auto found = run(client_.find_conversation(ConversationId{id}, upstream::Priority::increment));
        if (found) run(store_->write([&](cache::Writer& db) { cache::put_conversation(db, *found); }));
    }
    void pass(std::chrono::nanoseconds time) { support::pass_time(loop_, clock_, time); }
    std::vector<std::string> titles_sent()
    {
        std::vector<std::string> titles;
        for (const std::string& one : upstream_.applied)
            if (one.starts_with("PUT")) titles.push_back(json::parse(one.substr(one.find('{')))["title"]);
        return titles;
    }

    struct Past {
        Clock::Steady written;
        std::map<std::string, json> conversations;
    };
    std::vector<Past> past_;
    std::chrono::nanoseconds read_lag_ = 4s;
    int lost_ = 0, busy_ = 0; // the next writes: applied without an answer; refused for now
};

TEST_F(DeliverLagTest, IsNoConflict)
{
    EXPECT_TRUE(title("a", "A")->reply);
    upstream_.away = true;
    EXPECT_FALSE(title("a", "B")->reply);
    upstream_.away = false;
    read_again("a");
    EXPECT_EQ(mirrored_title("a"), "B");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(counts().conflicts, 0);
    EXPECT_EQ(upstream_.conversations["a"]["title"], "B");
    EXPECT_LE(clock_.passed(), 11s);
}

TEST_F(DeliverLagTest, SendsWhatIsHeldAsSoonAsTheNewValueShows)
{
    title("a", "A");
    busy_ = 1;
    title("a", "B");
    until([&] { return all_settled(); });
    EXPECT_GE(clock_.passed(), 4s);
    EXPECT_LE(clock_.passed(), 9s) << "not the whole read_lag";
    EXPECT_THAT(titles_sent(), ElementsAre("A", "B"));
    EXPECT_LE(upstream_.count("GET"), 6U) << "and it does not ask all the time";
}

TEST_F(DeliverLagTest, HoldsUpNoOtherFieldsAndNoOtherConversation)
{
    title("a", "A");
    busy_ = 2;
    offer(write_of(EditKind::update, "a", R"({"state":"OPEN"})"));
    title("b", "B");
    until([&] { return all_settled(); });
    EXPECT_LE(clock_.passed(), 4s);
    EXPECT_EQ(counts().delivered, 3);
}

TEST_F(DeliverLagTest, StaysAConflictWhereSomebodyElseWroteMeanwhile)
{
    title("a", "A");
    upstream_.away = true;
    title("a", "B");
    pass(5s);
    upstream_.conversations["a"]["title"] = "theirs";
    upstream_.away = false;
    until([&] { return counts().conflicts > 0; });
    EXPECT_EQ(json::parse(*entry(2).conflict)["title"]["upstream"], "theirs");
}

TEST_F(DeliverLagTest, IsAConflictWhenTheStateBeforeStillShowsAfterIt)
{
    title("a", "A");
    busy_ = 1;
    title("a", "B");
    upstream_.conversations["a"]["title"] = "old"; // somebody took it back
    past_.clear();
    until([&] { return counts().conflicts > 0; });
    EXPECT_GE(clock_.passed(), 10s);
    EXPECT_EQ(json::parse(*entry(2).conflict)["title"]["upstream"], "old");
}

TEST_F(DeliverLagTest, KnowsItsOwnValueAsUpstreamSpellsIt)
{
    upstream_.away = true;
    offer(write_of(EditKind::update, "a", R"({"title":" A "})"));
    title("a", "B");
    upstream_.away = false;
    upstream_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.method != "PUT" || request.body.find(" A ") == std::string::npos) return std::nullopt;
        upstream_.conversations["a"]["title"] = "A";
        return WritableUpstream::says(200, upstream_.conversations["a"].dump());
    };
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(counts().conflicts, 0);
    EXPECT_EQ(upstream_.conversations["a"]["title"], "B");
}

// A bulk update waits for no line in conflict; what stood behind the conflict meets the value of that update.
TEST_F(DeliverLagTest, KnowsTheBulkUpdateThatPassedItByForItsOwn)
{
    read_lag_ = 0s;
    upstream_.away = true;
    title("a", "1");
    title("a", "2");
    offer(write_of(EditKind::bulk_update, "", R"({"conversationIds":["a"],"conversationInfo":{"title":"bulk"}})"));
    upstream_.away = false;
    upstream_.conversations["a"]["title"] = "theirs";
    until([&] { return counts().conflicts == 1 && entry(3).state == EntryState::delivered; });
    EXPECT_EQ(run(deliverer_->discard(1)), cache::OperatorResult::done);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(counts().conflicts, 0);
    EXPECT_EQ(upstream_.conversations["a"]["title"], "2");
}

TEST_F(DeliverLagTest, AppliesNothingTwiceThatALaterReadShows)
{
    read_lag_ = 9s;
    lost_ = 3;
    title("a", "A");
    offer(write_of(EditKind::update, "c", R"({"state":"OPEN"})"));
    offer(write_of(EditKind::remove, "d", ""));
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(upstream_.applied, SizeIs(3)) << "each was there when the lag was over";
    EXPECT_EQ(counts().delivered, 3);
    EXPECT_EQ(counts().failed, 0);
}

TEST_F(DeliverLagTest, SendsAgainWhatDidNotShowWhenTheLagWasOver)
{
    int resets = 1;
    upstream_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.method == "PUT" && resets-- > 0) throw Error(Fault::unreachable, "", "reset before it got there");
        return std::nullopt;
    };
    title("a", "A");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_GE(clock_.passed(), 10s);
    EXPECT_THAT(titles_sent(), ElementsAre("A"));
}

// x -> y -> x, and the last one's answer is lost before it was applied: a read that lags shows the first x.
TEST_F(DeliverLagTest, TakesNoOldValueForAnAttemptThatArrived)
{
    title("a", "x");
    pass(1s);
    title("a", "y");
    pass(2s); // reads show "old", then x from second 4 on
    upstream_.before = [&, tries = 0](const upstream::Request& request) mutable -> std::optional<upstream::Reply> {
        if (request.method == "PUT" && tries++ == 0) throw Error(Fault::unreachable, "", "reset before it got there");
        return intercept(request);
    };
    title("a", "x");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(titles_sent(), ElementsAre("x", "y", "x"));
    EXPECT_EQ(upstream_.conversations["a"]["title"], "x");
}

TEST_F(DeliverLagTest, LastsOverARestart)
{
    title("a", "A");
    upstream_.away = true;
    title("a", "B");
    die_and_start_again();
    upstream_.away = false;
    read_again("a");
    EXPECT_EQ(mirrored_title("a"), "B");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(counts().conflicts, 0);
    EXPECT_THAT(titles_sent(), ElementsAre("A", "B"));
}

// What the outbox says was delivered later than now is of long ago, when this clock was ahead.
TEST_F(DeliverLagTest, IsOverWhereTheClockWasSetBackSince)
{
    title("a", "A");
    pass(11s);
    read_again("a");
    upstream_.conversations["a"]["title"] = "theirs";
    read_again("a");
    stop();
    clock_.set_now(clock_.now() - std::chrono::minutes(9));
    start();
    EXPECT_EQ(mirrored_title("a"), "theirs");
}

// The outbox has it as delivered, and the mirror never heard: the process died between the two, or the mirror is new.
TEST_F(DeliverLagTest, ShowsAfterARestartWhatTheMirrorNeverHeardOf)
{
    title("a", "A");
    offer(write_of(EditKind::remove, "b", ""));
    stop();
    store_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(dir_ / "mirror.db" + suffix);
    store_ = std::make_unique<cache::Store>(cache::StoreOptions{dir_ / "mirror.db", "http://127.0.0.1:1", false});
    start();
    for (const char* id : {"a", "b"}) read_again(id);
    EXPECT_EQ(mirrored_title("a"), "A");
    EXPECT_EQ(mirrored_title("b"), "(gone)");
    pass(11s);
    for (const char* id : {"a", "b"}) read_again(id);
    EXPECT_EQ(mirrored_title("a"), "A");
    EXPECT_EQ(mirrored_title("b"), "(gone)");
}

TEST_F(DeliverLagTest, HoldsAgainAfterARestartWhatMayHaveBeenApplied)
{
    read_lag_ = 9s;
    lost_ = 1;
    title("a", "A");
    die_and_start_again();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(titles_sent(), ElementsAre("A"));
    EXPECT_EQ(entry(1).state, EntryState::delivered);
}

TEST_F(DeliverLagTest, HoldsABulkUpdateTooThatMayHaveBeenApplied)
{
    for (const bool restarts : {false, true}) {
        read_lag_ = 9s;
        lost_ = 1;
        const auto value = restarts ? "second" : "first";
        offer(write_of(EditKind::bulk_update, "",
                       json{{"conversationIds", {"a"}}, {"conversationInfo", {{"title", value}}}}.dump()));
        if (restarts) die_and_start_again();
        ASSERT_TRUE(until([&] { return all_settled(); }));
        EXPECT_THAT(upstream_.applied, SizeIs(restarts ? 2 : 1)) << "it was there when the lag was over";
    }
}

TEST_F(DeliverLagTest, HasTheEngineReadAgainWhatShowedTheStateBefore)
{
    title("a", "A");
    title("b", "B");
    pass(5s);
    read_again("a"); // it shows by now
    past_.front().written = past_.back().written = clock_.steady();
    read_again("b"); // and this one does not
    changed_.clear();
    pass(20s);
    EXPECT_THAT(changed_, ElementsAre("b"));
}

TEST_F(DeliverLagTest, BringsNoRowBackThatWasDeleted)
{
    offer(write_of(EditKind::remove, "a", ""));
    for (int second = 0; second < 15; ++second) {
        read_again("a");
        EXPECT_EQ(mirrored_title("a"), "(gone)") << second;
        pass(1s);
    }
}

TEST_F(DeliverLagTest, ChecksNothingWhereItIsSetToOverwrite)
{
    stop();
    options_.overwrite = true;
    start();
    title("a", "A");
    busy_ = 1;
    title("a", "B");
    until([&] { return all_settled(); });
    EXPECT_LE(clock_.passed(), 3s);
    EXPECT_EQ(upstream_.count("GET"), 0U);
}

} // namespace
} // namespace alli::sync

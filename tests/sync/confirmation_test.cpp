// SPDX-License-Identifier: Apache-2.0
// What counts as the effect of a write where upstream's answer alone proves nothing: any value other than the one
// before, however upstream spells it; and what an answer or a read that shows the state before does to the mirror.
#include "tests/sync/deliver_fixture.hpp"

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::EntryState;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

class Confirmed : public DeliverTest {
  protected:
    static bool is_write(const upstream::Request& request) { return request.method != "GET"; }

    void answer_writes_without_a_body()
    {
        upstream_.change = [](const upstream::Request& request, upstream::Reply& reply) {
            if (is_write(request)) reply = WritableUpstream::says(204, "");
        };
    }
    /// Upstream spells what is written to this member otherwise.
    void spell(const std::string& member, const json& shown)
    {
        upstream_.after = [this, member, shown](const upstream::Request& request) {
            if (is_write(request)) upstream_.conversations["a"][member] = shown;
        };
    }
    void hold(const std::string& member, const json& value)
    {
        upstream_.conversations["a"][member] = value;
        mirror("a");
    }
    void expect_delivered_at_once(const std::shared_ptr<Offered>& offered)
    {
        EXPECT_TRUE(offered->reply);
        EXPECT_EQ(entry(last_).state, EntryState::delivered) << entry(last_).last_error.value_or("");
        until([&] { return clock_.passed() > 30s; });
        EXPECT_THAT(upstream_.applied, SizeIs(1)) << "it is not made twice";
    }
};

TEST_F(Confirmed, BulkUpdateWhoseValueIsShownInAnotherSpelling)
{
    for (const auto& [sent, shown] : {std::pair{R"("kim@x")", json("Kim")},
                                      {R"("lee@x")", json{{"id", 1}, {"name", "Lee"}}},
                                      {"null", json("nobody")}}) {
        SCOPED_TRACE(sent);
        upstream_.applied.clear();
        hold("assignee", "before");
        spell("assignee", shown);
        const std::string body =
            std::string(R"({"conversationIds":["a"],"conversationInfo":{"assignee":)") + sent + "}}";
        expect_delivered_at_once(offer(write_of(EditKind::bulk_update, "", body)));
    }
}

TEST_F(Confirmed, TitleThatUpstreamTrims)
{
    answer_writes_without_a_body();
    spell("title", "new");
    expect_delivered_at_once(title("a", " new  "));
    EXPECT_EQ(counts().conflicts, 0);
}

TEST_F(Confirmed, FeedbackThatIsShownInAnotherSpelling)
{
    answer_writes_without_a_body();
    upstream_.chats["a1"] =
        json::object({{"id", "a1"}, {"sender", "BOT"}, {"message", "hi"}, {"suggestedAnswer", "x"}});
    hold("chats", json::array({upstream_.chats["a1"]}));
    upstream_.after = [this](const upstream::Request& request) {
        if (is_write(request)) upstream_.chats["a1"]["suggestedAnswer"] = "trimmed";
    };
    expect_delivered_at_once(offer(write_of(EditKind::feedback, "a", R"({"suggestedAnswer":" trimmed "})")));
}

TEST_F(Confirmed, BulkUpdateThatSomebodyWroteOverBeforeTheReadIsNotMadeAgain)
{
    spell("title", "somebody's");
    expect_delivered_at_once(
        offer(write_of(EditKind::bulk_update, "", R"({"conversationIds":["a"],"conversationInfo":{"title":"bulk"}})")));
    EXPECT_EQ(upstream_.conversations["a"]["title"], "somebody's");
}

TEST_F(Confirmed, StateBeforeIsStillNoEffect)
{
    const json before = upstream_.conversations["a"];
    answer_writes_without_a_body();
    upstream_.before = [&, n = 0](const upstream::Request& request) mutable -> std::optional<upstream::Reply> {
        if (!is_write(request) || n++ > 0) return std::nullopt;
        return WritableUpstream::says(204, ""); // by whoever it was: nothing was applied
    };
    EXPECT_FALSE(title("a", "new")->reply);
    EXPECT_EQ(entry(last_).state, EntryState::pending);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.conversations["a"]["title"], "new");
}

// A replica of upstream's answers the write, and shows what was before it.
TEST_F(Confirmed, AnswerThatShowsTheStateBeforeIsNotWhatTheMirrorShows)
{
    const json before = upstream_.conversations["a"];
    upstream_.change = [&](const upstream::Request& request, upstream::Reply& reply) {
        if (is_write(request)) reply = WritableUpstream::says(200, before.dump());
    };
    EXPECT_TRUE(title("a", "new")->reply);
    EXPECT_EQ(entry(last_).state, EntryState::delivered);
    EXPECT_EQ(mirrored_title("a"), "new");
    EXPECT_THAT(changed_, ElementsAre("a")) << "what it is now has to be fetched";
    die_and_start_again(); // the stored answer is looked at again
    EXPECT_EQ(mirrored_title("a"), "new");
}

TEST_F(Confirmed, StoredAnswerThatShowsTheStateBeforeIsNotWhatANewMirrorShows)
{
    const json before = upstream_.conversations["a"];
    upstream_.change = [&](const upstream::Request& request, upstream::Reply& reply) {
        if (is_write(request)) reply = WritableUpstream::says(200, before.dump());
    };
    title("a", "new");
    run(store_->write([](cache::Writer& db) {
        cache::forget_confirmed(db, Clock::Steady::max());
        cache::forget_upstream(db, {"a"});
        cache::erase_conversation(db, {"a"});
    }));
    stop();
    upstream_.conversations["a"]["title"] = "old"; // a read that lags is what the new mirror begins with
    mirror("a");
    start();
    EXPECT_EQ(mirrored_title("a"), "new");
}

// Upstream wraps its answers in {"result": ...}; what it showed a moment ago is inside.
TEST_F(Confirmed, WrappedAnswerOfAMomentAgoHidesNoConflict)
{
    upstream_.conversations["a"]["state"] = "somebody's";
    upstream_.change = [](const upstream::Request& request, upstream::Reply& reply) {
        if (is_write(request)) reply.body = R"({"result":)" + reply.body + "}";
    };
    EXPECT_TRUE(title("a", "new")->reply);
    offer(write_of(EditKind::update, "a", R"({"state":"ours"})"), 0s);
    ASSERT_TRUE(until([&] { return counts().conflicts > 0 || all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::conflict);
    EXPECT_EQ(upstream_.conversations["a"]["state"], "somebody's");
}

TEST_F(Confirmed, AnswerOfAMomentAgoThatLacksAFieldDecidesNothingAboutIt)
{
    upstream_.conversations["a"]["state"] = "somebody's";
    upstream_.change = [](const upstream::Request& request, upstream::Reply& reply) {
        if (is_write(request)) reply.body = R"({"id":"a","title":"new"})";
    };
    EXPECT_TRUE(title("a", "new")->reply);
    offer(write_of(EditKind::update, "a", R"({"state":"ours"})"), 0s);
    ASSERT_TRUE(until([&] { return counts().conflicts > 0 || all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::conflict);
}

// What the service's wrapped answer showed of our own earlier write is no conflict.
TEST_F(Confirmed, WrappedAnswersSpellingOfAnEarlierWriteIsOurs)
{
    hold("assignee", "before");
    upstream_.after = [this, n = 0](const upstream::Request& request) mutable {
        if (is_write(request)) upstream_.conversations["a"]["assignee"] = n++ == 0 ? "Kim" : "Lee";
    };
    upstream_.change = [this](const upstream::Request& request, upstream::Reply& reply) {
        if (is_write(request)) reply.body = json{{"result", upstream_.conversations["a"]}}.dump();
    };
    upstream_.takes = 5s;
    offer(write_of(EditKind::update, "a", R"({"assignee":"kim@x"})"), 1s);
    offer(write_of(EditKind::update, "a", R"({"assignee":"lee@x"})"), 0s);
    ASSERT_TRUE(until([&] { return counts().conflicts > 0 || all_settled(); }));
    EXPECT_EQ(counts().conflicts, 0) << entry(last_).conflict.value_or("");
    EXPECT_EQ(counts().delivered, 2);
}

TEST_F(Confirmed, PartOfALongAnswerIsKeptAsNoAnswer)
{
    const std::string pad(300'000, 'x');
    int status = 200;
    upstream_.change = [&](const upstream::Request& request, upstream::Reply& reply) {
        if (!is_write(request)) return;
        reply.body = status == 200 ? json{{"id", "a"}, {"title", "new"}, {"pad", pad}}.dump()
                                   : json{{"type", "APIError"}, {"code", 7003}, {"message", pad}}.dump();
        reply.status = status;
    };
    const auto offered = title("a", "new");
    ASSERT_TRUE(offered->reply);
    EXPECT_GT(offered->reply->body.size(), pad.size());
    EXPECT_EQ(entry(last_).response, std::nullopt) << "who asks again gets what the mirror has";
    EXPECT_EQ(mirrored_title("a"), "new");
    status = 400;
    title("a", "refused");
    EXPECT_EQ(entry(last_).state, EntryState::failed);
    EXPECT_EQ(entry(last_).response.value_or("").size(), std::size_t{256} * 1024);
    EXPECT_EQ(entry(last_).response_type, "text/plain");
}

TEST_F(Confirmed, WhatABulkUpdateChangedIsFetched)
{
    const auto body = R"({"conversationIds":["a","c"],"conversationInfo":{"title":"bulk"}})";
    EXPECT_TRUE(offer(write_of(EditKind::bulk_update, "", body))->reply);
    EXPECT_THAT(changed_, testing::UnorderedElementsAre("a", "c"));
    EXPECT_EQ(changed_many_, 1);
}

// One node of the service's refuses the read, which does not even bear the identity of the write.
struct RefusedRead : Confirmed, testing::WithParamInterface<int> {};
TEST_P(RefusedRead, BeforeAWriteThatWasNeverSentFailsNothing)
{
    upstream_.away = true;
    title("a", "new");
    upstream_.away = false;
    upstream_.before = [n = 0](const upstream::Request& request) mutable -> std::optional<upstream::Reply> {
        if (is_write(request) || !request.target.ends_with("/a") || n++ > 0) return std::nullopt;
        return WritableUpstream::says(GetParam());
    };
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::delivered) << entry(last_).last_error.value_or("");
    EXPECT_EQ(upstream_.conversations["a"]["title"], "new");
}
TEST_P(RefusedRead, BeforeAStopThatWaitedFailsNothing)
{
    upstream_.running = {"a"};
    upstream_.away = true;
    offer(write_of(EditKind::stop, "a", ""));
    upstream_.away = false;
    upstream_.before = [n = 0](const upstream::Request& request) mutable -> std::optional<upstream::Reply> {
        if (is_write(request) || !request.target.ends_with("/a/running") || n++ > 0) return std::nullopt;
        return WritableUpstream::says(GetParam());
    };
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::delivered) << entry(last_).last_error.value_or("");
    EXPECT_THAT(upstream_.running, IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Confirmed, RefusedRead, testing::Values(401, 403));

} // namespace
} // namespace alli::sync

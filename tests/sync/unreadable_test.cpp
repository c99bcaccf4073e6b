// SPDX-License-Identifier: Apache-2.0
// One conversation that upstream spoils, in lists or by itself: it alone is missing, and nothing says otherwise.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using std::chrono::hours, std::chrono::microseconds, std::chrono::minutes, std::chrono::seconds;

class Unreadable : public Settled {
  protected:
    /// Every list that shows it is cut short there.
    void spoil_in_lists(const std::string& id)
    {
        model_.before = [this, id](const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (!request.target.starts_with("/webapi/v2/conversations?")) return std::nullopt;
            upstream::Reply made = model_.answer_of(request.target);
            made.body.resize(std::min(made.body.size(), made.body.find("\"id\":\"" + id + '"')));
            return made;
        };
    }

    /// Wherever its item is shown, a quote in its title ends it too early; `alone`: where it is asked for by itself
    /// too.
    void break_title(const std::string& id, bool alone)
    {
        model_.before = [this, id, alone](const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (!alone && !request.target.starts_with("/webapi/v2/conversations?")) return std::nullopt;
            upstream::Reply made = model_.answer_of(request.target);
            const std::string title = "\"title\":\"about " + id + '"';
            const auto at = made.body.find(title);
            if (at != made.body.npos) made.body.insert(at + title.size() - 1, " \"x");
            return made;
        };
    }

    /// What is asked about it alone, or about its chats, is answered with that; lists are as they are.
    void fail(const std::string& id, int status, std::string body = R"({"type":"APIError","code":1,"message":"no"})")
    {
        const std::string path = "/webapi/v2/conversations/" + id;
        model_.before = [path, status, body](const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (request.target != path && !request.target.starts_with(path + '/')) return std::nullopt;
            upstream::Reply made;
            made.status = status;
            made.body = body;
            return made;
        };
    }

    /// Lists do not show it; it is still there.
    void hide_from_lists(const std::string& id)
    {
        model_.before = [this, id, alone = model_.before](const upstream::Request& request) {
            if (!request.target.starts_with("/webapi/v2/conversations?"))
                return alone ? alone(request) : std::optional<upstream::Reply>();
            auto node = model_.conversations.extract(id);
            std::optional<upstream::Reply> made = model_.answer_of(request.target);
            model_.conversations.insert(std::move(node));
            return made;
        };
    }

    const cache::Problem* problem_of(const std::string& id)
    {
        found_ = problems();
        for (const cache::Problem& it : found_)
            if (it.conversation == id) return &it;
        return nullptr;
    }

    bool covers(std::int64_t second)
    {
        const Instant at = support::at_second(second);
        return store_->read([&](cache::Reader& db) { return cache::is_covered(db, at, at + microseconds(1)); });
    }

    /// Upstream's own answer, but for the counts of chats.
    upstream::Reply uncounted(const std::string& target)
    {
        upstream::Reply made = model_.answer_of(target);
        json body = json::parse(made.body);
        if (body.contains("conversations"))
            for (json& item : body["conversations"]) item.erase("chatCount");
        body.erase("chatCount");
        made.body = body.dump();
        return made;
    }

    std::string title_of(const std::string& id)
    {
        const auto item = store_->read([&](cache::Reader& db) { return cache::find_item(db, {id}); });
        return item ? json::parse(*item).value("title", "") : "";
    }

    /// The daemon for a while, and what it says of itself in the end.
    void run_for(std::chrono::nanoseconds time)
    {
        const auto end = clock_.passed() + time;
        run_until(
            [&](Engine& engine) {
                state_after_run_ = *engine.state();
                return clock_.passed() >= end;
            },
            100'000);
    }

    /// Some time after a local app asked for each.
    void ask_for(std::vector<std::string> ids)
    {
        bool asked = false;
        const auto end = clock_.passed() + minutes(3);
        run_until(
            [&](Engine& engine) {
                for (const std::string& id : ids)
                    if (!asked && clock_.passed() > end - minutes(2)) engine.wake_conversation({id});
                asked = clock_.passed() > end - minutes(2);
                state_after_run_ = *engine.state();
                return clock_.passed() >= end;
            },
            10'000);
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

    State state_after_run_;

  private:
    std::vector<cache::Problem> found_;
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

// As if its title held a quote that nobody escaped: of the item what stands before it is held, and nothing else is the
// worse for it.
TEST_F(Unreadable, ItemBrokenInListsAndAloneIsHeldAsFarAsItGoesAndLeavesNoHole)
{
    for (const bool inclusive : {false, true})
        for (const bool position_cursor : {false, true})
            for (const bool alone : {false, true}) {
                SCOPED_TRACE(testing::Message() << inclusive << position_cursor << alone);
                model_.inclusive = inclusive;
                model_.position_cursor = position_cursor;
                advance(hours(1));
                const std::string id = fmt::format("spoilt{}{}{}", inclusive, position_cursor, alone);
                model_.add(id, model_.now - 400, 2);
                model_.add("twin " + id, model_.now - 400, 2);
                model_.add("sound " + id, model_.now - 40, 2);
                const std::int64_t at = model_.now - 400;
                break_title(id, alone);
                pass();
                EXPECT_TRUE(holds("sound " + id));
                EXPECT_TRUE(holds("twin " + id));
                ASSERT_TRUE(holds(id));
                EXPECT_EQ(title_of(id), alone ? "" : "about " + id);
                EXPECT_TRUE(covers(at));
                EXPECT_TRUE(complete());
                EXPECT_EQ(problem_of(id) != nullptr, alone);
                EXPECT_EQ(problems().size(), alone ? 1U : 0U);
                expect_healed();
            }
}

TEST_F(Unreadable, ChatThatBreaksItsPageTakesNoOtherWithIt)
{
    model_.embedded = 0;
    model_.add("spoilt", model_.now - 40, 130);
    model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!request.target.ends_with("/spoilt/chats?pageNo=1")) return std::nullopt;
        upstream::Reply made = model_.answer_of(request.target);
        const auto at = made.body.find("words of", made.body.size() / 2);
        made.body.insert(at, "a 5\" screen, ");
        return made;
    };
    const std::int64_t at = model_.now - 40;
    pass();
    ASSERT_TRUE(holds("spoilt"));
    const auto held = store_->read([](cache::Reader& db) { return cache::find_held(db, {"spoilt"}); });
    EXPECT_EQ(held->chats, 130);
    EXPECT_TRUE(covers(at));
    EXPECT_TRUE(complete());
    EXPECT_TRUE(problem_of("spoilt"));
    expect_healed();
}

// By something on the way that lets no long answer through: what lies below is found all the same.
TEST_F(Unreadable, ItemCutShortInListsIsHeldWhereAnIdAndATimeAreLeft)
{
    model_.add("spoilt", model_.now - 400, 2);
    model_.add("below", model_.now - 500, 2);
    model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!request.target.starts_with("/webapi/v2/conversations?")) return std::nullopt;
        upstream::Reply made = model_.answer_of(request.target);
        const auto at = made.body.find("about spoilt");
        if (at != made.body.npos) made.body.resize(at);
        return made;
    };
    pass();
    EXPECT_TRUE(holds("spoilt"));
    EXPECT_TRUE(holds("below"));
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

struct Bad {
    int status;
    std::string body;
};
const std::vector<Bad>& bad_answers()
{
    static const std::vector<Bad> all{{400, "{}"}, {403, "{}"}, {500, "{}"}, {503, "{}"}, {200, R"({"id":7})"}};
    return all;
}

// Held, not listed any more, and what upstream says of it is no 404: the others are compared all the same.
TEST_F(Unreadable, AnswerAboutAMissingOneStopsNoComparison)
{
    for (const Bad& bad : bad_answers()) {
        SCOPED_TRACE(bad.status);
        fail("c30", bad.status, bad.body);
        hide_from_lists("c30");
        model_.conversations["c7"].title = "renamed to " + std::to_string(bad.status);
        run_for(hours(25));
        EXPECT_EQ(title_of("c7"), "renamed to " + std::to_string(bad.status));
        EXPECT_TRUE(holds("c30"));
        EXPECT_TRUE(problem_of("c30"));
        EXPECT_EQ(problems().size(), 1U);
        EXPECT_FALSE(covers(10'300));
        EXPECT_TRUE(covers(10'290));
        EXPECT_TRUE(state_after_run_.key_accepted && state_after_run_.reachable);
        expect_healed();
    }
}

TEST_F(Unreadable, AnswerOf410IsThatItIsGone)
{
    fail("c30", 410);
    hide_from_lists("c30");
    run_for(hours(25));
    EXPECT_FALSE(holds("c30"));
    EXPECT_TRUE(problems().empty());
}

// Upstream's own trouble with one that a problem asks for again, or a local app, keeps nobody else waiting.
TEST_F(Unreadable, AnswerHoldsUpNoOtherThatIsAskedForAlone)
{
    model_.embedded = 0; // else any list brings it whole
    for (const Bad& bad : bad_answers()) {
        SCOPED_TRACE(bad.status);
        fail("c30", bad.status, bad.body);
        model_.conversations["c31"].title = "renamed to " + std::to_string(bad.status);
        ask_for({"c30", "c31"});
        EXPECT_EQ(title_of("c31"), "renamed to " + std::to_string(bad.status));
        const auto* problem = problem_of("c30");
        ASSERT_TRUE(problem);
        EXPECT_GT(*problem->retry_at, problem->since);
        EXPECT_FALSE(covers(10'300));
        EXPECT_TRUE(state_after_run_.key_accepted && state_after_run_.reachable);
        const int tries = problem->tries;
        run_for(minutes(20));
        ASSERT_TRUE(problem_of("c30"));
        EXPECT_GT(problem_of("c30")->tries, tries);
        EXPECT_LT(problem_of("c30")->tries, tries + 20) << "after pauses that grow";
        expect_healed();
    }
}

TEST_F(Unreadable, ChatsOfOneThatGrowsHoldUpNoOther)
{
    model_.embedded = 0;
    model_.add("a", model_.now, 1);
    model_.add("b", model_.now, 1);
    for (const char* id : {"a", "b"}) model_.conversations[id].chats.back()["completed"] = false;
    pass();
    advance(hours(2)); // no poll lists them any more
    model_.conversations["b"].chats.back()["message"] = "all of it";
    model_.conversations["b"].chats.back()["completed"] = true;
    for (const Bad& bad : bad_answers()) {
        SCOPED_TRACE(bad.status);
        fail("a", bad.status, bad.body);
        run_for(minutes(5));
        EXPECT_TRUE(problem_of("a"));
        EXPECT_TRUE(state_after_run_.key_accepted && state_after_run_.reachable);
    }
    const auto held = store_->read([](cache::Reader& db) { return cache::find_chats(db, {"b"}, 1); });
    EXPECT_EQ(json::parse(held->at(0))["message"], "all of it");
    expect_healed();
}

// Side by side, four tries each: more failures in a row than an upstream in trouble may have.
TEST_F(Unreadable, ChatsOfAFewOnOnePageDoNotPassForAnUpstreamThatIsAway)
{
    model_.embedded = 0;
    for (const char* id : {"one", "two", "three", "sound"}) model_.add(id, model_.now - 5, 30);
    model_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.target.find("/chats") == std::string::npos || request.target.find("/sound/") != std::string::npos)
            return std::nullopt;
        upstream::Reply made;
        made.status = 500;
        return made;
    };
    ASSERT_NO_THROW(pass());
    EXPECT_TRUE(holds("sound"));
    for (const char* id : {"one", "two", "three"}) EXPECT_TRUE(problem_of(id));
    expect_healed();
}

// Some say 404 for the page behind the last one.
TEST_F(Unreadable, PageOfChatsThatIsNotThereIsTheEndOfThem)
{
    model_.embedded = 0;
    model_.add("even", model_.now - 5, 200);
    model_.before = [this](const upstream::Request& request) {
        auto made = uncounted(request.target);
        if (request.target.ends_with("/even/chats?pageNo=3"))
            made = model_.answer_of("/webapi/v2/conversations/none"); // the service's own 404
        return std::optional(made);
    };
    pass();
    ASSERT_TRUE(holds("even"));
    EXPECT_TRUE(problems().empty());
    EXPECT_TRUE(complete());
    model_.before = nullptr;
    run_for(hours(25));
    expect_mirror_equals_model();
}

TEST_F(Unreadable, ChatsThatAreNotThereWhileTheirConversationIsAreNoDeletion)
{
    model_.embedded = 0;
    model_.add("listed", model_.now - 5, 120);
    const std::int64_t at = model_.now - 5;
    for (const bool counted : {false, true})
        for (const char* page : {"pageNo=1", "pageNo=2"}) {
            SCOPED_TRACE(testing::Message() << counted << page);
            if (!counted && std::string_view(page) == "pageNo=2") continue; // then it is the end: the test above
            model_.before = [this, counted, page](const upstream::Request& request) {
                auto made = counted ? model_.answer_of(request.target) : uncounted(request.target);
                if (request.target.ends_with(page)) made.status = 404;
                return std::optional(made);
            };
            pass();
            EXPECT_FALSE(holds("listed"));
            EXPECT_TRUE(problem_of("listed"));
            EXPECT_FALSE(covers(at));
        }
    expect_healed();
}

TEST_F(Unreadable, OneThatIsGoneWhileItsPageIsReadIsNoProblem)
{
    model_.embedded = 0;
    model_.add("listed", model_.now - 5, 120);
    model_.before = [this](const upstream::Request& request) {
        if (request.target.find("/listed") != std::string::npos) model_.conversations.erase("listed");
        return std::optional<upstream::Reply>();
    };
    pass();
    EXPECT_FALSE(holds("listed"));
    EXPECT_TRUE(problems().empty());
}

TEST_F(Unreadable, CountOfChatsThatCannotBeIsNotBelieved)
{
    for (const std::int64_t count : {std::int64_t{-7}, std::int64_t{1} << 30, std::int64_t{220'000'000'000}}) {
        SCOPED_TRACE(count);
        const std::string id = "odd" + std::to_string(count);
        model_.add(id, model_.now - 5, 30);
        model_.before = [this, id, count](const upstream::Request& request) {
            auto made = model_.answer_of(request.target);
            json body = json::parse(made.body);
            if (body.contains("conversations"))
                for (json& item : body["conversations"])
                    if (item["id"] == id) item["chatCount"] = count;
            made.body = body.dump();
            return std::optional(made);
        };
        ASSERT_NO_THROW(pass());
        EXPECT_TRUE(problems().empty());
        const auto held = store_->read([&](cache::Reader& db) { return cache::find_held(db, {id}); });
        ASSERT_TRUE(held);
        EXPECT_EQ(held->chats, 30);
    }
    expect_healed();
}

// A key that opens nothing is everybody's matter, whoever meets it first.
TEST_F(Unreadable, AnswerThatAllGetIsNoProblemOfOne)
{
    model_.before = [](const upstream::Request&) {
        upstream::Reply made;
        made.status = 403;
        made.body = R"({"type":"APIError","code":7001,"message":"no"})";
        return std::optional(made);
    };
    ask_for({"c30"});
    EXPECT_FALSE(state_after_run_.key_accepted);
    EXPECT_FALSE(problem_of("c30"));
}

TEST_F(Unreadable, PageOfAPortalIsNoProblemOfOneAndNoWordAboutTheKey)
{
    for (const int status : {200, 401, 403, 404, 407, 410}) {
        SCOPED_TRACE(status);
        model_.before = [&](const upstream::Request&) {
            upstream::Reply made;
            made.status = status;
            made.body = "<html><title>Sign in</title></html>";
            return std::optional(made);
        };
        ask_for({"c30"});
        EXPECT_TRUE(state_after_run_.key_accepted);
        EXPECT_TRUE(holds("c30"));
        EXPECT_FALSE(problem_of("c30"));
        EXPECT_NE(state_after_run_.error.find("Sign in"), std::string::npos) << state_after_run_.error;
    }
}

// An answer to another request: it holds what is known to be another's.
TEST_F(Unreadable, PageOfChatsOfAnotherConversationIsAskedForAgain)
{
    model_.embedded = 0;
    model_.add("late", model_.now - 5, 30);
    bool once = true;
    model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.target.find("/late/chats") == std::string::npos || !std::exchange(once, false)) return std::nullopt;
        return model_.answer_of("/webapi/v2/conversations/c7/chats?pageNo=1");
    };
    pass();
    EXPECT_FALSE(once);
    EXPECT_TRUE(problems().empty());
    expect_mirror_equals_model();
}

} // namespace
} // namespace alli::sync

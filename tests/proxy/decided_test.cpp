// SPDX-License-Identifier: Apache-2.0
// Pages that are decided though the mirror is not whole, and the way on upstream behind them.
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/list_model.hpp"

namespace alli::proxy {
namespace {

using cache::ChatlessPlace;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Ids = std::vector<std::string>;

const std::string list = "/webapi/v2/conversations";

struct Answered {
    int status = 0;
    std::string cache_status, cursor, body;
    Ids ids;

    bool hit() const { return cache_status.find("hit") != cache_status.npos; }
};

class DecidedPages : public ProxyTest {
  protected:
    void add(const std::string& id, std::int64_t when, const std::string& user = "u")
    {
        model_.rows.push_back({id, when, user, "a", "k", false});
    }

    // Ten a hundred seconds apart, the newest c9 at 950, and two without a chat.
    void make_ten(ChatlessPlace place)
    {
        for (int n = 0; n < 10; ++n) add("c" + std::to_string(n), 100 * n + 50, n % 2 == 0 ? "even" : "odd");
        add("n0", 0, "even"), add("n1", 0, "odd");
        model_.places.newest_first = place;
    }

    void put_row(const ModelRow& row)
    {
        TimeUnit unit = TimeUnit::seconds;
        const Conversation made = read_conversation(row.item().dump(), unit);
        write([&](cache::Writer& db) {
            cache::put_conversation(db, made);
            cache::put_chats(db, made.id, 0, made.chats);
        });
    }

    // As the engine does it, from the newest down to there; what is known of those without a chat is told apart.
    void hold_from(std::int64_t from)
    {
        for (const ModelRow& row : model_.rows)
            if (row.when > 0 && row.when >= from) put_row(row);
        write([&](cache::Writer& db) {
            const Instant verified = support::at_second(1990);
            cache::cover(db, {support::at_second(from), support::at_second(1000), verified});
            cache::Progress progress = cache::load_progress(db);
            progress.unit = TimeUnit::seconds;
            progress.boundary = support::at_second(1000);
            progress.verified_at = verified;
            cache::save_progress(db, progress);
        });
    }

    void learn(ChatlessPlace newest_first, ChatlessPlace oldest_first = ChatlessPlace::unknown)
    {
        model_.places = {newest_first, oldest_first};
        write([&](cache::Writer& db) { cache::save_chatless_places(db, model_.places); });
    }

    void scan()
    {
        for (const ModelRow& row : model_.rows)
            if (row.when == 0) put_row(row);
        write([](cache::Writer& db) {
            cache::Progress progress = cache::load_progress(db);
            progress.chatless_at = progress.verified_at;
            cache::save_progress(db, progress);
        });
    }

    void serve()
    {
        upstream_.body = [this](const std::string& target) { return model_.page(target); };
        Options options;
        options.loops = 1;
        start(options);
    }

    void go_away(bool away = true)
    {
        upstream_.away = away;
        upstream_.state.reachable = !away;
    }

    Answered ask(const std::string& query, const std::string& cursor = "", const ::support::Headers& more = {})
    {
        const auto reply = get(list + query + (cursor.empty() ? "" : "&cursor=" + cursor), more);
        Answered answered{reply.status, std::string(reply.header("Cache-Status")), "", reply.body, {}};
        if (reply.status != 200) return answered;
        const json page = json::parse(reply.body);
        for (const json& item : page.at("conversations")) answered.ids.push_back(item.at("id"));
        if (!page.at("cursor").is_null()) answered.cursor = page.at("cursor");
        return answered;
    }

    /// All pages from there on.
    Ids walk(const std::string& query, std::string cursor = "")
    {
        Ids all;
        for (int page = 0; page < 100; ++page) {
            const Answered answered = ask(query, cursor);
            EXPECT_EQ(answered.status, 200) << answered.body;
            all.insert(all.end(), answered.ids.begin(), answered.ids.end());
            cursor = answered.cursor;
            if (cursor.empty()) return all;
        }
        ADD_FAILURE() << "it does not end";
        return all;
    }

    std::string last_target() { return upstream_.requests.back().target; }

    ListModel model_;
};

TEST_F(DecidedPages, AreHitsDownToWhereTheBackfillStandsOnlineAndOffline)
{
    make_ten(ChatlessPlace::last);
    hold_from(400); // or `backfill_since`: it is the same to whoever reads
    learn(ChatlessPlace::last);
    serve();
    for (const bool away : {false, true}) {
        go_away(away);
        const Answered first = ask("?pageSize=2"), second = ask("?pageSize=2", first.cursor),
                       third = ask("?pageSize=2", second.cursor);
        EXPECT_THAT(first.ids, ElementsAre("c9", "c8"));
        EXPECT_THAT(second.ids, ElementsAre("c7", "c6"));
        EXPECT_THAT(third.ids, ElementsAre("c5", "c4")) << "full, though nothing below is held";
        for (const Answered& page : {first, second, third})
            EXPECT_EQ(page.cache_status,
                      away ? "alli-mirror; hit; ttl=50; detail=offline" : "alli-mirror; hit; ttl=50");
        EXPECT_FALSE(third.cursor.empty());
        EXPECT_TRUE(upstream_.requests.empty());
        const Answered below = ask("?pageSize=2", third.cursor);
        EXPECT_EQ(below.status, away ? 504 : 200);
        EXPECT_EQ(below.cache_status, away ? "alli-mirror; fwd=miss; detail=offline" : "alli-mirror; fwd=miss; stored");
        EXPECT_EQ(below.ids, away ? Ids{} : (Ids{"c3", "c2"}));
        EXPECT_TRUE(!away || below.body.find("complete from 1970-01-01T00:06:40Z") != below.body.npos) << below.body;
        upstream_.requests.clear();
    }
    EXPECT_EQ(ask("?pageSize=7").status, 504) << "it reaches below at once";
    EXPECT_EQ(ask("?pageSize=6").ids.size(), 6U);
}

TEST_F(DecidedPages, AreHitsOnceTheListWasSeenToBeginWithOneThatHasAChat)
{
    make_ten(ChatlessPlace::last);
    hold_from(400);
    serve();
    go_away();
    EXPECT_EQ(ask("?pageSize=2").status, 504) << "those without a chat may come first";
    write([](cache::Writer& db) {
        cache::save_chatless_places(db, {ChatlessPlace::unknown, ChatlessPlace::unknown, true});
    });
    const Answered first = ask("?pageSize=2");
    EXPECT_THAT(first.ids, ElementsAre("c9", "c8"));
    EXPECT_THAT(ask("?pageSize=2", first.cursor).ids, ElementsAre("c7", "c6"));
    EXPECT_EQ(ask("?pageSize=7").status, 504);
}

TEST_F(DecidedPages, AreNotMadeOfWhatAMissBroughtBelow)
{
    make_ten(ChatlessPlace::last);
    hold_from(400);
    put_row(model_.rows[1]); // c1, while c3 and c2 are not there
    learn(ChatlessPlace::last);
    serve();
    go_away();
    EXPECT_EQ(ask("?pageSize=7").status, 504);
    const Answered part = ask("?pageSize=7", "", {{"Cache-Control", "max-stale"}});
    EXPECT_THAT(part.ids, ElementsAre("c9", "c8", "c7", "c6", "c5", "c4", "c1"));
    EXPECT_THAT(part.cache_status, HasSubstr("detail=offline-partial"));
}

TEST_F(DecidedPages, AreNarrowedByFiltersAndWindows)
{
    make_ten(ChatlessPlace::last);
    hold_from(400);
    learn(ChatlessPlace::last);
    serve();
    go_away();
    EXPECT_THAT(ask("?pageSize=3&userIds=odd").ids, ElementsAre("c9", "c7", "c5"));
    EXPECT_EQ(ask("?pageSize=4&userIds=odd").status, 504);
    EXPECT_EQ(ask("?pageSize=3&userIds=nobody").status, 504) << "somebody may be below";
    EXPECT_THAT(ask("?startedAt=400&userIds=nobody").ids, IsEmpty());
    EXPECT_THAT(ask("?startedAt=700").ids, ElementsAre("c9", "c8", "c7"));
    EXPECT_THAT(ask("?pageSize=2&endAt=700").ids, ElementsAre("c6", "c5"));
    EXPECT_THAT(ask("?pageSize=2&startedAt=300&endAt=700").ids, ElementsAre("c6", "c5"));
    EXPECT_EQ(ask("?pageSize=5&startedAt=300&endAt=700").status, 504);
    EXPECT_THAT(ask("?pageSize=2&firstChatStartedAt=500").ids, ElementsAre("c9", "c8"));
    for (const char* other : {"LAST_CHAT_TIME_ASC", "CREATED_AT_DESC", "CREATED_AT_ASC"}) {
        EXPECT_EQ(ask("?pageSize=1&order=" + std::string(other)).status, 504) << other;
        EXPECT_EQ(ask("?startedAt=400&order=" + std::string(other)).ids.size(), 6U) << other;
    }
}

TEST_F(DecidedPages, BelowAHoleAreAnsweredToWhoIsThereAlready)
{
    make_ten(ChatlessPlace::last);
    hold_from(0);
    learn(ChatlessPlace::last);
    serve();
    const std::string cursor = ask("?pageSize=3").cursor;
    write([](cache::Writer& db) { cache::uncover(db, {support::at_second(850), support::at_second(860)}); });
    go_away();
    EXPECT_EQ(ask("?pageSize=3").status, 504);
    EXPECT_THAT(ask("?pageSize=3", cursor).ids, ElementsAre("c6", "c5", "c4"));
    EXPECT_THAT(ask("?pageSize=3&endAt=850").ids, ElementsAre("c7", "c6", "c5"));
}

TEST_F(DecidedPages, WaitForTheScanWhereThoseWithoutAChatComeFirst)
{
    make_ten(ChatlessPlace::first);
    hold_from(400);
    learn(ChatlessPlace::first);
    serve();
    go_away();
    EXPECT_EQ(ask("?pageSize=3").status, 504);
    EXPECT_THAT(ask("?pageSize=3&endAt=2000").ids, ElementsAre("c9", "c8", "c7")) << "they are in no window";
    scan();
    const Answered page = ask("?pageSize=3");
    EXPECT_THAT(page.ids, ElementsAre("n1", "n0", "c9")) << "in upstream's order";
    EXPECT_THAT(ask("?pageSize=3", page.cursor).ids, ElementsAre("c8", "c7", "c6"));
    EXPECT_THAT(ask("?pageSize=3&userIds=even").ids, ElementsAre("n0", "c8", "c6"));
    go_away(false);
    EXPECT_THAT(walk("?pageSize=3", page.cursor), ElementsAre("c8", "c7", "c6", "c5", "c4", "c3", "c2", "c1", "c0"));
}

TEST_F(DecidedPages, ClaimNothingOfAWholeListWhileNobodyKnowsWhatComesFirst)
{
    make_ten(ChatlessPlace::first);
    hold_from(0);
    serve();
    go_away();
    EXPECT_EQ(ask("?pageSize=3").status, 504);
    EXPECT_THAT(ask("?pageSize=3&endAt=2000").ids, ElementsAre("c9", "c8", "c7"));
    scan();
    EXPECT_THAT(walk("?pageSize=5"),
                ElementsAre("c9", "c8", "c7", "c6", "c5", "c4", "c3", "c2", "c1", "c0", "n1", "n0"))
        << "until upstream is seen to put them elsewhere";
}

TEST_F(DecidedPages, LeaveOutThoseWithoutAChatWhereUpstreamDoes)
{
    make_ten(ChatlessPlace::nowhere);
    hold_from(0);
    learn(ChatlessPlace::nowhere);
    serve();
    go_away();
    EXPECT_EQ(walk("?pageSize=4").size(), 10U) << "no scan is waited for";
    scan();
    EXPECT_EQ(walk("?pageSize=4").size(), 10U);
    EXPECT_EQ(walk("?pageSize=4&order=CREATED_AT_ASC").size(), 12U);
}

TEST_F(DecidedPages, KeepTheOrderThatTheirListBeganWith)
{
    make_ten(ChatlessPlace::last);
    hold_from(0);
    scan();
    serve();
    const Answered first = ask("?pageSize=5");
    learn(ChatlessPlace::first);
    Ids all = first.ids;
    for (const std::string& id : walk("?pageSize=5", first.cursor)) all.push_back(id);
    EXPECT_EQ(all.size(), 12U);
    EXPECT_THAT(ask("?pageSize=3").ids, ElementsAre("n1", "n0", "c9")) << "a new one has the new order";
}

class Bridge : public DecidedPages {};

TEST_F(Bridge, AsksForTheSameListFromTheLastRowDown)
{
    make_ten(ChatlessPlace::nowhere);
    hold_from(400);
    learn(ChatlessPlace::nowhere);
    serve();
    const std::string query = "?pageSize=3&userIds=even&_=7&startedAt=100&variables=v";
    ASSERT_THAT(ask(query).cache_status, HasSubstr("fwd=miss")) << "its variables are not held";
    const std::string plain = "?pageSize=3&userIds=even&_=7&startedAt=100";
    const Answered first = ask(plain);
    upstream_.requests.clear();
    const Answered next = ask(plain, first.cursor);
    EXPECT_THAT(next.ids, ElementsAre("c2"));
    EXPECT_EQ(next.cursor, "");
    ASSERT_EQ(upstream_.requests.size(), 1U);
    EXPECT_EQ(last_target(), list + "?userIds=even&_=7&startedAt=100&pageSize=4&endAt=451");
    EXPECT_EQ(ask("?pageSize=3&userIds=odd", first.cursor).status, 400) << "another list";
    const Answered named = ask(plain + "&variables=v&variables=w%2Fx", first.cursor);
    EXPECT_THAT(named.ids, ElementsAre("c2")) << "which are in the page as upstream has them";
    EXPECT_THAT(last_target(), HasSubstr("variables=v&variables=w%2Fx&pageSize=4&endAt=451"));
}

TEST_F(Bridge, LeadsThroughTheWholeListOnceAndToThoseWithoutAChat)
{
    make_ten(ChatlessPlace::last);
    for (const char* id : {"x1", "x2", "x3", "x4"}) add(id, 450); // as c4, at the edge
    hold_from(400);
    serve();
    for (const ChatlessPlace newest : {ChatlessPlace::last, ChatlessPlace::nowhere})
        for (const ChatlessPlace oldest : {ChatlessPlace::first, ChatlessPlace::last, ChatlessPlace::nowhere})
            for (const int size : {1, 2, 5, 9, 50}) {
                learn(newest, oldest);
                Ids all = walk("?pageSize=" + std::to_string(size));
                std::sort(all.begin(), all.end());
                EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
                EXPECT_EQ(all.size(), newest == ChatlessPlace::last ? 16U : 14U) << size;
            }
}

TEST_F(Bridge, FindsThoseWithoutAChatAtTheBeginOfTheOppositeOrder)
{
    make_ten(ChatlessPlace::last);
    hold_from(50);
    write([](cache::Writer& db) { cache::cover(db, {{}, support::at_second(1000), support::at_second(1990)}); });
    learn(ChatlessPlace::last, ChatlessPlace::first);
    serve();
    const Answered all = ask("?pageSize=10");
    EXPECT_TRUE(all.hit());
    Ids rest = ask("?pageSize=10", all.cursor).ids;
    std::sort(rest.begin(), rest.end());
    EXPECT_THAT(rest, ElementsAre("n0", "n1"));
    EXPECT_EQ(upstream_.requests.size(), 2U) << "nobody is below, then they are";
    EXPECT_THAT(last_target(), HasSubstr("order=LAST_CHAT_TIME_ASC"));
}

TEST_F(Bridge, SkipsNoRowWhenOthersMoveAndUpstreamsCursorIsAPosition)
{
    make_ten(ChatlessPlace::nowhere);
    hold_from(700);
    learn(ChatlessPlace::nowhere);
    serve();
    const Answered first = ask("?pageSize=3"), second = ask("?pageSize=2", first.cursor);
    EXPECT_THAT(second.ids, ElementsAre("c6", "c5"));
    for (const std::size_t moved : {6U, 5U, 9U}) model_.rows[moved].when = 960 + std::int64_t(moved);
    EXPECT_THAT(walk("?pageSize=2", second.cursor), ElementsAre("c4", "c3", "c2", "c1", "c0"));
}

TEST_F(Bridge, GoesOnFromTheMirrorOnceThatHoldsMore)
{
    make_ten(ChatlessPlace::last);
    for (const char* id : {"x1", "x2", "x3"}) add(id, 350); // as c3
    hold_from(400);
    learn(ChatlessPlace::last);
    serve();
    const Answered first = ask("?pageSize=6"), second = ask("?pageSize=2", first.cursor);
    ASSERT_FALSE(second.hit());
    hold_from(0);
    scan();
    go_away();
    Ids all = second.ids;
    for (const std::string& id : walk("?pageSize=2", second.cursor)) all.push_back(id);
    std::sort(all.begin(), all.end());
    EXPECT_THAT(all, ElementsAre("c0", "c1", "c2", "c3", "n0", "n1", "x1", "x2", "x3"));
}

TEST_F(Bridge, GoesThroughMoreRowsOfOneTimeThanAPageHolds)
{
    make_ten(ChatlessPlace::nowhere);
    for (int n = 0; n < 330; ++n) add("x" + std::to_string(n), 550);
    learn(ChatlessPlace::nowhere);
    hold_from(600);
    serve();
    for (const int size : {7, 50}) {
        Ids all = walk("?pageSize=" + std::to_string(size));
        std::sort(all.begin(), all.end());
        EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
        EXPECT_EQ(all.size(), 340U);
    }
}

TEST_F(Bridge, SaysWhatUpstreamSaysWhereThatIsNoPage)
{
    make_ten(ChatlessPlace::nowhere);
    hold_from(400);
    learn(ChatlessPlace::nowhere);
    serve();
    const std::string cursor = ask("?pageSize=6").cursor;
    upstream_.body = {};
    upstream_.reply.status = 429;
    EXPECT_EQ(ask("?pageSize=6", cursor).status, 429);
    upstream_.reply = {200, {{"Content-Type", "text/html"}}, "<html>sign in</html>"};
    EXPECT_EQ(ask("?pageSize=6", cursor, {{"Cache-Control", "only-if-cached"}}).status, 504);
    upstream_.reply = {200, {{"Content-Type", "application/json"}}, R"({"conversations":[{"id":"c3","lastCh)"};
    EXPECT_NE(get(list + "?pageSize=6&cursor=" + cursor).status, 504);
    for (const char* other : {R"({"from":"upstream"})", "[]", R"({"conversations":{}})", R"({"conversations":null})"}) {
        upstream_.reply.body = other;
        const auto reply = get(list + "?pageSize=6&cursor=" + cursor);
        EXPECT_TRUE(reply.status >= 500 || reply.body == other) << reply.status << reply.body;
    }
    upstream_.fails = Fault::unavailable;
    EXPECT_EQ(ask("?pageSize=6", cursor).status, 503);
    const Answered part = ask("?pageSize=6", cursor, {{"Cache-Control", "max-stale"}});
    EXPECT_EQ(part.status, 200);
    EXPECT_THAT(part.cache_status, HasSubstr("partial"));
}

TEST_F(Bridge, EndsThoughUpstreamsPagesLeadNowhere)
{
    make_ten(ChatlessPlace::nowhere);
    hold_from(400);
    learn(ChatlessPlace::nowhere);
    serve();
    const std::string cursor = ask("?pageSize=6").cursor;
    upstream_.body = [](const std::string&) { return std::string(R"({"conversations":[],"cursor":"same"})"); };
    const Answered nothing = ask("?pageSize=6", cursor);
    EXPECT_EQ(nothing.status, 200);
    EXPECT_THAT(nothing.ids, IsEmpty());
    EXPECT_FALSE(nothing.cursor.empty()) << "whoever insists asks again";
    EXPECT_EQ(upstream_.requests.size(), 8U);
    upstream_.body = [this](const std::string& target) { return model_.page(target); };
    EXPECT_EQ(walk("?pageSize=6", cursor).size(), 4U);
}

TEST_F(Bridge, ServesRowsAsTheyCameWhateverTheyHold)
{
    make_ten(ChatlessPlace::nowhere);
    hold_from(400);
    learn(ChatlessPlace::nowhere);
    serve();
    const std::string cursor = ask("?pageSize=6").cursor;
    const std::string odd = R"({"id":"odd","lastChatTime":"soon", "x":1.50})";
    const std::string bare = R"({"lastChatTime":340,"y":[]})";
    upstream_.body = [&](const std::string&) {
        return R"({"more":{"kept":1},"conversations":[{"id":"c4","lastChatTime":450},)" + odd + "," + bare + "]}";
    };
    const auto reply = get(list + "?pageSize=6&cursor=" + cursor);
    EXPECT_EQ(reply.body, R"({"more":{"kept":1},"conversations":[)" + odd + "," + bare + R"(],"cursor":null})");
    const auto first = get(list + "?pageSize=1&cursor=" + cursor);
    const std::string next = json::parse(first.body).at("cursor");
    EXPECT_EQ(get(list + "?pageSize=6&cursor=" + next).body,
              R"({"more":{"kept":1},"conversations":[)" + bare + R"(],"cursor":null})")
        << "one whose time cannot be read comes once too";
}

TEST_F(Bridge, IsSharedByAllWhoAskForTheSame)
{
    make_ten(ChatlessPlace::nowhere);
    hold_from(400);
    learn(ChatlessPlace::nowhere);
    serve();
    const std::string cursor = ask("?pageSize=6").cursor;
    const Answered insisting = ask("?pageSize=6", cursor, {{"OWN-USER-ID", "me"}});
    EXPECT_EQ(insisting.ids.size(), 4U);
    EXPECT_EQ(upstream_.requests.size(), 1U);
    EXPECT_EQ(ask("?pageSize=6", cursor, {{"Cache-Control", "only-if-cached"}}).status, 504);
    EXPECT_EQ(upstream_.requests.size(), 1U);
}

} // namespace
} // namespace alli::proxy

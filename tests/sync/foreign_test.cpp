// SPDX-License-Identifier: Apache-2.0
// Answers to writes that are not the service's: what 40 of them do to each kind of write, and what bounds them.
#include "tests/support/foreign_answers.hpp"
#include "tests/sync/deliver_fixture.hpp"

#include "cache/rows/problems.hpp"

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::EntryState;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using namespace std::chrono_literals;

struct Write {
    EditKind kind;
    const char* body;
};
const std::vector<Write> writes{
    {EditKind::title, R"({"title":"new"})"},
    {EditKind::update, R"({"state":"OPEN","title":"new"})"},
    {EditKind::feedback, R"({"rating":true})"},
    {EditKind::bulk_update, R"({"conversationIds":["a"],"conversationInfo":{"title":"new"}})"},
    {EditKind::remove, ""},
    {EditKind::stop, ""},
};

class Foreign : public DeliverTest {
  protected:
    static bool is_write(const upstream::Request& request) { return request.method != "GET"; }

    void set_back()
    {
        upstream_.before = nullptr;
        upstream_.after = nullptr;
        upstream_.applied.clear();
        upstream_.running = {"a"};
        upstream_.chats.clear();
        upstream_.conversations["a"] = json::object(
            {{"id", "a"}, {"title", "old"}, {"createdAt", 1}, {"lastChatTime", 1000}, {"chats", json::array()}});
        run(store_->write([](cache::Writer& db) {
            cache::forget_confirmed(db, Clock::Steady::max());
            cache::forget_upstream(db, {"a"});
            cache::erase_conversation(db, {"a"});
        }));
        mirror("a");
    }
    std::string problem()
    {
        for (const auto& it : store_->read([](cache::Reader& db) { return cache::load_problems(db); }))
            if (it.key == "foreign answers") return it.what;
        return "";
    }
    void expect_done(const Write& write)
    {
        ASSERT_TRUE(until([&] { return all_settled(); }));
        EXPECT_EQ(entry(last_).state, EntryState::delivered) << entry(last_).last_error.value_or("");
        EXPECT_THAT(upstream_.applied, SizeIs(1)) << "neither lost nor twice";
        EXPECT_EQ(upstream_.conversations.contains("a"), write.kind != EditKind::remove);
    }
    /// The service, and the mirror, answer others meanwhile.
    void pass(std::chrono::minutes time)
    {
        const auto end = clock_.passed() + time;
        while (clock_.passed() < end) {
            run(client_.list_conversations({}, upstream::Priority::increment));
            const auto next = clock_.passed() + 30s;
            until([&] { return clock_.passed() >= next; });
        }
    }
};

TEST_F(Foreign, AnswerInPlaceOfTheServicesIsWaitedOutAndTheWriteIsMadeOnce)
{
    for (const Write& write : writes)
        for (const auto& answer : support::foreign_answers()) {
            SCOPED_TRACE(testing::Message() << cache::name_of(write.kind) << ": " << answer.name);
            set_back();
            upstream_.before = [&, n = 0](const upstream::Request& request) mutable -> std::optional<upstream::Reply> {
                if (!is_write(request) || n++ > 0) return std::nullopt;
                return support::reply_of(answer);
            };
            const auto offered = offer(write_of(write.kind, "a", write.body));
            EXPECT_TRUE(offered->done);
            EXPECT_FALSE(offered->reply) << "nobody is told what the service did not say";
            EXPECT_FALSE(entry(last_).state == EntryState::failed);
            expect_done(write);
        }
    EXPECT_EQ(counts().failed, 0);
}

TEST_F(Foreign, AnswerToAWriteThatWasMadeMakesItNoSecondTime)
{
    for (const Write& write : writes)
        for (const auto& answer : support::foreign_answers()) {
            SCOPED_TRACE(testing::Message() << cache::name_of(write.kind) << ": " << answer.name);
            set_back();
            bool lost = false;
            upstream_.change = [&](const upstream::Request& request, upstream::Reply& reply) {
                if (is_write(request) && !std::exchange(lost, true)) reply = support::reply_of(answer);
            };
            offer(write_of(write.kind, "a", write.body));
            expect_done(write);
            upstream_.change = nullptr;
        }
    EXPECT_EQ(counts().failed, 0);
}

TEST_F(Foreign, AnswersAreOneProblemThatNamesThemUntilTheyEnd)
{
    bool stands = true;
    upstream_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!stands || !is_write(request)) return std::nullopt;
        return support::reply_of({"", 403, "text/html", "<html><title>Request blocked</title></html>", "fw/1.0"});
    };
    title("a", "new");
    title("b", "new");
    until([&] { return problem().starts_with("2 writes wait"); });
    EXPECT_THAT(problem(), HasSubstr("an HTML page titled \"Request blocked\" (status 403, by \"fw/1.0\")"));
    EXPECT_THAT(*entry(last_).last_error, HasSubstr("a portal, a proxy or a gateway?"));
    die_and_start_again();
    stands = false;
    ASSERT_TRUE(until([&] { return all_settled() && problem().empty(); }));
}

TEST_F(Foreign, RejectionInHtmlIsNotTheKeys)
{
    bool stands = true;
    upstream_.before = [&](const upstream::Request&) -> std::optional<upstream::Reply> {
        if (!stands) return std::nullopt;
        return support::reply_of({"", 401, "text/html", "<html><title>Hotel</title></html>"});
    };
    title("a", "new");
    EXPECT_EQ(upstream_.count("GET"), 0U) << "nobody asks whether the key is still good";
    stands = false;
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(1).state, EntryState::delivered);
}

// A firewall that never lets one of them through: it ends, and says so; the others went all the time.
TEST_F(Foreign, AnswerTenTimesOverAnHourWhileTheServiceAnswersOthersEndsTheWrite)
{
    upstream_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.body.find("DROP TABLE") == std::string::npos) return std::nullopt;
        return support::reply_of({"", 403, "text/html", "<html><title>Blocked, event 4711</title></html>", "fw"});
    };
    title("a", "DROP TABLE");
    title("a", "behind it");
    EXPECT_TRUE(title("b", "another")->reply);
    pass(std::chrono::minutes(50));
    EXPECT_EQ(entry(1).state, EntryState::pending) << "not before an hour";
    EXPECT_GE(entry(1).attempts, 10);
    die_and_start_again();
    pass(std::chrono::minutes(30));
    EXPECT_EQ(entry(1).state, EntryState::failed);
    EXPECT_THAT(*entry(1).last_error, HasSubstr("by \"fw\""));
    EXPECT_THAT(*entry(1).last_error, HasSubstr("while the service answered others"));
    EXPECT_EQ(entry(2).state, EntryState::delivered);
    EXPECT_THAT(problem(), IsEmpty());

    EXPECT_EQ(run(deliverer_->retry(1)).outcome, cache::OperatorResult::done);
    pass(std::chrono::minutes(30));
    EXPECT_EQ(entry(1).state, EntryState::pending) << "a person's word begins anew";
}

TEST_F(Foreign, AnswersToEverybodyEndNothingHoweverLong)
{
    bool stands = true;
    upstream_.before = [&](const upstream::Request&) -> std::optional<upstream::Reply> {
        if (!stands) return std::nullopt;
        return support::reply_of({"", 403, "text/html", "<html><title>Sign in</title></html>"});
    };
    for (const char* id : {"a", "b", "c", "d"}) title(id, "new");
    until([&] { return clock_.passed() > 3h; }, 100'000);
    EXPECT_EQ(counts().failed, 0);
    stands = false;
    const auto since = clock_.passed();
    ASSERT_TRUE(until([&] { return upstream_.applied.size() == 4 && all_settled(); }));
    EXPECT_LE(clock_.passed() - since, 20s) << "one at a time finds out that it is over";
}

TEST_F(Foreign, WriteThatWaitsForLongGoesSoonAfterAReadFoundTheServiceBack)
{
    bool stands = true;
    upstream_.before = [&](const upstream::Request&) -> std::optional<upstream::Reply> {
        if (!stands) return std::nullopt;
        return support::reply_of({"", 200, "text/html", "<html><title>Sign in</title></html>"});
    };
    title("a", "new");
    until([&] { return clock_.passed() > 1h; }, 10'000);
    stands = false;
    run(client_.list_conversations({}, upstream::Priority::increment));
    const auto since = clock_.passed();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_LE(clock_.passed() - since, 6s);
}

TEST_F(Foreign, AnswersThatDifferAreNotTheSameTenTimes)
{
    upstream_.before = [n = 0](const upstream::Request& request) mutable -> std::optional<upstream::Reply> {
        if (!is_write(request)) return std::nullopt;
        const char* body = ++n % 3 == 0 ? "<html><title>one</title></html>" : "<html><title>other</title></html>";
        return support::reply_of({"", 403, "text/html", body});
    };
    title("a", "new");
    pass(std::chrono::minutes(180));
    EXPECT_EQ(entry(1).state, EntryState::pending);
}

// The service shows its own 404 for an id that nobody has; a gateway's looks different.
TEST_F(Foreign, NotFoundFailsAWriteOnlyWhereItIsTheServicesOwn)
{
    upstream_.conversations.erase("a");
    const auto offered = title("a", "new");
    ASSERT_TRUE(offered->reply);
    EXPECT_EQ(offered->reply->status, 404);
    EXPECT_EQ(entry(last_).state, EntryState::failed);
    const auto asked = upstream_.count("GET");
    title("a", "again");
    EXPECT_EQ(entry(last_).state, EntryState::failed);
    EXPECT_EQ(upstream_.count("GET"), asked) << "it is learned once";
}

TEST_F(Foreign, MethodThatIsNotAllowedIsTheServicesWordWhateverItsType)
{
    upstream_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!is_write(request)) return std::nullopt;
        return support::reply_of({"", 405, "text/html", "Method not allowed"});
    };
    ASSERT_TRUE(title("a", "new")->reply);
    EXPECT_EQ(entry(last_).state, EntryState::failed);
    EXPECT_THAT(*entry(last_).last_error,
                HasSubstr("it does not take PUT for the operation `title`: set upstream.title to"));
}

// What public clients know of the vendor's envelopes and ids.
TEST_F(Foreign, AnswerMayBeWrappedOrBearItsIdDecodedOrNone)
{
    const std::string id = "Q29udmVyc2F0aW9uOjYwMDY="; // Conversation:6006
    for (const char* body : {R"({"id":"Q29udmVyc2F0aW9uOjYwMDY=","title":"new"})",
                             R"({"result":{"id":"Q29udmVyc2F0aW9uOjYwMDY=","title":"new"}})",
                             R"({"id":"Conversation:6006","title":"new"})", R"({"id":"6006","error":null})",
                             R"({"title":"new","createdAt":1})", R"({"id":6006,"errors":[],"isEnd":false})"}) {
        SCOPED_TRACE(body);
        upstream_.before = [&](const upstream::Request& request) {
            return is_write(request) ? std::optional(WritableUpstream::says(200, body)) : std::nullopt;
        };
        const auto offered = title(id, "new");
        ASSERT_TRUE(offered->reply);
        EXPECT_EQ(offered->reply->body, body);
        EXPECT_EQ(entry(last_).state, EntryState::delivered);
    }
    for (const char* body : {R"({"id":"Conversation:6007","title":"new"})", R"({"id":"User:6006"})",
                             R"({"result":{"id":"x","title":"new"}})"}) {
        SCOPED_TRACE(body);
        upstream_.before = [&](const upstream::Request& request) {
            return is_write(request) ? std::optional(WritableUpstream::says(200, body)) : std::nullopt;
        };
        EXPECT_FALSE(title(id + body, "new")->reply);
        EXPECT_EQ(entry(last_).state, EntryState::pending);
    }
}

// The answer to a read of the same conversation, say, that stood on the connection.
TEST_F(Foreign, AnswerThatShowsWhatWasBeforeIsNoSuccess)
{
    upstream_.before = [&, n = 0](const upstream::Request& request) mutable -> std::optional<upstream::Reply> {
        if (!is_write(request) || n++ > 0) return std::nullopt;
        return WritableUpstream::says(200, upstream_.conversations["a"].dump());
    };
    EXPECT_FALSE(title("a", "new")->reply);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.conversations["a"]["title"], "new");
}

TEST_F(Foreign, SuccessWithoutABodyIsReadBackAndHandedOn)
{
    for (const Write& write : writes) {
        SCOPED_TRACE(cache::name_of(write.kind));
        set_back();
        upstream_.change = [](const upstream::Request& request, upstream::Reply& reply) {
            if (is_write(request)) reply = WritableUpstream::says(204, "");
        };
        const auto offered = offer(write_of(write.kind, "a", write.body));
        ASSERT_TRUE(offered->reply);
        EXPECT_EQ(offered->reply->status, 204);
        EXPECT_EQ(entry(last_).state, EntryState::delivered);
        EXPECT_THAT(upstream_.applied, SizeIs(1));
        upstream_.change = nullptr;
    }
}

// Upstream's reads are late: neither is it sent again, nor given up.
TEST_F(Foreign, SuccessThatNoReadShowsYetIsNotSentAgainForTenSeconds)
{
    json before = upstream_.conversations["a"];
    upstream_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (is_write(request) || request.target.find("/a") == std::string::npos || clock_.passed() > 8s)
            return std::nullopt;
        return WritableUpstream::says(200, before.dump());
    };
    offer(write_of(EditKind::remove, "a", ""));
    EXPECT_EQ(entry(last_).state, EntryState::pending);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::delivered);
    EXPECT_EQ(upstream_.count("DELETE"), 1U);
}

// The read right after it lags, and the mirror's own poll sees the effect before the next one.
TEST_F(Foreign, BulkUpdateWhoseEffectTheMirrorSawMeanwhileIsNotSentAgain)
{
    for (const bool killed : {false, true}) {
        const std::string before = upstream_.conversations["a"].dump();
        upstream_.before = [&,
                            lags = true](const upstream::Request& request) mutable -> std::optional<upstream::Reply> {
            if (is_write(request) || !std::exchange(lags, false)) return std::nullopt;
            return WritableUpstream::says(200, before);
        };
        const std::string value = killed ? "second" : "first";
        offer(write_of(EditKind::bulk_update, "",
                       R"({"conversationIds":["a"],"conversationInfo":{"title":")" + value + "\"}}"));
        EXPECT_EQ(entry(last_).state, EntryState::pending);
        mirror("a");
        if (killed) die_and_start_again();
        ASSERT_TRUE(until([&] { return all_settled(); }));
        EXPECT_EQ(entry(last_).state, EntryState::delivered);
        EXPECT_EQ(entry(last_).base, std::nullopt) << "nobody needs it any more";
    }
    EXPECT_EQ(upstream_.applied.size(), 2U);
}

// What others did between two attempts is no sign that the second arrived.
TEST_F(Foreign, BulkUpdateThatWasRefusedForNowIsJudgedAnew)
{
    int posts = 0;
    upstream_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!is_write(request)) return std::nullopt;
        if (++posts == 1) return WritableUpstream::says(503);
        if (posts == 2) throw Error(Fault::unreachable, "", "the connection was reset");
        return std::nullopt;
    };
    offer(write_of(EditKind::bulk_update, "", R"({"conversationIds":["a","b"],"conversationInfo":{"title":"bulk"}})"));
    upstream_.conversations["a"]["title"] = "bulk"; // somebody else
    mirror("a");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.conversations["b"]["title"], "bulk");
    EXPECT_EQ(posts, 3);
}

TEST_F(Foreign, BulkUpdateOfWhatIsGoneIsBelieved)
{
    upstream_.conversations.erase("a");
    const auto gone = R"({"conversationIds":["a"],"conversationInfo":{"title":"bulk"}})";
    EXPECT_TRUE(offer(write_of(EditKind::bulk_update, "", gone))->reply);
    EXPECT_EQ(upstream_.applied.size(), 1U);
}

TEST_F(Foreign, SuccessOfWhichNothingCanBeReadIsBelieved)
{
    upstream_.change = [](const upstream::Request& request, upstream::Reply& reply) {
        if (is_write(request)) reply = WritableUpstream::says(200, "{}");
    };
    const auto bulk =
        offer(write_of(EditKind::bulk_update, "", R"({"userIds":["nobody here"],"conversationInfo":{"title":"x"}})"));
    EXPECT_TRUE(bulk->reply) << "no conversation of theirs is known here";
    upstream_.chats["a1"] = json::object({{"id", "a1"}, {"message", "hello"}}); // shows no feedback at all
    EXPECT_TRUE(offer(write_of(EditKind::feedback, "a", R"({"suggestedAnswer":"y"})"))->reply);
    EXPECT_EQ(counts().delivered, 2);
}

TEST_F(Foreign, ReadBackThatFailsLeavesTheWriteWaiting)
{
    upstream_.before = [&, n = 0](const upstream::Request& request) mutable -> std::optional<upstream::Reply> {
        if (is_write(request) || n++ > 0) return std::nullopt;
        return WritableUpstream::says(401);
    };
    offer(write_of(EditKind::remove, "a", ""));
    EXPECT_EQ(entry(last_).state, EntryState::pending);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::delivered);
    EXPECT_EQ(upstream_.count("DELETE"), 1U);
}

// Any of these answers, to any request, whether the service saw it or not, with deaths between: all is made, in order,
// once, and nothing fails.
TEST_F(Foreign, AnswersInAnyOrderLoseNothingFailNothingAndMakeNothingTwice)
{
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        SeededRandom random(seed);
        double share = 0.4;
        const auto& answers = support::foreign_answers();
        const auto any = [&] { return support::reply_of(answers[random.below(answers.size())]); };
        upstream_.before = [&](const upstream::Request&) {
            return random.unit() < share ? std::optional(any()) : std::nullopt;
        };
        upstream_.change = [&](const upstream::Request&, upstream::Reply& reply) {
            if (random.unit() < share) reply = any();
        };
        upstream_.applied.clear();
        std::map<std::string, std::vector<std::string>> wanted;
        for (int n = 0; n < 20; ++n) {
            const std::string id(1, static_cast<char>('a' + random.below(5)));
            const std::string body = json{{"title", fmt::format("{}.{}", seed, n)}}.dump();
            wanted[id].push_back("PUT " + id + "/title " + body);
            offer(write_of(EditKind::title, id, body));
            if (random.below(8) == 0) die_and_start_again();
            until([&] { return false; }, random.below(4));
        }
        share = 0;
        ASSERT_TRUE(until([&] { return all_settled(); }));
        EXPECT_EQ(counts().failed, 0);
        EXPECT_EQ(counts().conflicts, 0);
        for (const auto& [id, all] : wanted) {
            std::vector<std::string> made;
            for (const std::string& one : upstream_.applied)
                if (one.starts_with("PUT " + id + "/")) made.push_back(one);
            EXPECT_EQ(made, all);
        }
    }
}

} // namespace
} // namespace alli::sync

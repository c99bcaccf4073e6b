// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/fifos.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/upkeep/purge.hpp"
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/make_token.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto title_path = "/webapi/v2/conversations/c/title";

class Writes : public ProxyTest {
  protected:
    using Headers = ::support::Headers;

    ::support::HttpReply put_title(const std::string& body, Headers more = {{"Content-Type", "application/json"}})
    {
        return send("PUT", title_path, more, body);
    }
    std::vector<cache::Entry> entries()
    {
        return store_.read_outbox([](cache::Reader& db) { return cache::list_entries(db, {}); });
    }
    cache::Entry only_entry()
    {
        const auto all = entries();
        EXPECT_EQ(all.size(), 1U);
        if (all.empty()) return {};
        return *store_.read_outbox([&](cache::Reader& db) { return cache::find_entry(db, all[0].id); });
    }
    void settle(std::int64_t id, const cache::Outcome& outcome)
    {
        const auto job = [&](cache::Writer& db) { cache::settle(db, id, outcome, Instant{}); };
        sync_wait(store_.write_outbox(job));
    }
};

TEST_F(Writes, CommitsBeforeItOffersAndHandsOnTheAnswer)
{
    start();
    delivery_.reply =
        upstream::Reply{200, {{"Content-Type", "application/json"}, {"X-Of", "upstream"}}, R"({"id":"c"})"};
    const auto reply = put_title(R"({"title":"x"})", {{"Content-Type", "application/json"}, {"OWN-USER-ID", "me"}});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, R"({"id":"c"})");
    EXPECT_EQ(reply.header("X-Of"), "upstream");
    const cache::Entry kept = only_entry();
    EXPECT_EQ(kept.path, title_path);
    EXPECT_EQ(kept.method, "PUT");
    EXPECT_EQ(kept.body, R"({"title":"x"})");
    json headers = json::parse(kept.headers);
    EXPECT_EQ(headers.erase("X-Request-Id"), 1u);
    EXPECT_EQ(headers, json::parse(R"({"Content-Type":"application/json","OWN-USER-ID":"me"})"));
    EXPECT_EQ(kept.upstream_key.size(), 36U);
    EXPECT_EQ(kept.upstream_key[14], '4');
    ASSERT_EQ(delivery_.offered.size(), 1U);
    EXPECT_EQ(delivery_.offered[0], kept.id);
    EXPECT_THAT(kept.headers, testing::Not(HasSubstr("the-key")));
}

TEST_F(Writes, AnswersWhatWaitsWithWhatTheAnswerWouldBe)
{
    put("c", 1000, 2);
    start();
    const auto reply = put_title(R"({"title":"x"})");
    EXPECT_EQ(reply.status, 202);
    const std::string id = std::to_string(only_entry().id);
    EXPECT_EQ(reply.header("Location"), "/mirror/v1/outbox/" + id);
    EXPECT_EQ(reply.header("Alli-Mirror-Outbox"), id);
    EXPECT_EQ(json::parse(reply.body)["id"], "c");
    EXPECT_EQ(json::parse(reply.body)["chats"].size(), 2U);
    EXPECT_EQ(delivery_.patience.back(), Options{}.forward_timeout);
    EXPECT_EQ(only_entry().base, R"({"title":"about c"})") << "what it changes, as it was";
}

TEST_F(Writes, SketchesTheAnswerOfWhatIsNotMirrored)
{
    start();
    const auto reply = send("PATCH", "/webapi/v2/conversations/x%2Fy%3D", {}, R"({"state":"OPEN"})");
    EXPECT_EQ(reply.status, 202);
    EXPECT_EQ(json::parse(reply.body), json::parse(R"({"id":"x/y=","state":"OPEN"})"));
    EXPECT_EQ(only_entry().conversation, ConversationId{"x/y="});
    EXPECT_EQ(only_entry().path, "/webapi/v2/conversations/x%2Fy%3D");
    EXPECT_EQ(only_entry().method, "PATCH");
}

TEST_F(Writes, TakesEveryOperationOfTheContract)
{
    start();
    const std::string root = "/webapi/v2/conversations/";
    EXPECT_EQ(send("POST", root + "c", {}, R"({"assignee":null})").status, 202);
    EXPECT_EQ(send("PUT", root + "c", {}, R"({"categoryIds":["a"]})").status, 202);
    EXPECT_EQ(send("POST", root + "c/title", {}, R"({"title":""})").status, 202);
    EXPECT_EQ(send("POST", root + "c/chats/d/feedback", {}, R"({"rating":true})").status, 202);
    EXPECT_EQ(send("POST", root + "bulk_update", {}, R"({"userIds":["u"],"conversationInfo":{"state":"x"}})").status,
              202);
    EXPECT_EQ(send("DELETE", root + "c").status, 202);
    const auto stopped = send("POST", root + "c/stop");
    EXPECT_EQ(stopped.status, 202);
    EXPECT_EQ(stopped.body, "");
    EXPECT_EQ(entries().size(), 7U);
}

Options with_title(const char* method, const char* path)
{
    Options options;
    options.operations.title = {method, path};
    return options;
}

TEST_F(Writes, QueueARenamingAtThePathThatTheSettingHas)
{
    put("c", 1000, 2);
    start(with_title("POST", "/webapi/v2/conversation_titles/{id}"));
    const auto reply = send("PATCH", "/webapi/v2/conversation_titles/c?x=1", {}, R"({"title":"x"})");
    EXPECT_EQ(reply.status, 202) << reply.body;
    EXPECT_EQ(json::parse(reply.body)["id"], "c");
    const cache::Entry kept = only_entry();
    EXPECT_EQ(kept.kind, cache::EditKind::title);
    EXPECT_EQ(kept.conversation, ConversationId{"c"});
    EXPECT_EQ(kept.method, "PATCH") << "the app's own";
    EXPECT_EQ(kept.path, "/webapi/v2/conversation_titles/c?x=1");
    EXPECT_EQ(kept.base, R"({"title":"about c"})");

    EXPECT_EQ(put_title(R"({"title":"y"})").status, 200) << "no operation: upstream says what it is";
    EXPECT_EQ(upstream_.requests.back().target, title_path);
    EXPECT_THAT(upstream_.woken, testing::ElementsAre("c")) << "and the mirror looks what became of it";
    EXPECT_EQ(entries().size(), 1U);
}

TEST_F(Writes, TellARenamingFromAnUpdateByItsBodyWhereTheyShareAPath)
{
    put("c", 1000, 2);
    start(with_title("PATCH", "/webapi/v2/conversations/{id}"));
    const auto kind_of = [&](const char* method, const char* body) {
        EXPECT_EQ(send(method, "/webapi/v2/conversations/c", {}, body).status, 202) << body;
        return entries().front().kind;
    };
    for (const char* method : {"PUT", "PATCH", "POST"}) {
        EXPECT_EQ(kind_of(method, R"({"title":"x"})"), cache::EditKind::title);
        EXPECT_EQ(kind_of(method, R"({"title":"x","state":"y"})"), cache::EditKind::update);
        EXPECT_EQ(kind_of(method, R"({"title":null})"), cache::EditKind::update);
        EXPECT_EQ(kind_of(method, R"({"assignee":"z"})"), cache::EditKind::update);
    }
}

TEST_F(Writes, ShowNothingPurgedAtASetPathEither)
{
    put("c", 1000, 2);
    cache::PurgeOptions wish;
    wish.conversation = ConversationId{"c"};
    sync_wait(cache::purge(store_, std::move(wish), cache::PurgeHooks()));
    start(with_title("POST", "/webapi/v2/conversation_titles/{id}"));
    EXPECT_EQ(send("POST", "/webapi/v2/conversation_titles/c", {}, R"({"title":"x"})").status, 404);
    EXPECT_THAT(entries(), IsEmpty());
}

TEST_F(Writes, OfWhatWasPurgedAreNotTakenHoweverThePathIsSpelt)
{
    put("c", 1000, 2);
    cache::PurgeOptions wish;
    wish.conversation = ConversationId{"c"};
    sync_wait(cache::purge(store_, std::move(wish), cache::PurgeHooks()));
    start();
    delivery_.reply = upstream::Reply{200, {}, R"({"id":"c","title":"what nobody may see"})"};
    for (const char* path : {"/webapi/v2/conversations/c/title", "/%77ebapi/v2/conversations/c/title",
                             "/webapi/v2/conversation%73/c/title", "/%77ebapi/%76%32/conversations/%63/title"}) {
        EXPECT_EQ(send("PUT", path, {}, R"({"title":"x"})").status, 404) << path;
        EXPECT_THAT(entries(), IsEmpty()) << path;
    }
}

struct Bad {
    std::string method, path, body;
    int status, code;
};
TEST_F(Writes, QueueNothingThatUpstreamCouldNeverTake)
{
    start();
    const std::string deep = R"({"title":)" + std::string(65, '[') + std::string(65, ']') + "}";
    const std::vector<Bad> bad{
        {"PUT", "c/title", "", 400, 7002},
        {"PUT", "c/title", "{", 400, 7002},
        {"PUT", "c/title", "{\"title\":\"\xff\"}", 400, 7002},
        {"PUT", "c/title", deep, 400, 7002},
        {"PUT", "c/title", std::string(1000000, '['), 400, 7002},
        {"POST", "bulk_update", R"({"conversationInfo":{"state":"x"}})", 400, 7003},
        {"POST", "bulk_update", R"({"userIds":[],"conversationInfo":{"state":"x"}})", 400, 7003},
        {"POST", "bulk_update", R"({"userIds":["u"]})", 400, 7003},
        {"POST", "bulk_update", R"({"userIds":["u"],"conversationInfo":{"title":1}})", 400, 7003},
        {"POST", "c/stop", "{", 400, 7002},
    };
    for (const Bad& one : bad) {
        const auto reply = send(one.method, "/webapi/v2/conversations/" + one.path, {}, one.body);
        EXPECT_EQ(reply.status, one.status) << one.path << ' ' << one.body.substr(0, 60);
        EXPECT_EQ(json::parse(reply.body)["code"], one.code) << one.path << ' ' << one.body.substr(0, 60);
    }
    EXPECT_EQ(put_title(R"({"title":"x"})", {{"Content-Type", "text/plain"}}).status, 415);
    EXPECT_EQ(put_title(R"({"title":"x"})", {{"Content-Encoding", "gzip"}}).status, 415);
    EXPECT_THAT(entries(), IsEmpty());
    EXPECT_THAT(delivery_.offered, IsEmpty());
}

// The contract of these is partly inferred: another deployment may take them.
const std::vector<Bad> doubtful{
    {"PUT", "c/title", "[]", 400, 7003},
    {"PUT", "c/title", "{}", 400, 7003},
    {"PUT", "c/title", R"({"title":null})", 400, 7003},
    {"PUT", "c/title", R"({"title":7})", 400, 7003},
    {"PUT", "c", R"({"state":[]})", 400, 7003},
    {"PUT", "c", R"({"categoryIds":"a"})", 400, 7003},
    {"PATCH", "c", R"({"categoryIds":[1]})", 400, 7003},
    {"POST", "c/chats/d/feedback", R"({"rating":"GOOD"})", 400, 7003},
    {"POST", "c/chats/d/feedback", R"({"rating":1})", 400, 7003},
    {"PUT", "c/title", R"({"title":"a text cut within an emoji \ud83d"})", 400, 7003},
};

TEST_F(Writes, LetUpstreamJudgeABodyThatTheContractDoesNotShow)
{
    start();
    for (const int status : {200, 400}) {
        upstream_.reply.status = status;
        for (const Bad& one : doubtful) {
            const auto reply = send(one.method, "/webapi/v2/conversations/" + one.path, {}, one.body);
            EXPECT_EQ(reply.status, status) << one.body;
            EXPECT_EQ(reply.body, R"({"from":"upstream"})");
            EXPECT_EQ(upstream_.requests.back().method, one.method);
            EXPECT_EQ(upstream_.requests.back().body, one.body);
            EXPECT_EQ(upstream_.woken.back(), "c") << "the mirror has to look what became of it";
        }
    }
    EXPECT_THAT(entries(), IsEmpty());
}

TEST_F(Writes, RefuseSuchABodyOnlyWhereNobodyCanJudgeIt)
{
    upstream_.away = true;
    upstream_.state.reachable = false;
    start();
    for (const Bad& one : doubtful) {
        const auto reply = send(one.method, "/webapi/v2/conversations/" + one.path, {}, one.body);
        EXPECT_EQ(reply.status, one.status) << one.body;
        EXPECT_EQ(json::parse(reply.body)["code"], one.code) << one.body;
    }
    EXPECT_THAT(entries(), IsEmpty());
    upstream_.state.reachable = true;
    EXPECT_EQ(send("PUT", title_path, {}, "{}").status, 503) << "it may have got there";
    EXPECT_THAT(upstream_.woken, testing::ElementsAre("c"));
}

TEST_F(Writes, LetNoSuchBodyOvertakeWhatWaits)
{
    start();
    EXPECT_EQ(put_title(R"({"title":"x"})").status, 202);
    const auto odd = send("PUT", title_path, {}, R"({"title":7})");
    EXPECT_EQ(odd.status, 503) << "it may go later";
    EXPECT_NE(odd.header("Retry-After"), "");
    EXPECT_THAT(odd.body, HasSubstr("title must be a string"));
    upstream_.state.reachable = false;
    EXPECT_EQ(send("PUT", title_path, {}, R"({"title":7})").status, 400) << "nobody can judge it";
    upstream_.state.reachable = true;
    EXPECT_THAT(upstream_.requests, IsEmpty());
    EXPECT_EQ(send("PUT", "/webapi/v2/conversations/d/title", {}, R"({"title":7})").status, 200)
        << "another one's line";
}

// Another user's name would be kept in its place.
TEST_F(Writes, RefuseAUserWhoseNameIsNotUtf8)
{
    start();
    const auto refused = put_title(R"({"title":"x"})", {{"OWN-USER-ID", "\xb1\xe8"}});
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused.body, HasSubstr("OWN-USER-ID is not UTF-8"));
    EXPECT_EQ(put_title(R"({"title":"x"})", {{"OWN-USER-ID", "\xea\xb9\x80"}}).status, 202);
    EXPECT_EQ(entries().size(), 1U);
}

TEST_F(Writes, WaitNoLongerThanTheAppWants)
{
    start();
    const auto at_once = put_title(R"({"title":"x"})", {{"Prefer", "respond-async"}});
    EXPECT_EQ(at_once.status, 202);
    EXPECT_EQ(at_once.header("Preference-Applied"), "respond-async");
    put_title(R"({"title":"x"})", {{"Prefer", "handling=strict, wait=3"}});
    put_title(R"({"title":"x"})", {{"Prefer", "wait=nonsense, wait=-1"}});
    put_title(R"({"title":"x"})", {{"Prefer", "wait=86400"}});
    const auto in_time = put_title(R"({"title":"x"})", {{"Prefer", "respond-async, wait=5"}});
    EXPECT_EQ(in_time.header("Preference-Applied"), "respond-async") << "it was not answered in that time";
    using std::chrono::milliseconds;
    EXPECT_THAT(delivery_.patience, testing::ElementsAre(milliseconds(0), milliseconds(3000), Options{}.forward_timeout,
                                                         milliseconds(60000), milliseconds(5000)));
}

// Each may count its own from 1.
TEST_F(Writes, KeepTheKeysOfApplicationsApart)
{
    Options options;
    options.tokens = {make_token("one"), make_token("two")};
    start(std::move(options));
    const auto as = [&](const char* token, const char* body) {
        return ::support::http(port_, "PUT", title_path,
                               {{"API-KEY", token}, {"Content-Type", "application/json"}, {"Idempotency-Key", "1"}},
                               body);
    };
    const auto first = as("one", R"({"title":"x"})"), second = as("two", R"({"title":"y"})");
    EXPECT_EQ(first.status, 202);
    EXPECT_EQ(second.status, 202) << second.body;
    const auto third = as("the-key", R"({"title":"x"})");
    EXPECT_NE(third.header("Alli-Mirror-Outbox"), first.header("Alli-Mirror-Outbox"))
        << "no repeat: it is to be applied";
    EXPECT_EQ(as("one", R"({"title":"x"})").header("Alli-Mirror-Outbox"), first.header("Alli-Mirror-Outbox"));
    EXPECT_EQ(as("two", R"({"title":"z"})").status, 422);
    EXPECT_EQ(entries().size(), 3U);
}

TEST_F(Writes, GiveARepeatedRequestTheFirstOnesOutcome)
{
    start();
    const Headers keyed{{"Idempotency-Key", "k"}};
    EXPECT_EQ(put_title(R"({"title":"x"})", keyed).status, 202);
    const auto id = only_entry().id;
    const auto waits = put_title(R"({"title":"x"})", keyed);
    EXPECT_EQ(waits.status, 202);
    EXPECT_EQ(waits.header("Alli-Mirror-Outbox"), std::to_string(id));
    EXPECT_EQ(put_title(R"({"title":"y"})", keyed).status, 422);
    EXPECT_EQ(put_title(R"({"title":"x"})", {{"Idempotency-Key", "k"}, {"OWN-USER-ID", "other"}}).status, 422);

    EXPECT_EQ(put_title(R"({"title":"x"})", {{"Idempotency-Key", "k"}, {"Accept-Language", "ko"}})
                  .header("Alli-Mirror-Outbox"),
              std::to_string(id))
        << "the language of an answer makes no other request";

    delivery_.awaited = true;
    EXPECT_EQ(put_title(R"({"title":"x"})", keyed).status, 409);
    delivery_.awaited = false;

    cache::Outcome outcome;
    outcome.state = cache::EntryState::failed;
    outcome.status = 404;
    outcome.response = R"({"code":7003})";
    outcome.response_type = "application/json";
    settle(id, outcome);
    const auto failed = put_title(R"({"title":"x"})", keyed);
    EXPECT_EQ(failed.status, 404);
    EXPECT_EQ(failed.body, R"({"code":7003})");
    EXPECT_EQ(delivery_.offered.size(), 1U) << "one request, one delivery";
}

} // namespace
} // namespace alli::proxy

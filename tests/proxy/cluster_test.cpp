// SPDX-License-Identifier: Apache-2.0
// What requests mean at a node of a cluster: one that follows takes no writes unless they are shared, keeps nothing
// that the leader lacks, and says how far it is and when it is cut off.
#include "proxy/relay/runs.hpp"
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/make_token.hpp"

#include <mutex>

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* item = "/webapi/v2/conversations/a";

/// A node that a test puts where it wants it.
class FakeNode final : public ClusterNode {
  public:
    NodeState state() const override
    {
        if (reaches_on_its_own) ++position;
        return {leads, hears, shares_writes, position, now};
    }
    std::string leader() const override { return name; }
    bool step_down() override { return leads; }

    std::uint64_t note_run(const ConversationId& id, bool ended, std::uint64_t) override
    {
        const std::lock_guard lock(mutex);
        notes.push_back(id.value + (ended ? " ended" : " running"));
        return notes.size();
    }
    std::optional<std::int64_t> find_told(std::uint64_t note) const override
    {
        const std::lock_guard lock(mutex);
        if (note != 0) ++looks;
        if (looks < looks_until_told || told_nothing) return std::nullopt;
        if (note == 0) return notes.empty() ? 0 : 1'000 + std::ssize(notes);
        return 1'000 + static_cast<std::int64_t>(note);
    }
    void ask_refresh(std::string conversation) override
    {
        const std::lock_guard lock(mutex);
        asked_for.push_back(std::move(conversation));
    }

    Task<SharedAcceptance> accept(cache::NewEntry entry, std::chrono::milliseconds) override
    {
        if (fault) throw Error(*fault, "", "it is away");
        const std::lock_guard lock(mutex);
        accepted.push_back(entry);
        cache::Acceptance given;
        given.id = given.place = 1'790'000'000'000'000 + std::ssize(accepted);
        SharedAcceptance acceptance;
        acceptance.kind = kind;
        acceptance.entry = cache::accepted_write(std::move(entry), given).entry;
        acceptance.entry.state = state_of_first;
        if (state_of_first == cache::EntryState::delivered) acceptance.entry.last_status = 201;
        if (state_of_first == cache::EntryState::delivered) acceptance.entry.response = "first";
        co_return acceptance;
    }

    std::vector<cache::NewEntry> accepted;
    cache::Acceptance::Kind kind = cache::Acceptance::Kind::fresh;
    cache::EntryState state_of_first = cache::EntryState::pending;
    std::optional<Fault> fault;
    mutable std::mutex mutex;
    std::vector<std::string> notes, asked_for;
    mutable int looks = 0;
    int looks_until_told = 0;
    bool told_nothing = false;
    std::optional<Instant> now;
    std::atomic<bool> shares_writes{false}, leads{false}, hears{true}, reaches_on_its_own{false};
    mutable std::atomic<std::int64_t> position{100};
    std::string name = "db-2";
};

class Cluster : public ProxyTest {
  protected:
    // The mirror holds everything, as verified at 1990; now is 2000.
    void fill(Options options = {})
    {
        put("a", 100, 2);
        put("b", 200, 3);
        cover(0, 1000);
        options.tokens = {make_token("admin", Scope::admin)};
        backend_.cluster = &node;
        start(std::move(options));
    }
    ::support::HttpReply put_title(std::vector<std::pair<std::string, std::string>> headers = {})
    {
        headers.emplace_back("Content-Type", "application/json");
        return send("PUT", "/webapi/v2/conversations/a/title", headers, R"({"title":"x"})");
    }
    std::string status(const ::support::HttpReply& reply) { return std::string(reply.header("Cache-Status")); }
    std::size_t asked()
    {
        const std::lock_guard lock(upstream_.mutex);
        return upstream_.requests.size();
    }
    std::string conversation(const std::string& id)
    {
        return json{{"id", id}, {"title", "t"}, {"lastChatTime", 50}, {"chatCount", 0}, {"chats", json::array()}}
            .dump();
    }

    FakeNode node;
};

TEST_F(Cluster, AWriteAtANodeThatFollowsIsForTheLeaderAndLeavesNothingInTheOutbox)
{
    fill();
    for (const auto& [method, target, body] :
         {std::tuple{"PUT", "/webapi/v2/conversations/a/title", R"({"title":"x"})"},
          {"PUT", "/webapi/v2/conversations/a", R"({"title":"x"})"},
          {"DELETE", "/webapi/v2/conversations/a", ""},
          {"POST", "/webapi/v2/conversations/a/stop", ""},
          {"POST", "/webapi/v2/conversations/bulk_update", R"({"ids":["a"]})"}}) {
        const auto reply = send(method, target, {{"Content-Type", "application/json"}}, body);
        EXPECT_EQ(reply.status, 503) << target;
        EXPECT_EQ(reply.header("Retry-After"), "1");
        EXPECT_EQ(json::parse(reply.body)["code"], 7000);
        EXPECT_THAT(reply.body, HasSubstr("db-2"));
    }
    EXPECT_EQ(store_.outbox_commits(), 0U);
    EXPECT_EQ(asked(), 0U);
    node.name = "";
    EXPECT_THAT(send("DELETE", item).body, HasSubstr("no other is known to"));
    node.leads = true;
    delivery_.reply = upstream::Reply{200, {}, "{}"};
    EXPECT_EQ(
        send("PUT", "/webapi/v2/conversations/a/title", {{"Content-Type", "application/json"}}, R"({"title":"x"})")
            .status,
        200);
}

TEST_F(Cluster, AWriteIsAcceptedByWhatTheNodesShareAtAnyOfThem)
{
    fill();
    node.shares_writes = true;
    for (const bool leads : {false, true}) {
        node.leads = leads;
        delivery_.reply = std::nullopt;
        const auto waits = put_title({{"Idempotency-Key", "mine"}});
        EXPECT_EQ(waits.status, 202);
        const std::string id = fmt::format("179000000000000{}", node.accepted.size());
        EXPECT_EQ(waits.header("Alli-Mirror-Outbox"), id);
        EXPECT_EQ(waits.header("Location"), "/mirror/v1/outbox/" + id);
        delivery_.reply = upstream::Reply{200, {}, "{}"};
        EXPECT_EQ(put_title().status, 200);
    }
    EXPECT_EQ(node.accepted.size(), 4U);
    EXPECT_EQ(node.accepted[0].client_key, "key\nmine");
    EXPECT_EQ(node.accepted[1].client_key, std::nullopt);
    EXPECT_NE(node.accepted[0].upstream_key, node.accepted[1].upstream_key);
    EXPECT_EQ(delivery_.offered.size(), 4U);
    EXPECT_EQ(store_.outbox_commits(), 0U);
}

TEST_F(Cluster, WhatUpstreamCouldNeverTakeIsNotAccepted)
{
    fill();
    node.shares_writes = true;
    EXPECT_EQ(send("PUT", "/webapi/v2/conversations/a/title", {{"Content-Type", "application/json"}}, "{").status, 400);
    EXPECT_TRUE(node.accepted.empty());
}

TEST_F(Cluster, ARepeatedWriteHasTheFirstOnesOutcomeAndAnotherOneIsRefused)
{
    fill();
    node.shares_writes = true;
    node.kind = cache::Acceptance::Kind::mismatch;
    EXPECT_EQ(put_title().status, 422);
    node.kind = cache::Acceptance::Kind::repeated;
    delivery_.awaited = true;
    EXPECT_EQ(put_title().status, 409);
    node.state_of_first = cache::EntryState::delivered;
    const auto first = put_title();
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(first.body, "first");
    EXPECT_TRUE(delivery_.offered.empty());
}

TEST_F(Cluster, AWriteThatTheDatabaseDoesNotTakeIs503AndMayBeSentAgain)
{
    fill();
    node.shares_writes = true;
    const auto refusal = [&](Fault fault, std::vector<std::pair<std::string, std::string>> headers = {}) {
        node.fault = fault;
        const auto away = put_title(std::move(headers));
        EXPECT_EQ(away.status, 503);
        EXPECT_EQ(away.header("Retry-After"), "1");
        EXPECT_EQ(json::parse(away.body)["code"], 7000);
        EXPECT_THAT(away.body, HasSubstr("it is away"));
        return away.body;
    };
    EXPECT_THAT(refusal(Fault::unreachable), HasSubstr("is not known: see /mirror/v1/outbox"));
    EXPECT_THAT(refusal(Fault::unreachable, {{"Idempotency-Key", "mine"}}), HasSubstr("it is written once"));
    EXPECT_THAT(refusal(Fault::unavailable), HasSubstr("nothing was kept"));
    EXPECT_EQ(store_.outbox_commits(), 0U);
    EXPECT_TRUE(delivery_.offered.empty());
}

TEST_F(Cluster, WhatUpstreamSaysAtANodeThatFollowsIsPassedOnAndNotKept)
{
    fill();
    upstream_.replies["/webapi/v2/conversations/new"] = {
        200, {{"Content-Type", "application/json"}}, conversation("new")};
    const std::uint64_t commits = store_.commits();
    for (int n = 0; n < 2; ++n) {
        const auto reply = get("/webapi/v2/conversations/new");
        EXPECT_EQ(reply.body, conversation("new"));
        EXPECT_THAT(status(reply), Not(HasSubstr("stored")));
    }
    EXPECT_EQ(store_.commits(), commits);
    EXPECT_EQ(asked(), 2U);
    node.leads = true;
    EXPECT_THAT(status(get("/webapi/v2/conversations/new")), HasSubstr("stored"));
}

TEST_F(Cluster, ReadsAreAnsweredFromTheMirrorAndSayHowFarItIs)
{
    fill();
    EXPECT_EQ(get(item).header("Mirror-Position"), "100");
    EXPECT_EQ(status(get(item)), "alli-mirror; hit; ttl=50");
    node.position = 107;
    EXPECT_EQ(get(item).header("Mirror-Position"), "107"); // also where the answer itself was kept
    EXPECT_EQ(get("/mirror/v1/status").header("Mirror-Position"), "107");
    EXPECT_EQ(get("/nowhere").header("Mirror-Position"), "107");
}

TEST_F(Cluster, ARequestWaitsForThePositionThatItKnows)
{
    fill();
    const auto ask = [&](const char* position) { return get(item, {{"Mirror-Position", position}}); };
    EXPECT_EQ(status(ask("100")), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(status(ask("101")), "alli-mirror; hit; ttl=50; detail=behind");
    EXPECT_THAT(status(get("/mirror/v1/status", {{"Mirror-Position", "101"}})), HasSubstr("detail=behind"));
    node.reaches_on_its_own = true;
    const auto late = ask("120");
    EXPECT_THAT(status(late), Not(HasSubstr("behind")));
    EXPECT_GE(std::stoll(std::string(late.header("Mirror-Position"))), 120);
    for (const char* wrong : {"-1", "x", "1x", "99999999999999999999"}) EXPECT_EQ(ask(wrong).status, 400) << wrong;
}

TEST_F(Cluster, OneThatIsCutOffSaysSoOnceWhatItHoldsIsNotFresh)
{
    fill();
    node.hears = false;
    EXPECT_EQ(status(get(item)), "alli-mirror; hit; ttl=50");
    clock_.seconds = 2100;
    EXPECT_EQ(status(get(item)), "alli-mirror; hit; ttl=-50; detail=database-away");
    node.hears = true;
    EXPECT_EQ(status(get(item)), "alli-mirror; hit; ttl=-50");
}

TEST_F(Cluster, ReadyForWritesIsTheLeaderAlone)
{
    fill();
    const auto admin = [&](const char* target, const char* body = "") {
        return ::support::http(port_, "POST", target, {{"Host", host_}, {"API-KEY", "admin"}}, body).status;
    };
    const auto refused = get("/readyz?role=leader");
    EXPECT_EQ(refused.status, 503);
    EXPECT_THAT(refused.body, HasSubstr("db-2 does"));
    EXPECT_EQ(get("/readyz").status, 200);
    EXPECT_EQ(get("/readyz?role=follower").status, 400);
    EXPECT_EQ(get("/readyz?leader=1").status, 400);
    EXPECT_EQ(admin("/mirror/v1/cluster/step-down"), 409);
    EXPECT_EQ(send("POST", "/mirror/v1/sync").status, 503);
    EXPECT_EQ(admin("/mirror/v1/maintenance", R"({"task":"purge","ids":["a"]})"), 503);
    EXPECT_EQ(admin("/mirror/v1/maintenance", R"({"task":"verify"})"), 202);
    node.leads = true;
    EXPECT_EQ(get("/readyz?role=leader").status, 200);
    EXPECT_EQ(admin("/mirror/v1/cluster/step-down"), 202);
    EXPECT_EQ(send("POST", "/mirror/v1/sync").status, 202);
}

TEST_F(Cluster, AnEndOfARunThatNobodyFetchesHereSendsReadsUpstreamWithoutAWait)
{
    Options options;
    options.forward_timeout = std::chrono::seconds(30);
    fill(options);
    const auto begun = std::chrono::steady_clock::now();
    upstream_.replies[item] = {200, {{"Content-Type", "application/json"}}, conversation("a")};
    upstream_.reply = {200, {{"Content-Type", "application/json"}}, R"({"ok":true})"};
    EXPECT_EQ(send("POST", "/webapi/v2/conversations/a/other", {}, "{}").status, 200); // it may have changed it
    EXPECT_THAT(status(get(item)), HasSubstr("fwd="));
    get("/webapi/v2/conversations");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2));
}

TEST_F(Cluster, TheEndOfARunIsPassedOnOnceTheOtherNodesCanHearOfIt)
{
    fill();
    upstream_.reply = {200, {{"Content-Type", "application/json"}}, R"({"conversationId":"a"})"};
    node.looks_until_told = 3;
    const auto run = [&] { return send("POST", "/webapi/apps/x/run", {}, R"({"conversationId":"a"})"); };
    EXPECT_EQ(run().status, 200);
    EXPECT_GE(node.looks, 3);
    EXPECT_THAT(node.notes, testing::ElementsAre("a running", "a ended"));
    node.told_nothing = true;
    auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(run().status, 200) << "it goes on after a while";
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(900));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
    node.hears = false;
    begun = std::chrono::steady_clock::now();
    EXPECT_EQ(run().status, 200);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(900));
}

TEST_F(Cluster, ACallThatRunsNothingIsToldOfOnceItHasEnded)
{
    fill();
    EXPECT_EQ(send("POST", "/webapi/v2/conversations/a/other", {}, "{}").status, 200);
    EXPECT_THAT(node.notes, testing::ElementsAre("a ended"));
    upstream_.reply = {200, {{"Content-Type", "application/json"}}, "{}"};
    EXPECT_EQ(send("POST", "/webapi/apps/x/run", {}, "{}").status, 200); // nobody knows which
    EXPECT_THAT(node.notes, testing::ElementsAre("a ended"));
    EXPECT_THAT(node.asked_for, testing::ElementsAre("*"));
}

TEST_F(Cluster, WhatUpstreamSaysOfARunIsToldOfWithThePositionThatHasIt)
{
    fill();
    const std::string running = "/webapi/v2/conversations/a/running";
    upstream_.replies[running] = {200, {{"Content-Type", "application/json"}}, R"({"isRunning":true})"};
    EXPECT_EQ(get(running).header("Mirror-Position"), "1001");
    get(running); // an app asks many times
    EXPECT_THAT(node.notes, testing::ElementsAre("a running"));
    upstream_.replies[running].body = R"({"isRunning":false})";
    EXPECT_EQ(get(running).header("Mirror-Position"), "1002");
    EXPECT_THAT(node.notes, testing::ElementsAre("a running", "a ended"));
}

TEST_F(Cluster, WhatIsNotKeptHereTheLeaderIsAskedFor)
{
    fill();
    upstream_.reply = {200, {{"Content-Type", "application/json"}}, conversation("new")};
    get(item); // held
    EXPECT_THAT(node.asked_for, testing::IsEmpty());
    get("/webapi/v2/conversations/new");
    EXPECT_THAT(node.asked_for, testing::ElementsAre("new"));
    upstream_.reply.body = conversation("a");
    get(item, {{"Cache-Control", "no-cache"}});
    EXPECT_THAT(node.asked_for, testing::ElementsAre("new", "a"));
    get(item, {{"Cache-Control", "no-cache, no-store"}});
    upstream_.reply = {500, {}, "{}"};
    get("/webapi/v2/conversations/newer");
    EXPECT_EQ(node.asked_for.size(), 2U);
    upstream_.reply = {404, {{"Content-Type", "application/json"}}, R"({"code":7001})"};
    get(item, {{"Cache-Control", "no-cache"}});
    EXPECT_THAT(upstream_.woken, testing::ElementsAre("a")) << "whether it is gone";
    node.leads = true;
    upstream_.reply = {200, {{"Content-Type", "application/json"}}, conversation("newest")};
    get("/webapi/v2/conversations/newest");
    EXPECT_EQ(node.asked_for.size(), 2U);
}

TEST_F(Cluster, AgesCountByTheClockThatAllNodesShare)
{
    fill(); // verified at 1990; it is 2000 here
    node.now = ::support::at_second(2030);
    EXPECT_EQ(get(item).header("Age"), "40");
    node.now = ::support::at_second(1980); // whoever verified it is ahead
    EXPECT_EQ(get(item).header("Age"), "0");
    node.leads = true;
    EXPECT_EQ(get(item).header("Age"), "10");
}

} // namespace
} // namespace alli::proxy

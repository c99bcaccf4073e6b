// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/fifos.hpp"
#include "tests/proxy/fixture.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;

class OutboxEndpoints : public ProxyTest {
  protected:
    json list(const std::string& query = "") { return json::parse(get("/mirror/v1/outbox" + query).body); }

    void queue(int count)
    {
        for (int n = 0; n < count; ++n)
            send("PUT", "/webapi/v2/conversations/c/title", {{"OWN-USER-ID", "me"}},
                 json{{"title", std::to_string(n)}}.dump());
    }
    void settle(std::int64_t id, cache::Outcome outcome)
    {
        const auto job = [&](cache::Writer& db) { cache::settle(db, id, outcome, clock_.now()); };
        sync_wait(store_.write_outbox(job));
    }
};

TEST_F(OutboxEndpoints, ListEntriesInTheAgreedShapeAPageAtATime)
{
    start();
    queue(5);
    const json page = list("?limit=2");
    ASSERT_EQ(page["entries"].size(), 2U);
    const json& entry = page["entries"][0];
    for (const char* field : {"id", "conversationId", "method", "path", "state", "attempts", "createdAt",
                              "nextAttemptAt", "lastStatus", "lastError"})
        EXPECT_TRUE(entry.contains(field)) << field;
    EXPECT_EQ(entry["id"], 5);
    EXPECT_EQ(entry["conversationId"], "c");
    EXPECT_EQ(entry["state"], "pending");
    EXPECT_EQ(entry["createdAt"], "1970-01-01T00:33:20Z");
    EXPECT_FALSE(entry.contains("request")) << "bodies are for one alone";
    const json last = list("?limit=3&cursor=" + page["next"].get<std::string>());
    EXPECT_EQ(last["entries"].size(), 3U);
    EXPECT_EQ(list("?limit=4&cursor=4")["next"], nullptr);
    EXPECT_EQ(list("?state=failed")["entries"].size(), 0U);
    EXPECT_EQ(list("?state=pending")["entries"].size(), 5U);
    for (const char* bad : {"?state=lost", "?limit=0", "?limit=1001", "?cursor=x", "?cursor=-1"})
        EXPECT_EQ(get(std::string("/mirror/v1/outbox") + bad).status, 400) << bad;
}

TEST_F(OutboxEndpoints, ShowOneWithItsRequestAndBothSidesOfAConflict)
{
    start();
    queue(1);
    cache::Outcome outcome;
    outcome.state = cache::EntryState::conflict;
    outcome.conflict = R"({"title":{"base":"a","upstream":"b","ours":"0"}})";
    settle(1, outcome);
    const json entry = json::parse(get("/mirror/v1/outbox/1").body);
    EXPECT_EQ(entry["state"], "conflict");
    EXPECT_EQ(entry["request"]["body"]["title"], "0");
    EXPECT_EQ(entry["request"]["headers"]["OWN-USER-ID"], "me");
    EXPECT_EQ(entry["conflict"]["title"]["upstream"], "b");
    EXPECT_EQ(entry["response"], nullptr);
    outcome = {};
    outcome.state = cache::EntryState::failed;
    outcome.status = 422;
    outcome.response = "not json";
    settle(1, outcome);
    const json failed = json::parse(get("/mirror/v1/outbox/1").body);
    EXPECT_EQ(failed["response"]["status"], 422);
    EXPECT_EQ(failed["response"]["body"], "not json");
    for (const char* absent : {"2", "0", "-1", "x", "99999999999999999999"})
        EXPECT_EQ(get(std::string("/mirror/v1/outbox/") + absent).status, 404) << absent;
}

TEST_F(OutboxEndpoints, DoWhatAPersonDecides)
{
    start();
    delivery_.retried.outcome = cache::OperatorResult::done;
    delivery_.retried.entry.id = 7;
    const auto retried = send("POST", "/mirror/v1/outbox/7/retry");
    EXPECT_EQ(retried.status, 202);
    EXPECT_EQ(json::parse(retried.body)["id"], 7);
    EXPECT_EQ(send("DELETE", "/mirror/v1/outbox/8").status, 204);
    EXPECT_THAT(delivery_.steered, testing::ElementsAre(7, 8));
    delivery_.retried.outcome = delivery_.discarded = cache::OperatorResult::wrong_state;
    EXPECT_EQ(send("POST", "/mirror/v1/outbox/7/retry").status, 409);
    EXPECT_EQ(send("DELETE", "/mirror/v1/outbox/8").status, 409);
    delivery_.retried.outcome = delivery_.discarded = cache::OperatorResult::absent;
    EXPECT_EQ(send("POST", "/mirror/v1/outbox/7/retry").status, 404);
    EXPECT_EQ(send("DELETE", "/mirror/v1/outbox/8").status, 404);
}

} // namespace
} // namespace alli::proxy

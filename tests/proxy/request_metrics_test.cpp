// SPDX-License-Identifier: Apache-2.0
// What the proxy counts, and the id that ties a request to what it causes upstream.
#include "proxy/request/request_metrics.hpp"

#include "proxy/request/request_id.hpp"
#include "tests/proxy/fixture.hpp"

#include <set>

namespace alli::proxy {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

class MetersTest : public ProxyTest {
  protected:
    // The counts, as a handler reads them: one line a row.
    std::string counts() { return get("/metrics").body; }
    void start_counting()
    {
        Options options;
        options.loops = 2;
        backend_.metrics_text = [](const RequestMetrics& request_metrics) {
            std::string text;
            for (const auto& [key, row] : request_metrics.requests())
                text += fmt::format("{} {} 2xx={} 4xx={} 5xx={} timed={}\n", key.first, key.second, row.statuses[2],
                                    row.statuses[4], row.statuses[5],
                                    std::accumulate(row.time.buckets.begin(), row.time.buckets.end(), 0ULL));
            for (const auto& [status, count] : request_metrics.refusals())
                text += fmt::format("refused {} {}\n", status, count);
            return text + fmt::format("wrong keys {}\nconnections {}\n", request_metrics.wrong_keys(),
                                      request_metrics.connections());
        };
        start(options);
    }
};

TEST_F(MetersTest, CountByOperationAndOriginOverAllLoops)
{
    put("a", 1000, 3);
    cover(0, 1900);
    start_counting();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(get("/webapi/v2/conversations").status, 200); // kept whole after the first
    EXPECT_EQ(get("/webapi/v2/conversations/a?_=1").status, 200);
    EXPECT_EQ(get("/webapi/apps").status, 200);
    EXPECT_EQ(get("/nowhere").status, 404);
    const std::string text = counts();
    EXPECT_THAT(text, HasSubstr("listConversations hit 2xx=5 4xx=0 5xx=0 timed=5\n"));
    EXPECT_THAT(text, HasSubstr("getConversation hit 2xx=1 4xx=0 5xx=0 timed=1\n"));
    EXPECT_THAT(text, HasSubstr("relay bypass 2xx=1 4xx=0 5xx=0 timed=1\n"));
    EXPECT_THAT(text, HasSubstr("unknown none 2xx=0 4xx=1 5xx=0 timed=1\n"));
}

TEST_F(MetersTest, TakeNoOtherCachesWordForOurs)
{
    start_counting();
    for (const char* other : {"", "edge; hit", "cdn.of.test; hit", "alli-mirror; hit; ttl=5"}) {
        upstream_.reply.headers = {{"Cache-Status", other}};
        EXPECT_EQ(get("/webapi/apps").status, 200) << other;
    }
    EXPECT_THAT(counts(), HasSubstr("relay bypass 2xx=4 4xx=0 5xx=0 timed=4\n"));
}

TEST_F(MetersTest, CountRefusalsAndWhatUpstreamAnswered)
{
    start_counting();
    upstream_.reply.status = 500;
    EXPECT_EQ(get("/webapi/v2/conversations").status, 500);
    EXPECT_EQ(::support::http(port_, "GET", "/webapi/v2/conversations", {{"Host", host_}}).status, 401);
    EXPECT_EQ(get("/", {{"Origin", "http://evil.test"}}).status, 403);
    const std::string text = counts();
    EXPECT_THAT(text, HasSubstr("listConversations miss 2xx=0 4xx=0 5xx=1"));
    EXPECT_THAT(text, AllOf(HasSubstr("refused 401 1\n"), HasSubstr("refused 403 1\n")));
}

TEST_F(MetersTest, CountOurOriginWhateverCacheStatusUpstreamSends)
{
    start_counting();
    upstream_.reply.headers.add("Cache-Status", "HIT");
    EXPECT_EQ(get("/webapi/apps").status, 200);
    EXPECT_EQ(get("/webapi/v2/conversations").status, 200);
    const std::string text = counts();
    EXPECT_THAT(text, AllOf(HasSubstr("relay bypass 2xx=1"), HasSubstr("listConversations miss 2xx=1")));
}

TEST_F(MetersTest, CountConnectionsThatAreOpen)
{
    start_counting();
    {
        ::support::HttpConnection one(port_);
        EXPECT_EQ(one.send("GET", "/healthz", all()).status, 200);
        EXPECT_THAT(counts(), HasSubstr("connections 2\n"));
    }
}

class RequestId : public ProxyTest {};

TEST_F(RequestId, OfTheAppGoesUpstreamAndComesBack)
{
    start();
    const auto reply = get("/webapi/apps", {{"X-Request-Id", "order-7/retry=1"}});
    EXPECT_EQ(reply.header("X-Request-Id"), "order-7/retry=1");
    ASSERT_EQ(upstream_.requests.size(), 1U);
    const auto& headers = upstream_.requests[0].headers;
    EXPECT_EQ(
        std::count_if(headers.begin(), headers.end(),
                      [](const Header& it) { return it.name == "X-Request-Id" && it.value == "order-7/retry=1"; }),
        1);
}

TEST_F(RequestId, IsMadeWhereTheAppSendsNoneOrNoGoodOne)
{
    start();
    upstream_.reply.headers.add("X-Request-Id", "of-upstream");
    std::set<std::string> seen;
    for (const char* given : {"", "two words", "\"quoted\"", "a,b"}) {
        ::support::Headers more;
        if (*given) more.emplace_back("X-Request-Id", given);
        const auto reply = get("/webapi/apps", more);
        const std::string id(reply.header("X-Request-Id"));
        EXPECT_TRUE(is_request_id(id)) << id;
        EXPECT_NE(id, "of-upstream");
        EXPECT_TRUE(seen.insert(id).second) << id;
    }
    EXPECT_FALSE(is_request_id(std::string(129, 'a')));
}

TEST_F(RequestId, GoesWithAWriteAndMakesItNoOtherWrite)
{
    put("a", 1000, 1);
    start();
    const ::support::Headers first{{"Idempotency-Key", "k"}, {"X-Request-Id", "one"}},
        second{{"Idempotency-Key", "k"}, {"X-Request-Id", "two"}};
    EXPECT_EQ(send("PUT", "/webapi/v2/conversations/a/title", first, R"({"title":"t"})").status, 202);
    EXPECT_EQ(send("PUT", "/webapi/v2/conversations/a/title", second, R"({"title":"t"})").status, 202);
    const auto entry = store_.read_outbox([](cache::Reader& db) { return cache::find_entry(db, 1); });
    ASSERT_TRUE(entry);
    EXPECT_THAT(entry->headers, HasSubstr(R"("X-Request-Id":"one")"));
    EXPECT_FALSE(store_.read_outbox([](cache::Reader& db) { return cache::find_entry(db, 2); }));
}

} // namespace
} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
// Nothing that is read on a loop of the proxy walks a table: each read takes a bounded number of SQLite's steps in a
// mirror of several thousand conversations. What may take more goes to the threads for long reads.
#include "cache/rows/categories.hpp"
#include "daemon/service/status.hpp"
#include "proxy/routes.hpp"
#include "tests/proxy/fixture.hpp"

#include <set>

namespace alli::proxy {
namespace {

// Measured: 1,200 for a page of a list, 3,600 for a message in a conversation of 1,500, 6,000 for a page of the feed; a
// walk through this mirror takes 30,000 to 50,000.
constexpr std::uint64_t most_steps = 10'000;
constexpr int conversations = 8000;

// Read on the threads for long reads, or not out of the mirror at all.
const std::set<std::string> exempt{"search",   "highlight", "export",
                                   "insights", "metrics",   "status"}; // status: below, without a server

class StepsTest : public ProxyTest {
  protected:
    StepsTest()
        : ProxyTest([this](std::uint64_t steps) {
              for (std::uint64_t known = most_; steps > known && !most_.compare_exchange_weak(known, steps);) {
              }
          })
    {
        write([](cache::Writer& db) {
            for (int n = 0; n < conversations; ++n) put_one(db, n);
        });
        put("long", 500'000, 1500);
        cover(0, 600'000);
        write([](cache::Writer& db) {
            const std::vector<Category> known{{"1", "k1"}, {"2", "k2"}};
            cache::put_category_list(db, R"({"categories":[{"id":"1","name":"k1"},{"id":"2","name":"k2"}]})", known,
                                     support::at_second(1990));
        });
        options_.listen = {"127.0.0.1:0"};
        start(options_);
    }

    static void put_one(cache::Writer& db, int n)
    {
        const std::string id = "c" + std::to_string(n);
        nlohmann::json more;
        more["llmAppId"] = n % 50 == 0 ? "rare" : "usual";
        more["userId"] = n % 200 == 0 ? "rare" : n % 4 == 1 ? "some" : n % 2 == 0 ? "often" : "u" + std::to_string(n);
        more["isEnd"] = n % 300 != 0;
        more["categories"] = nlohmann::json::array({n % 400 == 0 ? "k2" : "k1"});
        const auto made = support::make_conversation(id, 1000 + n * 50, more);
        cache::put_conversation(db, made);
        cache::put_chats(db, {id}, 0, std::vector{support::make_chat(id, 0, 1000 + n * 50, "chat of " + id)});
    }

    std::uint64_t steps_of(const std::string& target)
    {
        most_ = 0;
        last_ = get(target);
        return most_;
    }

    void expect_hit(const std::string& target) const // else the mirror was not read at all
    {
        EXPECT_THAT(std::string(last_.header("Cache-Status")), testing::HasSubstr("; hit")) << target;
    }

    std::atomic<std::uint64_t> most_{0};
    Options options_;
    ::support::HttpReply last_;
};

struct Asked {
    std::string route, target;
};
std::vector<Asked> all_asked()
{
    const std::string list = "/webapi/v2/conversations";
    std::vector<Asked> asked{
        {"dailyConversationCount", list + "/daily_count?startDate=1970-01-01&endDate=2000-01-01"},
        {"getConversation", list + "/c4000"},
        {"getConversation", list + "/long"},
        {"getConversation", list + "/unknown"},
        {"listChats", list + "/long/chats?pageNo=1"},
        {"listChats", list + "/long/chats?pageNo=14"},
        {"getChat", list + "/long/chats/long%2F700"},
        {"listCategories", "/webapi/v2/conversation_categories"},
        {"isConversationRunning", list + "/long/running"},
        {"describe", "/mirror/v1/openapi.json"},
        {"outbox", "/mirror/v1/outbox"},
        {"outboxEntry", "/mirror/v1/outbox/1"},
        {"maintenance", "/mirror/v1/maintenance"},
        {"changes", "/mirror/v1/changes?since=0"},
        {"changes", "/mirror/v1/changes?since=now"},
        {"tokens", "/mirror/v1/tokens"},
        {"principal", "/mirror/v1/principal"},
        {"live", "/healthz"},
        {"ready", "/readyz"},
        {"page", "/"},
        {"asset", "/page/none"},
        {"enter", "/mirror/v1/session"},
    };
    for (const char* order : {"", "order=LAST_CHAT_TIME_ASC", "order=CREATED_AT_DESC", "order=CREATED_AT_ASC"})
        for (const char* filter : {"",
                                   "userIds=rare",
                                   "userIds=often",
                                   "userIds=nobody",
                                   "userIds=rare&userIds=often",
                                   "userIds=some",
                                   "userIds=rare&userIds=some",
                                   "llmAppId=rare",
                                   "llmAppId=usual",
                                   "llmAppId=none",
                                   "categoryId=1",
                                   "categoryId=2",

                                   "activeOnly=true",
                                   "startedAt=1000&endAt=1200",
                                   "startedAt=200000&endAt=200300",
                                   "startedAt=399900",
                                   "endAt=1100",
                                   "firstChatStartedAt=200000&firstChatEndAt=200300",
                                   "firstChatEndAt=1100",
                                   "userIds=often&startedAt=1000&endAt=1300",
                                   "llmAppId=usual&endAt=1300",
                                   "activeOnly=true&startedAt=1000&endAt=1300",
                                   "categoryId=1&startedAt=200000&endAt=200300",
                                   "searchTerm=c4000",
                                   "userIds=often&llmAppId=rare"})
            for (const char* size : {"", "pageSize=50"})
                asked.push_back({"listConversations", list + "?" + order + "&" + filter + "&" + size});
    return asked;
}

TEST_F(StepsTest, OfEachReadOnALoopAreBounded)
{
    std::set<std::string> seen = exempt;
    for (const Asked& one : all_asked()) {
        const std::uint64_t steps = steps_of(one.target);
        EXPECT_LE(steps, most_steps) << one.target;
        if (one.route == "listConversations") expect_hit(one.target);
        seen.insert(one.route);
        if (const char* show = std::getenv("ALLI_SHOW_STEPS"); show != nullptr)
            std::fprintf(stderr, "%8llu %d %s\n", static_cast<unsigned long long>(steps), last_.status,
                         one.target.c_str());
    }
    for (const Route& route : routes())
        EXPECT_TRUE(route.method != "GET" || seen.contains(std::string(name_of(route.operation))))
            << name_of(route.operation) << " is not tried";
}

TEST_F(StepsTest, OfTheNextPagesAreBounded)
{
    for (const std::string order : {"LAST_CHAT_TIME_DESC", "CREATED_AT_ASC"}) {
        std::string cursor;
        for (int page = 0; page < 30; ++page) {
            const std::string target = "/webapi/v2/conversations?pageSize=50&order=" + order + cursor;
            EXPECT_LE(steps_of(target), most_steps) << target;
            ASSERT_EQ(last_.status, 200) << target;
            const auto body = nlohmann::json::parse(last_.body);
            ASSERT_TRUE(body.contains("cursor") && body["cursor"].is_string()) << last_.body.substr(0, 200);
            cursor = "&cursor=" + body["cursor"].get<std::string>();
        }
    }
}

TEST_F(StepsTest, OfTheStatusAreBounded)
{
    most_ = 0;
    store_.read([&](cache::Reader& db) {
        store_.read_outbox([&](cache::Reader& outbox) {
            const auto status = daemon::make_status(db, outbox, "http://upstream.test", nullptr);
            EXPECT_EQ(status["mirror"]["conversations"], conversations + 1);
            EXPECT_EQ(status["mirror"]["chats"], conversations + 1500);
        });
    });
    EXPECT_GT(most_, 50U);
    EXPECT_LE(most_, most_steps);
}

TEST_F(StepsTest, AreCounted)
{
    EXPECT_GT(steps_of("/webapi/v2/conversations"), 100U);
    most_ = 0;
    store_.read([](cache::Reader& db) { db.require<std::int64_t>("SELECT sum(held + is_end) FROM conversation"); });
    EXPECT_GT(most_.load(), most_steps) << "else the bound would not find a walk through a table";
}

} // namespace
} // namespace alli::proxy

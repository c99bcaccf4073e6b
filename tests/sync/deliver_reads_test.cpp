// SPDX-License-Identifier: Apache-2.0
// What is read of upstream before a write that waited is sent, and what is not.
#include "sync/delivery/recent_items.hpp"
#include "tests/sync/deliver_fixture.hpp"

namespace alli::sync {
namespace {

using namespace std::chrono_literals;
using cache::EditKind;
using cache::EntryState;

class DeliverReadsTest : public DeliverTest {
  protected:
    /// Conversations n00, n01, ..., a second apart, and a write to each that waits. The deliverer does not run yet.
    void queue_neighbours(int count)
    {
        serve_lists();
        stop();
        for (int n = 0; n < count; ++n) {
            const std::string id = id_of(n);
            upstream_.conversations[id] = json::object(
                {{"id", id}, {"title", "old"}, {"createdAt", 1}, {"lastChatTime", 2000 + n}, {"chats", json::array()}});
            mirror(id);
            wait_title(id, "new");
        }
    }
    void wait_title(const std::string& id, const std::string& text)
    {
        accept(write_of(EditKind::title, id, json{{"title", text}}.dump()));
    }
    static std::string id_of(int n) { return fmt::format("n{:02}", n); }
    std::size_t lists() const
    {
        return count_if([](const upstream::Request& rq) { return is_list(rq); });
    }
    std::size_t single_reads() const
    {
        return count_if([](const upstream::Request& rq) { return rq.method == "GET" && !is_list(rq); });
    }
    static bool is_list(const upstream::Request& rq) { return rq.target.find("/conversations?") != rq.target.npos; }

  private:
    std::size_t count_if(const std::function<bool(const upstream::Request&)>& wanted) const
    {
        return static_cast<std::size_t>(std::count_if(upstream_.requests.begin(), upstream_.requests.end(), wanted));
    }
    static std::int64_t number_in(const std::string& target, const std::string& name, std::int64_t otherwise)
    {
        const auto at = target.find(name + "=");
        return at == target.npos ? otherwise : std::stoll(target.substr(at + name.size() + 1));
    }
    // By last chat time, the newest first.
    void serve_lists()
    {
        upstream_.before = [this](const upstream::Request& rq) -> std::optional<upstream::Reply> {
            if (!is_list(rq)) return std::nullopt;
            const auto end = number_in(rq.target, "endAt", 1'000'000);
            const auto most = static_cast<std::size_t>(number_in(rq.target, "pageSize", 50));
            std::multimap<std::int64_t, json, std::greater<>> found;
            for (const auto& [id, one] : upstream_.conversations)
                if (one["lastChatTime"] < end) found.emplace(one["lastChatTime"].get<std::int64_t>(), one);
            json page = {{"conversations", json::array()}, {"cursor", nullptr}};
            for (const auto& [when, one] : found)
                if (page["conversations"].size() < most) page["conversations"].push_back(one);
            return WritableUpstream::says(200, page.dump());
        };
    }
};

TEST_F(DeliverReadsTest, ReadsNothingAgainThatTheAnswerToTheLastWriteShowed)
{
    stop();
    for (const char* body : {R"({"memo":"m"})", R"({"title":"t"})", R"({"state":"OPEN"})"})
        accept(write_of(EditKind::update, "a", body));
    start();
    EXPECT_TRUE(all_settled());
    EXPECT_EQ(upstream_.conversations["a"]["title"], "t");
    EXPECT_EQ(upstream_.applied.size(), 3U);
    EXPECT_EQ(single_reads(), 1U);
}

TEST_F(DeliverReadsTest, ReadsAgainWhatWasShownTwoSecondsAgo)
{
    stop();
    for (const char* body : {R"({"memo":"m"})", R"({"title":"t"})", R"({"state":"OPEN"})"})
        accept(write_of(EditKind::update, "a", body));
    upstream_.takes = 2s;
    start();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.applied.size(), 3U);
    EXPECT_EQ(single_reads(), 3U);
}

TEST_F(DeliverReadsTest, ReadsAgainWhatAWriteToTheSameFieldMayLagBehind)
{
    stop();
    for (const char* text : {"first", "second", "third"}) wait_title("a", text);
    start();
    EXPECT_TRUE(all_settled());
    EXPECT_EQ(upstream_.conversations["a"]["title"], "third");
    EXPECT_EQ(single_reads(), 3U);
}

TEST_F(DeliverReadsTest, FindsTheChangeOfAnotherThatAnAnswerShows)
{
    stop();
    accept(write_of(EditKind::update, "a", R"({"memo":"mine"})"));
    wait_title("a", "mine");
    upstream_.before = [&](const upstream::Request& rq) -> std::optional<upstream::Reply> {
        if (rq.method == "PUT") upstream_.conversations["a"]["title"] = "theirs";
        return std::nullopt;
    };
    start();
    EXPECT_EQ(entry(last_).state, EntryState::conflict);
    EXPECT_EQ(upstream_.conversations["a"]["title"], "theirs");
    EXPECT_EQ(upstream_.applied.size(), 1U);
}

TEST_F(DeliverReadsTest, ReadsWhatMayHaveBeenAppliedHoweverLatelyItWasShown)
{
    stop();
    accept(write_of(EditKind::update, "a", R"({"memo":"m"})"));
    wait_title("a", "new");
    int lost = 0;
    upstream_.after = [&](const upstream::Request& rq) {
        if (rq.body.find("title") != rq.body.npos && lost++ == 0)
            throw Error(Fault::unreachable, "", "the answer was lost");
    };
    start();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.applied.size(), 2U) << "nothing is sent twice";
    EXPECT_EQ(upstream_.conversations["a"]["title"], "new");
    EXPECT_GE(single_reads(), 2U);
}

TEST_F(DeliverReadsTest, ReadsPagesOfTheListInsteadOfManyThatWait)
{
    queue_neighbours(60);
    upstream_.takes = 10ms;
    start();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.applied.size(), 60U);
    EXPECT_GT(lists(), 0U);
    EXPECT_LT(lists() + single_reads(), 20U);
}

TEST_F(DeliverReadsTest, ReadsNoMoreAheadThanIsSentInTime)
{
    queue_neighbours(60);
    upstream_.takes = 1500ms; // what a page showed is too old after one write
    start();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(upstream_.applied.size(), 60U);
    EXPECT_LE(upstream_.requests.size(), 60U * 2 + lists());
    EXPECT_LT(lists(), 30U);
}

TEST_F(DeliverReadsTest, HoldsBackWhatAPageShowsChanged)
{
    queue_neighbours(20);
    upstream_.conversations[id_of(7)]["title"] = "theirs";
    upstream_.takes = 10ms;
    start();
    ASSERT_TRUE(until([&] { return upstream_.applied.size() == 19 && counts().conflicts == 1; }));
    EXPECT_EQ(upstream_.conversations[id_of(7)]["title"], "theirs");
    EXPECT_GT(lists(), 0U);
}

TEST_F(DeliverReadsTest, ReadsEachByItselfWhereTheListFails)
{
    queue_neighbours(20);
    upstream_.before = [](const upstream::Request& rq) -> std::optional<upstream::Reply> {
        if (!is_list(rq)) return std::nullopt;
        return WritableUpstream::says(500);
    };
    upstream_.conversations[id_of(7)]["title"] = "theirs";
    start();
    ASSERT_TRUE(until([&] { return upstream_.applied.size() == 19 && counts().conflicts == 1; }));
    EXPECT_EQ(lists(), 1U);
}

TEST_F(DeliverReadsTest, LetsNothingThatAPageShowedPassABulkUpdate)
{
    queue_neighbours(10);
    accept(write_of(EditKind::bulk_update, "", R"({"conversationInfo":{"memo":"all"}})"));
    for (int n = 0; n < 10; ++n) wait_title(id_of(n), "newer");
    upstream_.takes = 10ms;
    start();
    ASSERT_TRUE(until([&] { return all_settled(); }));
    ASSERT_EQ(upstream_.applied.size(), 21U);
    EXPECT_TRUE(upstream_.applied[10].starts_with("bulk")) << upstream_.applied[10];
    for (std::size_t n = 0; n < 10; ++n)
        EXPECT_EQ(upstream_.applied[n].find("newer"), std::string::npos) << upstream_.applied[n];
}

TEST(RecentItems, ForgetsTheOldestBeyondItsBytes)
{
    RecentItems items;
    const Clock::Steady now{10s};
    for (const char* id : {"a", "b", "c"}) items.put({id}, std::string(RecentItems::most_bytes / 2, 'x'), now);
    EXPECT_EQ(items.find({"a"}, now), nullptr);
    EXPECT_NE(items.find({"c"}, now), nullptr);
}

TEST(RecentItems, TakesNoOlderOneForAYoungerOne)
{
    RecentItems items;
    items.put({"a"}, "younger", Clock::Steady{11s});
    items.put({"a"}, "older", Clock::Steady{10s});
    ASSERT_NE(items.find({"a"}, Clock::Steady{12s}), nullptr);
    EXPECT_EQ(items.find({"a"}, Clock::Steady{12s})->raw, "younger");
    EXPECT_EQ(items.find({"a"}, Clock::Steady{13s}), nullptr);
}

} // namespace
} // namespace alli::sync

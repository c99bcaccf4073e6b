// SPDX-License-Identifier: Apache-2.0
// Lists that lead nowhere: cursors in a circle, chains without an end, an order that is another each time.
#include "alli/sync_wait.hpp"
#include "sync/pages/paginator.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

upstream::Reply page(const json& conversations, const json& cursor)
{
    upstream::Reply reply;
    reply.status = 200;
    json body;
    body["conversations"] = conversations;
    body["cursor"] = cursor;
    reply.body = body.dump();
    return reply;
}

std::string cursor_of(const std::string& target)
{
    const auto at = target.find("cursor=");
    return at == std::string::npos ? "" : target.substr(at + 7, target.find('&', at) - at - 7);
}

class Lists : public EngineTest {
  protected:
    /// Every list is answered by that.
    void answer(std::function<upstream::Reply(const std::string& cursor)> ingest_options)
    {
        model_.before = [ingest_options = std::move(ingest_options)](
                            const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (request.target.find("conversations?") == std::string::npos) return std::nullopt;
            return ingest_options(cursor_of(request.target));
        };
    }

    /// Goes down to the end; the failure that it ended with, if it did.
    std::string paginator(std::size_t most)
    {
        upstream::RateLimiter pace(clock_, {0, 4});
        upstream::Client client(model_, pace, clock_, {"key", unit_, "/count", {}});
        Paginator paginator(client, std::nullopt, std::nullopt, upstream::Priority::backfill);
        met_.clear();
        try {
            for (bool last = false; !last && model_.targets.size() < most;) {
                const Page page = sync_wait(paginator.next(clock_.now()));
                for (const Conversation& conversation : page.conversations) met_.push_back(conversation.id.value);
                last = page.last;
            }
        } catch (const Error& error) {
            return error.what();
        }
        return model_.targets.size() < most ? "" : "no end";
    }

    std::vector<std::string> met_;
};

TEST_F(Lists, AreNotFollowedInACircle)
{
    answer([](const std::string& cursor) { return page(json::array(), cursor == "a" ? "b" : "a"); });
    EXPECT_THAT(paginator(100), testing::HasSubstr("does not advance"));
    EXPECT_EQ(model_.targets.size(), 3U);
}

TEST_F(Lists, AreNotFollowedWithoutAnEnd)
{
    int made = 0;
    answer([&](const std::string&) { return page(json::array(), "c" + std::to_string(++made)); });
    EXPECT_THAT(paginator(20'000), testing::HasSubstr("does not end"));
}

TEST_F(Lists, OfWhichAChainIsAnotherEachTimeHaveAnEnd)
{
    int made = 0;
    answer([&](const std::string& cursor) {
        json one;
        one["id"] = "n" + std::to_string(++made);
        one["lastChatTime"] = cursor.empty() && made > 1 ? 4'000 : 5'000;
        one["chats"] = json::array();
        return page(json::array({one}), cursor.empty() ? json("more") : json(nullptr));
    });
    EXPECT_THAT(paginator(50'000), testing::HasSubstr("does not end"));
}

TEST_F(Lists, OfAnotherOrderEachTimeAreTheSame)
{
    for (int n = 0; n < 120; ++n) model_.add("same" + std::to_string(n), 5'000, 1);
    model_.position_cursor = true;
    int turn = 0;
    model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        json body = json::parse(model_.answer_of(request.target).body);
        json& all = body["conversations"];
        if (!all.empty())
            std::rotate(all.begin(), all.begin() + (++turn * 7) % static_cast<int>(all.size()), all.end());
        return page(all, body["cursor"]);
    };
    EXPECT_EQ(paginator(30), "");
    EXPECT_EQ(met_.size(), 120U);
}

// What was on a page that could not be gone on from is looked at when it comes again.
TEST_F(Lists, LoseNothingOfAPageWhoseCursorLedNowhere)
{
    for (int n = 0; n < 3; ++n) model_.add("c" + std::to_string(n), 5'000 - n, 1);
    bool stuck = true;
    answer([&](const std::string&) {
        json all = json::parse(model_.answer_of("/webapi/v2/conversations").body)["conversations"];
        if (stuck) all = json::array({all[0]});
        return page(all, stuck ? json("a") : json(nullptr));
    });
    paginator(10);
    upstream::RateLimiter pace(clock_, {0, 4});
    upstream::Client client(model_, pace, clock_, {"key", unit_, "/count", {}});
    Paginator again(client, std::nullopt, support::at_second(5'001), upstream::Priority::backfill);
    std::set<std::string> met;
    const auto take = [&] {
        for (const Conversation& conversation : sync_wait(again.next(clock_.now())).conversations)
            met.insert(conversation.id.value);
    };
    take();
    EXPECT_THROW(take(), Error);
    stuck = false;
    take();
    EXPECT_EQ(met.size(), 3U);
}

TEST_F(Lists, ThatLeadInACircleAreAProblemAndNoEndlessPoll)
{
    fill(3);
    pass();
    answer([](const std::string& cursor) { return page(json::array(), cursor == "a" ? "b" : "a"); });
    run_until([&](Engine& engine) { return !engine.state()->error.empty(); }, 2'000);
    EXPECT_LT(model_.targets.size(), 2'000U);
    const auto why = store_->read([](cache::Reader& db) { return cache::find_problem(db, "a poll failed"); });
    ASSERT_TRUE(why);
    EXPECT_THAT(why->what, testing::HasSubstr("a list's cursor does not advance"));
    EXPECT_TRUE(holds("c0"));
}

} // namespace
} // namespace alli::sync

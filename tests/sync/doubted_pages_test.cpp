// SPDX-License-Identifier: Apache-2.0
// Pages of a list that would lead a scan past what they do not show: empty ones, times that are no places, cursors that
// are none.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

class DoubtedPages : public EngineTest {
  protected:
    static bool is_list(const upstream::Request& request)
    {
        return request.target.starts_with("/webapi/v2/conversations?");
    }

    /// Lists are as upstream has them but for what that does to them.
    void change_lists(std::function<void(const std::string& target, json& body)> change)
    {
        model_.before = [this, change](const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (!is_list(request)) return std::nullopt;
            upstream::Reply made = model_.answer_of(request.target);
            json body = json::parse(made.body);
            change(request.target, body);
            made.body = body.dump();
            return made;
        };
    }

    bool covers(std::int64_t second)
    {
        const Instant at = support::at_second(second);
        return store_->read(
            [&](cache::Reader& db) { return cache::is_covered(db, at, at + std::chrono::microseconds(1)); });
    }
};

TEST_F(DoubtedPages, OneEmptyPageBelowOthersEndsNothing)
{
    fill(160);
    int windows = 0;
    change_lists([&](const std::string& target, json& body) {
        if (target.find("endAt") == target.npos || ++windows != 2) return;
        body = {{"conversations", json::array()}, {"cursor", nullptr}};
    });
    pass();
    EXPECT_GT(windows, 2);
    expect_mirror_equals_model();
    EXPECT_TRUE(complete());
    EXPECT_TRUE(problems().empty());
}

TEST_F(DoubtedPages, EmptyPagesThatStayAreUnreadableAndNotTheEnd)
{
    fill(160);
    change_lists([](const std::string& target, json& body) {
        const auto at = target.find("endAt=");
        if (at == target.npos || std::stod(target.substr(at + 6)) > 11'000) return;
        body = {{"conversations", json::array()}, {"cursor", nullptr}};
    });
    try {
        pass();
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::bad_reply) << error.what();
    }
    EXPECT_FALSE(holds("c0"));
    EXPECT_FALSE(covers(10'000));
    EXPECT_FALSE(complete());
    model_.before = nullptr;
    clock_.advance(12h);
    pass();
    expect_mirror_equals_model();
}

TEST_F(DoubtedPages, AnEdgeThatMovedMeanwhileIsNoReasonToDoubt)
{
    fill(160);
    bool moved = false;
    model_.targets.clear();
    change_lists([&](const std::string& target, json& body) {
        if (target.find("endAt") == target.npos || std::exchange(moved, true)) return;
        model_.add("c110", 1'000'000, 1);
        body = json::parse(model_.answer_of(target).body);
    });
    pass();
    EXPECT_TRUE(moved);
    EXPECT_TRUE(problems().empty());
    model_.now += 100;
    pass();
    expect_mirror_equals_model();
}

TEST_F(DoubtedPages, ATimeThatIsNotItsPlaceLeadsPastNothing)
{
    const std::int64_t begin = 1'700'000'000;
    model_.now = begin + 1'000'000;
    for (int n = 0; n < 160; ++n) model_.add("c" + std::to_string(n), begin + n * 10, 2);
    for (const std::int64_t shown : {std::int64_t{0}, begin / 1000}) {
        support::TempDir fresh;
        store_ = std::make_unique<cache::Store>(cache::StoreOptions{fresh / "mirror.db", "http://model", false});
        int commits = 0;
        bool first_claims = false;
        on_commit_ = [&] {
            if (++commits == 1) first_claims = covers(begin + 10);
        };
        change_lists([&](const std::string&, json& body) {
            for (json& item : body["conversations"])
                if (item["id"] == "c110") item["lastChatTime"] = shown; // the last of the first page
        });
        pass();
        on_commit_ = nullptr;
        EXPECT_FALSE(first_claims) << "nobody has been there yet";
        EXPECT_TRUE(holds("c0"));
        EXPECT_TRUE(holds("c109"));
        EXPECT_EQ(store_->read([](cache::Reader& db) { return cache::count_totals(db); }).conversations, 160);
        store_.reset();
    }
}

TEST_F(DoubtedPages, AnEmptyCursorIsNone)
{
    fill(120);
    for (const json& none : {json(""), json(false)}) {
        support::TempDir fresh;
        store_ = std::make_unique<cache::Store>(cache::StoreOptions{fresh / "mirror.db", "http://model", false});
        change_lists([&](const std::string&, json& body) {
            if (body["cursor"].is_null()) body["cursor"] = none;
        });
        pass();
        expect_mirror_equals_model();
        EXPECT_TRUE(complete());
        EXPECT_TRUE(problems().empty());
        store_.reset();
    }
}

TEST_F(DoubtedPages, WhoIsBrokenAndTheVeryFirstIsPassedBy)
{
    unit_ = TimeUnit::unknown;
    model_.now = 1'700'100'000; // a time that tells its unit
    for (int n = 0; n < 60; ++n) model_.add("c" + std::to_string(n), 1'700'000'000 + n * 10, 2);
    model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (!is_list(request)) return std::nullopt;
        upstream::Reply made = model_.answer_of(request.target);
        const std::string title = "\"title\":\"about c59\"";
        const auto at = made.body.find(title);
        if (at != made.body.npos) made.body.insert(at + title.size() - 1, " \"x");
        return made;
    };
    EXPECT_THROW(pass(), Error) << "the list without a window, which is the scan for conversations without a chat";
    EXPECT_EQ(store_->read([](cache::Reader& db) { return cache::count_totals(db); }).conversations, 60);
}

// Hidden from every list by last chat time.
TEST_F(DoubtedPages, ADayBeforeTheOldestThatIsHeldIsCountedToo)
{
    const std::int64_t y2015 = 1'420'070'400, y2010 = 1'262'347'200;
    fill(5);
    model_.add("lost", 9'000, 2);
    for (auto& [id, entry] : model_.conversations) entry.created = id == "lost" ? y2010 : y2015;
    model_.before = [&](const upstream::Request& request) -> std::optional<upstream::Reply> {
        if (request.target.starts_with("/count")) {
            upstream::Reply made;
            made.status = 200;
            made.body = R"({"counts":[{"date":"2010-01-01","count":1},{"date":"2015-01-01","count":5}]})";
            return made;
        }
        if (!is_list(request) || request.target.find("firstChat") != request.target.npos) return std::nullopt;
        auto node = model_.conversations.extract("lost");
        upstream::Reply made = model_.answer_of(request.target);
        model_.conversations.insert(std::move(node));
        return made;
    };
    run_for(std::chrono::hours(30));
    EXPECT_TRUE(holds("lost"));
}

TEST_F(DoubtedPages, TimesThatTellNoUnitAreSaid)
{
    unit_ = TimeUnit::unknown;
    fill(3);
    const auto as_text = [](json& time) {
        if (time.is_number()) time = to_rfc3339(support::at_second(time.get<std::int64_t>()));
    };
    change_lists([&](const std::string&, json& body) {
        for (json& item : body["conversations"]) {
            as_text(item["createdAt"]);
            as_text(item["lastChatTime"]);
            for (json& chat : item["chats"]) as_text(chat["timestamp"]);
        }
    });
    pass();
    EXPECT_TRUE(holds("c0"));
    ASSERT_EQ(std::ranges::count(problems(), "time unit", &cache::Problem::key), 1);
    model_.before = nullptr;
    unit_ = TimeUnit::seconds;
    pass();
    EXPECT_EQ(std::ranges::count(problems(), "time unit", &cache::Problem::key), 0);
}

} // namespace
} // namespace alli::sync

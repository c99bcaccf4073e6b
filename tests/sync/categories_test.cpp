// SPDX-License-Identifier: Apache-2.0
// When the engine reads the categories, what it makes of them, and what a write of some is compared by.
#include "cache/rows/categories.hpp"
#include "cache/rows/problems.hpp"
#include "tests/sync/deliver_fixture.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::EntryState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CategoriesSync : public EngineTest {
  protected:
    CategoriesSync()
    {
        options_.categories = true;
        model_.add("a", 999'000, 1);
        model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
            if (request.target != "/webapi/v2/conversation_categories") return with_categories(request.target);
            asked_at_.push_back(std::chrono::floor<std::chrono::seconds>(clock_.passed()));
            if (away) throw Error(Fault::unreachable, "wait", "upstream.test cannot be reached");
            return reply;
        };
        says(200, R"({"categories":[{"categoryId":"c1","name":"Billing"}]})");
    }
    /// Conversations bear one that the list does not know.
    std::optional<upstream::Reply> with_categories(const std::string& target)
    {
        upstream::Reply made = model_.answer_of(target);
        const auto at = strange_ ? made.body.find(R"("title":)") : std::string::npos;
        if (at != std::string::npos) made.body.insert(at, R"("categories":["Travel"],)");
        return made;
    }
    void says(int status, const std::string& body)
    {
        reply.status = status;
        reply.headers = {{"Content-Type", "application/json"}};
        reply.body = body;
    }
    std::string held()
    {
        const auto list = store_->read([](cache::Reader& db) { return cache::find_category_list(db); });
        return list ? list->raw : "none";
    }
    std::string problem()
    {
        for (const auto& it : store_->read([](cache::Reader& db) { return cache::load_problems(db); }))
            if (it.what.find("categories") != it.what.npos) return it.what;
        return "";
    }

    upstream::Reply reply;
    bool away = false, strange_ = false;
    std::vector<std::chrono::seconds> asked_at_; // since the beginning
};

TEST_F(CategoriesSync, AreReadAtTheStartAndWithEachReconcile)
{
    options_.reconcile_interval = 1h;
    run_for(10min);
    EXPECT_EQ(held(), reply.body);
    EXPECT_EQ(asked_at_.size(), 1u) << "a quiet poll costs one request";
    says(200, R"({"categories":[]})");
    run_for(2h);
    EXPECT_EQ(held(), reply.body);
    EXPECT_GE(asked_at_.size(), 3u);
    EXPECT_LE(asked_at_.size(), 5u);
}

TEST_F(CategoriesSync, AreReadAgainWhenOneTurnsUpThatIsNotKnownButNotForEver)
{
    strange_ = true;
    run_for(24h);
    EXPECT_GE(asked_at_.size(), 4u);
    EXPECT_LE(asked_at_.size(), 14u) << "it may stay unknown";
    says(200, R"({"categories":[{"categoryId":"c1","name":"Travel"}]})");
    asked_at_.clear();
    run_for(20h);
    EXPECT_EQ(asked_at_.size(), 1u) << "now it is known";
}

TEST_F(CategoriesSync, AreReadSoonWhenSomebodyAsksAndNoOftenerThanThat)
{
    bool asked = false;
    run_until(
        [&](Engine& engine) {
            if (clock_.passed() > 1min && clock_.passed() < 2min) {
                asked = true;
                engine.refresh_categories();
            }
            return clock_.passed() > 5min;
        },
        100'000);
    EXPECT_TRUE(asked);
    EXPECT_GE(asked_at_.size(), 2u);
    EXPECT_LE(asked_at_.size(), 8u);
}

TEST_F(CategoriesSync, AreNoneWhereUpstreamHasNoSuchList)
{
    for (const int status : {404, 405}) {
        says(status, R"({"type":"APIError","code":7003,"message":"no"})");
        run_for(10min);
        EXPECT_EQ(held(), "none");
        EXPECT_EQ(problem(), "");
    }
    EXPECT_EQ(asked_at_.size(), 2u) << "once a start";
}

TEST_F(CategoriesSync, AreAProblemOfTheirOwnWhereTheyCannotBeRead)
{
    for (const auto& [status, body] : {std::pair{200, "<html>"}, std::pair{200, R"({"categories":7})"},
                                       std::pair{500, R"({"type":"APIError","code":7000,"message":"no"})"},
                                       std::pair{403, R"({"type":"APIError","code":7001,"message":"no"})"}}) {
        SCOPED_TRACE(body);
        asked_at_.clear();
        says(status, body);
        bool reachable = true, accepted = true;
        const auto end = clock_.passed() + 5min;
        run_until(
            [&](Engine& engine) {
                if (clock_.passed() < end) return false;
                reachable = engine.state()->reachable && engine.state()->error.empty();
                accepted = engine.state()->key_accepted;
                return true;
            },
            100'000);
        EXPECT_TRUE(reachable && accepted) << "polls go well";
        EXPECT_THAT(problem(), HasSubstr("the categories could not be read"));
        EXPECT_EQ(held(), "none");
        EXPECT_LE(asked_at_.size(), 5u);
    }
    says(200, R"({"categories":[]})");
    run_for(1min);
    EXPECT_EQ(problem(), "");
}

class CategoriesDelivery : public DeliverTest {
  protected:
    void know()
    {
        const std::vector<Category> known{{"c1", "Billing"}, {"c2", "Travel"}};
        run(store_->write([&](cache::Writer& db) { cache::put_category_list(db, "{}", known, clock_.now()); }));
    }
    void have(const json& categories)
    {
        upstream_.conversations["a"]["categories"] = categories;
        mirror("a");
    }
    /// Upstream takes ids and shows names, in an order of its own.
    void translate()
    {
        upstream_.change = [this](const upstream::Request& request, upstream::Reply& reply) {
            if (request.method != "PUT") return;
            upstream_.conversations["a"]["categories"] = {"Travel", "Billing"};
            upstream_.conversations["a"].erase("categoryIds");
            reply.body = upstream_.conversations["a"].dump();
        };
    }
    void write_both()
    {
        upstream_.away = true;
        offer(write_of(EditKind::update, "a", R"({"categoryIds":["c1","c2"]})"));
        upstream_.away = false;
    }
    json mirrored()
    {
        return json::parse(*store_->read([](cache::Reader& db) { return cache::find_conversation(db, {"a"}); }));
    }
};

TEST_F(CategoriesDelivery, ShowNamesWhileTheyWaitAndAreDelivered)
{
    know();
    have({"Billing"});
    translate();
    upstream_.away = true;
    offer(write_of(EditKind::update, "a", R"({"categoryIds":["c1","c2"]})"));
    EXPECT_EQ(mirrored()["categories"], json::parse(R"(["Billing","Travel"])"));
    upstream_.away = false;
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(1).state, EntryState::delivered);
    EXPECT_EQ(mirrored()["categories"], json::parse(R"(["Travel","Billing"])")) << "as upstream shows them";
}

TEST_F(CategoriesDelivery, AreNoConflictWhereTheSetIsTheSame)
{
    know();
    have({"Billing", "Other"});
    translate();
    write_both();
    upstream_.conversations["a"]["categories"] = {"Other", "Billing"}; // another order is no change
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(1).state, EntryState::delivered);
}

TEST_F(CategoriesDelivery, AreNoConflictWhereUpstreamHasThemAlreadyByName)
{
    know();
    have({"Billing"});
    translate();
    write_both();
    upstream_.conversations["a"]["categories"] = {"Travel", "Billing"};
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_EQ(entry(1).state, EntryState::delivered);
}

TEST_F(CategoriesDelivery, AreAConflictWhereAnotherSetCame)
{
    know();
    have({"Billing"});
    write_both();
    upstream_.conversations["a"]["categories"] = {"Other"};
    ASSERT_TRUE(until([&] { return entry(1).state == EntryState::conflict; }));
    EXPECT_EQ(json::parse(*entry(1).conflict),
              json::parse(R"({"categories":{"base":["Billing"],"upstream":["Other"],"ours":["Billing","Travel"]}})"));
    EXPECT_THAT(upstream_.applied, IsEmpty());
}

} // namespace
} // namespace alli::sync

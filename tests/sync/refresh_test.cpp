// SPDX-License-Identifier: Apache-2.0
// Conversations that are asked for by themselves: what a 404 for one may do, and what it may not.
#include "cache/deletions.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/drift.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;

class Refreshed : public Settled {
  protected:
    template <class F>
    void write(F function)
    {
        asio::io_context loop;
        asio::co_spawn(loop, store_->write(std::move(function)),
                       [](std::exception_ptr why, auto...) { EXPECT_FALSE(why); });
        support::run_until_idle(loop);
    }

    /// As `verify --repair` leaves what lost messages.
    void mark_all_for_fetching_again()
    {
        write([this](cache::Writer& db) {
            for (const auto& [id, entry] : model_.conversations) {
                const Instant at = support::at_second(entry.last);
                cache::Problem problem;
                problem.what = "lost messages";
                problem.since = clock_.now();
                problem.retry_at = problem.since;
                problem.conversation = id;
                problem.unreadable = cache::Span{at, at + std::chrono::microseconds(1)};
                cache::put_problem(db, cache::problem_key({id}), problem);
            }
        });
    }

    static bool asks_for_one(const upstream::Request& request)
    {
        return request.target.starts_with("/webapi/v2/conversations/");
    }

    static upstream::Reply answer(int status)
    {
        upstream::Reply made;
        made.status = status;
        made.body = R"({"type":"APIError","code":7003,"message":"no"})";
        return made;
    }

    std::int64_t held()
    {
        return store_->read([](cache::Reader& db) { return cache::count_totals(db); }).conversations;
    }
    std::int64_t candidates()
    {
        return store_->read([](cache::Reader& db) { return cache::count_deletion_candidates(db); });
    }
    int deleted_this_round()
    {
        return store_->read([](cache::Reader& db) { return cache::load_progress(db); }).reconcile_deleted;
    }

    /// A local app asks for each, beside a running daemon.
    void ask_for(std::vector<std::string> ids)
    {
        bool asked = false;
        run_until([&](Engine& engine) {
            if (!asked && engine.state()->passes == 1) {
                asked = true;
                for (const std::string& id : ids) engine.wake_conversation({id});
            }
            return engine.state()->passes >= 3;
        });
    }
};

TEST_F(Refreshed, BrownOutThatSays404ToEachDeletesNoMoreThanOneRoundMay)
{
    mark_all_for_fetching_again();
    model_.before = [](const upstream::Request& request) {
        return asks_for_one(request) ? std::optional(answer(404)) : std::nullopt;
    };
    model_.targets.clear();
    run_for(minutes(30));
    EXPECT_EQ(deleted_this_round(), 10) << "ten at once, or a tenth";
    EXPECT_EQ(candidates(), 50);
    EXPECT_EQ(held(), 60) << "the ten are listed, and so come back";
    const auto asked = std::count_if(model_.targets.begin(), model_.targets.end(), [](const std::string& target) {
        return target.starts_with("/webapi/v2/conversations/");
    });
    EXPECT_LT(asked, 60 * 10) << "after pauses that grow";

    model_.before = nullptr;
    run_for(hours(12));
    expect_mirror_equals_model();
    EXPECT_EQ(candidates(), 0);
    EXPECT_TRUE(problems().empty()) << problems()[0].what;
}

// Nobody has to ask about each of them.
TEST_F(Refreshed, WhatListsShowIsMissedNoLonger)
{
    mark_all_for_fetching_again();
    model_.before = [](const upstream::Request& request) {
        return asks_for_one(request) ? std::optional(answer(404)) : std::nullopt;
    };
    run_for(minutes(30));
    ASSERT_EQ(candidates(), 50);
    for (const auto& [id, entry] : model_.conversations) model_.add(id, model_.now, 1);
    pass();
    EXPECT_EQ(candidates(), 0);
    EXPECT_EQ(std::ranges::count(problems(), "mass deletion", &cache::Problem::key), 0);
}

TEST_F(Refreshed, WhatALocalAppReadsWhileUpstreamSays404WaitsForAPersonLikeAnyOther)
{
    std::vector<std::string> all;
    for (const auto& [id, entry] : model_.conversations) all.push_back(id);
    model_.conversations.clear();
    ask_for(all);
    EXPECT_EQ(held(), 50);
    EXPECT_EQ(candidates(), 50);
    const auto drift = store_->read([](cache::Reader& db) { return cache::load_drift(db); });
    EXPECT_EQ(drift.deleted, 0) << "no comparison found it";
    options_.accept_deletions = true;
    pass();
    EXPECT_EQ(held(), 0);
    EXPECT_TRUE(problems().empty());
}

struct DeletedThroughTheMirror : Refreshed, testing::WithParamInterface<bool> {};
TEST_P(DeletedThroughTheMirror, CountsForNothing)
{
    const bool waited = GetParam();
    std::vector<std::string> gone;
    for (int n = 0; n < 30; ++n) gone.push_back("c" + std::to_string(n));
    write([&](cache::Writer& db) {
        std::int64_t number = 0;
        for (const std::string& id : gone) {
            cache::Entry entry;
            entry.id = entry.place = ++number;
            entry.kind = cache::EditKind::remove;
            entry.conversation = ConversationId{id};
            entry.method = "DELETE";
            if (waited) cache::show_edit(db, entry);
            cache::confirm_edit(db, entry, std::nullopt, clock_.steady());
        }
    });
    for (const std::string& id : gone) model_.conversations.erase(id);
    ask_for(gone);
    EXPECT_EQ(held(), 30);
    EXPECT_EQ(candidates(), 0);
    EXPECT_EQ(deleted_this_round(), 0);
}
INSTANTIATE_TEST_SUITE_P(Refresh, DeletedThroughTheMirror, testing::Bool());

} // namespace
} // namespace alli::sync

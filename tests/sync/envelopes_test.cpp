// SPDX-License-Identifier: Apache-2.0
// An upstream that wraps its answers in {"result": ...}: everything is mirrored, and how it comes is remembered.
#include "cache/rows/envelopes.hpp"
#include "cache/rows/problems.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using testing::HasSubstr;

class EnvelopesSync : public EngineTest {
  protected:
    EnvelopesSync()
    {
        options_.learns_envelopes = true;
        model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
            upstream::Reply made = model_.answer_of(request.target);
            const bool list = request.target.find("/conversations?") != std::string::npos;
            if (made.status == 200 && (list ? wraps_lists : wraps)) made.body = R"({"result":)" + made.body + "}";
            return made;
        };
    }
    std::optional<bool> wrapped(Content content)
    {
        const auto found = store_->read([&](cache::Reader& db) { return cache::find_envelope(db, content); });
        return found ? std::optional(!found->is_none()) : std::nullopt;
    }
    std::size_t told()
    {
        const auto all = problems();
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const cache::Problem& it) {
            return it.what.find("upstream wraps its answers") != it.what.npos;
        }));
    }

    bool wraps = true, wraps_lists = false;
};

TEST_F(EnvelopesSync, HoldsEverythingAndSaysOnceHowItComes)
{
    fill(60);
    run_for(10min);
    expect_mirror_equals_model();
    EXPECT_EQ(wrapped(Content::conversation), true);
    EXPECT_EQ(wrapped(Content::chats), true);
    EXPECT_EQ(wrapped(Content::list), std::nullopt) << "a list that comes bare needs no note";
    EXPECT_EQ(told(), 1u);
    EXPECT_EQ(problems().size(), 1u);
}

TEST_F(EnvelopesSync, ReadsWrappedListsToo)
{
    wraps_lists = true;
    fill(60);
    run_for(10min);
    expect_mirror_equals_model();
    EXPECT_EQ(wrapped(Content::list), true);
    EXPECT_EQ(told(), 1u);
}

TEST_F(EnvelopesSync, AsksOnceInAMirrorsLifeWherePollsDoNotShowIt)
{
    wraps = false;
    model_.add("a", 10'000, 2); // its list item carries all of it
    run_for(10min);
    const auto asked = [&] {
        return std::count_if(model_.targets.begin(), model_.targets.end(),
                             [](const std::string& target) { return target.find("/conversations/a") != target.npos; });
    };
    EXPECT_EQ(wrapped(Content::conversation), false);
    EXPECT_EQ(wrapped(Content::chats), false);
    EXPECT_EQ(told(), 0u);
    const auto before = asked();
    EXPECT_LE(before, 2);
    reopen();
    run_for(10min);
    EXPECT_EQ(asked(), before);
}

TEST_F(EnvelopesSync, WhatIsRunningAndTheDailyCountsMayComeWrapped)
{
    model_.before = [](const upstream::Request& request) -> std::optional<upstream::Reply> {
        upstream::Reply made;
        made.status = 200;
        made.headers = {{"Content-Type", "application/json"}};
        made.body = request.target.ends_with("/running")
                        ? R"({"result":{"isRunning":true}})"
                        : R"({"result":{"counts":[{"date":"2026-01-31","count":12}]}})";
        return made;
    };
    upstream::RateLimiter pace(clock_, {0, 4});
    upstream::Client client(model_, pace, clock_, {"key", unit_, "/count"});
    asio::io_context loop;
    bool running = false;
    std::size_t days = 0;
    asio::co_spawn(loop, client.is_running({"a"}, upstream::Priority::app),
                   [&](std::exception_ptr, bool is) { running = is; });
    asio::co_spawn(loop, client.daily_counts("2026-01-31", "2026-01-31", upstream::Priority::app),
                   [&](std::exception_ptr, const std::optional<std::vector<upstream::DailyCount>>& all) {
                       days = all.value().size();
                   });
    support::run_until_idle(loop);
    EXPECT_TRUE(running);
    EXPECT_EQ(days, 1u);
}

} // namespace
} // namespace alli::sync

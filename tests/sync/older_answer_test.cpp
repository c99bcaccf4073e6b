// SPDX-License-Identifier: Apache-2.0
// An answer that comes after a younger one: it changes nothing, at no moment. The next poll would repair what it did,
// so the mirror is looked at all the time, not only at the end.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using std::chrono::seconds;

class OlderAnswer : public Settled {
  protected:
    OlderAnswer() { options_.interval = seconds(5); }

    static bool is_about_c1(const upstream::Request& request)
    {
        return request.target.starts_with("/webapi/v2/conversations/c1");
    }

    /// What upstream says of c1 alone is on its way for so long; lists come at once.
    void hold_up_c1(seconds by)
    {
        model_.carry = [this, by](const upstream::Request& request) -> Task<> {
            const bool slow = is_about_c1(request);
            if (slow) {
                ++asked_;
                co_await clock_.sleep(by);
                ++answered_;
            } else {
                co_await clock_.sleep(std::chrono::milliseconds(10));
            }
        };
    }

    /// Asks for c1; once that is under way upstream changes, and after the answer a moment passes. Where the mirror
    /// once has what `changed` says, it keeps it.
    void run_while_c1_is_asked_for(std::function<void()> change, std::function<bool()> changed)
    {
        bool woken = false, seen = false;
        std::chrono::nanoseconds end = std::chrono::hours(100);
        run_until(
            [&](Engine& engine) {
                if (!woken && engine.state()->passes == 1) {
                    woken = true;
                    engine.wake_conversation({"c1"});
                }
                if (asked_ == 1 && !std::exchange(begun_, true)) change();
                if (begun_ && changed()) seen = true;
                EXPECT_TRUE(!seen || changed()) << "the older answer was put over it";
                if (answered_ > 0 && end == std::chrono::hours(100)) end = clock_.passed() + seconds(2);
                return clock_.passed() >= end || HasFailure();
            },
            100'000);
        EXPECT_TRUE(seen) << "before the older answer came";
        EXPECT_GE(answered_, 1);
    }

    std::string title_of(const std::string& id)
    {
        const auto found = store_->read([&](cache::Reader& db) { return cache::find_conversation(db, {id}); });
        return found ? json::parse(*found)["title"].get<std::string>() : "";
    }

    int asked_ = 0, answered_ = 0;
    bool begun_ = false;
};

TEST_F(OlderAnswer, WithAConversationAsItWasReplacesNoYoungerOne)
{
    hold_up_c1(seconds(30));
    run_while_c1_is_asked_for(
        [this] {
            model_.now += 5;
            model_.add("c1", model_.now, 1);
            model_.conversations["c1"].title = "renamed meanwhile";
        },
        [this] { return title_of("c1") == "renamed meanwhile"; });
}

TEST_F(OlderAnswer, WhichSays404DeletesNothingThatWasListedSince)
{
    const Model::Entry kept = model_.conversations.at("c1");
    model_.conversations.erase("c1");
    hold_up_c1(seconds(30));
    run_while_c1_is_asked_for(
        [&] {
            model_.now += 5;
            model_.conversations["c1"] = kept;
            model_.add("c1", model_.now, 1);
            model_.conversations["c1"].title = "there again";
        },
        [this] { return title_of("c1") == "there again"; });
}

} // namespace
} // namespace alli::sync

// SPDX-License-Identifier: Apache-2.0
// Where neither list items carry chats nor chats say whether they are complete: how often polls fetch a last message
// again, and that nothing which it grows by is lost.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using std::chrono::minutes, std::chrono::seconds;

class Unmarked : public EngineTest {
  protected:
    void SetUp() override
    {
        model_.now = std::chrono::floor<seconds>(clock_.now().time_since_epoch()).count();
        model_.embedded = 0;
        model_.before = [this](const upstream::Request&) -> std::optional<upstream::Reply> {
            tick();
            return std::nullopt;
        };
        for (int n = 0; n < 60; ++n) model_.add(name(n), model_.now - 100'000 + n * 10, 3);
        pass();
    }

    static std::string name(int n) { return "c" + std::to_string(n); }
    void tick() { model_.now = std::chrono::floor<seconds>(clock_.now().time_since_epoch()).count(); }

    void touch(int conversations)
    {
        tick();
        for (int n = 0; n < conversations; ++n) model_.add(name(n), model_.now, 1);
        model_.targets.clear();
    }

    void grow(const std::string& id, const std::string& words)
    {
        model_.conversations.at(id).chats.back()["message"] = words;
    }

    std::string last_message(const std::string& id)
    {
        const auto chats = store_->read([&](cache::Reader& db) { return cache::find_chats(db, {id}, 1); });
        return json::parse(chats->back())["message"];
    }
};

// A page each for what changed, then at 5, 10, 20, ... seconds after the last time, and once before polls end to list
// it: 20 polls of half a minute, or more, would have asked 240 times.
TEST_F(Unmarked, ChatsOfTwelveChangedConversationsAreFetchedSeldom)
{
    touch(12);
    run_for(minutes(11));
    EXPECT_LE(model_.chat_pages(), 12U * 10U);
    EXPECT_GE(model_.chat_pages(), 12U * 6U);
    model_.targets.clear();
    run_for(minutes(30));
    EXPECT_EQ(model_.chat_pages(), 0U) << "one at rest costs nothing";
}

TEST_F(Unmarked, MessageThatGrowsIsFollowed)
{
    touch(1);
    int last = 0;
    const auto begin = clock_.passed();
    run_until(
        [&](Engine&) {
            const auto age = clock_.passed() - begin;
            if (age < minutes(8)) grow("c0", "so many words: " + std::to_string(last = static_cast<int>(age / 1s)));
            return age > minutes(11);
        },
        100'000);
    EXPECT_GT(last, 400);
    EXPECT_EQ(last_message("c0"), "so many words: " + std::to_string(last));
}

TEST_F(Unmarked, AChangeOfTimeOrCountIsFetchedAtOnceAndBeginsAnew)
{
    for (const bool of_time : {true, false}) {
        touch(1);
        run_for(minutes(4)); // by then it is fetched every few minutes
        model_.targets.clear();
        tick();
        if (of_time)
            model_.conversations.at("c0").last = model_.now;
        else
            model_.add("c0", model_.conversations.at("c0").last, 1);
        grow("c0", of_time ? "of another time" : "one more");
        run_for(seconds(31));
        EXPECT_EQ(last_message("c0"), of_time ? "of another time" : "one more");
        run_for(seconds(90));
        EXPECT_GE(model_.chat_pages(), 3U) << of_time;
    }
}

// Where a message says itself that it is not complete, the first poll that lists it fetches it; its time and the count
// stay the same.
TEST_F(Unmarked, AMessageThatSaysItIsNotCompleteIsFetchedByTheNextPoll)
{
    touch(1);
    model_.conversations.at("c0").chats.back()["completed"] = false;
    grow("c0", "half of");
    pass();
    ASSERT_EQ(last_message("c0"), "half of");
    for (const bool done : {false, true}) { // done: not looked at any more
        clock_.advance(seconds(2));
        tick();
        model_.conversations.at("c0").chats.back()["completed"] = done;
        grow("c0", done ? "all of it" : "more of it");
        pass();
        EXPECT_EQ(last_message("c0"), done ? "all of it" : "more of it");
    }
    model_.targets.clear();
    pass();
    EXPECT_EQ(model_.chat_pages(), 0U);
}

TEST_F(Unmarked, ARunThatWasSeenBeginsAnew)
{
    touch(1);
    run_for(minutes(4));
    int asked = 0;
    const auto begin = clock_.passed();
    bool settled = false;
    run_until(
        [&](Engine& engine) {
            const auto age = clock_.passed() - begin;
            if (age >= minutes(4) && !std::exchange(settled, true)) {
                engine.settle(ConversationId{"c0"}, 1, false);
                model_.targets.clear();
            }
            asked = static_cast<int>(model_.chat_pages());
            return age >= minutes(4) + seconds(95);
        },
        100'000);
    EXPECT_GE(asked, 3);
}

} // namespace
} // namespace alli::sync

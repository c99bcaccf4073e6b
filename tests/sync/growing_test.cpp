// SPDX-License-Identifier: Apache-2.0
// Messages of which upstream says that they are not complete yet, also where later ones follow: they are read until
// they are, and a service that never says so of some is not asked for ever.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;

class Growing : public EngineTest {
  protected:
    Growing()
    {
        model_.embedded = 0;
        model_.before = [this](const upstream::Request&) -> std::optional<upstream::Reply> {
            tick();
            return std::nullopt;
        };
        tick();
    }

    void tick() { model_.now = std::chrono::floor<seconds>(clock_.now().time_since_epoch()).count(); }

    json& chat(const std::string& id, std::size_t ordinal) { return model_.conversations.at(id).chats.at(ordinal); }
    void add(const std::string& id, std::int64_t last, int count) // all complete
    {
        model_.add(id, last, count);
        for (json& chat : model_.conversations.at(id).chats) chat["completed"] = true;
    }
    void begin(json& chat)
    {
        chat["completed"] = false;
        chat["message"] = "half";
    }
    void end(json& chat)
    {
        chat["completed"] = true;
        chat["message"] = "all of it";
    }
};

TEST_F(Growing, OneInTheMiddleIsReadUntilItIsComplete)
{
    model_.add("long", model_.now, 250);
    begin(chat("long", 142));
    begin(chat("long", 249));
    pass();
    end(chat("long", 142));
    run_for(minutes(5));
    EXPECT_EQ(model_.targets.back().find("/chats?pageNo=1"), std::string::npos) << "that page holds none";
    end(chat("long", 249));
    run_for(minutes(5));
    expect_mirror_equals_model();
}

// Its page would not be asked for, where the new ones begin the next.
TEST_F(Growing, OneThatWasTheLastIsReadWithThoseThatFollow)
{
    for (const std::size_t embedded : {0, 1, 3}) {
        model_.embedded = embedded;
        const std::string id = "c" + std::to_string(embedded);
        model_.add(id, model_.now, 100);
        begin(chat(id, 99));
        pass();
        clock_.advance(minutes(1));
        tick();
        end(chat(id, 99));
        model_.add(id, model_.now, 1);
        pass();
        expect_mirror_equals_model();
    }
}

// Nothing says that "completed" is ever true of a question.
TEST_F(Growing, AServiceThatNeverSaysItOfSomeIsAskedAtDoublingPausesForADay)
{
    options_.reconcile_interval = hours(1000);
    options_.interval = minutes(5);
    for (int n = 0; n < 40; ++n) {
        const std::string id = "c" + std::to_string(n);
        add(id, model_.now - n, 4);
        for (const std::size_t question : {0, 2}) chat(id, question)["completed"] = false;
    }
    pass();
    model_.targets.clear();
    run_for(hours(25));
    EXPECT_LE(model_.chat_pages(), 40U * 16U);
    EXPECT_GE(model_.chat_pages(), 40U * 6U);
    model_.targets.clear();
    run_for(hours(48));
    EXPECT_EQ(model_.chat_pages(), 0U) << "one at rest costs nothing";
}

// What an app waits for comes between them.
TEST_F(Growing, NotAllAreReadAtOnce)
{
    for (int n = 0; n < 200; ++n) {
        const std::string id = "c" + std::to_string(n);
        add(id, model_.now - n, 2);
        chat(id, 0)["completed"] = false;
    }
    pass();
    std::size_t round = 0, before = 0;
    bool asked = false;
    model_.targets.clear();
    run_until(
        [&](Engine& engine) {
            if (!std::exchange(asked, true)) engine.wake_conversation({"c199"});
            round = std::max(round, model_.chat_pages() - std::exchange(before, model_.chat_pages()));
            return clock_.passed() > minutes(10);
        },
        100'000);
    EXPECT_GT(round, 0U);
    EXPECT_LE(round, 51U);
    EXPECT_GE(model_.chat_pages(), 200U);
}

} // namespace
} // namespace alli::sync

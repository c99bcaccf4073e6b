// SPDX-License-Identifier: Apache-2.0
// What was purged is not even asked for again, and what upstream cut off is cut off here.
#include "alli/sync_wait.hpp"
#include "cache/upkeep/purge.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;

TEST_F(EngineTest, AsksForNothingOfWhatWasPurged)
{
    model_.add("kept", 5'000, 30);
    model_.add("gone", 5'010, 30);
    pass();
    cache::PurgeOptions wish;
    wish.conversation = ConversationId{"gone"};
    sync_wait(cache::purge(*store_, wish, {}));
    model_.now += 200;
    model_.add("gone", 1'000'020, 40);
    model_.add("kept", 1'000'030, 40);
    model_.targets.clear();
    pass();
    EXPECT_THAT(model_.targets, Each(Not(HasSubstr("/gone"))));
    const auto held = [&](const char* id) {
        return store_->read([&](cache::Reader& db) { return cache::find_held(db, {id}); });
    };
    EXPECT_FALSE(held("gone"));
    EXPECT_EQ(held("kept")->chats, 70);
}

TEST_F(EngineTest, CutsOffTheChatsThatUpstreamDeleted)
{
    model_.add("a", 5'000, 30);
    pass();
    auto& chats = model_.conversations["a"].chats;
    chats.resize(20);
    model_.now += 200;
    model_.add("a", 1'000'020, 1);
    pass();
    const auto held = store_->read([](cache::Reader& db) { return cache::find_held(db, {"a"}); });
    EXPECT_EQ(held->chats, 21);
}

} // namespace
} // namespace alli::sync

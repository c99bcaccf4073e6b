// SPDX-License-Identifier: Apache-2.0
// What a read of one conversation is told beside its rows, and who stands next to it in a list.
#include "cache/read_state.hpp"

#include "cache/lists/neighbours.hpp"
#include "cache/rows/last_chat.hpp"
#include "cache/rows/problems.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

class ReadStateTest : public CacheTest {
  protected:
    ReadState state_of(const std::string& id, std::int64_t since = 0)
    {
        return store_->read([&](Reader& db) { return load_read_state(db, {id}, support::at_second(since)); });
    }
    void put_growing(const std::string& id, std::int64_t seconds)
    {
        nlohmann::json chat = support::chat_json(id, 1, seconds, "half an ans");
        chat["completed"] = false;
        TimeUnit unit = TimeUnit::seconds;
        const Chat growing = read_chat(chat.dump(), unit);
        write([&](Writer& db) {
            put_conversation(db, support::make_conversation(id, seconds));
            put_chats(db, {id}, 0, {&growing, 1});
        });
    }
    std::vector<std::string> beside(const std::string& id, Side side, int limit)
    {
        std::vector<std::string> ids;
        for (const Neighbour& one : store_->read([&](Reader& db) { return find_neighbours(db, {id}, side, limit); }))
            ids.push_back(one.id.value);
        return ids;
    }
};

TEST_F(ReadStateTest, IsWhatEachQuestionAloneSays)
{
    put("still", 1000, 3);
    put_growing("growing", 2000);
    Problem problem;
    problem.what = "it cannot be read";
    problem.conversation = "still";
    write([&](Writer& db) { put_problem(db, problem_key({"still"}), problem); });
    for (const char* id : {"still", "growing"})
        for (const std::int64_t since : {500, 1500, 1999, 2000, 2500}) {
            const ReadState state = state_of(id, since);
            store_->read([&](Reader& db) {
                const auto pk = find_pk(db, {id});
                EXPECT_EQ(state.pk, pk) << id;
                EXPECT_EQ(state.streaming, is_streaming(db, *pk, support::at_second(since))) << id << ' ' << since;
                EXPECT_EQ(state.unreadable, find_problem(db, problem_key({id})).has_value()) << id;
                return 0;
            });
        }
    EXPECT_TRUE(state_of("growing", 500).streaming);
    EXPECT_TRUE(state_of("still").unreadable);
}

TEST_F(ReadStateTest, KnowsTheProblemOfOneWithoutARow)
{
    Problem problem;
    problem.what = "it cannot be read";
    problem.conversation = "a";
    write([&](Writer& db) { put_problem(db, problem_key({"a"}), problem); });
    EXPECT_FALSE(state_of("a").pk);
    EXPECT_TRUE(state_of("a").unreadable);
    EXPECT_FALSE(state_of("b").unreadable);
}

TEST_F(ReadStateTest, NeighboursAreThoseThatFollowInTheList)
{
    put("a", 1000, 1);
    put("b", 2000, 1);
    put("c", 2000, 1);
    put("d", 3000, 1);
    put("never", 0, 0);
    EXPECT_THAT(beside("d", Side::older, 50), testing::ElementsAre("d", "c", "b", "a"));
    EXPECT_THAT(beside("c", Side::older, 2), testing::ElementsAre("c", "b"));
    EXPECT_THAT(beside("b", Side::newer, 50), testing::ElementsAre("b", "c", "d"));
    EXPECT_THAT(beside("never", Side::older, 50), testing::IsEmpty());
    EXPECT_THAT(beside("unknown", Side::newer, 50), testing::IsEmpty());
}

} // namespace
} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/status.hpp"

#include "alli/sync_wait.hpp"
#include "cache/conversations.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/rows/problems.hpp"
#include "cache/store.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {
namespace {

using testing::HasSubstr;

TEST(Status, GathersWhatIsWrongWithManyConversationsAlike)
{
    support::TempDir dir;
    cache::Store store({dir / "mirror.db", "http://upstream.test", true});
    const auto fill = [](cache::Writer& db) {
        for (int n = 0; n < 40; ++n) {
            cache::Problem problem;
            const std::string id = "c" + std::to_string(n);
            const char* field = n < 30 ? "chat.sender" : "conversation.createdAt";
            problem.what = fmt::format("fields of conversation {} cannot be read: {}", id, field);
            problem.hint = "held as it came";
            problem.conversation = id;
            cache::put_problem(db, "fields " + id, problem);
        }
        cache::Problem alone;
        alone.what = "conversation x cannot be read: it has no id";
        alone.conversation = "x";
        cache::put_problem(db, "conversation x", alone);
    };
    sync_wait(store.write(fill));
    const Json status = store.read([&](cache::Reader& db) {
        return store.read_outbox(
            [&](cache::Reader& outbox) { return make_status(db, outbox, "http://upstream.test", nullptr); });
    });
    ASSERT_EQ(status["problems"].size(), 3u) << status["problems"].dump(1);
    const std::string all = status["problems"].dump();
    EXPECT_THAT(all, HasSubstr("cannot be read: chat.sender (so are 29 more)"));
    EXPECT_THAT(all, HasSubstr("cannot be read: conversation.createdAt (so are 9 more)"));
    EXPECT_THAT(all, HasSubstr("conversation x cannot be read: it has no id\""));
}

// Of two users' conversations, with a problem, a failed and a waiting write each.
class StatusInView : public testing::Test {
  protected:
    StatusInView()
    {
        for (const std::string id : {"c-mine", "c-other", "c-other2"}) {
            const char* user = id == "c-mine" ? "u0" : "u1";
            const Json more{{"user", {{"userId", user}}}, {"llmApp", {{"id", "a0"}}}, {"title", "about " + id}};
            const Conversation made = support::make_conversation(id, 1000, nlohmann::json(more));
            std::vector<Chat> chats;
            for (int n = 0; n < 3; ++n) chats.push_back(support::make_chat(id, n, 998 + n, "hello"));
            const auto put = [&](cache::Writer& db) {
                cache::put_conversation(db, made);
                cache::put_chats(db, made.id, 0, chats);
                cache::Problem problem;
                problem.what = fmt::format("conversation {} cannot be read", id);
                problem.conversation = id;
                cache::put_problem(db, "fields " + id, problem);
            };
            sync_wait(store_.write(put));
            queue(ConversationId{id});
            fail(queue(ConversationId{id}));
        }
        fail(queue(std::nullopt));
        live_.reachable = false;
        live_.error = "c-other cannot be read";
    }

    std::int64_t queue(std::optional<ConversationId> id)
    {
        cache::NewEntry entry;
        entry.kind = id ? cache::EditKind::title : cache::EditKind::bulk_update;
        entry.conversation = std::move(id);
        entry.created_at = support::at_second(1100);
        const auto job = [&](cache::Writer& db) { return cache::accept(db, entry).id; };
        return sync_wait(store_.write_outbox(job));
    }
    void fail(std::int64_t id)
    {
        cache::Outcome outcome;
        outcome.state = cache::EntryState::failed;
        const auto job = [&](cache::Writer& db) { cache::settle(db, id, outcome, support::at_second(1200)); };
        sync_wait(store_.write_outbox(job));
    }
    Json status(const cache::Visibility& seen)
    {
        return store_.read([&](cache::Reader& db) {
            return store_.read_outbox([&](cache::Reader& outbox) {
                return make_status_in_view(db, outbox, "http://upstream.test", live_, seen);
            });
        });
    }

    support::TempDir dir_;
    cache::Store store_{{dir_ / "mirror.db", "http://upstream.test", true}};
    sync::State live_;
};

TEST_F(StatusInView, CountsTheirPartAndNamesNobody)
{
    for (const auto& [seen, conversations] :
         {std::pair{cache::Visibility{"", "u0"}, 1}, std::pair{cache::Visibility{"a0", "u1"}, 2},
          std::pair{cache::Visibility{"a0", ""}, 3}, std::pair{cache::Visibility{"a1", ""}, 0}}) {
        const Json made = status(seen);
        EXPECT_EQ(made["mirror"]["conversations"], conversations) << made.dump();
        EXPECT_EQ(made["mirror"]["chats"], 3 * conversations);
        EXPECT_EQ(made["outbox"]["pending"], conversations);
        EXPECT_EQ(made["outbox"]["failed"], conversations) << "a bulk update is in nobody's part";
        EXPECT_EQ(made.dump().find("c-"), std::string::npos) << made.dump();
        EXPECT_EQ(made["narrowed"], true);
        for (const char* of_the_whole : {"bytes", "drift", "coverage"})
            EXPECT_FALSE(made["mirror"].contains(of_the_whole)) << of_the_whole;
    }
}

} // namespace
} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// What was purged here and is still upstream does not come by in its answers.
#include "proxy/relay/suppression_filter.hpp"

#include "alli/sync_wait.hpp"
#include "cache/upkeep/purge.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace alli::proxy {
namespace {

using nlohmann::json;

class SuppressionFilter : public testing::Test {
  protected:
    SuppressionFilter()
    {
        cache::PurgeOptions wish;
        wish.user = "gone";
        sync_wait(cache::purge(store_, wish, {}));
    }

    static json conversation(const char* id, const char* user)
    {
        return {
            {"id", id}, {"user", {{"userId", user}}}, {"createdAt", 1}, {"lastChatTime", 2}, {"chats", json::array()}};
    }

    upstream::Reply filter(OperationId operation, const json& body)
    {
        upstream::Reply reply;
        reply.status = 200;
        reply.body = body.dump();
        reply.headers.add("ETag", "\"of the whole\"");
        suppress_purged(store_, operation, reply);
        return reply;
    }

    support::TempDir dir_;
    cache::Store store_{cache::StoreOptions{dir_ / "mirror.db", "http://127.0.0.1:1", false}};
};

TEST_F(SuppressionFilter, TakesWhatWasPurgedOutOfAList)
{
    const json list{{"conversations", {conversation("a", "gone"), conversation("b", "stays")}}, {"cursor", nullptr}};
    const upstream::Reply reply = filter(OperationId::list_conversations, list);
    const json left = json::parse(reply.body);
    ASSERT_EQ(left["conversations"].size(), 1U);
    EXPECT_EQ(left["conversations"][0], conversation("b", "stays"));
    EXPECT_EQ(reply.header("ETag"), nullptr) << "it is that of another body";
}

TEST_F(SuppressionFilter, MakesAPurgedConversationAbsent)
{
    for (const auto operation : {OperationId::get_conversation, OperationId::update_conversation}) {
        EXPECT_EQ(filter(operation, conversation("a", "gone")).status, 404);
        EXPECT_EQ(filter(operation, conversation("b", "stays")).status, 200);
    }
}

} // namespace
} // namespace alli::proxy

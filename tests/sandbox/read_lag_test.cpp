// SPDX-License-Identifier: Apache-2.0
#include "tests/sandbox/visitor.hpp"

#include <atomic>

namespace alli::sandbox {
namespace {

// A sandbox whose time stands still until it is moved, and whose reads lag by four seconds.
struct Lagging {
    std::shared_ptr<std::atomic<std::int64_t>> seconds = std::make_shared<std::atomic<std::int64_t>>(1'769'851'800);
    Visitor visitor{options()};
    std::string id = visitor.sandbox.add_conversation(2);
    Json before = visitor.get(path_of(id));

    Options options() const
    {
        Options made;
        made.conversations = 3;
        made.read_lag = std::chrono::seconds(4);
        made.clock = [now = seconds] { return Instant{std::chrono::seconds(now->load())}; };
        return made;
    }
    void title(const std::string& text)
    {
        const HttpReply reply = visitor.send("PUT", path_of(id, "/title"), {{"title", text}});
        EXPECT_EQ(Json::parse(reply.body).at("title"), text) << "the answer to the write does not lag";
    }
    Json shown() { return visitor.get(path_of(id)).at("title"); }
};

TEST(ReadLag, ShowsTheStateBeforeEachWriteForSoLong)
{
    Lagging lagging;
    lagging.title("first");
    *lagging.seconds += 2;
    lagging.title("second");
    EXPECT_EQ(lagging.shown(), lagging.before.at("title"));
    *lagging.seconds += 2;
    EXPECT_EQ(lagging.shown(), "first");
    *lagging.seconds += 2;
    EXPECT_EQ(lagging.shown(), "second");
    EXPECT_EQ(lagging.visitor.sandbox.writes().size(), 2u);
}

TEST(ReadLag, IsInListsFiltersCountsAndChatsToo)
{
    Lagging lagging;
    Visitor& visitor = lagging.visitor;
    const std::string chat = visitor.sandbox.chat_ids(lagging.id).back();
    lagging.title("harbour");
    EXPECT_EQ(
        visitor.send("POST", path_of(lagging.id, "/chats/" + escaped(chat) + "/feedback"), {{"rating", true}}).status,
        200);
    const std::string search = "searchTerm=harbour";
    const auto rating = [&] { return visitor.get(path_of(lagging.id, "/chats/" + escaped(chat))).at("rating"); };
    EXPECT_TRUE(visitor.walk(search).empty());
    EXPECT_TRUE(rating().is_null());
    *lagging.seconds += 4;
    EXPECT_EQ(visitor.walk(search).size(), 1u);
    EXPECT_EQ(rating(), true);

    const std::size_t all = visitor.walk("").size();
    EXPECT_EQ(visitor.send("DELETE", path_of(lagging.id)).status, 200);
    EXPECT_EQ(visitor.walk("").size(), all);
    EXPECT_EQ(visitor.status(path_of(lagging.id, "/chats")), 200);
    EXPECT_EQ(visitor.send("PUT", path_of(lagging.id, "/title"), {{"title", "late"}}).status, 404)
        << "writes find what is";
    *lagging.seconds += 4;
    EXPECT_EQ(visitor.walk("").size(), all - 1);
    EXPECT_EQ(visitor.status(path_of(lagging.id)), 404);
}

TEST(ReadLag, IsInBulkUpdatesAndLeavesTheOthersAlone)
{
    Lagging lagging;
    Visitor& visitor = lagging.visitor;
    const Json bulk{{"conversationIds", {lagging.id}}, {"conversationInfo", {{"title", "all"}}}};
    EXPECT_EQ(visitor.send("POST", std::string(list_path) + "/bulk_update", bulk).status, 200);
    EXPECT_EQ(lagging.shown(), lagging.before.at("title"));
    const std::string other = visitor.sandbox.add_conversation(1);
    EXPECT_EQ(visitor.status(path_of(other)), 200);
    visitor.sandbox.set_read_lag(std::chrono::milliseconds(0));
    EXPECT_EQ(lagging.shown(), "all");
}

} // namespace
} // namespace alli::sandbox

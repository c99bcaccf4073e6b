// SPDX-License-Identifier: Apache-2.0
#include "tests/sandbox/visitor.hpp"

namespace alli::sandbox {
namespace {

// The conversation with the most chats.
Json longest(Visitor& visitor)
{
    Json found;
    for (Json& item : visitor.walk(""))
        if (found.is_null() || item.at("chatCount") > found.at("chatCount")) found = std::move(item);
    return found;
}

TEST(Chats, ComeOldestFirstAHundredAPage)
{
    Visitor visitor;
    const Json conversation = longest(visitor);
    const auto count = conversation.at("chatCount").get<std::size_t>();
    ASSERT_GT(count, 100u);
    const std::string path = path_of(conversation.at("id").get<std::string>(), "/chats");
    std::vector<Json> chats;
    for (std::size_t page = 1; page <= (count + 99) / 100; ++page) {
        const Json answer = visitor.get(path + "?pageNo=" + std::to_string(page));
        EXPECT_EQ(answer.at("chats").size(), std::min<std::size_t>(100, count - (page - 1) * 100));
        for (const Json& chat : answer.at("chats")) chats.push_back(chat);
    }
    for (std::size_t i = 1; i < chats.size(); ++i) EXPECT_LT(chats[i - 1].at("timestamp"), chats[i].at("timestamp"));
    EXPECT_EQ(chats.back().at("timestamp"), conversation.at("lastChatTime"));
    EXPECT_TRUE(visitor.get(path + "?pageNo=99").at("chats").empty());
}

TEST(Chats, RefuseAPageThatIsNone)
{
    Visitor visitor;
    const std::string path = path_of(visitor.sandbox.conversation_ids().front(), "/chats");
    for (const std::string page : {"0", "-1", "x", ""})
        EXPECT_EQ(visitor.status(path + "?pageNo=" + page), 400) << page;
    EXPECT_EQ(visitor.status(path_of("nobody", "/chats")), 404);
}

TEST(Conversation, EmbedsItsLastTwentyChatsOldestFirst)
{
    Visitor visitor;
    const Json listed = longest(visitor);
    const Json one = visitor.get(path_of(listed.at("id").get<std::string>()));
    EXPECT_EQ(one, listed); // a list item embeds twenty as well, unless told otherwise
    EXPECT_EQ(one.at("chats").size(), 20u);
    EXPECT_EQ(one.at("chats").back().at("timestamp"), one.at("lastChatTime"));
}

TEST(Conversation, IsFoundByItsIdHoweverItIsEscaped)
{
    Visitor visitor;
    std::size_t with_slash = 0;
    for (const std::string& id : visitor.sandbox.conversation_ids()) {
        EXPECT_EQ(visitor.status(path_of(id)), 200) << id;
        EXPECT_TRUE(id.ends_with("==")) << id;
        if (id.find('/') != std::string::npos) {
            ++with_slash;
            EXPECT_NE(id.find('+'), std::string::npos);
            EXPECT_EQ(visitor.status(std::string{list_path} + '/' + id), 404); // a bare slash parts segments
            std::string twice = escaped(id);
            for (std::size_t at = 0; (at = twice.find('%', at)) != std::string::npos; at += 3)
                twice.insert(at + 1, "25");
            EXPECT_EQ(visitor.status(std::string{list_path} + '/' + twice), 404);
            std::string slash_alone = id;
            for (std::size_t at = 0; (at = slash_alone.find('/', at)) != std::string::npos;)
                slash_alone.replace(at, 1, "%2f");
            EXPECT_EQ(visitor.status(std::string{list_path} + '/' + slash_alone), 200); // a bare plus is a plus
        } else {
            EXPECT_EQ(visitor.status(std::string{list_path} + '/' + id), 200);
        }
    }
    EXPECT_GT(with_slash, 0u);
}

TEST(Conversation, UnknownIsNotFoundInTheServicesShape)
{
    Visitor visitor;
    const HttpReply reply = visitor.send("GET", path_of("Q29udmVyc2F0aW9uOjA="));
    EXPECT_EQ(reply.status, 404);
    EXPECT_EQ(Json::parse(reply.body).at("code"), 7003);
}

TEST(Chat, MayKnowMoreThanThePageDoes)
{
    Visitor visitor;
    const Json conversation = longest(visitor);
    const std::string path = path_of(conversation.at("id").get<std::string>(), "/chats");
    std::size_t more = 0;
    const Json page = visitor.get(path);
    for (const Json& chat : page.at("chats")) {
        Json one = visitor.get(path + '/' + escaped(chat.at("id").get<std::string>()));
        EXPECT_FALSE(chat.contains("intermediateSteps"));
        more += one.erase("intermediateSteps");
        EXPECT_EQ(one, chat);
    }
    EXPECT_GT(more, 0u);
}

TEST(Chat, IsNotFoundInAnotherConversation)
{
    Visitor visitor;
    const std::string one = visitor.sandbox.add_conversation(2), other = visitor.sandbox.add_conversation(2);
    const std::string chat = visitor.sandbox.chat_ids(one).front();
    EXPECT_EQ(visitor.status(path_of(one, "/chats/" + escaped(chat))), 200);
    EXPECT_EQ(visitor.status(path_of(other, "/chats/" + escaped(chat))), 404);
}

TEST(Chat, ThatIsNewMovesTheConversationToTheFront)
{
    Visitor visitor;
    const std::string id = ids_of(visitor.walk(""))[120];
    const Json before = visitor.get(path_of(id));
    const std::string chat = visitor.sandbox.add_chat(id, "AGENT", "여행 \"quoted\" \\ \n line\x01");
    const Json first = visitor.walk("").front();
    EXPECT_EQ(first.at("id"), id);
    EXPECT_EQ(first.at("chatCount"), before.at("chatCount").get<int>() + 1);
    EXPECT_GT(first.at("lastChatTime"), before.at("lastChatTime"));
    EXPECT_EQ(first.at("chats").back().at("id"), chat);
    EXPECT_EQ(first.at("chats").back().at("sender"), "AGENT");
    EXPECT_EQ(first.at("chats").back().at("message"), "여행 \"quoted\" \\ \n line\x01");
}

TEST(Chat, ThatStillGrowsMovesNoClock)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(1);
    EXPECT_EQ(visitor.get(path_of(id, "/running")).at("isRunning"), false);
    visitor.sandbox.begin_answer(id, "One");
    const Json begun = visitor.get(path_of(id));
    EXPECT_EQ(begun.at("chats").back().at("completed"), false);
    EXPECT_EQ(visitor.get(path_of(id, "/running")).at("isRunning"), true);
    EXPECT_EQ(ids_of(visitor.walk("backgroundRunning=true")), std::vector{id});

    visitor.sandbox.grow_answer(id, ", two");
    const Json grown = visitor.get(path_of(id));
    EXPECT_EQ(grown.at("chats").back().at("message"), "One, two");
    EXPECT_EQ(grown.at("lastChatTime"), begun.at("lastChatTime"));

    EXPECT_EQ(visitor.send("POST", path_of(id, "/stop")).status, 200);
    EXPECT_EQ(visitor.get(path_of(id, "/running")).at("isRunning"), false);
    EXPECT_EQ(visitor.get(path_of(id)).at("chats").back().at("completed"), true);
}

} // namespace
} // namespace alli::sandbox

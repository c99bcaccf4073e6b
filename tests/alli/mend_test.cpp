// SPDX-License-Identifier: Apache-2.0
// Pages whose structure breaks within an item: what is left of them can be read, and nothing is made up.
#include "alli/error.hpp"
#include "alli/wire.hpp"

#include <gmock/gmock.h>

namespace alli {
namespace {

using testing::ElementsAre;

TimeUnit seconds_unit()
{
    return TimeUnit::seconds;
}

Conversation salvaged(const std::string& body)
{
    TimeUnit unit = seconds_unit();
    return salvage_conversation_page(body, unit).conversations.at(0);
}

std::vector<std::string> raws(const std::string& body, std::size_t expected)
{
    TimeUnit unit = seconds_unit();
    std::vector<std::string> texts;
    for (const Chat& chat : salvage_chat_page(body, unit, expected)) texts.push_back(chat.raw);
    return texts;
}

TEST(Mend, ItemKeepsTheMembersBeforeItsBreakAndItsLastChatTime)
{
    const struct {
        const char *item, *left;
    } cases[] = {
        {R"({"id":"a","title":"say "hi" to","lastChatTime":17})", R"({"id":"a","lastChatTime":17})"},
        {R"({"id":"a","lastChatTime":17,"title":"cut sho)", R"({"id":"a","lastChatTime":17})"},
        {R"({"id":"a","chatCount": 2 ,"user":{"firstName":"A"B"},"lastChatTime":17})",
         R"({"id":"a","chatCount": 2,"lastChatTime":17})"},
        {R"({ "id" : "a", "chats":[{"id":"x","message":"5" screen"}] , "lastChatTime" : 17.5})",
         R"({ "id" : "a","lastChatTime" : 17.5})"},
        {R"({"id":"a","memo":"it says \"lastChatTime\":99 "x","lastChatTime":17})", R"({"id":"a","lastChatTime":17})"},
        {R"({"id":"a","lastChatTime":17,"x":{"y":[1,2}})", R"({"id":"a","lastChatTime":17})"},
    };
    for (const auto& it : cases) {
        SCOPED_TRACE(it.item);
        const Conversation left = salvaged(R"({"conversations":[)" + std::string(it.item) + R"(],"cursor":"n"})");
        EXPECT_EQ(left.raw, it.left);
        EXPECT_EQ(left.id.value, "a");
        EXPECT_TRUE(left.partial);
    }
}

TEST(Mend, PageWithoutAnIdOrATimeOrOfMoreThanOneIsNotGuessedAt)
{
    const char* bodies[] = {
        "",
        "<html>",
        R"({"conversations":"none"})",
        R"({"conversations":[]})",
        R"({"conversations":[{"title":"a"b","id":"a","lastChatTime":17}]})",
        R"({"conversations":[{"id":"a","title":"a"b"}]})",
        R"({"conversations":[{"id":"a","title":"a"b","lastChatTime":"never"}]})",
        R"({"conversations":[{"id":"a","title":"a"b","lastChatTime":1},{"id":"b","lastChatTime":2}]})",
        R"({"conversations":[{"id":"a","title":"a"b","lastChatTime":1,"x":{"lastChatTime":2}}]})",
        R"({"conversations":[{"user":{"id":"u","na)",
    };
    for (const char* body : bodies) EXPECT_THROW(salvaged(body), Error) << body;
}

TEST(Mend, CursorThatIsNotThereIsLostNotTheEnd)
{
    TimeUnit unit = seconds_unit();
    const std::string item = R"({"conversations":[{"id":"a","lastChatTime":17,"title":"a"b"})";
    const auto page = salvage_conversation_page(item + R"(],"cursor":"more"})", unit);
    EXPECT_EQ(page.cursor, "more");
    EXPECT_FALSE(page.cursor_lost);
    const auto last = salvage_conversation_page(item + R"(],"cursor": null })", unit);
    EXPECT_EQ(last.cursor, std::nullopt);
    EXPECT_FALSE(last.cursor_lost);
    for (const char* end : {"]", R"(],"curs)", R"(],"cursor":"mo)", R"(],"cursor":"more")"})
        EXPECT_TRUE(salvage_conversation_page(item + end, unit).cursor_lost) << end;
}

TEST(Mend, ChatsAroundABrokenOneAreWholeAndInOrder)
{
    const std::string a = R"({"id":"1","sender":"USER","message":"one","citations":[{"id":"x"},{"id":"y"}]})",
                      c = R"({"id":"3","sender":"BOT","message":"three"})";
    const std::string body = R"({"chats":[)" + a +
                             R"(, {"id":"2","sender":"BOT","message":"a "b","citations":[{"id":"q"},{"id":"r"}]}, )" +
                             c + "]}";
    EXPECT_THAT(raws(body, 3), ElementsAre(a, R"({"id":"2","sender":"BOT"})", c));
    EXPECT_THROW(raws(body, 2), Error) << "one too many";
    EXPECT_THROW(raws(body, 4), Error) << "one is lost";
    EXPECT_THROW(raws(body.substr(0, body.find("three")), 4), Error);
}

TEST(Mend, NothingIsNoPageOfNoChats)
{
    for (const char* body : {R"({"chats":"soon","id":7})", "", R"({"chats":[]})", R"({"chats":["x)"})
        EXPECT_THROW(raws(body, 0), Error) << body;
}

TEST(Mend, SoundPageIsLeftAsItIs)
{
    const std::string a = R"({"id":"1","x":[{"a":1},{"b":"}"}]})", b = R"({"id":"2","n":NaN})";
    EXPECT_THAT(raws(R"({"chats": [ )" + a + " , " + b + " ]}", 2), ElementsAre(a, b));
}

} // namespace
} // namespace alli

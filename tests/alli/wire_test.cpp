// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "alli/wire.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* page = R"({ "extra": [1,{"a":null}], "conversations": [
  {"id":"Q29u==","title":"\uc5ec\ud589","user":{"userId":"u1","firstName":"Mina","lastName":null,"x":1},
   "createdAt":1615246647609.5,"lastChatTime":1615246650000,"isEnd":true,"categories":["a","b"],
   "chats" : [ {"id":"c1","sender":"USER","message":"hi \"there\"","timestamp":1615246649000} ,
     {"id":"c2","sender":"BOT","message":null,"timestamp":1615246650000,"completed":false} ] ,
   "chatCount":2,"llmApp":{"id":"app","name":"n"},"later":{"deep":[true]}},
  {"id":"b","title":null,"user":null,"lastChatTime":null} ],
  "cursor":"next" } )";

TEST(Wire, TakesAPageApartAndKeepsEveryByteOfIt)
{
    TimeUnit unit = TimeUnit::unknown;
    const auto read = read_conversation_page(page, unit);
    EXPECT_EQ(unit, TimeUnit::milliseconds);
    EXPECT_EQ(read.cursor, "next");
    ASSERT_EQ(read.conversations.size(), 2U);

    const Conversation& first = read.conversations[0];
    EXPECT_EQ(first.id.value, "Q29u==");
    EXPECT_EQ(first.title, "여행");
    EXPECT_EQ(first.user_id, "u1");
    EXPECT_EQ(first.user_name, "Mina");
    EXPECT_EQ(first.app_id, "app");
    EXPECT_EQ(first.chat_count, 2);
    EXPECT_TRUE(first.is_end);
    EXPECT_THAT(first.categories, ElementsAre("a", "b"));
    EXPECT_EQ(first.created_at->time_since_epoch().count(), 1615246647609500);

    ASSERT_EQ(first.chats.size(), 2U);
    EXPECT_EQ(first.chats[0].raw, R"({"id":"c1","sender":"USER","message":"hi \"there\"","timestamp":1615246649000})");
    EXPECT_FALSE(first.chats[1].completed);

    EXPECT_THAT(first.raw, HasSubstr(R"("chats" : [] ,)"));
    ASSERT_TRUE(first.chats_at);
    EXPECT_EQ(first.raw.substr(*first.chats_at - 1, 2), "[]");
    EXPECT_TRUE(first.raw.ends_with(R"("later":{"deep":[true]}})"));

    EXPECT_FALSE(read.conversations[1].chats_at);
    EXPECT_FALSE(read.conversations[1].last_chat_at);
    EXPECT_EQ(read.conversations[1].raw, R"({"id":"b","title":null,"user":null,"lastChatTime":null})");
}

TEST(Wire, TakesVariablesOutThatWereAskedFor)
{
    const std::vector<std::string> names{"plan", "visits"};
    const auto read = [&](const std::string& item) {
        TimeUnit unit = TimeUnit::seconds;
        return read_conversation_page(R"({"conversations":[)" + item + "]}", unit, names).conversations.at(0);
    };
    const std::string chats = R"("chats":[{"id":"c1"}])",
                      variables = R"("variables" : {"plan":"g\"old", "visits":1.50})";
    for (const auto& [with, without] : std::vector<std::pair<std::string, std::string>>{
             {R"({"id":"a",)" + chats + "," + variables + "}", R"({"id":"a","chats":[]})"},
             {R"({"id":"a",)" + chats + " ,\n " + variables + R"( ,"later":1})",
              R"({"id":"a","chats":[]  ,"later":1})"},
             {R"({"id":"a", )" + variables + ", " + chats + "}", R"({"id":"a", "chats":[]})"},
             {"{ " + variables + R"( , "id":"a",)" + chats + "}", R"({  "id":"a","chats":[]})"},
             {R"({"x":{)" + variables + R"(},"id":"a",)" + variables + "," + chats + "}",
              R"({"x":{)" + variables + R"(},"id":"a","chats":[]})"}}) {
        const Conversation made = read(with);
        EXPECT_EQ(made.raw, without);
        EXPECT_EQ(made.variables, R"({"plan":"g\"old", "visits":1.50})");
        ASSERT_TRUE(made.chats_at);
        EXPECT_EQ(made.raw.substr(*made.chats_at - 1, 2), "[]") << made.raw;
    }
    const std::string always = R"({"id":"a","variables":{"plan":"gold","own":1}})";
    EXPECT_EQ(read(always).raw, always) << "nobody asked for `own`: it always comes";
    EXPECT_FALSE(read(always).variables);
    EXPECT_FALSE(read(R"({"id":"a","variables":null})").variables);
}

TEST(Wire, RefusesWhatItCannotReadWhole)
{
    for (const char* body :
         {"", "null", "[]", "<html>", "{\"conversations\":[", R"({"cursor":null})", R"({"conversations":{}})",
          R"({"conversations":null})", R"({"conversations":[{"id":"a","x":"})", R"({"conversations":[{"id":"a"]})",
          R"({"conversations":[],"cursor":{}})", R"({"conversations":[],"cursor":true})", R"({"result":[]})",
          R"({"error":{"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})", R"({"conversations":[]} {)"}) {
        TimeUnit unit = TimeUnit::unknown;
        EXPECT_THROW(
            {
                try {
                    read_conversation_page(body, unit);
                } catch (const Error& error) {
                    EXPECT_EQ(error.fault(), Fault::bad_reply) << body;
                    throw;
                }
            },
            Error)
            << body;
    }
}

TEST(Wire, LeavesAForcedUnitAlone)
{
    TimeUnit unit = TimeUnit::seconds;
    const Chat chat = read_chat(R"({"id":"c","timestamp":1615246647609})", unit);
    EXPECT_EQ(unit, TimeUnit::seconds);
    EXPECT_EQ(chat.sent_at->time_since_epoch().count(), 1615246647609000000);
}

TEST(Wire, ReadsAPageOfChats)
{
    TimeUnit unit = TimeUnit::unknown;
    EXPECT_TRUE(read_chat_page(R"({"chats":[]})", unit).empty());
    EXPECT_EQ(read_chat_page(R"({"more":1,"chats":[{"id":"1"},{"id":"2"}]})", unit).size(), 2U);
    EXPECT_THROW(read_chat_page(R"({"chats":null})", unit), Error);
}

} // namespace
} // namespace alli

// SPDX-License-Identifier: Apache-2.0
#include "upstream/target.hpp"

#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;

TEST(Target, KeepsTheUnreservedAndEncodesAllElse)
{
    EXPECT_EQ(percent_encoded("AZaz09-._~"), "AZaz09-._~");
    EXPECT_EQ(percent_encoded("=+/ %&?#"), "%3D%2B%2F%20%25%26%3F%23");
    EXPECT_EQ(percent_encoded("여"), "%EC%97%AC");
    EXPECT_EQ(percent_encoded(std::string("\0\xff", 2)), "%00%FF");
}

TEST(Target, NamesAConversationAndAChat)
{
    EXPECT_EQ(conversation_target(ConversationId{"a=="}), "/webapi/v2/conversations/a%3D%3D");
    EXPECT_EQ(chat_target(ConversationId{"a/b"}, ChatId{"c+"}, "/feedback"),
              "/webapi/v2/conversations/a%2Fb/chats/c%2B/feedback");
}

TEST(Target, AddsParametersBehindAnyThatAreThere)
{
    std::string target = "/x";
    add_query(target, "a", "1 2");
    add_query(target, "b", "=");
    EXPECT_EQ(target, "/x?a=1%202&b=%3D");
    std::string given = "/count?project=1";
    add_query(given, "a", "1");
    EXPECT_EQ(given, "/count?project=1&a=1");
}

} // namespace

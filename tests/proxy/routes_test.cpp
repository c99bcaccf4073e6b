// SPDX-License-Identifier: Apache-2.0
#include "proxy/routes.hpp"

#include "alli/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

using testing::ElementsAre;

std::string_view operation(std::string_view method, std::string_view path)
{
    const Match match = find_route(method, path);
    return match.route ? match.route->operation : std::string_view("none");
}

TEST(Routes, NameEveryOperationOfTheContract)
{
    const std::string base = "/webapi/v2/conversations";
    EXPECT_EQ(operation("GET", base), "listConversations");
    EXPECT_EQ(operation("HEAD", base), "listConversations");
    EXPECT_EQ(operation("GET", base + "/daily_count"), "dailyConversationCount");
    EXPECT_EQ(operation("GET", base + "/abc"), "getConversation");
    EXPECT_EQ(operation("GET", base + "/abc/chats"), "listChats");
    EXPECT_EQ(operation("GET", base + "/abc/chats/def"), "getChat");
    EXPECT_EQ(operation("GET", base + "/abc/running"), "isConversationRunning");
    EXPECT_EQ(operation("POST", base + "/bulk_update"), "bulkUpdateConversations");
    EXPECT_EQ(operation("POST", base + "/abc"), "updateConversation");
    EXPECT_EQ(operation("PUT", base + "/abc"), "updateConversation");
    EXPECT_EQ(operation("DELETE", base + "/abc"), "deleteConversation");
    EXPECT_EQ(operation("POST", base + "/abc/chats/def/feedback"), "rateChat");
    EXPECT_EQ(operation("POST", base + "/abc/stop"), "stopConversation");
    EXPECT_EQ(operation("PATCH", base + "/abc/title"), "setConversationTitle");
}

TEST(Routes, DecodeIdsOnceAfterMatching)
{
    EXPECT_THAT(find_route("GET", "/webapi/v2/conversations/Q29u%2FdmVy%3D%3D").ids, ElementsAre("Q29u/dmVy=="));
    EXPECT_THAT(find_route("GET", "/webapi/v2/conversations/a/chats/b+%2520").ids, ElementsAre("a", "b+%20"));
}

TEST(Routes, MatchWholePathsOnly)
{
    EXPECT_EQ(operation("GET", "/webapi/v2/conversations/"), "none");
    EXPECT_EQ(operation("GET", "/webapi/v2/conversations//chats"), "none");
    EXPECT_EQ(operation("GET", "//webapi/v2/conversations"), "none");
    EXPECT_EQ(operation("GET", "/webapi/v2/conversations/a/b"), "none");
    EXPECT_EQ(operation("GET", "/healthz/"), "none");
    EXPECT_EQ(operation("GET", "/webapi%2Fv2/conversations"), "none");
}

TEST(Routes, SayWhatAPathTakes)
{
    EXPECT_EQ(find_route("POST", "/mirror/v1/status").allow, "GET, HEAD");
    EXPECT_EQ(find_route("LOCK", "/webapi/v2/conversations/abc").allow, "GET, HEAD, PUT, PATCH, POST, DELETE");
    EXPECT_EQ(find_route("GET", "/nothing").allow, "");
}

TEST(Routes, RefuseAPathThatMustNotBe)
{
    for (const char* bad :
         {"/webapi/../x", "/webapi/%2e%2e/x", "/webapi/..%2fx", "/webapi/.%2e/x", "/webapi/v2/conversations/%00",
          "/webapi/v2/conversations/%0d%0aAPI-KEY:x", "/webapi/%zz", "/other/%"})
        EXPECT_THROW(find_route("GET", bad), Error) << bad;
}

} // namespace
} // namespace alli::proxy

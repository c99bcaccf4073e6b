// SPDX-License-Identifier: Apache-2.0
#include "proxy/route_map.hpp"

#include "alli/error.hpp"
#include "proxy/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

using testing::ElementsAre;

Match find_route(std::string_view method, std::string_view path)
{
    return RouteMap(routes(), Operations{}).find(method, path);
}

std::string_view operation(const Operations& set, std::string_view method, std::string_view path)
{
    const Match match = RouteMap(routes(), set).find(method, path);
    return match.route ? name_of(match.route->operation) : std::string_view("none");
}

std::string_view operation(std::string_view method, std::string_view path)
{
    return operation(Operations{}, method, path);
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

TEST(Routes, FindAnOperationWhereTheSettingHasIt)
{
    Operations set;
    set.title = {"POST", "/webapi/conversation_title/{id}"};
    set.remove = {"POST", "/webapi/v2/conversations/{id}/delete"};
    set.daily_count = {"GET", "/webapi/v2/conversations/counts"};
    const std::string base = "/webapi/v2/conversations";
    for (const char* method : {"PUT", "PATCH", "POST"})
        EXPECT_EQ(operation(set, method, "/webapi/conversation_title/a%3D"), "setConversationTitle") << method;
    EXPECT_EQ(RouteMap(routes(), set).find("POST", "/webapi/conversation_title/a%3D").ids,
              std::vector<std::string>{"a="});
    EXPECT_EQ(operation(set, "PUT", base + "/a/title"), "none") << "upstream has nothing there, or something else";
    EXPECT_EQ(operation(set, "DELETE", "/webapi/conversation_title/a"), "none");
    EXPECT_EQ(operation(set, "POST", base + "/a/delete"), "deleteConversation");
    EXPECT_EQ(operation(set, "DELETE", base + "/a/delete"), "none");
    EXPECT_EQ(operation(set, "DELETE", base + "/a"), "none");
    EXPECT_EQ(operation(set, "GET", base + "/counts"), "dailyConversationCount");
    EXPECT_EQ(operation(set, "GET", base + "/daily_count"), "dailyConversationCount");
    EXPECT_EQ(operation(set, "GET", base + "/a"), "getConversation");
}

TEST(Routes, GiveAMethodToTheOperationThatHasItForItsOwn)
{
    Operations set;
    set.remove = {"POST", "/webapi/v2/conversations/{id}"};
    EXPECT_EQ(operation(set, "POST", "/webapi/v2/conversations/a"), "deleteConversation");
    EXPECT_EQ(operation(set, "PATCH", "/webapi/v2/conversations/a"), "updateConversation");
    EXPECT_EQ(operation(set, "POST", "/webapi/v2/conversations/bulk_update"), "bulkUpdateConversations");
    set = {};
    set.update = {"PUT", "/webapi/v2/conversations/{id}/stop"};
    EXPECT_EQ(operation(set, "POST", "/webapi/v2/conversations/a/stop"), "stopConversation") << "documented";
    EXPECT_EQ(operation(set, "PATCH", "/webapi/v2/conversations/a/stop"), "updateConversation");
}

TEST(Routes, NoSettingTakesWhatIsDocumented)
{
    EXPECT_NE(find_documented(routes(), "POST", "/webapi/v2/conversations/{id}/stop"), nullptr);
    EXPECT_NE(find_documented(routes(), "GET", "/webapi/v2/conversations"), nullptr);
    EXPECT_EQ(find_documented(routes(), "PUT", "/webapi/v2/conversations/{id}/stop"), nullptr);
    EXPECT_EQ(find_documented(routes(), "GET", "/webapi/v2/conversations/daily_count"), nullptr) << "inferred";
}

TEST(Routes, DecodeIdsOnceAfterMatching)
{
    EXPECT_THAT(find_route("GET", "/webapi/v2/conversations/Q29u%2FdmVy%3D%3D").ids, ElementsAre("Q29u/dmVy=="));
    EXPECT_THAT(find_route("GET", "/webapi/v2/conversations/a/chats/b+%2520").ids, ElementsAre("a", "b+%20"));
}

TEST(Routes, TakeAnEncodedLetterForTheLetter)
{
    EXPECT_EQ(operation("POST", "/webapi/v2/conversations/bulk%5Fupdate"), "bulkUpdateConversations");
    EXPECT_EQ(operation("GET", "/webapi/v2/conversations/daily%5fcount"), "dailyConversationCount");
    EXPECT_EQ(operation("GET", "/web%61pi/v2/conversations/a/ch%61ts"), "listChats");
    EXPECT_EQ(operation("GET", "/webapi/v2/conversations/a%2Fchats"), "getConversation") << "an id";
    const Match relayed = find_route("POST", "/webapi/v2/conv%65rsations/a%3D/run");
    EXPECT_EQ(relayed.route, nullptr);
    EXPECT_EQ(relayed.conversation.value_or(ConversationId{}).value, "a=");
    EXPECT_FALSE(find_route("POST", "/webapi/v2/conversations/bulk%5Fupdate/x").conversation);
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

TEST(Routes, NameTheConversationThatAPathIsAbout)
{
    const auto conversation = [](std::string_view method, std::string_view path) {
        const Match match = find_route(method, path);
        return match.conversation ? match.conversation->value : std::string("none");
    };
    const std::string base = "/webapi/v2/conversations";
    EXPECT_EQ(conversation("GET", base + "/a%3D"), "a=");
    EXPECT_EQ(conversation("POST", base + "/a/chats/m/feedback"), "a");
    EXPECT_EQ(conversation("POST", base + "/a/run"), "a") << "relayed, and about it all the same";
    EXPECT_EQ(conversation("OPTIONS", base + "/a"), "a");
    for (const char* none : {"", "/", "/bulk_update/x", "/daily_count"})
        EXPECT_EQ(conversation("GET", base + none), "none") << none;
    EXPECT_EQ(conversation("GET", "/mirror/v1/outbox/7"), "none") << "an entry's id";
    Operations set;
    set.title = {"POST", "/webapi/conversation_title/{id}"};
    EXPECT_EQ(RouteMap(routes(), set).find("POST", "/webapi/conversation_title/a").conversation, ConversationId{"a"});
}

} // namespace
} // namespace alli::proxy

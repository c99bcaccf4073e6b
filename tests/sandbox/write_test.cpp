// SPDX-License-Identifier: Apache-2.0
#include "tests/sandbox/visitor.hpp"

namespace alli::sandbox {
namespace {

TEST(Title, IsSetByWhateverMethodAClientGuesses)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(2);
    const Json before = visitor.get(path_of(id));
    for (const std::string method : {"PUT", "PATCH", "POST"}) {
        const HttpReply reply = visitor.send(method, path_of(id, "/title"), {{"title", method + " 제목"}});
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(Json::parse(reply.body).at("title"), method + " 제목");
    }
    Json after = visitor.get(path_of(id));
    EXPECT_EQ(after.at("title"), "POST 제목");
    EXPECT_EQ(after.at("lastChatTime"), before.at("lastChatTime")); // moves no clock
    EXPECT_EQ(visitor.sandbox.writes().size(), 3u);
    EXPECT_EQ(visitor.sandbox.writes().front().operation, "setConversationTitle");
    EXPECT_EQ(visitor.sandbox.writes().front().conversation_id, id);
    EXPECT_EQ(visitor.send("PUT", path_of(id, "/title"), {{"name", "x"}}).status, 400);
    EXPECT_EQ(visitor.send("PUT", path_of(id, "/title"), {{"title", nullptr}}).status, 400);
}

TEST(Update, SetsTheFieldsThatWereSentAndNoOthers)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(2);
    const Json before = visitor.get(path_of(id));
    const Json edit{{"state", "CLOSED"}, {"assignee", nullptr}, {"categoryIds", {"a", "b"}}};
    for (const std::string method : {"PUT", "PATCH", "POST"}) {
        const HttpReply reply = visitor.send(method, path_of(id), edit);
        EXPECT_EQ(reply.status, 200);
        Json expected = before;
        expected["state"] = "CLOSED";
        expected["assignee"] = nullptr;
        expected["categories"] = {"a", "b"};
        EXPECT_EQ(Json::parse(reply.body), expected);
        EXPECT_EQ(visitor.get(path_of(id)), expected);
    }
}

TEST(Update, WithABadBodyChangesNothing)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(2);
    const Json before = visitor.get(path_of(id));
    const HttpReply reply = visitor.connection.send("PUT", path_of(id), support::sandbox_key(), "{\"title\":");
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(Json::parse(reply.body), Json::parse(R"({"result":[],"errors":"content must be JSON deserializable!"})"));
    EXPECT_EQ(visitor.send("PUT", path_of(id), {{"title", "new"}, {"state", 7}}).status, 400);
    EXPECT_EQ(visitor.send("PUT", path_of(id), {{"title", "new"}, {"categoryIds", {1}}}).status, 400);
    EXPECT_EQ(visitor.send("PUT", path_of(id), Json::array({1})).status, 400);
    EXPECT_EQ(visitor.get(path_of(id)), before);
    EXPECT_TRUE(visitor.sandbox.writes().empty());
}

TEST(BulkUpdate, SelectsByAllKindsAndAnyOfEach)
{
    Visitor visitor;
    const auto apps = visitor.sandbox.app_ids();
    const auto all = visitor.walk("");
    const Json body{{"llmAppIds", {apps[0], apps[1]}},
                    {"categoryIds", {visitor.category_id("archive")}},
                    {"conversationInfo", {{"state", "SWEPT"}}}};
    const HttpReply reply = visitor.send("POST", std::string{list_path} + "/bulk_update", body);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "");

    std::size_t swept = 0;
    for (const Json& item : visitor.walk("")) {
        const bool app =
            item["llmApp"].is_object() && (item["llmApp"]["id"] == apps[0] || item["llmApp"]["id"] == apps[1]);
        const bool archived = item["categories"].dump().find("archive") != std::string::npos;
        EXPECT_EQ(item["state"] == "SWEPT", app && archived);
        swept += item["state"] == "SWEPT" ? 1u : 0u;
    }
    EXPECT_GT(swept, 0u);
    EXPECT_LT(swept, all.size());
}

TEST(BulkUpdate, TakesSeveralConversationsAndRefusesNoFilter)
{
    Visitor visitor;
    const auto ids = visitor.sandbox.conversation_ids();
    const std::string path = std::string{list_path} + "/bulk_update";
    const Json info{{"title", "same"}};
    EXPECT_EQ(
        visitor.send("POST", path, {{"conversationIds", {ids[0], ids[1], "gone"}}, {"conversationInfo", info}}).status,
        200);
    EXPECT_EQ(visitor.get(path_of(ids[1])).at("title"), "same");
    EXPECT_NE(visitor.get(path_of(ids[2])).at("title"), "same");
    EXPECT_EQ(visitor.send("POST", path, {{"conversationInfo", info}}).status, 400);
    EXPECT_EQ(visitor.send("POST", path, {{"userIds", Json::array()}, {"conversationInfo", info}}).status, 400);
    EXPECT_EQ(visitor.send("POST", path, {{"userIds", {"u"}}}).status, 400);
    EXPECT_EQ(visitor.send("PUT", path, {{"conversationInfo", info}}).status, 405);
}

TEST(Delete, MakesItUnknownEverywhere)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.conversation_ids()[7];
    EXPECT_EQ(visitor.send("DELETE", path_of(id)).status, 200);
    EXPECT_EQ(visitor.status(path_of(id)), 404);
    EXPECT_EQ(visitor.status(path_of(id, "/chats")), 404);
    EXPECT_EQ(visitor.send("DELETE", path_of(id)).status, 404);
    const auto ids = ids_of(visitor.walk(""));
    EXPECT_EQ(ids.size(), 199u);
    EXPECT_EQ(std::find(ids.begin(), ids.end(), id), ids.end());
}

TEST(Feedback, IsSetOnTheChatAndAnswersIt)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(30);
    const auto chats = visitor.sandbox.chat_ids(id);
    const std::string path = path_of(id, "/chats/" + escaped(chats[15]));
    const Json before = visitor.get(path_of(id, "/chats"));
    const HttpReply reply =
        visitor.send("POST", path + "/feedback", {{"rating", true}, {"suggestedAnswer", "온천 at 7"}});
    EXPECT_EQ(reply.status, 200);
    const Json rated = Json::parse(reply.body);
    EXPECT_EQ(rated.at("id"), chats[15]);
    EXPECT_EQ(rated.at("rating"), true);
    EXPECT_EQ(rated.at("suggestedAnswer"), "온천 at 7");
    EXPECT_FALSE(rated.contains("feedbackSelection"));

    Json expected = before; // every other chat stays as it was
    expected["chats"][15] = rated;
    EXPECT_EQ(visitor.get(path_of(id, "/chats")), expected);
    EXPECT_EQ(visitor.get(path_of(id)).at("chats").at(5), rated);
    EXPECT_EQ(visitor.send("POST", path + "/feedback", {{"rating", nullptr}}).status, 200);
    EXPECT_TRUE(visitor.get(path_of(id, "/chats")).at("chats").at(15).at("rating").is_null());
    EXPECT_EQ(visitor.send("POST", path + "/feedback", {{"rating", "good"}}).status, 400);
    EXPECT_EQ(visitor.send("POST", path_of(id, "/chats/none/feedback"), {{"rating", true}}).status, 404);
}

TEST(App, RunsAndMakesAConversationForTheUserOfTheCall)
{
    Visitor visitor{{.run_time = std::chrono::milliseconds(20)}};
    const Json apps = visitor.get("/webapi/apps").at("apps");
    ASSERT_GE(apps.size(), 3u);
    const std::string path = "/webapi/apps/" + escaped(apps[0].at("id").get<std::string>()) + "/run";
    const Headers headers{
        {"API-KEY", "sandbox"}, {"OWN-USER-ID", "base64:7Jes7ZaJ7J6Q"}, {"USER-EMAIL", "a@example.com"}};
    const HttpReply reply = visitor.connection.send("POST", path, headers, R"({"chat":{"message":"旅館 please"}})");
    ASSERT_EQ(reply.status, 200) << reply.body;
    const Json answer = Json::parse(reply.body);
    EXPECT_TRUE(answer.at("result").is_object());

    const Json made = visitor.get(path_of(answer.at("result").at("conversation").at("id").get<std::string>()));
    EXPECT_EQ(made.at("user").at("userId"), "여행자");
    EXPECT_EQ(made.at("user").at("email"), "a@example.com");
    EXPECT_EQ(made.at("llmApp"), apps[0]);
    ASSERT_EQ(made.at("chats").size(), 2u);
    EXPECT_EQ(made.at("chats")[0].at("message"), "旅館 please");
    EXPECT_EQ(made.at("chats")[1].at("sender"), "BOT");
    EXPECT_EQ(visitor.walk("").front().at("id"), made.at("id"));
    EXPECT_EQ(visitor.send("POST", "/webapi/apps/none/run", {{"message", "x"}}).status, 404);
    for (const char* id : {"base64:/w==", "base64:!", "\xff"})
        EXPECT_EQ(visitor.connection.send("GET", list_path, {{"API-KEY", "sandbox"}, {"OWN-USER-ID", id}}).status, 400)
            << id;
}

} // namespace
} // namespace alli::sandbox

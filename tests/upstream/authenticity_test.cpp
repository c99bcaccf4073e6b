// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "tests/support/foreign_answers.hpp"
#include "upstream/absence.hpp"
#include "upstream/authenticity.hpp"
#include "upstream/members.hpp"
#include "upstream/same_id.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using testing::HasSubstr;

constexpr auto all_shapes = {Shape::conversation, Shape::chats, Shape::chat, Shape::running, Shape::nothing};

Reply says(int status, std::string body, std::string type = "application/json")
{
    Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    reply.headers.add("Content-Type", std::move(type));
    return reply;
}

Authenticity conversation(std::string body, std::string_view id = "Q29udmVyc2F0aW9uOjYwMDY=")
{
    return authenticity_of(says(200, std::move(body)), Expected{Shape::conversation, id});
}

TEST(Authenticity, NoForeignAnswerIsTheServices)
{
    for (const auto& answer : support::foreign_answers())
        for (const Shape shape : all_shapes) {
            const Authenticity authenticity = authenticity_of(support::reply_of(answer), Expected{shape, "a"});
            EXPECT_EQ(authenticity, answer.empty_success ? Authenticity::unproven : Authenticity::foreign)
                << answer.name << ", " << static_cast<int>(shape);
        }
}

TEST(Authenticity, ErrorOfTheServiceIsItsOwn)
{
    for (const int status : {400, 401, 402, 403, 409, 413, 422, 500, 503})
        for (const char* body : {R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})",
                                 R"({"result":[],"errors":"content must be JSON deserializable!"})",
                                 R"({"type":"APIError","code":7001,"message":"no"})",
                                 R"({"type":"about:blank","title":"x","status":422,"detail":"y"})", R"({"code":7003})",
                                 R"({"error":"no"})", R"({"fields":{"title":["too long"]}})"})
            for (const char* type : {"application/json", "text/html", "text/plain", ""})
                EXPECT_EQ(authenticity_of(says(status, body, type), Expected{}), Authenticity::service)
                    << status << body << type;
    EXPECT_EQ(authenticity_of(says(405, "Method not allowed", "text/html"), Expected{}), Authenticity::service);
    EXPECT_EQ(authenticity_of(says(400, R"({"message":"title is too long"})"), Expected{}), Authenticity::service);
}

TEST(Authenticity, AnotherIdIsNoAnswerAndAMissingOneIs)
{
    EXPECT_EQ(conversation(R"({"id":"Q29udmVyc2F0aW9uOjYwMDY="})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"id":"Q29udmVyc2F0aW9uOjYwMDY"})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"id":"Conversation:6006"})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"id":"6006"})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"id":6006})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"title":"x"})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"id":null,"createdAt":1})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"id":"Q29udmVyc2F0aW9uOjYwMDc=","title":"x"})"), Authenticity::foreign);
    EXPECT_EQ(conversation(R"({"id":"Chat:6006"})"), Authenticity::foreign);
    EXPECT_EQ(conversation(R"({"result":{"id":"Conversation:6006"}})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"result":{"id":"Conversation:1"}})"), Authenticity::foreign);
    EXPECT_EQ(conversation(R"({"id":"plain"})", "plain"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"id":"plain "})", "plain"), Authenticity::foreign);
    EXPECT_EQ(conversation("\xef\xbb\xbf{\"id\":\"6006\"}"), Authenticity::service);
}

TEST(Authenticity, ErrorCountsOnlyWhereWhatTheContractShowsIsAbsent)
{
    EXPECT_EQ(conversation(R"({"id":"6006","createdAt":1,"error":{"value":1},"code":5})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"createdAt":1,"errors":"of a field that is new"})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"id":"6006","error":{"value":1}})"), Authenticity::foreign);
    EXPECT_EQ(conversation(R"({"error":{"value":1}})"), Authenticity::foreign);
    EXPECT_EQ(conversation(R"({"title":"Nope","detail":"a problem has a title too","status":403})"),
              Authenticity::foreign);
    EXPECT_EQ(conversation(R"({"error":null,"errors":[]})"), Authenticity::unproven);
    EXPECT_EQ(conversation(R"({"code":0,"message":"success"})"), Authenticity::unproven);
    EXPECT_EQ(conversation(R"({"code":7003,"message":"no"})"), Authenticity::foreign);
}

TEST(Authenticity, OddValuesDoNotMatterToIt)
{
    EXPECT_EQ(conversation(R"({"id":"6006","n":1e400,"x":NaN,"memo":"\ud83d"})"), Authenticity::service);
    EXPECT_EQ(conversation("{\"id\":\"6006\",\"title\":\"\xff\xfe\x01\"}"), Authenticity::service);
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    EXPECT_EQ(conversation("{\"deep\":" + deep + ",\"id\":\"6006\"}"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"title":"a \" quote, a \\","id":"6006"})"), Authenticity::service);
    EXPECT_EQ(conversation(R"({"memo":"{\"id\":\"7\"}","user":{"id":"7"},"id":"6006"})"), Authenticity::service);
}

TEST(Authenticity, AnswerToAnotherKindOfRequestIsNone)
{
    const std::string item = R"({"id":"a","createdAt":1,"chats":[{"id":"m"}]})";
    EXPECT_EQ(authenticity_of(says(200, item), Expected{Shape::chats, "a"}), Authenticity::foreign);
    EXPECT_EQ(authenticity_of(says(200, item), Expected{Shape::chat, "m"}), Authenticity::foreign);
    EXPECT_NE(authenticity_of(says(200, R"({"chats":[{"id":"m"}]})"), Expected{Shape::conversation, "a"}),
              Authenticity::service);
    EXPECT_NE(authenticity_of(says(200, R"({"conversations":[]})"), Expected{Shape::conversation, "a"}),
              Authenticity::service);
    EXPECT_NE(authenticity_of(says(200, item), Expected{Shape::running}), Authenticity::service);
    const Expected rated{Shape::chat, "m", "a"};
    EXPECT_EQ(authenticity_of(says(200, R"({"id":"m","rating":true})"), rated), Authenticity::service);
    EXPECT_EQ(authenticity_of(says(200, item), rated), Authenticity::unproven) << "of the conversation, not of another";
    EXPECT_EQ(authenticity_of(says(200, R"({"id":"n","rating":true})"), rated), Authenticity::foreign);
}

TEST(Authenticity, SaysWhoSeemsToHaveAnswered)
{
    const auto& portal = support::foreign_answers()[0];
    const std::string said = describe_foreign(support::reply_of(portal), Expected{Shape::conversation, "a"});
    EXPECT_EQ(said, "an HTML page titled \"Proxy login\" (status 407, by \"squid/5.7\") came instead of the service's "
                    "answer: a portal, a proxy or a gateway?");
    EXPECT_THAT(describe_foreign(says(200, R"({"id":"b"})"), Expected{Shape::conversation, "a"}),
                HasSubstr("an answer about something else (status 200)"));
    Reply odd = says(403, "x");
    odd.headers.add("Server", "a\"b\x1b[31m" + std::string(500, 'x'));
    EXPECT_LT(describe_foreign(odd, Expected{}).size(), 300U);
    EXPECT_EQ(describe_foreign(odd, Expected{}).find('\x1b'), std::string::npos);
}

TEST(Authenticity, SameAnswerIsTheSameWhateverItsNumbers)
{
    const auto page = [](const char* title) { return says(403, "<title>" + std::string(title) + "</title>"); };
    EXPECT_EQ(signature_of(page("Event 4711 at 10:15")), signature_of(page("Event 4712 at 11:20")));
    EXPECT_NE(signature_of(page("Event 1")), signature_of(page("Other 1")));
    EXPECT_NE(signature_of(says(403, "x")), signature_of(says(413, "x")));
}

TEST(Authenticity, AbsenceHasTheSameShapeForEveryId)
{
    EXPECT_EQ(shape_of_absence(says(404, R"({"message":"no a","code":1})")),
              shape_of_absence(says(410, R"({"code":2,"message":"no b"})", "application/json; charset=utf-8")));
    EXPECT_NE(shape_of_absence(says(404, R"({"code":1})")), shape_of_absence(says(404, R"({"message":"x"})")));
    EXPECT_NE(shape_of_absence(says(404, "")), shape_of_absence(says(404, "404 page not found", "text/plain")));
    EXPECT_NE(made_up_id(0), made_up_id(1));
    EXPECT_TRUE(is_same_id(made_up_id(0), "Conversation:000000000000000000000000"));
}

TEST(Members, AreFoundInAnyObjectThatEnds)
{
    const auto found = members_of(" { \"a\" : [1, {\"b\":\"}\"}] , \"c\":\"x\\\\\" ,\"a\":2}  ");
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 3U);
    EXPECT_EQ((*found)[0].value, "[1, {\"b\":\"}\"}]");
    EXPECT_EQ((*found)[1].value, "\"x\\\\\"");
    EXPECT_EQ(value_of(*found, "a"), "2");
    EXPECT_EQ(value_of(*found, "b"), "");
    EXPECT_TRUE(members_of("{}")->empty());
    for (const char* broken : {"", "[]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":\"1}", "{\"a\":1}x", "{a:1}",
                               "{,}", "{\"a\":1,}", "{\"a\" 1}", "{\"a\":}", "{\"a\":\"\\\"}", "{\"a\":[1}"})
        EXPECT_FALSE(members_of(broken)) << broken;
}

} // namespace

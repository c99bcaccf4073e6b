// SPDX-License-Identifier: Apache-2.0
// Reads that get another's answer: none is taken for a value, for an absence, or for a word about the key.
#include "tests/support/fake_clock.hpp"
#include "tests/support/foreign_answers.hpp"
#include "tests/upstream/fetch.hpp"
#include "upstream/absence.hpp"
#include "upstream/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;
using testing::HasSubstr;

Reply json_reply(int status, std::string body, const char* type = "application/json")
{
    Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    reply.headers.add("Content-Type", type);
    return reply;
}

// The service, and whoever answers in its place.
class Network final : public Transport {
  public:
    Task<Reply> send(Request request) override
    {
        asked.push_back(request.target);
        const Reply reply = answer(request.target);
        co_return reply;
    }

    std::optional<Reply> instead;      // of the answer to anything
    std::optional<Reply> instead_once; // of one answer
    std::vector<Reply> first_instead;  // of so many answers about one, in turn
    Reply absent = json_reply(404, R"({"type":"APIError","code":7003,"message":"no such conversation"})");
    std::optional<Reply> chats_behind; // a page of chats that is not the first
    std::optional<int> chat_count;     // of the conversation
    std::string list = R"({"conversations":[],"cursor":null})";
    bool no_items = false; // nobody is behind their path
    std::vector<std::string> asked;

  private:
    Reply answer(const std::string& target)
    {
        if (instead_once) return *std::exchange(instead_once, std::nullopt);
        if (instead) return *instead;
        const std::string_view root = "/webapi/v2/conversations";
        if (!first_instead.empty() && !target.starts_with(std::string(root) + '?')) {
            const Reply first = first_instead.front();
            first_instead.erase(first_instead.begin());
            return first;
        }
        if (target.starts_with(std::string(root) + '?')) return json_reply(200, list);
        if (no_items) return absent;
        if (!target.starts_with(std::string(root) + "/a")) return absent;
        if (target.find("/chats/m") != target.npos) return json_reply(200, R"({"id":"m","sender":"BOT"})");
        if (target.find("/chats/") != target.npos) return absent;
        if (chats_behind && target.find("/chats?pageNo=3") != target.npos) return *chats_behind;
        if (target.find("/chats") != target.npos) return json_reply(200, R"({"chats":[]})");
        if (target.find("/running") != target.npos) return json_reply(200, R"({"isRunning":false})");
        if (chat_count)
            return json_reply(200, R"({"id":"a","createdAt":1,"chatCount":)" + std::to_string(*chat_count) + '}');
        return json_reply(200, R"({"id":"a","createdAt":1})");
    }
};

class ClientForeign : public testing::Test {
  protected:
    template <class T>
    T run(Task<T> task)
    {
        return upstream_test::run(loop_, std::move(task));
    }
    template <class T>
    void expect_no_answer(Task<T> task)
    {
        const auto error = upstream_test::error_of(loop_, std::move(task));
        ASSERT_TRUE(error);
        EXPECT_TRUE(error->fault() == Fault::bad_reply || error->fault() == Fault::unavailable) << error->what();
    }
    bool is_there(const char* id) { return run(client_.find_conversation({id}, Priority::app)).has_value(); }

    asio::io_context loop_;
    support::FakeClock clock_;
    Network network_;
    RateLimiter pace_{clock_, {0, 16}};
    Client client_{network_, pace_, clock_, {"key"}};
};

TEST_F(ClientForeign, AnswerIsNeitherAValueNorAnAbsenceNorAWordAboutTheKey)
{
    for (const bool learned : {false, true}) {
        if (learned) {
            EXPECT_FALSE(is_there("b"));
        }
        for (const auto& answer : support::foreign_answers()) {
            SCOPED_TRACE(answer.name);
            const auto once = [&] { network_.instead_once = support::reply_of(answer); };
            once(), expect_no_answer(client_.list_conversations({}, Priority::app));
            once(), expect_no_answer(client_.find_conversation({"a"}, Priority::app));
            once(), expect_no_answer(client_.list_chats({"a"}, 1, Priority::app));
            once(), expect_no_answer(client_.find_chat({"a"}, {"m"}, Priority::app));
            once(), expect_no_answer(client_.is_running({"a"}, Priority::app));
            once(), expect_no_answer(client_.daily_counts("2026-01-01", "2026-01-02", Priority::app));
            clock_.advance(1min);
        }
    }
}

TEST_F(ClientForeign, AnswerToEverythingIsNoAbsenceEither)
{
    for (const auto& answer : support::foreign_answers()) {
        SCOPED_TRACE(answer.name);
        network_.instead = support::reply_of(answer);
        expect_no_answer(client_.find_conversation({"a"}, Priority::app));
        expect_no_answer(client_.find_chat({"a"}, {"m"}, Priority::app));
        network_.instead.reset();
        EXPECT_TRUE(is_there("a"));
        EXPECT_FALSE(is_there("b"));
        clock_.advance(1min);
    }
}

TEST_F(ClientForeign, AbsenceIsLearnedOnceByAnIdThatNobodyHas)
{
    EXPECT_FALSE(is_there("b"));
    EXPECT_THAT(network_.asked,
                testing::Contains("/webapi/v2/conversations/" + std::string(made_up_id(0)).substr(0, 50) + "%3D%3D"));
    const auto asked = network_.asked.size();
    EXPECT_FALSE(is_there("c"));
    EXPECT_FALSE(run(client_.list_chats({"c"}, 1, Priority::app)));
    EXPECT_FALSE(run(client_.find_chat({"a"}, {"n"}, Priority::app)));
    EXPECT_EQ(network_.asked.size(), asked + 3);
}

TEST_F(ClientForeign, AbsenceMayBeAPageWhereTheServiceSaysItSo)
{
    network_.absent = json_reply(404, "<html><title>Not Found</title></html>", "text/html");
    EXPECT_FALSE(is_there("b"));
    network_.instead_once = json_reply(404, "<html><title>404 nginx</title></html>", "text/html");
    expect_no_answer(client_.find_conversation({"a"}, Priority::app));
}

// A gateway that lost the route of items alone, and a balancer by which some in a row meet the wrong machine.
TEST_F(ClientForeign, AbsenceIsNoPageThatIsSaidOfWhatIsThereOrNotOfAllThatNobodyHas)
{
    const Reply page = json_reply(404, "<html><title>Not Found</title></html>", "text/html");
    network_.list = R"({"conversations":[{"id":"a","createdAt":1}],"cursor":null})";
    network_.absent = page;
    network_.no_items = true;
    expect_no_answer(client_.find_conversation({"a"}, Priority::app));
    clock_.advance(1min);
    network_.no_items = false;
    EXPECT_FALSE(is_there("b")) << "as the service says it, if it tells them apart";

    clock_.advance(1min);
    network_.absent = json_reply(404, R"({"type":"APIError","code":7003,"message":"no such conversation"})");
    EXPECT_FALSE(is_there("b"));
    clock_.advance(1min);
    network_.first_instead = {page, page, page}; // of "a", and of two that nobody has
    expect_no_answer(client_.find_conversation({"a"}, Priority::app));
}

TEST_F(ClientForeign, AbsenceIsLearnedAnewWhenTheServiceChangesIt)
{
    EXPECT_FALSE(is_there("b"));
    network_.absent = json_reply(404, R"({"detail":"there is none"})");
    clock_.advance(1min);
    EXPECT_FALSE(is_there("b"));
    network_.instead_once = json_reply(404, R"({"type":"APIError","code":7003,"message":"of before"})");
    expect_no_answer(client_.find_conversation({"a"}, Priority::app));
}

TEST_F(ClientForeign, AbsenceIsWhatTheContractCallsAnErrorWhereNothingCanBeLearned)
{
    network_.absent = json_reply(400, R"({"code":7003,"message":"no such id"})");
    network_.instead_once = json_reply(404, R"({"code":7003,"message":"no such conversation"})");
    EXPECT_FALSE(is_there("b"));
    network_.instead_once = json_reply(404, "<html>404</html>", "text/html");
    expect_no_answer(client_.find_conversation({"b"}, Priority::app));
}

TEST_F(ClientForeign, WhoIsSaidToHaveAnsweredIsInTheErrorAndTheHint)
{
    network_.instead = json_reply(403, "<html><title>Hotel</title></html>", "text/html");
    const auto error = upstream_test::error_of(loop_, client_.list_conversations({}, Priority::app));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::bad_reply);
    EXPECT_THAT(error->what(), HasSubstr("an HTML page titled \"Hotel\" (status 403)"));
    EXPECT_THAT(error->hint(), HasSubstr("portal, proxy or firewall"));
}

TEST_F(ClientForeign, ConversationIsKnownByTheIdThatWasAskedFor)
{
    network_.instead_once = json_reply(200, R"({"id":"Conversation:6006","createdAt":1})");
    const ConversationId id{"Q29udmVyc2F0aW9uOjYwMDY="};
    EXPECT_EQ(run(client_.find_conversation(id, Priority::app))->id, id);
}

// A page of chats behind the last may be refused by another part of the service than one of nobody's.
TEST_F(ClientForeign, AnotherPartsWordThatAPageIsNotThereIsBelievedWhereTheItemCountsNoMore)
{
    network_.chats_behind = json_reply(404, "no such page", "text/plain");
    network_.chat_count = 200;
    EXPECT_FALSE(run(client_.list_chats({"a"}, 3, Priority::app)));
    network_.chat_count = 201;
    expect_no_answer(client_.list_chats({"a"}, 3, Priority::app));
    network_.chat_count.reset();
    expect_no_answer(client_.list_chats({"a"}, 3, Priority::app));
}

} // namespace

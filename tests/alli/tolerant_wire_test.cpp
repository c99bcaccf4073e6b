// SPDX-License-Identifier: Apache-2.0
// One oddity in one place of a page: its row is there byte for byte, and so are its neighbours.
#include "alli/error.hpp"
#include "alli/json_text.hpp"
#include "alli/tolerant_wire.hpp"
#include "alli/wire_field.hpp"
#include "tests/support/oddities.hpp"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace alli {
namespace {

using ::support::Oddity;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

/// Where in an item the value stands: `@` in an item that is the contract's but for it.
struct Place {
    std::string name, item;
    bool has_id = true;
};

std::vector<Place> places()
{
    const auto around = [](const std::string& members, const std::string& chat) {
        return R"({"id":"odd",)" + members + R"("chatCount":1,"chats":[{"id":"k1",)" + chat +
               R"("message":"hello","timestamp":1700000500}],"lastChatTime":1700000500})";
    };
    const std::string title = R"("title":"t",)";
    return {{"an unknown member", around(R"("x": @ ,)", "")},
            {"a title", around(R"("title":@,)", "")},
            {"a memo", around(R"("memo":@,)", "")},
            {"a user", around(R"("user":@,)", "")},
            {"a user's id", around(R"("user":{"userId":@,"firstName":"F"},)", "")},
            {"a user's name", around(R"("user":{"userId":"u","lastName":@},)", "")},
            {"an app", around(R"("llmApp":@,)", "")},
            {"an app's id", around(R"("llmApp":{"id":@},)", "")},
            {"categories", around(R"("categories":@,)", "")},
            {"a category", around(R"("categories":["a",@,"b"],)", "")},
            {"createdAt", around(R"("createdAt":@,)", "")},
            {"isEnd", around(R"("isEnd":@,)", "")},
            {"variables", around(R"("variables":@,)", "")},
            {"a chat's unknown member", around(title, R"("x":@,)")},
            {"a chat's sender", around(title, R"("sender":@,)")},
            {"a chat's completed", around(title, R"("completed":@,)")},
            {"a citation", around(title, R"("citations":[{"title":"c"},@],)")},
            {"a citation's title", around(title, R"("citations":[{"title":@,"text":"c"}],)")},
            {"a message", R"({"id":"odd","chats":[{"id":"k1","message":@}],"lastChatTime":1700000500})"},
            {"a timestamp", R"({"id":"odd","chats":[{"id":"k1","timestamp":@}],"lastChatTime":1700000500})"},
            {"a chat's id", R"({"id":"odd","chats":[{"id":@,"message":"m"}],"lastChatTime":1700000500})"},
            {"a chat", R"({"id":"odd","chats":[{"id":"k1"},@],"lastChatTime":1700000500})"},
            {"chats", R"({"id":"odd","chats":@,"lastChatTime":1700000500})"},
            {"chatCount", R"({"id":"odd","chatCount":@,"lastChatTime":1700000500})"},
            {"lastChatTime", R"({"id":"odd","title":"t","lastChatTime":@})"},
            {"an id", R"({"id":@,"title":"t","lastChatTime":1700000500})", false}};
}

std::string at(const Place& place, const Oddity& oddity)
{
    std::string item = place.item;
    return item.replace(item.find('@'), 1, oddity.value);
}

constexpr const char* before = R"({"id":"before","title":"b","lastChatTime":1700000600,"chats":[{"id":"b1"}]})";
constexpr const char* after = R"({"id":"after","title":"a","lastChatTime":1700000400,"chats":[]})";

std::string page_of(const std::string& item)
{
    return std::string(R"({"conversations":[)") + before + "," + item + ",\n" + after + R"(],"cursor":"next"})";
}

ConversationPage read_page(const std::string& body)
{
    TimeUnit unit = TimeUnit::seconds;
    return read_conversation_page(body, unit);
}

/// The chats put back where they were taken out.
std::string whole(const Conversation& conversation)
{
    std::string raw = conversation.raw, chats;
    for (const Chat& chat : conversation.chats) chats += (chats.empty() ? "" : ",") + chat.raw;
    return conversation.chats_at ? raw.insert(*conversation.chats_at, chats) : raw;
}

TEST(TolerantWire, HoldsTheRowAndItsNeighboursWhateverStandsInAnyPlaceOfIt)
{
    int tried = 0;
    for (const Place& place : places()) {
        for (const Oddity& oddity : support::odd_values()) {
            SCOPED_TRACE(oddity.name + " as " + place.name);
            const std::string item = at(place, oddity);
            const ConversationPage page = read_page(page_of(item));
            ASSERT_EQ(page.conversations.size(), 3U);
            EXPECT_EQ(whole(page.conversations[0]), before);
            EXPECT_EQ(whole(page.conversations[2]), after);
            EXPECT_EQ(page.cursor, "next");
            const Conversation& odd = page.conversations[1];
            if (place.has_id) {
                EXPECT_EQ(odd.id.value, "odd");
            }
            EXPECT_FALSE(odd.id.value.empty());
            if (place.name != "a chat" && place.name != "chats") { // commas and blanks between chats are ours
                EXPECT_EQ(whole(odd), item);
            }
            for (const Chat& chat : odd.chats) EXPECT_NE(item.find(chat.raw), item.npos);
            if (place.name != "lastChatTime") {
                EXPECT_EQ(odd.last_chat_at, page.conversations[0].last_chat_at.value() - std::chrono::seconds(100));
            }
            ++tried;
        }
    }
    EXPECT_GE(tried, 40 * 20);
}

Conversation read_item(const std::string& item)
{
    return read_page(page_of(item)).conversations.at(1);
}

TEST(TolerantWire, NamesTheFieldsThatItCannotRead)
{
    for (const auto& [item, fields] : std::vector<std::pair<std::string, std::vector<std::string_view>>>{
             {R"({"id":"a","title":7})", {"title"}},
             {R"({"id":"a","title":{"t":1},"memo":[]})", {"title", "memo"}},
             {R"({"id":"a","user":"somebody"})", {"user"}},
             {R"({"id":"a","user":{"userId":{},"firstName":1,"lastName":2}})",
              {"user.userId", "user.firstName", "user.lastName"}},
             {R"({"id":"a","llmApp":"app"})", {"llmApp"}},
             {R"({"id":"a","llmApp":{"id":[]}})", {"llmApp.id"}},
             {R"({"id":"a","categories":[{"id":1},"b"]})", {"categories"}},
             {R"({"id":"a","categories":"b"})", {"categories"}},
             {R"({"id":"a","createdAt":"soon"})", {"createdAt"}},
             {R"({"id":"a","lastChatTime":1e400})", {"lastChatTime"}},
             {R"({"id":"a","chatCount":123456789012345678901234567890})", {"chatCount"}},
             {R"({"id":"a","isEnd":"perhaps"})", {"isEnd"}},
             {R"({"id":"a","chats":{}})", {"chats"}},
             {R"({"id":"a","chats":[{"id":"c","timestamp":"soon","sender":1},{"id":"d","timestamp":NaN}]})",
              {"chats.timestamp", "chats.sender"}},
             {R"({"id":"a","chats":[{"completed":2},7]})", {"chats.completed", "chats.id"}},
             {R"({"id":"","title":"t"})", {"id"}},
             {R"({"title":"t"})", {"id"}},
             {R"({"id":"half \ud83d"})", {"id"}},
             {"null", {"id"}}})
        EXPECT_THAT(read_item(item).unread, testing::UnorderedElementsAreArray(fields)) << item;
}

TEST(TolerantWire, FindsNoFaultWithWhatSaysEnough)
{
    const Conversation read = read_item(
        R"({"id":1234567890123456789012,"title":"half \ud83d","user":{"userId":42,"firstName":null},"categories":[7,"b"],
            "createdAt":"1700000000.5","lastChatTime":"2023-11-14T22:21:40Z","chatCount":"2","isEnd":"true",
            "chats":[{"id":5,"sender":"\xff","timestamp":"1700000500","completed":"false"},{"id":"6","completed":null}],
            "x":NaN})");
    EXPECT_THAT(read.unread, IsEmpty());
    EXPECT_EQ(read.id.value, "1234567890123456789012");
    EXPECT_EQ(read.title, "half \uFFFD");
    EXPECT_EQ(read.user_id, "42");
    EXPECT_THAT(read.categories, ElementsAre("7", "b"));
    EXPECT_EQ(read.created_at->time_since_epoch().count(), 1'700'000'000'500'000);
    EXPECT_EQ(read.last_chat_at->time_since_epoch().count(), 1'700'000'500'000'000);
    EXPECT_FALSE(read.last_chat_guessed);
    EXPECT_EQ(read.chat_count, 2);
    EXPECT_TRUE(read.is_end);
    EXPECT_EQ(read.chats.at(0).id.value, "5");
    EXPECT_TRUE(read.chats.at(0).says_completed);
    EXPECT_FALSE(read.chats.at(0).completed);
    EXPECT_FALSE(read.chats.at(1).says_completed);
}

TEST(TolerantWire, TakesAnUnreadableLastChatTimeFromItsChatsElseFromANeighbour)
{
    const auto at_second = [](std::int64_t second) { return Instant(std::chrono::seconds(second)); };
    const Conversation own = read_item(
        R"({"id":"a","lastChatTime":"soon","chats":[{"id":"c","timestamp":1700000450},{"id":"d","timestamp":NaN}]})");
    EXPECT_EQ(own.last_chat_at, at_second(1'700'000'450));
    EXPECT_TRUE(own.last_chat_guessed);
    EXPECT_EQ(read_item(R"({"id":"a","lastChatTime":{}})").last_chat_at, at_second(1'700'000'600));
    TimeUnit unit = TimeUnit::seconds;
    const auto first =
        read_conversation_page(std::string(R"({"conversations":[{"id":"a","lastChatTime":[]},)") + after + "]}", unit);
    EXPECT_EQ(first.conversations.at(0).last_chat_at, at_second(1'700'000'400));
    const Conversation alone = read_conversation(R"({"id":"a","lastChatTime":[]})", unit);
    EXPECT_TRUE(alone.last_chat_guessed && !alone.last_chat_at);
    const Conversation none = read_item(R"({"id":"a","lastChatTime":null,"x":NaN})");
    EXPECT_FALSE(none.last_chat_guessed || none.last_chat_at) << "it has no chat yet";
}

TEST(TolerantWire, KeepsWhatHasNoIdUnderAHashOfItsBytes)
{
    const Conversation one = read_item(R"({"title":"t"})"), other = read_item(R"({"title":"u"})");
    EXPECT_TRUE(is_made_up(one.id.value)) << one.id.value;
    EXPECT_EQ(one.id, read_item(R"({"title":"t"})").id);
    EXPECT_NE(one.id, other.id);
    EXPECT_FALSE(is_made_up("Q29u=="));
}

TEST(TolerantWire, ReadsWhatFollowsAByteOrderMark)
{
    const std::string mark = "\xEF\xBB\xBF";
    TimeUnit unit = TimeUnit::seconds;
    EXPECT_EQ(whole(read_page(mark + page_of(R"({"id":"a"})")).conversations.at(1)), R"({"id":"a"})");
    EXPECT_EQ(read_conversation(mark + R"({"id":"a"})", unit).raw, R"({"id":"a"})");
    EXPECT_EQ(read_chat_page(mark + R"({"chats":[{"id":"a"}]})", unit).at(0).raw, R"({"id":"a"})");
    EXPECT_EQ(read_chat(mark + R"({"id":"a"})", unit).raw, R"({"id":"a"})");
}

TEST(TolerantWire, LooksThroughOneStepOfAnEnvelope)
{
    TimeUnit unit = TimeUnit::seconds;
    const auto wrap = [](const std::string& inner) { return R"({"status":"ok","result": )" + inner + " }"; };
    const auto page = read_page(wrap(R"({"conversations":[{"id":"a"}],"cursor":"next"})"));
    EXPECT_EQ(page.conversations.at(0).raw, R"({"id":"a"})");
    EXPECT_EQ(page.cursor, "next");
    EXPECT_EQ(read_conversation(wrap(R"({"id":"a","chats":[{"id":"c"}]})"), unit).chats.size(), 1U);
    EXPECT_EQ(read_chat_page(wrap(R"({"chats":[{"id":"c"}]})"), unit).size(), 1U);
    EXPECT_EQ(read_chat(wrap(R"({"id":"c"})"), unit).id.value, "c");
    EXPECT_THROW(read_conversation(wrap(wrap(R"({"id":"a"})")), unit), Error);
    const std::string own = R"({"id":"a","result":{"id":"b"}})";
    EXPECT_EQ(read_conversation(own, unit).raw, own) << "a member of that name is no envelope";
}

TEST(TolerantWire, TakesNoErrorForAConversation)
{
    TimeUnit unit = TimeUnit::seconds;
    for (const char* body :
         {"{}", R"({"result":[],"errors":"content must be JSON deserializable!"})",
          R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})",
          R"({"user":"x","isEnd":true})", R"({"id":null,"message":"m"})", R"({"id":{},"isEnd":"x"})",
          R"({"type":"APIError","code":7001,"message":"NaN"})", R"({"result":{}})", R"({"message":NaN})"}) {
        EXPECT_THROW(read_conversation(body, unit), Error) << body;
        EXPECT_THROW(read_chat(body, unit), Error) << body;
        EXPECT_THROW(read_chat_page(body, unit), Error) << body;
        EXPECT_THROW(read_conversation_page(body, unit), Error) << body;
    }
}

TEST(TolerantWire, LearnsTheUnitOfTimeOfNothingThatIsHardlyATime)
{
    for (const char* odd : {"0", "1", "-5", "1e300", R"("7")", "99999999999999999"}) {
        TimeUnit unit = TimeUnit::unknown;
        const auto page = read_conversation_page(R"({"conversations":[{"id":"a","createdAt":)" + std::string(odd) +
                                                     R"(},{"id":"b","lastChatTime":1615246650000}]})",
                                                 unit);
        EXPECT_EQ(unit, TimeUnit::milliseconds) << odd;
        EXPECT_EQ(page.conversations.at(1).last_chat_at->time_since_epoch().count(), 1'615'246'650'000'000) << odd;
    }
}

// Whatever the fast reader takes, both read alike.
TEST(TolerantWire, ReadsWhatIsNotOddAsTheFastReaderDoes)
{
    const std::vector<std::string> names{"plan"};
    const std::string page = R"( { "cursor":"c","conversations":[
        {"\u0069d":"a\u00e9\ud83d\ude00","title":"\u0000t","user":{"userId":"","firstName":"A","lastName":"B"},"llmApp":{"id":"x"},
         "variables":{"plan":1},"chats" : [ {"id":"1","sender":"USER","timestamp":1.5,"completed":true} , {"id":"2"} ],
         "categories":["a",""],"createdAt":12.25,"lastChatTime":99.5,"chatCount":3.0,"isEnd":true,"memo":"m"},
        {"id":"b","user":null,"llmApp":null,"categories":null,"chats":null,"chatCount":null,"isEnd":null,"lastChatTime":null},
        {"variables":{"plan":[{}]} , "id":"c","chats":[],"chats":[{"id":"z"}]},
        {"id":"d","variables":{"plan":1,"own":2}}]})";
    TimeUnit unit = TimeUnit::seconds;
    const auto fast = read_conversation_page(page, unit, names);
    const auto slow = tolerant::read_conversation_page(page, unit, names);
    ASSERT_EQ(fast.conversations.size(), 4U);
    ASSERT_EQ(slow.conversations.size(), 4U);
    EXPECT_EQ(fast.cursor, slow.cursor);
    for (std::size_t i = 0; i < fast.conversations.size(); ++i) {
        const Conversation &a = fast.conversations[i], &b = slow.conversations[i];
        SCOPED_TRACE(a.id.value);
        EXPECT_TRUE(b.unread.empty());
        EXPECT_EQ(std::tie(a.id, a.raw, a.chats_at, a.title, a.user_id, a.user_name, a.app_id, a.memo, a.categories,
                           a.created_at, a.last_chat_at, a.chat_count, a.is_end, a.variables),
                  std::tie(b.id, b.raw, b.chats_at, b.title, b.user_id, b.user_name, b.app_id, b.memo, b.categories,
                           b.created_at, b.last_chat_at, b.chat_count, b.is_end, b.variables));
        ASSERT_EQ(a.chats.size(), b.chats.size());
        for (std::size_t n = 0; n < a.chats.size(); ++n)
            EXPECT_EQ(std::tie(a.chats[n].id, a.chats[n].raw, a.chats[n].sender, a.chats[n].sent_at,
                               a.chats[n].completed, a.chats[n].says_completed),
                      std::tie(b.chats[n].id, b.chats[n].raw, b.chats[n].sender, b.chats[n].sent_at,
                               b.chats[n].completed, b.chats[n].says_completed));
    }
}

TEST(ReadableJson, IsJsonWhateverItWasMadeOf)
{
    const Place place{"a member", R"({"a":[@],"b":"\ud83d"})"};
    for (const Oddity& oddity : support::odd_values()) {
        const std::string made = readable_json(at(place, oddity));
        EXPECT_FALSE(nlohmann::json::parse(made, nullptr, false).is_discarded()) << oddity.name;
    }
    EXPECT_EQ(readable_json(R"({"a":NaN,"b":"x\ud83d" "c":[1,,2,],d:[-Infinity,007,1e5,true]})"),
              "{\"a\":null,\"b\":\"x\uFFFD\",\"c\":[1,2],\"d\":[null,null,1e5,true]}");
    EXPECT_EQ(readable_json(R"({"a": 1e400, "b":[0.5,-0,1.,12345678901234567890123]})"),
              R"({"a":null,"b":[0.5,-0,null,12345678901234567890123]})");
    EXPECT_EQ(readable_json(R"( {"a": 1e40} )"), R"( {"a": 1e40} )") << "as it is, being JSON";
    EXPECT_EQ(readable_json("<html>"), "null");
}

TEST(JsonScan, IsLinearInSizeWhateverTheDepth)
{
    const std::string deep = std::string(10'000'000, '[') + std::string(10'000'000, ']');
    EXPECT_EQ(end_of_value(deep, 0), deep.size());
    EXPECT_TRUE(is_deeper_than(deep, 100));
    EXPECT_FALSE(is_deeper_than("[[[]]] \"[[[[\"", 3));
    std::string slashes = "\"" + std::string(10'000'000, '\\') + "\"";
    EXPECT_EQ(end_of_value(slashes, 0), slashes.size());
    std::string mixed;
    for (int i = 0; i < 200; ++i) mixed += i % 3 == 0 ? '{' : '[';
    std::string closed = mixed;
    for (int i = 200; i-- > 0;) closed += i % 3 == 0 ? '}' : ']';
    EXPECT_EQ(end_of_value(closed, 0), closed.size());
    EXPECT_EQ(end_of_value(mixed + std::string(200, ']'), 0), std::string::npos);
}

} // namespace
} // namespace alli

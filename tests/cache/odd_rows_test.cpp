// SPDX-License-Identifier: Apache-2.0
// Rows whose bytes no parser takes: words, edits, answers under edits, and what is shown of them.
#include "cache/lists/list.hpp"
#include "cache/lists/summaries.hpp"
#include "cache/outbox/entry_json.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/outbox/overlay_answer.hpp"
#include "cache/rows/progress.hpp"
#include "cache/rows/variables.hpp"
#include "cache/text/words.hpp"
#include "tests/cache/fixture.hpp"
#include "tests/support/oddities.hpp"

namespace alli::cache {
namespace {

using ::support::Oddity;
using testing::HasSubstr;

TEST(OddWords, AreAllThatCanBeDecoded)
{
    for (const auto& [message, text] : std::vector<std::pair<std::string, std::string>>{
             {R"("half \ud83d emoji")", "half \uFFFD emoji"},
             {"\"caf\xe9 \xff\"", "caf\uFFFD \uFFFD"},
             {"\"one\ntwo\tthree\"", "one\ntwo\tthree"},
             {R"("a\x41 \q")", "a\uFFFDx41 \uFFFDq"},
             {"42", "42"},
             {"NaN", ""},
             {"null", ""},
             {R"({"blocks":[{"text":"first"},{"text":"second \udc00"},7]})", "first\nsecond \uFFFD"},
             {R"("{\"blocks\":[{\"text\":\"half \\ud83d\"}]}")", "half \uFFFD"},
             {R"(["one",{"name":"two","x":NaN},3])", "one\ntwo"}}) {
        const std::string chat = R"({"id":"c","x":1e400,"message":)" + message + "}";
        EXPECT_EQ(words_of_chat(chat).text, text) << message;
        EXPECT_EQ(message_of_chat(chat), text) << message;
        EXPECT_EQ(message_of_chat(R"({"id":"c","message":)" + message + "}"), text) << message;
    }
    EXPECT_EQ(words_of_chat(
                  R"({"message":"m","citations":[{"title":7,"text":"x \ud83d"},"bare",null,{"title":{"t":"deep"}}]})")
                  .citations,
              "7\nx \uFFFD\nbare\ndeep");
    EXPECT_EQ(words_of_chat(R"({"citations":{"title":"alone"}})").citations, "alone");
    EXPECT_EQ(words_of_chat("null").text, "");
}

TEST(OddEdit, SetsAMemberBesideAnyOther)
{
    for (const Oddity& oddity : ::support::odd_values()) {
        SCOPED_TRACE(oddity.name);
        const std::string with = R"({"id":"a","x":)" + oddity.value + R"(,"title":"old","y":)" + oddity.value + "}";
        const Patch patch{{"title", "\"new\""}, {"assignee", "\"somebody\""}};
        const std::string patched = with_patch(with, patch);
        EXPECT_EQ(patched, R"({"id":"a","x":)" + oddity.value + R"(,"title":"new","y":)" + oddity.value +
                               R"(,"assignee":"somebody"})");
        EXPECT_EQ(values_of(patched, patch), patch);
        if (oddity.value.empty()) continue;
        const Patch own{{"title", oddity.value}};
        EXPECT_EQ(values_of(R"({"title":)" + oddity.value + "}", {{"title", ""}}), own);
        EXPECT_EQ(read_patch(write_patch(own)), own) << "kept as what it was before an edit";
        EXPECT_TRUE(same_value(oddity.value, oddity.value));
        EXPECT_FALSE(same_value(oddity.value, "\"something else\""));
    }
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    EXPECT_FALSE(same_value(deep, " " + deep)) << "not compared, and no signal";
}

TEST(OddOutbox, ShowsAnswersOfAnyDepth)
{
    Entry entry;
    entry.response = std::string(100'000, '[') + std::string(100'000, ']');
    entry.body = "{\"title\":\"\xff\"}";
    const auto json = nlohmann::json::parse(entry_json(entry));
    EXPECT_EQ(json["response"]["body"], *entry.response);
}

class OddRows : public CacheTest {
  protected:
    void SetUp() override
    {
        write([](Writer& db) {
            Progress progress;
            progress.unit = TimeUnit::seconds;
            progress.list_embeds = 20;
            save_progress(db, progress);
        });
    }

    static std::string odd_item(const std::string& title)
    {
        return R"({"id":"odd","x":NaN,"title":)" + title +
               R"(,"lastChatTime":100,"chats":[{"id":"k","message":"half \ud83d","y":-Infinity}],"z":"raw )" +
               "\x01\xff\"}";
    }
    static std::string without_id()
    {
        return R"({"title":"nameless","lastChatTime":50,"chats":[{"message":"words \ud83d"}]})";
    }

    std::string page(const std::string& title)
    {
        return R"({"conversations":[)" + odd_item(title) + "," + without_id() + R"(],"cursor":null})";
    }

    void put_page()
    {
        TimeUnit unit = TimeUnit::seconds;
        const auto read = read_conversation_page(page("\"old\""), unit);
        write([&](Writer& db) {
            for (const Conversation& one : read.conversations) {
                put_conversation(db, one);
                put_chats(db, one.id, 0, one.chats);
            }
        });
    }

    void show_title(const ConversationId& id, std::int64_t entry_id)
    {
        Entry entry;
        entry.id = entry.place = entry_id;
        entry.kind = EditKind::title;
        entry.conversation = id;
        entry.body = R"({"title":"new"})";
        write([&](Writer& db) { show_edit(db, entry); });
    }

    std::string list()
    {
        return store_->read([](Reader& db) { return list_conversations(db, {}, 50, std::nullopt).body; }) +
               R"(],"cursor":null})";
    }
};

TEST_F(OddRows, AreListedByteForByteAlsoUnderAWaitingWrite)
{
    put_page();
    EXPECT_EQ(list(), page("\"old\""));
    show_title({"odd"}, 1);
    EXPECT_EQ(list(), page("\"new\""));
    write([](Writer& db) { drop_edit(db, 1); });
    EXPECT_EQ(list(), page("\"old\""));
}

TEST_F(OddRows, KeepTheIdThatWasMadeUpForThemUnderAWaitingWrite)
{
    put_page();
    TimeUnit unit = TimeUnit::seconds;
    const ConversationId id = read_conversation_page(page("\"old\""), unit).conversations.at(1).id;
    show_title(id, 1);
    EXPECT_THAT(list(), HasSubstr(R"({"title":"new","lastChatTime":50)"));
    write([](Writer& db) { drop_edit(db, 1); });
    EXPECT_EQ(list(), page("\"old\""));
}

TEST_F(OddRows, ShowAWaitingWriteInUpstreamsOwnAnswers)
{
    put_page();
    show_title({"odd"}, 1);
    const auto shown = [&](Shape shape, const std::string& body) {
        return store_->read([&](Reader& db) { return apply_edits(db, shape, {"odd"}, {"k"}, body, Clock::Steady{}); });
    };
    EXPECT_EQ(shown(Shape::list, page("\"old\"")).body, page("\"new\""));
    EXPECT_EQ(shown(Shape::conversation, odd_item("1e400")).body, odd_item("\"new\""));
    EXPECT_EQ(shown(Shape::conversation, R"({"result":)" + odd_item("{}") + "}").body,
              R"({"result":)" + odd_item("\"new\"") + "}");
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    EXPECT_EQ(shown(Shape::conversation, odd_item(deep)).body, odd_item("\"new\""));
    EXPECT_FALSE(shown(Shape::list, "<html>").body);
}

TEST_F(OddRows, KeepTheTimeThatWasGuessedWhereNothingTellsAnother)
{
    TimeUnit unit = TimeUnit::seconds;
    const auto read = [&](const std::string& title) {
        return read_conversation_page(
                   R"({"conversations":[{"id":"a","lastChatTime":90},{"id":"b","lastChatTime":"soon","title":")" +
                       title + R"("}]})",
                   unit)
            .conversations.at(1);
    };
    write([&](Writer& db) { put_conversation(db, read("one")); });
    const Conversation alone = read_conversation(R"({"id":"b","lastChatTime":"soon","title":"two"})", unit);
    write([&](Writer& db) { put_conversation(db, alone); });
    const auto summary = store_->read([](Reader& db) { return find_summary(db, {"b"}); });
    EXPECT_EQ(summary->title, "two");
    EXPECT_EQ(summary->last_chat_at, ::support::at_second(90));
}

TEST_F(OddRows, OfVariablesStopNoListOfThem)
{
    put_page();
    const std::vector<std::string> names{"plan"};
    write([&](Writer& db) {
        EXPECT_TRUE(
            put_variables(db, {"odd"}, names, R"({"id":"odd","x":NaN,"variables":{"plan":"half \ud83d"}})", Instant{}));
        EXPECT_THROW(put_variables(db, {"odd"}, names, R"({"id":"odd","variables":7})", Instant{}), Error);
    });
    const auto found = store_->read([&](Reader& db) { return find_with_variables(db, {"odd"}, names); });
    ASSERT_TRUE(found);
    EXPECT_THAT(found->body, HasSubstr(R"("variables":{"plan":"half \ud83d"}})"));
}

} // namespace
} // namespace alli::cache

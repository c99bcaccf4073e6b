// SPDX-License-Identifier: Apache-2.0
// What happens while somebody reads, by hand and by itself; and what the sandbox remembers of those who read.
#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "tests/sandbox/visitor.hpp"

#include <algorithm>
#include <thread>

namespace alli::sandbox {
namespace {

using namespace std::chrono_literals;

Json held(const Visitor& visitor, const std::string& id)
{
    return Json::parse(visitor.sandbox.conversation_json(id));
}

TEST(Life, AHookTouchesWhatIsBeingPaged)
{
    Visitor visitor{{.conversations = 30, .cursor = CursorKind::position}};
    const std::string oldest = visitor.walk("pageSize=50").back().at("id");
    bool touched = false;
    visitor.sandbox.on_answer([&](const RequestRecord& record) {
        EXPECT_EQ(record.operation, "listConversations");
        if (!std::exchange(touched, true)) visitor.sandbox.add_chat(oldest, "USER", "in between");
    });
    const auto ids = ids_of(visitor.walk("pageSize=10"));
    EXPECT_EQ(std::count(ids.begin(), ids.end(), oldest), 0) << "it moved to a page that was read already";
    visitor.sandbox.on_answer({});
    EXPECT_EQ(visitor.walk("pageSize=10").front().at("id"), oldest);
}

TEST(Life, ALateChatStandsWhereItsTimeSays)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(3);
    const Json before = held(visitor, id);
    const auto at = [&](std::size_t index) {
        return *read_instant(before.at("chats")[index].at("timestamp").dump(), TimeUnit::milliseconds);
    };
    const std::string late = visitor.sandbox.add_chat_at(id, at(1), "USER", "found later");
    const Json after = held(visitor, id);
    EXPECT_EQ(after.at("lastChatTime"), before.at("lastChatTime"));
    EXPECT_EQ(after.at("chatCount"), 4);
    EXPECT_EQ(after.at("chats")[2].at("id"), late);
    EXPECT_EQ(after.at("chats")[2].at("timestamp"), before.at("chats")[1].at("timestamp"));
    EXPECT_EQ(after.at("chats")[0], before.at("chats")[0]);
    EXPECT_EQ(after.at("chats")[3], before.at("chats")[2]);
    visitor.sandbox.add_chat_at(id, at(0) - 1h, "USER", "first");
    EXPECT_EQ(held(visitor, id).at("chats")[0].at("message"), "first");
}

TEST(Life, ALateChatBehindTheLastMovesTheClockToItsOwnTime)
{
    Visitor visitor;
    const std::string id = visitor.walk("pageSize=50").back().at("id");
    const Instant when = SystemClock{}.now() - 10min;
    visitor.sandbox.add_chat_at(id, when, "USER", "ten minutes ago");
    const Json now = held(visitor, id);
    EXPECT_EQ(*read_instant(now.at("lastChatTime").dump(), TimeUnit::milliseconds), when);
    const auto ids = ids_of(visitor.walk("pageSize=50&startedAt=" + write_instant(when - 1s, TimeUnit::milliseconds)));
    EXPECT_NE(std::find(ids.begin(), ids.end(), id), ids.end());
}

TEST(Life, AnErasedChatTakesTheClockBack)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(3);
    const Json before = held(visitor, id);
    const auto chats = visitor.sandbox.chat_ids(id);
    visitor.sandbox.erase_chat(id, chats[2]);
    EXPECT_EQ(held(visitor, id).at("lastChatTime"), before.at("chats")[1].at("timestamp"));
    visitor.sandbox.erase_chat(id, chats[0]);
    EXPECT_EQ(held(visitor, id).at("chats"), Json::array({before.at("chats")[1]}));
    visitor.sandbox.erase_chat(id, chats[1]);
    EXPECT_EQ(held(visitor, id).at("lastChatTime"), nullptr);
    EXPECT_EQ(ids_of(visitor.walk("pageSize=50")).back().size(), id.size()) << "lists go on";
    EXPECT_THROW(visitor.sandbox.erase_chat(id, chats[1]), Error);
}

TEST(Life, AnyFieldCanChangeSilently)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(2);
    const Json before = held(visitor, id);
    const std::vector<std::pair<std::string, std::string>> edits{
        {"title", R"("새 제목")"},  {"state", R"("CLOSED")"},           {"memo", "null"},
        {"assignee", R"("a@b.c")"}, {"categories", R"(["one","two"])"}, {"isEnd", "true"}};
    for (const auto& [member, json] : edits) {
        visitor.sandbox.edit_conversation(id, member, json);
        EXPECT_EQ(held(visitor, id).at(member), Json::parse(json));
    }
    const std::string chat = visitor.sandbox.chat_ids(id).front();
    visitor.sandbox.edit_chat(id, chat, "rating", "false");
    visitor.sandbox.edit_chat(id, chat, "message", R"("other words")");
    const Json after = held(visitor, id);
    EXPECT_EQ(after.at("chats")[0].at("rating"), false);
    EXPECT_EQ(after.at("chats")[0].at("message"), "other words");
    EXPECT_EQ(after.at("chats")[1], before.at("chats")[1]);
    EXPECT_EQ(after.at("lastChatTime"), before.at("lastChatTime"));
}

TEST(Life, WhatCannotBeEditedIsRefused)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(1);
    const std::string chat = visitor.sandbox.chat_ids(id).front();
    for (const char* member : {"id", "createdAt", "nothing", "categories", "isEnd"})
        EXPECT_THROW(visitor.sandbox.edit_conversation(id, member, R"("x")"), Error) << member;
    EXPECT_THROW(visitor.sandbox.edit_conversation(id, "title", "broken"), Error);
    EXPECT_THROW(visitor.sandbox.edit_chat(id, chat, "timestamp", "1"), Error);
    EXPECT_THROW(visitor.sandbox.edit_chat(id, "none", "message", R"("x")"), Error);
}

TEST(Life, GoesOnByItselfAndTheSameWayFromASeed)
{
    const auto live = [](std::uint64_t seed) {
        Options options{.seed = seed, .conversations = 40, .clock = [] { return *from_rfc3339("2026-01-31"); }};
        for (const char* rule : {"touch:0.5", "late:0.5:30000", "add:0.3", "edit:0.8", "erase:0.2"})
            options.life.push_back(parse_life(rule));
        Visitor visitor{options};
        const auto begun = visitor.sandbox.conversation_ids();
        for (int i = 0; i < 150; ++i) visitor.status("/webapi/apps");
        visitor.sandbox.set_life({});
        const auto ended = visitor.sandbox.conversation_ids();
        EXPECT_NE(begun, ended);
        std::string all;
        for (const auto& id : ended) all += visitor.sandbox.conversation_json(id);
        EXPECT_EQ(visitor.walk("pageSize=50").size(), ended.size());
        return all;
    };
    const std::string one = live(1);
    EXPECT_EQ(one, live(1));
    EXPECT_NE(one, live(2));
    EXPECT_NE(one.find("edited "), std::string::npos);
}

TEST(Life, EachKindDoesWhatItSays)
{
    Visitor visitor{{.conversations = 20}};
    const auto after = [&](const char* rule) {
        visitor.sandbox.set_life({parse_life(rule)});
        for (int i = 0; i < 10; ++i) visitor.status("/webapi/apps");
        visitor.sandbox.set_life({});
    };
    auto chats = visitor.sandbox.chat_total();
    after("touch:1");
    EXPECT_EQ(visitor.sandbox.chat_total(), chats + 10);
    after("late:1");
    EXPECT_EQ(visitor.sandbox.chat_total(), chats + 20);
    after("edit:1");
    EXPECT_EQ(visitor.sandbox.chat_total(), chats + 20);
    EXPECT_EQ(visitor.sandbox.conversation_ids().size(), 20u);
    after("add:1");
    EXPECT_EQ(visitor.sandbox.conversation_ids().size(), 30u);
    after("erase:1");
    EXPECT_EQ(visitor.sandbox.conversation_ids().size(), 20u);
}

TEST(Life, RulesAreReadOrRefused)
{
    EXPECT_EQ(parse_life("late").kind, LifeRule::Kind::late);
    EXPECT_EQ(parse_life("touch:0.25:7").chance, 0.25);
    EXPECT_EQ(parse_life("touch:0.25:7").amount, 7);
    for (const char* text : {"", "dance", "touch:x", "touch:1:-1", "touch:1:1:1"}) {
        try {
            parse_life(text);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_NE(error.hint().find("touch, late, add, edit, erase"), std::string::npos);
        }
    }
}

TEST(Life, DailyCountsMayBeAbsent)
{
    Visitor visitor{{.daily_count = false}};
    const HttpReply reply =
        visitor.send("GET", "/webapi/v2/conversations/daily_count?startDate=2026-01-01&endDate=2026-01-02");
    EXPECT_EQ(reply.status, 404);
    EXPECT_EQ(Json::parse(reply.body).at("code"), 7003);
}

TEST(Journal, KnowsTheBusiestSpan)
{
    Visitor visitor{{.conversations = 1}};
    for (int i = 0; i < 5; ++i) visitor.status(list_path);
    visitor.sandbox.set_faults({parse_fault("latency:*:1:120")});
    visitor.status("/webapi/apps");
    for (int i = 0; i < 3; ++i) visitor.status("/webapi/apps");
    EXPECT_EQ(visitor.sandbox.busiest(1h), 9u);
    EXPECT_EQ(visitor.sandbox.busiest(1h, "listApps"), 4u);
    EXPECT_LE(visitor.sandbox.busiest(110ms), 6u);
    EXPECT_EQ(visitor.sandbox.busiest(1ns), 1u);
    visitor.sandbox.clear_log();
    EXPECT_EQ(visitor.sandbox.busiest(1h), 0u);
}

TEST(Journal, TellsWhichWritesCameAgain)
{
    Visitor visitor;
    const std::string one = visitor.sandbox.add_conversation(1), other = visitor.sandbox.add_conversation(1);
    visitor.sandbox.set_faults({parse_fault("reset_after:setConversationTitle:1")});
    const auto retitle = [&](const std::string& id, const char* title) {
        return support::http(visitor.sandbox.port(), "PUT", path_of(id, "/title"), support::sandbox_key(),
                             Json{{"title", title}}.dump())
            .status;
    };
    EXPECT_EQ(retitle(one, "a"), 0);
    EXPECT_EQ(retitle(one, "a"), 200);
    EXPECT_EQ(retitle(other, "a"), 200);
    EXPECT_EQ(retitle(one, "b"), 200);
    std::vector<int> repeats;
    for (const WriteRecord& write : visitor.sandbox.writes()) repeats.push_back(write.repeats);
    EXPECT_EQ(repeats, (std::vector{0, 1, 0, 0}));
}

} // namespace
} // namespace alli::sandbox

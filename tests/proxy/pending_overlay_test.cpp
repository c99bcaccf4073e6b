// SPDX-License-Identifier: Apache-2.0
// Writes that wait, in answers that upstream gives.
#include "cache/outbox/overlay.hpp"
#include "cache/upkeep/purge.hpp"
#include "tests/proxy/fixture.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <thread>

namespace alli::proxy {
namespace {

using cache::EditKind;
using nlohmann::json;

const std::string list = "/webapi/v2/conversations";

class Waiting : public ProxyTest {
  protected:
    void fill()
    {
        put("a", 600, 2);
        put("b", 700, 2);
        cover(500, 1000); // not all: lists without a window go upstream
        start();
    }
    cache::Entry entry(EditKind kind, const std::string& id, const json& body = {}, const std::string& chat = {})
    {
        cache::Entry made;
        made.id = made.place = ++entries_;
        made.kind = kind;
        made.conversation = ConversationId{id};
        if (!chat.empty()) made.chat = ChatId{chat};
        if (kind != EditKind::remove) made.body = body.dump();
        return made;
    }
    void show(const cache::Entry& entry, std::optional<Clock::Steady> confirmed = {})
    {
        write([&](cache::Writer& db) {
            cache::show_edit(db, entry);
            if (confirmed) cache::confirm_edit(db, entry, {}, *confirmed);
        });
    }
    /// As upstream has it: without what waits here.
    json upstreams(const std::string& id)
    {
        json made{{"id", id}, {"title", "upstream's"}, {"createdAt", 1}, {"lastChatTime", 600}, {"chatCount", 1}};
        made["chats"] = {support::chat_json(id, 0, 600, "hello")};
        return made;
    }
    json ask(const std::string& target, const json& answer)
    {
        upstream_.reply.body = answer.dump();
        const auto reply = get(target, {{"Cache-Control", "no-cache"}});
        EXPECT_EQ(reply.status, 200) << reply.body;
        return json::parse(reply.body);
    }
    std::int64_t entries_ = 0;
};

TEST_F(Waiting, TitlesShowInItemsAndLists)
{
    fill();
    const json all{{"conversations", {upstreams("x"), upstreams("a")}}, {"cursor", "next"}};
    EXPECT_EQ(ask(list, all), all) << "as it came, while nothing waits";
    show(entry(EditKind::title, "a", {{"title", "ours"}}));
    json expected = all;
    expected["conversations"][1]["title"] = "ours";
    EXPECT_EQ(ask(list, all), expected);
    EXPECT_EQ(ask(list + "/a", upstreams("a")).at("title"), "ours");
    EXPECT_EQ(ask(list + "/x", upstreams("x")), upstreams("x"));
    show(entry(EditKind::title, "unmirrored", {{"title", "ours too"}}));
    EXPECT_EQ(ask(list + "/unmirrored", upstreams("unmirrored")).at("title"), "ours too");
}

TEST_F(Waiting, RatingsShowInChatsWhereverTheyStand)
{
    fill();
    const std::string chat = "a/0";
    show(entry(EditKind::feedback, "a", {{"suggestedAnswer", "fine"}}, chat));
    const json page{{"chats", {support::chat_json("a", 0, 600, "hello"), support::chat_json("a", 1, 600, "you")}}};
    const json shown = ask(list + "/a/chats", page);
    EXPECT_EQ(shown["chats"][0].value("suggestedAnswer", ""), "fine");
    EXPECT_EQ(shown["chats"][1], page["chats"][1]);
    EXPECT_EQ(ask(list + "/a", upstreams("a"))["chats"][0].value("suggestedAnswer", ""), "fine");
    EXPECT_EQ(ask(list + "/a/chats/a%2F0", page["chats"][0]).value("suggestedAnswer", ""), "fine");
}

TEST_F(Waiting, ADeletedConversationIsGoneWhateverUpstreamSays)
{
    fill();
    show(entry(EditKind::remove, "a"));
    upstream_.reply.body = upstreams("a").dump();
    for (const std::string& target : {list + "/a", list + "/a/chats", list + "/a/chats/a%2F0", list + "/a?variables=x"})
        for (const char* wish : {"", "no-cache", "max-age=0"})
            EXPECT_EQ(get(target, {{"Cache-Control", wish}}).status, 404) << target << " " << wish;
    EXPECT_TRUE(upstream_.requests.empty()) << "it need not be asked";
    const json all{{"conversations", {upstreams("a"), upstreams("b")}}, {"cursor", nullptr}};
    EXPECT_EQ(ask(list, all)["conversations"].size(), 1U);
    upstream_.away = true;
    EXPECT_EQ(get(list + "/a").status, 404);
}

TEST_F(Waiting, WhatUpstreamConfirmedIsItsOwnWordFromThenOn)
{
    fill();
    const auto now = clock_.steady();
    show(entry(EditKind::title, "a", {{"title", "ours"}}), now + std::chrono::seconds(1));
    EXPECT_EQ(ask(list + "/a", upstreams("a")).at("title"), "ours") << "asked for before it was confirmed";
    show(entry(EditKind::title, "b", {{"title", "ours"}}), now - std::chrono::seconds(1));
    EXPECT_EQ(ask(list + "/b", upstreams("b")).at("title"), "upstream's") << "changed there since";
}

TEST_F(Waiting, WhatCannotBeReadIsPassedOn)
{
    fill();
    show(entry(EditKind::title, "a", {{"title", "ours"}}));
    for (const std::string& odd : {std::string("[]"), std::string("{\"id\""), std::string("7")}) {
        upstream_.reply.body = odd;
        EXPECT_EQ(get(list + "/a", {{"Cache-Control", "no-cache"}}).body, odd);
    }
}

TEST_F(Waiting, ShowsInWhatNoParserTakesToo)
{
    fill();
    show(entry(EditKind::title, "a", {{"title", "ours"}}));
    const std::string deep = R"(","deep":)" + std::string(2000, '[') + std::string(2000, ']') + ",\"n\":NaN}";
    upstream_.reply.body = R"({"id":"a","title":"t)" + deep;
    EXPECT_EQ(get(list + "/a", {{"Cache-Control", "no-cache"}}).body, R"({"id":"a","title":"ours)" + deep);
}

// Whoever comes after a write must not share what was asked for before it.
TEST_F(Waiting, AReadAfterAWriteIsAFlightOfItsOwn)
{
    fill();
    std::atomic<bool> open{false};
    std::atomic<int> asked{0};
    upstream_.before = [&]() -> Task<> {
        ++asked;
        const auto executor = co_await asio::this_coro::executor;
        while (!open) co_await asio::post(executor, asio::use_awaitable);
    };
    const auto read = [&] { get(list); };
    std::thread before(read);
    while (asked < 1) std::this_thread::yield();
    sync_wait(store_.write_outbox([](cache::Writer& db) { db.run("DELETE FROM entry WHERE id = -1"); }));
    std::thread after(read);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (asked < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(asked, 2);
    open = true;
    before.join();
    after.join();
}

// By the ids of its chats alone nobody could tell whose a conversation is.
TEST_F(Waiting, ChatsOfAPurgedPersonsNewConversationAreNotShown)
{
    fill();
    cache::PurgeOptions wish;
    wish.user = "u";
    sync_wait(cache::purge(store_, std::move(wish), cache::PurgeHooks()));
    json theirs = upstreams("new");
    theirs["user"] = {{"userId", "u"}};
    const upstream::Reply whose{200, {{"Content-Type", "application/json"}}, theirs.dump()};
    upstream_.replies[list + "/new"] = whose;
    upstream_.reply.body = json{{"chats", {support::chat_json("new", 0, 600, "secret")}}}.dump();
    for (const char* chats : {"/chats", "/chats/new%2F0"}) EXPECT_EQ(get(list + "/new" + chats).status, 404) << chats;
    upstream_.replies[list + "/new"].body = upstreams("new").dump();
    EXPECT_EQ(get(list + "/new/chats").body, upstream_.reply.body) << "somebody else's";
}

} // namespace
} // namespace alli::proxy

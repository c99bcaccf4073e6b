// SPDX-License-Identifier: Apache-2.0
// Pages of chats that do not go together with the item: short, empty, of another size, repeated, or of another count.
// Nothing that is held is lost to them, and what stays so is a problem of that conversation alone.
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

class OddChatPages : public Settled {
  protected:
    /// What upstream answers about the chats of "long" is changed by `change`; its page number is given.
    void change_pages(std::function<void(int page, json& body)> change)
    {
        model_.before = [this, change](const upstream::Request& request) -> std::optional<upstream::Reply> {
            const std::string pages = "/webapi/v2/conversations/long/chats?pageNo=";
            if (!request.target.starts_with(pages)) return std::nullopt;
            upstream::Reply made = model_.answer_of(request.target);
            json body = json::parse(made.body);
            change(std::stoi(request.target.substr(pages.size())), body);
            made.body = body.dump();
            return made;
        };
    }

    /// What lists and single answers say of "long" is changed by `change`.
    void change_item(std::function<void(json& item)> change)
    {
        model_.before = [this, change](const upstream::Request& request) -> std::optional<upstream::Reply> {
            upstream::Reply made = model_.answer_of(request.target);
            json body = json::parse(made.body);
            if (body.value("id", "") == "long") change(body);
            if (body.contains("conversations"))
                for (json& item : body["conversations"])
                    if (item["id"] == "long") change(item);
            made.body = body.dump();
            return made;
        };
    }

    /// "long" has so many chats, the last of them now.
    void grow(int chats)
    {
        model_.add("long", model_.now, chats);
        advance(60s);
    }

    /// It is asked for again, all of it.
    void refresh_long()
    {
        bool asked = false;
        const auto end = clock_.passed() + 20s;
        run_until(
            [&](Engine& engine) {
                if (!std::exchange(asked, true)) engine.wake_conversation({"long"});
                return clock_.passed() >= end;
            },
            10'000);
    }

    std::vector<std::string> held_ids()
    {
        const auto held =
            store_->read([](cache::Reader& db) { return cache::chat_ids_from(db, ConversationId{"long"}, 0); });
        std::vector<std::string> ids;
        for (const ChatId& id : held) ids.push_back(id.value);
        return ids;
    }

    /// The held chats are the model's, in their order.
    void expect_whole(std::size_t chats)
    {
        std::vector<std::string> ids;
        for (const json& chat : model_.conversations.at("long").chats) ids.push_back(chat["id"]);
        ASSERT_EQ(ids.size(), chats);
        EXPECT_EQ(held_ids(), ids);
    }

    std::optional<cache::Problem> problem()
    {
        return store_->read(
            [](cache::Reader& db) { return cache::find_problem(db, cache::problem_key(ConversationId{"long"})); });
    }
};

TEST_F(OddChatPages, OneEmptyPageAgainstTheCountRemovesNothing)
{
    grow(235);
    pass();
    expect_whole(235);
    bool spoiled = false;
    change_pages([&](int, json& body) {
        if (std::exchange(spoiled, true)) return;
        body = {{"chats", json::array()}, {"errors", "timeout"}};
    });
    refresh_long();
    EXPECT_TRUE(spoiled);
    expect_whole(235);
    EXPECT_FALSE(problem());
}

TEST_F(OddChatPages, EmptyPagesThatStayRemoveNothingAndAreAProblemWithoutAHole)
{
    grow(235);
    pass();
    change_pages([](int, json& body) { body["chats"] = json::array(); });
    refresh_long();
    expect_whole(235);
    ASSERT_TRUE(problem());
    EXPECT_FALSE(problem()->unreadable);
    EXPECT_TRUE(complete());
    model_.before = nullptr;
    refresh_long();
    expect_whole(235);
    EXPECT_FALSE(problem());
}

TEST_F(OddChatPages, WhoPagesByFiftyIsReadToTheEnd)
{
    const auto by_fifty = [this](int page, json& body) {
        const auto& all = model_.conversations.at("long").chats;
        body["chats"] = json::array();
        for (std::size_t n = static_cast<std::size_t>(page - 1) * 50; n < std::min(all.size(), page * std::size_t{50});
             ++n)
            body["chats"].push_back(all[n]);
    };
    change_pages(by_fifty);
    grow(235);
    pass();
    expect_whole(235);
    EXPECT_FALSE(problem());
    model_.embedded = 0;
    grow(8);
    pass();
    expect_whole(243);
    EXPECT_FALSE(problem());
}

TEST_F(OddChatPages, WhatIsLeftOutOfAPageDoesNotEndTheOthers)
{
    change_pages([](int page, json& body) {
        if (page == 1) body["chats"].erase(body["chats"].begin() + 40, body["chats"].begin() + 42);
    });
    grow(235);
    pass();
    const auto ids = held_ids();
    EXPECT_EQ(ids.size(), 233U);
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).count("long/234"), 1U);
    ASSERT_TRUE(problem()) << "it counts more";
    EXPECT_FALSE(problem()->unreadable);
}

TEST_F(OddChatPages, OfAConversationWhoseChatsWentMeanwhileAreTheEndAtOnce)
{
    grow(235);
    pass();
    auto& chats = model_.conversations.at("long").chats;
    change_pages([&](int page, json& body) { // between the item and its second page
        if (page == 2 && chats.size() > 180) chats.resize(180);
        if (page == 2) body["chats"] = json(std::vector<json>(chats.begin() + 100, chats.end()));
    });
    model_.conversations.at("long").title = "again";
    refresh_long();
    model_.before = nullptr;
    refresh_long();
    expect_whole(180);
    EXPECT_FALSE(problem());
}

TEST_F(OddChatPages, ThatReachTheItemsOwnChatsAreBelievedAgainstThem)
{
    model_.embedded = 3;
    change_item([](json& item) { item["chatCount"] = item["chatCount"].get<int>() - 3; });
    grow(8);
    pass();
    expect_whole(8);
    advance(60s);
    pass();
    expect_whole(8);
    refresh_long();
    expect_whole(8);
}

TEST_F(OddChatPages, AnItemThatCountsItsOwnChatsTwiceDoublesNothing)
{
    model_.embedded = 3;
    change_item([](json& item) { item["chatCount"] = item["chatCount"].get<std::size_t>() + 3; });
    grow(8);
    for (int n = 0; n < 3; ++n) {
        pass();
        expect_whole(8);
        advance(60s);
    }
}

TEST_F(OddChatPages, ARemovalAboveThePageThatIsAskedForIsFound)
{
    model_.embedded = 0;
    grow(230);
    pass();
    auto& chats = model_.conversations.at("long").chats;
    chats.erase(chats.begin() + 5);
    grow(8);
    pass();
    expect_whole(237);
}

TEST_F(OddChatPages, ThatRepeatThemselvesAreAProblemOfThatConversation)
{
    model_.embedded = 0;
    model_.add("long", model_.now, 300);
    model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
        const std::string pages = "/webapi/v2/conversations/long/chats?pageNo=";
        if (request.target.starts_with(pages)) return model_.answer_of(pages + "1");
        upstream::Reply made = model_.answer_of(request.target);
        json body = json::parse(made.body);
        body.erase("chatCount");
        if (body.contains("conversations"))
            for (json& item : body["conversations"])
                if (item["id"] == "long") item.erase("chatCount");
        made.body = body.dump();
        return made;
    };
    advance(60s);
    model_.targets.clear();
    pass();
    EXPECT_LT(model_.chat_pages(), 30U);
    ASSERT_TRUE(problem());
    EXPECT_TRUE(problem()->unreadable);
}

TEST_F(OddChatPages, TheLastOneUnderEveryFurtherNumberIsTheEnd)
{
    model_.embedded = 0;
    model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
        const std::string pages = "/webapi/v2/conversations/long/chats?pageNo=";
        if (!request.target.starts_with(pages)) return std::nullopt;
        const int page = std::min(std::stoi(request.target.substr(pages.size())), 2);
        return model_.answer_of(pages + std::to_string(page));
    };
    grow(230);
    pass();
    auto& chats = model_.conversations.at("long").chats;
    chats.resize(200);
    model_.conversations.at("long").last = model_.now;
    advance(60s);
    model_.targets.clear();
    pass();
    expect_whole(200);
    EXPECT_LT(model_.chat_pages(), 5U);
    EXPECT_FALSE(problem());
}

TEST_F(OddChatPages, OfMoreThanAPageHoldsAreAProblemOfThatConversation)
{
    model_.embedded = 0;
    change_pages([this](int, json& body) { body["chats"] = json(model_.conversations.at("long").chats); });
    grow(235);
    pass();
    EXPECT_THAT(held_ids(), testing::IsEmpty());
    ASSERT_TRUE(problem());
    EXPECT_TRUE(problem()->unreadable);
}

TEST_F(OddChatPages, OneOfTooManyChatsIsNotGatheredInMemory)
{
    model_.embedded = 0;
    const std::string text(1'000'000, 'x');
    change_pages([&](int page, json& body) {
        body["chats"] = json::array();
        for (int n = 0; n < 100; ++n)
            body["chats"].push_back(support::chat_json("long", page * 100 + n, 1'000, n == 0 ? text + text : "short"));
    });
    model_.add("long", model_.now, 10'000);
    advance(60s);
    model_.targets.clear();
    pass();
    EXPECT_LT(model_.chat_pages(), 50U);
    EXPECT_TRUE(problem());
}

} // namespace
} // namespace alli::sync

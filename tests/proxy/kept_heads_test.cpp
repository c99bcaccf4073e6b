// SPDX-License-Identifier: Apache-2.0
// What kept responses say in their header blocks, which are rendered once a second, and bodies that lie in a file.
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/raw_client.hpp"

namespace alli::proxy {
namespace {

using testing::UnorderedElementsAre;

constexpr const char* item = "/webapi/v2/conversations/a";

std::vector<std::string> names_of(const ::support::HttpReply& reply)
{
    std::vector<std::string> names;
    for (const auto& [name, value] : reply.headers) names.push_back(name);
    return names;
}

class KeptHeads : public ProxyTest {
  protected:
    void fill(Options options = {})
    {
        put("a", 1000, 3);
        cover(0, 2000);
        options.loops = 1;
        start(std::move(options));
    }
    // Of one chat, as long as that.
    void put_long(const std::string& id, std::size_t size)
    {
        const std::vector<Chat> chats{support::make_chat(id, 0, 900, std::string(size, 'x') + id)};
        write([&](cache::Writer& db) {
            cache::put_conversation(db, support::make_conversation(id, 900));
            cache::put_chats(db, ConversationId{id}, 0, chats);
        });
    }
    ::support::HttpReply get_unless(const std::string& tag) { return get(item, {{"If-None-Match", tag}}); }
};

TEST_F(KeptHeads, SayInA304WhatUpdatesAStoredResponseAndNoMore)
{
    fill();
    const std::string tag(get(item, {{"Cache-Control", "no-store"}}).header("ETag"));
    const auto unkept = get_unless(tag), kept = get_unless(tag), again = get_unless(tag);
    for (const auto* reply : {&unkept, &kept, &again}) {
        EXPECT_EQ(reply->status, 304);
        EXPECT_THAT(names_of(*reply), UnorderedElementsAre("Date", "ETag", "Cache-Control", "Age", "Cache-Status"));
        EXPECT_EQ(reply->headers, unkept.headers);
    }
}

TEST_F(KeptHeads, NameTheOriginWhereItMakesADifference)
{
    Options options;
    options.allowed_origins = {"https://qa.example.com"};
    fill(options);
    const std::string tag(get(item).header("ETag"));
    const auto reply = get_unless(tag);
    EXPECT_EQ(reply.status, 304);
    EXPECT_THAT(names_of(reply), UnorderedElementsAre("Date", "ETag", "Cache-Control", "Age", "Cache-Status", "Vary"));
    const auto shared = get(item, {{"Origin", "https://qa.example.com"}});
    EXPECT_EQ(shared.header("Access-Control-Allow-Origin"), "https://qa.example.com");
    EXPECT_EQ(get(item).header("Access-Control-Allow-Origin"), "") << "said to another";
}

TEST_F(KeptHeads, FollowTheClockAndWhatIsKnownOfUpstream)
{
    fill();
    const auto first = get(item), second = get(item);
    EXPECT_EQ(second.header("Age"), "10");
    EXPECT_EQ(second.header("Date"), first.header("Date"));
    EXPECT_NE(second.header("X-Request-Id"), first.header("X-Request-Id"));
    EXPECT_EQ(second.header("Cache-Status"), "alli-mirror; hit; ttl=50");
    clock_.seconds += 25;
    const auto later = get(item);
    EXPECT_EQ(later.header("Age"), "35");
    EXPECT_EQ(later.header("Cache-Status"), "alli-mirror; hit; ttl=25");
    EXPECT_EQ(later.header("Date"), to_http_date(support::at_second(clock_.seconds)));
    upstream_.state.reachable = false;
    EXPECT_EQ(get(item).header("Cache-Status"), "alli-mirror; hit; ttl=25; detail=offline");
    cover(0, 2020); // verified at 1990, as before: the poll found nothing new
    clock_.seconds += 1;
    EXPECT_EQ(get(item).header("Age"), "36");
}

TEST_F(KeptHeads, AreThoseOfGetForHeadAndSayTheSameOfEachConnection)
{
    fill();
    const auto whole = get(item), head = send("HEAD", item);
    EXPECT_EQ(head.header("Content-Length"), std::to_string(whole.body.size()));
    EXPECT_EQ(head.body, "");
    const auto closing = get(item, {{"Connection", "close"}});
    EXPECT_EQ(closing.header("Connection"), "close");
    EXPECT_EQ(closing.body, whole.body);
    EXPECT_EQ(get(item).header("Connection"), "");
}

TEST_F(KeptHeads, ServeALongBodyTheSameEachTime)
{
    fill();
    for (const std::size_t size : {std::size_t{60'000}, std::size_t{70'000}, std::size_t{300'000}}) {
        const std::string id = "long" + std::to_string(size), path = "/webapi/v2/conversations/" + id;
        put_long(id, size);
        const auto first = get(path);
        ASSERT_GT(first.body.size(), size);
        for (int n = 0; n < 3; ++n) EXPECT_TRUE(get(path).body == first.body) << size;
        const auto head = send("HEAD", path);
        EXPECT_EQ(head.header("Content-Length"), std::to_string(first.body.size()));
        EXPECT_EQ(head.body, "");
        EXPECT_EQ(get(path, {{"If-None-Match", std::string(first.header("ETag"))}}).status, 304);
    }
}

TEST_F(KeptHeads, SurviveAClientThatLeavesWhileALongBodyIsSent)
{
    Options options;
    options.limits.answer_bytes = 16 * 1024 * 1024;
    fill(options);
    put_long("long", 3'500'000);
    const auto whole = get("/webapi/v2/conversations/long"), again = get("/webapi/v2/conversations/long");
    ASSERT_EQ(again.status, 200);
    for (int n = 0; n < 20; ++n) {
        const RawClient leaves(port_);
        leaves.send("GET /webapi/v2/conversations/long HTTP/1.1\r\nHost: " + host_ + "\r\nAPI-KEY: the-key\r\n\r\n");
    }
    EXPECT_TRUE(get("/webapi/v2/conversations/long").body == whole.body);
}

// The body is sent from a file whose space others use, while the client has read nothing yet.
TEST_F(KeptHeads, ReachASlowClientAsTheyWereWhenItAsked)
{
    Options options;
    options.limits.answer_bytes = 16 * 1024 * 1024;
    fill(options);
    constexpr std::size_t size = 3'500'000;
    put_long("slow", size);
    const auto before = get("/webapi/v2/conversations/slow");
    ASSERT_TRUE(get("/webapi/v2/conversations/slow").body == before.body) << "from now on it lies in the file";
    RawClient slow(port_);
    slow.send("GET /webapi/v2/conversations/slow HTTP/1.1\r\nHost: " + host_ +
              "\r\nAPI-KEY: the-key\r\nConnection: close\r\n\r\n");
    for (int n = 0; n < 6; ++n) { // it is evicted, and others take the memory that it had
        const std::string id = "other" + std::to_string(n);
        put_long(id, size);
        for (int twice = 0; twice < 2; ++twice) ASSERT_GT(get("/webapi/v2/conversations/" + id).body.size(), size);
    }
    put_long("slow", 10);
    ASSERT_LT(get("/webapi/v2/conversations/slow").body.size(), size);
    const std::string received = slow.read_all();
    EXPECT_TRUE(received.substr(received.find("\r\n\r\n") + 4) == before.body);
}

} // namespace
} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
// An upstream that wraps its answers: what is served from the mirror comes wrapped likewise.
#include "cache/rows/envelopes.hpp"
#include "tests/proxy/fixture.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* item = "/webapi/v2/conversations/c";
const std::string chats = std::string(item) + "/chats";
const Envelope wrap{R"({"status":"ok","result": )", R"( ,"errors":null})"};

class Enveloped : public ProxyTest {
  protected:
    void learn(Content content, const Envelope& envelope)
    {
        write([&](cache::Writer& db) { cache::note_envelope(db, content, envelope); });
    }
    std::string status(const ::support::HttpReply& reply) { return std::string(reply.header("Cache-Status")); }
};

TEST_F(Enveloped, WhatIsServedComesAsUpstreamSendsIt)
{
    put("c", 1000, 2);
    cover(0, 1500);
    start();
    const std::string bare = get(item).body, bare_chats = get(chats).body;
    for (const Content content : {Content::conversation, Content::chats, Content::chat}) learn(content, wrap);
    put("c", 1000, 2, {{"title", "so that kept answers go"}});
    put("c", 1000, 2);
    EXPECT_EQ(get(item).body, wrap.before + bare + wrap.after);
    EXPECT_EQ(get(chats).body, wrap.before + bare_chats + wrap.after);
    EXPECT_THAT(status(get(item)), HasSubstr("hit"));
    EXPECT_EQ(json::parse(get("/webapi/v2/conversations?pageSize=5").body)["conversations"].size(), 1u)
        << "lists come bare";
    learn(Content::list, wrap);
    EXPECT_EQ(json::parse(get("/webapi/v2/conversations?pageSize=5").body)["result"]["conversations"].size(), 1u);
}

TEST_F(Enveloped, AWaitingWriteShowsInsideIt)
{
    put("c", 1000, 2);
    learn(Content::conversation, wrap);
    start();
    const auto reply = send("PUT", std::string(item) + "/title", {}, R"({"title":"x"})");
    EXPECT_EQ(reply.status, 202);
    EXPECT_EQ(json::parse(reply.body)["result"]["id"], "c");
    const auto unknown = send("PUT", "/webapi/v2/conversations/nobody/title", {}, R"({"title":"x"})");
    EXPECT_EQ(json::parse(unknown.body)["result"], json::parse(R"({"id":"nobody","title":"x"})"));
}

TEST_F(Enveloped, IsLearnedFromWhatUpstreamAnswersAnApp)
{
    put("c", 1000, 2);
    cover(500, 1500);
    start();
    json whole{{"id", "new"}, {"createdAt", 1}, {"lastChatTime", 50}, {"chatCount", 0}, {"chats", json::array()}};
    upstream_.reply.body = wrap.before + whole.dump() + wrap.after;
    const auto first = get("/webapi/v2/conversations/new");
    EXPECT_EQ(first.body, upstream_.reply.body);
    EXPECT_EQ(status(first), "alli-mirror; fwd=miss; stored");
    const auto second = get("/webapi/v2/conversations/new");
    EXPECT_EQ(second.body, first.body) << "byte for byte";
    EXPECT_THAT(status(second), HasSubstr("hit"));
    EXPECT_EQ(json::parse(get(item).body)["result"]["id"], "c") << "and so are all others";
}

TEST(FindEnvelope, IsOneStepAroundWhatTheContractShows)
{
    EXPECT_EQ(find_envelope(R"( {"id":"a"} )", Content::conversation), Envelope{});
    EXPECT_EQ(find_envelope(R"({"result":{"id":"a"}})", Content::conversation), (Envelope{R"({"result":)", "}"}));
    EXPECT_EQ(find_envelope(R"({"id":"a","result":{"id":"b"}})", Content::conversation), Envelope{});
    EXPECT_EQ(find_envelope(R"({"result":{"chats":[]}})", Content::chats), (Envelope{R"({"result":)", "}"}));
    for (const char* none : {"", "[]", "{}", R"({"result":[]})", R"({"result":{"result":{"id":"a"}}})", "<html>"})
        EXPECT_EQ(find_envelope(none, Content::conversation), std::nullopt) << none;
    const std::string much = R"({"more":")" + std::string(5000, 'x') + R"(","result":{"id":"a"}})";
    EXPECT_EQ(find_envelope(much, Content::conversation), (Envelope{R"({"result":)", "}"}));
}

} // namespace
} // namespace alli::proxy

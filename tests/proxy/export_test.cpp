// SPDX-License-Identifier: Apache-2.0
// Exports and figures over HTTP: what they hold, what they refuse, and that an export is streamed.
#include "proxy/endpoints/export_stream.hpp"
#include "tests/proxy/asked_mirror.hpp"

#include <sstream>

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class MirrorExport : public ProxyTest {
  protected:
    /// A question and an answer with this rating.
    void put_rated(const std::string& id, std::int64_t seconds, const json& rating, const json& more = json::object())
    {
        TimeUnit unit = TimeUnit::seconds;
        json answer = support::chat_json(id, 1, seconds, "=answer, of " + id);
        answer["rating"] = rating;
        answer["citations"] = {{{"title", "Fees"}}, {{"url", "https://x.test"}}};
        const std::vector<Chat> chats{support::make_chat(id, 0, seconds - 10, "question 여행 of " + id),
                                      read_chat(answer.dump(), unit)};
        const Conversation conversation = support::make_conversation(id, seconds, more);
        write([&](cache::Writer& db) {
            cache::put_conversation(db, conversation);
            cache::put_chats(db, conversation.id, 0, chats);
        });
    }

    static std::vector<std::string> lines(const std::string& text)
    {
        std::vector<std::string> found;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) found.push_back(line);
        return found;
    }
};

TEST_F(MirrorExport, IsNotCompleteWhereTheIndexDoesNotReachYet)
{
    put_rated("a", 1000, false);
    cover(0, 1900);
    start();
    const auto complete = [&](const std::string& query) {
        return get("/mirror/v1/export" + query).header("Alli-Mirror-Complete");
    };
    EXPECT_EQ(complete("?q=question"), "true");
    write([](cache::Writer& db) { db.run("UPDATE word_index SET bound = 9223372036854775807"); });
    EXPECT_EQ(complete("?q=question"), "false");
    EXPECT_EQ(complete(""), "true") << "no index is asked";
    EXPECT_EQ(complete("?q=rating:bad"), "true") << "nor here";
}

TEST_F(MirrorExport, GivesCsvThatSpreadsheetsReadWithTheColumnsThatAreDocumented)
{
    put_rated("a", 1000, false,
              {{"title", "Fees"},
               {"state", "no"},
               {"assignee", "mina@example.com"},
               {"channel", "KAKAO"},
               {"llmApp", {{"id", "7"}, {"name", "Help"}}},
               {"categories", {"x", "y"}},
               {"user", {{"userId", "u1"}, {"firstName", "Mina"}}}});
    put_rated("b", 1100, true);
    cover(0, 1900);
    start();
    const auto reply = get("/mirror/v1/export?format=csv&q=rating%3Abad&tz=Asia%2FSeoul");
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.header("Content-Type"), "text/csv; charset=utf-8");
    EXPECT_EQ(reply.header("Alli-Mirror-Complete"), "true");
    EXPECT_THAT(reply.header("Content-Disposition"),
                HasSubstr("attachment; filename=\"alli-conversations-1970-01-01.csv\""));
    EXPECT_EQ(reply.body,
              "\xef\xbb\xbf"
              "conversationId,title,userId,userName,appId,appName,category,state,assignee,channel,createdAt,chatId,"
              "ordinal,sender,time,message,rating,agentRating,feedbackSelection,suggestedAnswer,citations\r\n"
              "a,Fees,u1,Mina,7,Help,\"x; y\",no,mina@example.com,KAKAO,1970-01-01T09:16:39+09:00,a/0,0,USER,"
              "1970-01-01T09:16:30+09:00,question 여행 of a,,,,,\r\n"
              "a,Fees,u1,Mina,7,Help,\"x; y\",no,mina@example.com,KAKAO,1970-01-01T09:16:39+09:00,a/1,1,BOT,"
              "1970-01-01T09:16:40+09:00,\"'=answer, of a\",bad,,,,\"Fees; https://x.test\"\r\n");
    EXPECT_THAT(get("/mirror/v1/export?format=csv&bom=false").body, StartsWith("conversationId,"));
}

TEST_F(MirrorExport, SaysWhichFiltersCanBeNoneOrFindNobody)
{
    put_rated("a", 1000, false, {{"state", "open"}});
    cover(0, 1900);
    start();
    const auto said = [&](const std::string& q) {
        const auto reply = get("/mirror/v1/export?q=" + q);
        EXPECT_EQ(reply.status, 200);
        return std::string(reply.header("Alli-Mirror-Unknown-Filters"));
    };
    EXPECT_EQ(said("rating:meh+rating:no+after:lunch+state:opne"), "rating, after, state");
    EXPECT_EQ(said("rating:bad+state:open"), "");
    EXPECT_EQ(get("/mirror/v1/export").header("Alli-Mirror-Unknown-Filters"), "");
}

TEST_F(MirrorExport, GivesEverythingAsJsonLinesOrMarkdown)
{
    put("long", 1500, 250);
    put_rated("a", 1000, false);
    cover(500, 1900);
    start();
    const auto reply = get("/mirror/v1/export");
    EXPECT_EQ(reply.header("Content-Type"), "application/x-ndjson");
    EXPECT_EQ(reply.header("Alli-Mirror-Complete"), "false");
    const auto all = lines(reply.body);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(json::parse(all[0])["conversation"]["id"], "a");
    const json last = json::parse(all[1]);
    EXPECT_EQ(last["conversation"]["id"], "long");
    ASSERT_EQ(last["chats"].size(), 250U);
    EXPECT_EQ(last["chats"][249]["id"], "long/249");
    const auto markdown = get("/mirror/v1/export?format=markdown&q=question");
    EXPECT_THAT(markdown.header("Content-Disposition"), HasSubstr(".md\""));
    EXPECT_THAT(markdown.body, HasSubstr("# about a\n"));
    EXPECT_THAT(markdown.body, Not(HasSubstr("about long")));
}

TEST_F(MirrorExport, MasksWhereItIsAskedTo)
{
    put_rated("a", 1000, false, {{"title", "call 010-1234-5678"}, {"user", {{"userId", "mina@example.com"}}}});
    start();
    for (const char* format : {"csv", "jsonl", "markdown"}) {
        const auto reply = get(fmt::format("/mirror/v1/export?mask=true&format={}", format));
        EXPECT_THAT(reply.body, Not(HasSubstr("010-1234"))) << format;
        EXPECT_THAT(reply.body, Not(HasSubstr("mina@"))) << format;
        EXPECT_THAT(reply.body, HasSubstr("user-")) << format;
    }
    EXPECT_THAT(get("/mirror/v1/export?format=csv").body, HasSubstr("mina@example.com"));
}

TEST_F(MirrorExport, RefusesWhatItDoesNotUnderstand)
{
    start();
    for (const char* bad : {"?format=xlsx", "?bom=true", "?format=csv&bom=maybe", "?tz=Asia%2FSoul", "?formt=csv"}) {
        const auto reply = get(std::string("/mirror/v1/export") + bad);
        EXPECT_EQ(reply.status, 400) << bad;
        EXPECT_EQ(reply.header("Content-Type"), "application/problem+json") << bad;
    }
    EXPECT_THAT(get("/mirror/v1/export?formt=csv").body, HasSubstr("did you mean format?"));
    EXPECT_EQ(get("/mirror/v1/export?format=csv").status, 200) << "of an empty mirror: the head alone";
}

TEST_F(MirrorExport, ReadsAPieceOnlyWhenTheOneBeforeWasTakenAndEndsWithItsGrant)
{
    for (int n = 0; n < 20; ++n) put("c" + std::to_string(n), 1000 + n * 300, 250);
    boost::asio::io_context io;
    const auto* format = cache::find_export_format("csv");
    const auto grant = std::make_shared<const Grant>(Principal{"a token", Scope::read, {}});
    ExportStream::What what{*format, {Zone(), false}, true};
    cache::ExportList list(std::nullopt, {});
    ExportStream stream(store_, clock_, what, std::move(list), grant, {});
    const auto take = [&] {
        io.restart();
        return sync_wait(io, stream.next());
    };
    const auto first = take();
    ASSERT_TRUE(first);
    EXPECT_LT(first->size(), 150'000U) << "a piece, not all of it";
    write([&](cache::Writer& db) { cache::erase_conversation(db, {"c5"}); }); // no read is held between pieces
    const auto second = take();
    ASSERT_TRUE(second);
    grant->revoke();
    EXPECT_THROW(take(), Error) << "it breaks off rather than seem whole";
}

TEST(NarrowedExport, HoldsItsOwnPartAlone)
{
    AskedMirror mirror;
    mirror.put("own", 1500, {"hello own"}, {{"user", {{"userId", "u0"}}}});
    mirror.put("other", 1600, {"hello other"}, {{"user", {{"userId", "u1"}}}});
    mirror.cover(0);
    const Part mine{"", "u0"};
    for (const char* query : {"", "?q=hello", "?format=csv", "?format=markdown&q=user%3Au1+OR+hello"}) {
        const auto reply = mirror.ask(mine, std::string("/mirror/v1/export") + query);
        EXPECT_EQ(reply.status, 200) << query;
        EXPECT_THAT(reply.body, Not(HasSubstr("other"))) << query;
    }
    EXPECT_THAT(mirror.ask(mine, "/mirror/v1/export").body, HasSubstr("hello own"));
    const json figures = mirror.ask(mine, "/mirror/v1/insights").json();
    EXPECT_EQ(figures["totals"]["messages"], 1);
    EXPECT_THAT(figures.dump(), Not(HasSubstr("u1")));
    const json all = mirror.ask({}, "/mirror/v1/insights").json();
    EXPECT_EQ(all["totals"]["messages"], 2);
}

TEST(Exports, AreTheSameBytesInWhateverOrderTheMirrorCameToHoldIt)
{
    AskedMirror one, other;
    std::vector<std::string> ids{"z", "a", "a\u00e9", "A", "aa", "10", "9"};
    for (int n = 0; n < 510; ++n) ids.push_back("many-" + std::to_string(n * 7919 % 510)); // more than a batch
    const auto put = [](AskedMirror& mirror, const std::string& id) {
        const auto at = static_cast<std::int64_t>(1000 + std::hash<std::string>()(id) % 500);
        mirror.put(id, at, {"hello " + std::to_string(at)}, {{"user", {{"userId", at % 2 ? "u1" : "u0"}}}});
    };
    for (const std::string& id : ids) put(one, id);
    std::reverse(ids.begin(), ids.end());
    for (const std::string& id : ids) put(other, id);
    other.write([](cache::Writer& db) { cache::erase_conversation(db, {"aa"}); });
    put(other, "aa"); // under another key

    for (const Part& part : {Part{}, Part{"", "u0"}})
        for (const char* format : {"jsonl", "csv", "markdown"}) {
            const std::string target = std::string("/mirror/v1/export?format=") + format;
            const auto reply = one.ask(part, target);
            ASSERT_EQ(reply.status, 200) << reply.body;
            EXPECT_THAT(reply.body, HasSubstr("hello 1"));
            EXPECT_TRUE(reply.body == other.ask(part, target).body) << format << " for " << part.user;
        }
}

TEST_F(MirrorExport, CountsRatingsByDayAndApp)
{
    put_rated("a", 1000, false, {{"llmApp", {{"id", "7"}, {"name", "Help"}}}});
    put_rated("b", 1100, true);
    cover(0, 1900);
    start();
    const auto reply = get("/mirror/v1/insights?from=yesterday&tz=Asia%2FSeoul");
    ASSERT_EQ(reply.status, 200) << reply.body;
    json body = json::parse(reply.body);
    EXPECT_NEAR(body["totals"]["medianAnswerSeconds"].get<double>(), 10, 0.5);
    body["totals"].erase("medianAnswerSeconds");
    EXPECT_EQ(body["from"], "1969-12-30T15:00:00Z"); // it is the 1st of January there
    EXPECT_EQ(body["to"], nullptr);
    EXPECT_EQ(body["tz"], "Asia/Seoul");
    EXPECT_EQ(body["coverage"]["complete"], true);
    EXPECT_EQ(body["totals"],
              json::parse(R"({"conversations":2,"messages":4,"good":1,"bad":1,"unrated":0,"withoutCitations":0,
                              "medianLength":13.0})"));
    EXPECT_EQ(body["rows"][0]["by"], "day");
    EXPECT_EQ(body["rows"][0]["key"], "1970-01-01");
    EXPECT_EQ(body["rows"][1]["name"], "Help");
    EXPECT_EQ(body["rows"][1]["bad"], 1);
    EXPECT_EQ(json::parse(get("/mirror/v1/insights?app=help").body)["totals"]["messages"], 2);
    EXPECT_EQ(json::parse(get("/mirror/v1/insights?from=24h&to=today").body)["totals"]["messages"], 0);
    EXPECT_EQ(get("/mirror/v1/insights?from=2026-02-01&to=2026-01-01").status, 400) << "no zeros without a word";
    for (const char* bad : {"?by=week", "?from=lunch", "?form=7d", "?tz=nowhere"})
        EXPECT_EQ(get(std::string("/mirror/v1/insights") + bad).status, 400) << bad;
}

TEST_F(MirrorExport, TellsTheRatingsOfConversationsThatAreAskedFor)
{
    put_rated("a", 1000, false), put_rated("b", 1100, true), put_rated("c", 1200, nullptr);
    start();
    const auto ask = [&](std::string_view body) {
        return send("POST", "/mirror/v1/ratings", {{"Content-Type", "application/json"}}, body);
    };
    EXPECT_EQ(json::parse(ask(R"({"conversations":["a","b","c","none"]})").body)["ratings"],
              json::parse(R"([{"bad":1,"conversationId":"a","good":0},{"bad":0,"conversationId":"b","good":1}])"));
    for (const char* bad : {"", "[]", "{}", R"({"conversations":"a"})", R"({"conversations":[1]})"})
        EXPECT_EQ(ask(bad).status, 400) << bad;
    EXPECT_EQ(send("POST", "/mirror/v1/ratings", {}, "{}").status, 415);
}

} // namespace
} // namespace alli::proxy

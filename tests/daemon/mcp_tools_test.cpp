// SPDX-License-Identifier: Apache-2.0
// The tools of `mcp` through the real program, line by line: what they take, and that no answer is longer than an
// assistant takes, while everything can be read to its end.
#include "alli/sync_wait.hpp"
#include "cache/search/index.hpp"
#include "cache/store.hpp"
#include "daemon/mcp/mcp_size.hpp"
#include "tests/daemon/home.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace alli::daemon {

using testing::HasSubstr;

namespace {

constexpr std::size_t usual = 40'000;

Json call(const std::string& tool, const Json& arguments)
{
    Json message{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "tools/call"}};
    message["params"] = {{"name", tool}, {"arguments", arguments}};
    return message;
}

std::string repeated(std::string_view text, std::size_t times)
{
    std::string all;
    for (std::size_t n = 0; n < times; ++n) all += text;
    return all;
}

} // namespace

class McpTools : public testing::Test {
  protected:
    struct World { // one for all, which only read it
        World()
        {
            id = upstream.add_conversation(1);
            upstream.edit_title(id, repeated("제목 ", 3'000));
            upstream.add_chat(id, "USER", repeated("여행 \"quokka\" \\ <b>\n", 4'000)); // 96 KB
            for (int n = 0; n < 45; ++n)
                upstream.add_chat(id, "BOT", "zebrafish " + std::to_string(n) + repeated(" 온천", 60));
            home.use(upstream);
            EXPECT_EQ(home.run({"sync"}).code, 0);
        }
        sandbox::Sandbox upstream{small_sandbox(30)};
        std::string id;
        Home home;
    };
    static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
    static void TearDownTestSuite() { world_.reset(); }
    static inline std::unique_ptr<World> world_;

    /// The lines that come back for these, sent at once.
    std::vector<std::string> say(const std::string& input, const std::vector<std::string>& options = {})
    {
        const std::string file = home.write("input", input);
        std::string line = std::string(ALLI_MIRROR_BINARY) + " mcp";
        for (const std::string& option : options) line += " " + option;
        const auto finished = support::run_process({"/bin/bash", "-c", line + " < " + file}, home.environment);
        EXPECT_EQ(finished.code, 0) << finished.errors;
        std::vector<std::string> lines;
        std::istringstream in(finished.output);
        for (std::string one; std::getline(in, one);) lines.push_back(one);
        return lines;
    }

    std::vector<std::string> lines_of(const std::vector<Json>& calls)
    {
        std::string input =
            R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})";
        for (const Json& one : calls) input += "\n" + one.dump();
        auto lines = say(input);
        EXPECT_EQ(lines.size(), calls.size() + 1);
        lines.erase(lines.begin());
        return lines;
    }
    Json ask(const std::string& tool, const Json& arguments, std::size_t most = usual)
    {
        const auto lines = lines_of({call(tool, arguments)});
        if (lines.empty()) return {};
        EXPECT_LE(lines[0].size(), most) << tool << " " << arguments;
        const Json result = Json::parse(lines[0])["result"];
        if (result["isError"] == true) return result["content"][0]["text"];
        EXPECT_EQ(Json::parse(result["content"][0]["text"].get<std::string>()), result["structuredContent"]);
        return result["structuredContent"];
    }

    const Home& home = world_->home;
    const std::string& id = world_->id;
};

TEST_F(McpTools, AnswersTheLastLineWithoutAnEndAndAnyKindOfEnd)
{
    const std::string hello =
        R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})";
    EXPECT_EQ(say(hello).size(), 1U);
    EXPECT_EQ(say(hello + "\r\n\r\n" + R"({"jsonrpc":"2.0","id":1,"method":"ping"})" + "\r\n\r\n").size(), 2U);
}

TEST_F(McpTools, AListSaysWhichNamesThereAreNotAndWhereTheIndexOfWordsIsBehind)
{
    const Json none = ask("list_conversations", {{"app", "Slaes"}});
    EXPECT_EQ(none["conversations"], Json::array());
    ASSERT_EQ(none["unknownFilters"].size(), 1U) << none.dump();
    EXPECT_EQ(none["unknownFilters"][0]["value"], "Slaes");
    const Json of_all = ask("list_conversations", {{"user", "Mina"}});
    EXPECT_EQ(of_all["whole"], true);

    cache::Store store({home.mirror(), world_->upstream.url(), false});
    sync_wait(store.write([](cache::Writer& db) { cache::rebuild_index(db); }));
    EXPECT_EQ(ask("list_conversations", {{"user", "Mina"}})["whole"], false);
    EXPECT_EQ(ask("list_conversations", {{"state", "open"}})["whole"], true) << "no word of it is asked for";
    bool more = true;
    while (more) sync_wait(store.write([&](cache::Writer& db) { more = cache::extend_index(db); }));
}

TEST_F(McpTools, TakesNullForAbsentAndSaysWhatItDoesNotKnow)
{
    EXPECT_EQ(ask("list_conversations", {{"limit", nullptr}, {"offset", nullptr}})["conversations"].size(), 20U);
    const Json nothing{{"query", "zebrafish"}, {"limit", 3},    {"user", nullptr},   {"after", nullptr},
                       {"sort", nullptr},      {"tz", nullptr}, {"cursor", nullptr}, {"maxBytes", nullptr}};
    EXPECT_EQ(ask("search", nothing)["results"].size(), 3U);
    EXPECT_TRUE(ask("status", Json::object()).contains("mirror"));
    EXPECT_THAT(ask("search", {{"query", nullptr}}), HasSubstr("query must be given"));
    EXPECT_THAT(ask("search", {{"query", "a"}, {"limt", 3}}), HasSubstr("did you mean limit?"));
    EXPECT_THAT(ask("status", {{"id", "x"}}), HasSubstr("none of this tool"));
    for (const Json& wrong : {Json(1e300), Json(-1e300), Json(1.5), Json("3"), Json(0), Json(true), Json(UINT64_MAX),
                              Json(INT64_MIN), Json::array()})
        EXPECT_THAT(ask("list_conversations", {{"limit", wrong}}), HasSubstr("a whole number from 1 to 200")) << wrong;
}

TEST_F(McpTools, TakesDaysOfAZone)
{
    const auto day = [](Instant when) { return to_rfc3339(when).substr(0, 10); };
    const Json hit = ask("search", {{"query", "zebrafish"}, {"limit", 1}})["results"][0];
    const Instant sent = *from_rfc3339(hit["timestamp"].get<std::string>());
    const std::string here = day(sent + std::chrono::hours(9)), next = day(sent + std::chrono::hours(9 + 24));
    const Json found = ask("search", {{"query", "zebrafish"}, {"after", here}, {"before", next}, {"tz", "Asia/Seoul"}});
    EXPECT_GT(found["total"], 0);
    EXPECT_EQ(found["tz"], "Asia/Seoul");
    EXPECT_EQ(ask("search", {{"query", "zebrafish"}, {"after", next}, {"tz", "Asia/Seoul"}})["total"], 0);
    EXPECT_THAT(ask("search", {{"query", "a"}, {"tz", "KST"}}), HasSubstr("did you mean Asia/Seoul?"));
}

TEST_F(McpTools, KeepsEveryAnswerWithinItsCap)
{
    std::vector<Json> calls;
    for (const int most : {4'000, 40'000}) {
        const Json cap{{"maxBytes", most}};
        const auto with = [&](Json more) {
            more.update(cap);
            return more;
        };
        calls.push_back(call("search", with({{"query", "zebrafish"}, {"limit", 100}})));
        calls.push_back(call("search", with({{"query", "quokka OR 제목"}, {"limit", 100}, {"sort", "relevance"}})));
        calls.push_back(call("list_conversations", with({{"limit", 200}})));
        calls.push_back(call("get_conversation", with({{"id", id}, {"limit", 200}, {"textLimit", 4'000'000}})));
        calls.push_back(call("get_conversation", with({{"id", id}, {"limit", 200}, {"offset", 1}})));
        calls.push_back(call("get_conversation", with({{"id", repeated("x", 100'000)}})));
        calls.push_back(call("status", cap));
    }
    calls.push_back(call("search", {{"query", repeated("long ", 9'000)}}));
    const auto lines = lines_of(calls);
    ASSERT_EQ(lines.size(), calls.size());
    for (std::size_t n = 0; n < calls.size(); ++n) {
        const Json& arguments = calls[n]["params"]["arguments"];
        EXPECT_LE(lines[n].size(), arguments.value("maxBytes", usual)) << calls[n].dump().substr(0, 200);
    }
    const Json refused = ask("search", {{"query", repeated("long ", 9'000)}});
    EXPECT_THAT(refused, HasSubstr("larger maxBytes"));
    EXPECT_GT(lines_of({call("get_conversation", {{"id", id}, {"limit", 200}, {"maxBytes", 4'000'000}})})[0].size(),
              usual)
        << "more where more is asked for";
}

TEST_F(McpTools, LeadsThroughAWholeConversation)
{
    const Json whole = Json::parse(home.run({"show", id, "--json"}).output)["chats"];
    std::vector<std::string> read;
    int rounds = 0;
    for (Json offset = 0; !offset.is_null() && rounds < 50; ++rounds) {
        const Json part = ask("get_conversation", {{"id", id}, {"offset", offset}});
        ASSERT_TRUE(part.contains("chats")) << part;
        EXPECT_LT(part["conversation"]["title"].get<std::string>().size(), 500U);
        ASSERT_FALSE(part["chats"].empty());
        for (const Json& chat : part["chats"]) {
            EXPECT_EQ(chat["ordinal"], read.size());
            std::string text = chat["text"];
            for (Json next = chat.value("textNext", Json()); !next.is_null() && ++rounds < 50;) {
                const Json more = ask("get_conversation",
                                      {{"id", id},
                                       {"offset", chat["ordinal"]},
                                       {"limit", 1},
                                       {"textOffset", next},
                                       {"textLimit", 60'000},
                                       {"maxBytes", 200'000}},
                                      200'000)["chats"][0];
                text += more["text"].get<std::string>();
                next = more.value("textNext", Json());
            }
            EXPECT_EQ(text.size(), chat["textBytes"]);
            read.push_back(text);
        }
        offset = part["next"];
    }
    ASSERT_EQ(read.size(), whole.size());
    for (std::size_t n = 0; n < read.size(); ++n) EXPECT_EQ(read[n], whole[n]["message"]) << n;
}

TEST_F(McpTools, LeadsThroughAllConversationsAndResults)
{
    std::size_t listed = 0;
    for (Json offset = 0; !offset.is_null();) {
        const Json part = ask("list_conversations", {{"limit", 200}, {"offset", offset}, {"maxBytes", 6'000}}, 6'000);
        ASSERT_FALSE(part["conversations"].empty());
        listed += part["conversations"].size();
        offset = part["next"];
    }
    EXPECT_EQ(listed, 31U);
    std::size_t found = 0;
    Json total;
    for (Json cursor; found == 0 || !cursor.is_null();) {
        const Json part = ask("search", {{"query", "zebrafish"}, {"limit", 100}, {"cursor", cursor}});
        ASSERT_FALSE(part["results"].empty());
        found += part["results"].size();
        total = part["total"];
        cursor = part["next"];
    }
    EXPECT_EQ(found, total);
}

TEST(McpSize, CutsNoCharacter)
{
    const std::string text = "a여🙂b";
    for (std::size_t from = 0; from < text.size(); ++from)
        for (std::size_t most = 1; most < text.size(); ++most) {
            const Excerpt excerpt = cut_text(text, from, most);
            EXPECT_TRUE(Json::accept(Json(std::string(excerpt.text)).dump()));
            EXPECT_FALSE(excerpt.text.empty() && from < 8) << from << " " << most;
        }
    EXPECT_EQ(cut_text(text, 1, 3).text, "여");
    EXPECT_EQ(cut_text(text, 1, 5).end, 4U);
    EXPECT_EQ(cut_text(text, 1, 1).text, "여") << "one at least";
    EXPECT_EQ(cut_text(text, 100, 5).text, "");
}

} // namespace alli::daemon

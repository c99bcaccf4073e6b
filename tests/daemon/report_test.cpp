// SPDX-License-Identifier: Apache-2.0
// The analyst's commands through the real program: ratings and states found, counted, listed, masked.
#include "tests/daemon/home.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <map>
#include <sstream>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Report : public testing::Test {
  protected:
    struct World { // one for all, which only read it
        World()
        {
            for (const std::string& id : upstream.conversation_ids()) upstream.erase(id);
            bad = upstream.add_conversation(0);
            upstream.add_chat(bad, "USER", "refund to 010-1234-5678 or mina@example.com please");
            upstream.edit_chat(bad, upstream.add_chat(bad, "BOT", "no refunds"), "rating", "false");
            upstream.edit_title(bad, "Refund of mina@example.com");
            upstream.edit_conversation(bad, "state", "\"closed\"");
            good = upstream.add_conversation(0);
            upstream.add_chat(good, "USER", "hours");
            upstream.edit_chat(good, upstream.add_chat(good, "BOT", "nine to five"), "rating", "true");
            upstream.edit_conversation(good, "state", "\"open\"");
            home.use(upstream);
            EXPECT_EQ(home.run({"sync"}).code, 0);
        }
        sandbox::Sandbox upstream{small_sandbox(1)};
        std::string bad, good;
        Home home;
    };
    static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
    static void TearDownTestSuite() { world_.reset(); }
    static inline std::unique_ptr<World> world_;

    json ids(const std::vector<std::string>& words)
    {
        const auto finished = home.run(words);
        EXPECT_EQ(finished.code, 0) << finished.errors;
        json found = json::array();
        const json listed = json::parse(finished.output);
        for (const json& one : listed["conversations"]) found.push_back(one["id"]);
        return found;
    }

    json call(const std::string& tool, const json& arguments, const std::string& option = "")
    {
        json message{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "tools/call"}};
        message["params"] = {{"name", tool}, {"arguments", arguments}};
        const std::string input = home.write(
            "input", R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})"
                     "\n" +
                         message.dump());
        const auto finished = support::run_process(
            {"/bin/bash", "-c", std::string(ALLI_MIRROR_BINARY) + " " + option + " mcp < " + input}, home.environment);
        std::istringstream in(finished.output);
        std::string line;
        std::getline(in, line), std::getline(in, line);
        return json::parse(line)["result"];
    }

    const Home& home = world_->home;
    const std::string &bad = world_->bad, &good = world_->good;
};

TEST_F(Report, ListsConversationsByRatingAndState)
{
    EXPECT_EQ(ids({"list", "--json", "--rating", "bad"}), json::array({bad}));
    EXPECT_EQ(ids({"list", "--json", "--rating", "good", "--after", "1d"}), json::array({good}));
    EXPECT_EQ(ids({"list", "--json", "--state", "OPEN"}), json::array({good}));
    EXPECT_EQ(ids({"list", "--json"}).size(), 2U);
    const auto none = home.run({"list", "--state", "gone"});
    EXPECT_THAT(none.output, HasSubstr("no conversation is like that"));
    EXPECT_THAT(none.errors, HasSubstr("state:gone is nothing that a conversation has; there are closed, open"));
    EXPECT_EQ(home.run({"list", "--rating", "meh"}).code, 2);
}

TEST_F(Report, SaysInASearchWhatIsNoFilter)
{
    const auto finished = home.run({"search", "refund", "rating:meh"});
    EXPECT_EQ(finished.code, 0);
    EXPECT_THAT(finished.errors,
                HasSubstr("rating:meh is no filter and was searched for as words; there are good, bad"));
    const auto hit = home.run({"search", "refunds", "--rating", "bad", "--after", "yesterday"});
    EXPECT_THAT(hit.output, HasSubstr("BOT (rated bad): no refunds"));
    EXPECT_EQ(home.run({"export", "--rating", "bad"}).output.find(good), std::string::npos);
}

TEST_F(Report, FiltersMeanTheSameToEachCommandAndToAssistants)
{
    struct Case {
        std::string option, argument, value;
        const std::string& found;
    };
    for (const auto& [option, argument, value, found] :
         {Case{"--rating", "rating", "bad", bad}, Case{"--rating", "rating", "good", good},
          Case{"--state", "state", "closed", bad}, Case{"--state", "state", "OPEN", good}}) {
        SCOPED_TRACE(option + ' ' + value);
        EXPECT_EQ(ids({"list", "--json", option, value}), json::array({found}));
        const std::string exported = home.run({"export", option, value}).output;
        EXPECT_EQ(exported.find(bad) != exported.npos, found == bad);
        EXPECT_EQ(exported.find(good) != exported.npos, found == good);
        const json searched = json::parse(home.run({"search", "--json", argument + ':' + value}).output)["results"];
        ASSERT_FALSE(searched.empty());
        for (const json& hit : searched) EXPECT_EQ(hit["conversationId"], found);
        const json listed = call("list_conversations", {{argument, value}})["structuredContent"]["conversations"];
        ASSERT_EQ(listed.size(), 1U);
        EXPECT_EQ(listed[0]["id"], found);
        const json asked =
            call("search", {{"query", "refunds OR nine"}, {argument, value}})["structuredContent"]["results"];
        ASSERT_FALSE(asked.empty());
        for (const json& hit : asked) EXPECT_EQ(hit["conversationId"], found);
    }
}

TEST_F(Report, SaysToAssistantsWhichValuesThereAre)
{
    for (const auto& [argument, valid] : std::map<std::string, std::string>{
             {"rating", "good, bad, none"}, {"agentRating", "good, bad, none"}, {"has", "feedback, citations, steps"}})
        for (const char* tool : {"list_conversations", "search"}) {
            json arguments{{argument, "meh"}};
            if (std::string(tool) == "search") arguments["query"] = "refund";
            const json wrong = call(tool, arguments);
            EXPECT_EQ(wrong["isError"], true) << tool << argument;
            EXPECT_THAT(wrong.dump(), HasSubstr(valid)) << tool;
        }
    EXPECT_THAT(call("search", {{"query", "refund"}, {"state", "lost"}}).dump(), HasSubstr("closed"));
}

TEST_F(Report, CountsWhatIsMirrored)
{
    const auto table = home.run({"report"});
    EXPECT_EQ(table.code, 0) << table.errors;
    EXPECT_THAT(table.output, HasSubstr("in all"));
    EXPECT_THAT(table.output, HasSubstr("by day"));
    EXPECT_THAT(table.output, HasSubstr("refund"));
    const json body = json::parse(home.run({"report", "--json", "--from", "7d"}).output);
    EXPECT_EQ(body["totals"]["conversations"], 2);
    EXPECT_EQ(body["totals"]["messages"], 4);
    EXPECT_EQ(body["totals"]["good"], 1);
    EXPECT_EQ(body["totals"]["bad"], 1);
    EXPECT_EQ(json::parse(home.run({"report", "--json", "--to", "2001-01-01"}).output)["totals"]["messages"], 0);
    EXPECT_THAT(home.run({"report", "--app", "Nobody's"}).errors,
                HasSubstr("app:Nobody's is nothing that a conversation has; there are "));
    EXPECT_EQ(home.run({"report", "--from", "soon"}).code, 2);
    EXPECT_EQ(home.run({"report", "--from", "2026-02-01", "--to", "2026-01-01"}).code, 2);
    EXPECT_EQ(home.run({"report", "--by", "week"}).code, 2);
}

TEST_F(Report, MasksAnExportWhereItIsAskedTo)
{
    for (const char* format : {"jsonl", "csv", "markdown"}) {
        const std::string masked = home.run({"export", "--mask", "--format", format}).output;
        EXPECT_THAT(masked, Not(HasSubstr("mina@"))) << format;
        EXPECT_THAT(masked, Not(HasSubstr("010-1234"))) << format;
        EXPECT_THAT(masked, HasSubstr("phone")) << format;
        EXPECT_THAT(masked, HasSubstr(bad)) << format;
    }
    EXPECT_THAT(home.run({"export"}).output, HasSubstr("mina@example.com"));
}

TEST_F(Report, MasksWhatAnAssistantGetsUnlessItIsSwitchedOff)
{
    for (const json& result :
         {call("search", {{"query", "refund please"}}), call("list_conversations", {{"rating", "bad"}}),
          call("get_conversation", {{"id", bad}})}) {
        EXPECT_THAT(result.dump(), Not(HasSubstr("mina@")));
        EXPECT_THAT(result.dump(), Not(HasSubstr("010-1234")));
        EXPECT_THAT(result.dump(), HasSubstr("[email]"));
    }
    EXPECT_EQ(call("search", {{"query", "mina@example.com"}})["structuredContent"]["total"], 0) << "nor found by it";
    EXPECT_THAT(call("get_conversation", {{"id", bad}}, "--mcp-mask false").dump(), HasSubstr("mina@example.com"));
    EXPECT_EQ(call("list_conversations", {{"rating", "bad"}})["structuredContent"]["conversations"].size(), 1U);
    const json wrong = call("list_conversations", {{"rating", "meh"}});
    EXPECT_EQ(wrong["isError"], true);
    EXPECT_THAT(wrong.dump(), HasSubstr("good, bad, none"));
}

} // namespace alli::daemon

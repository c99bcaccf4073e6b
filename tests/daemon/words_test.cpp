// SPDX-License-Identifier: Apache-2.0
// `search`, `list`, `show` and `sandbox` through the real program.
#include "alli/instant.hpp"
#include "tests/daemon/home.hpp"
#include "tests/support/http_client.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <csignal>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

/// One mirrored conversation whose last message tries to act on a terminal.
class Words : public testing::Test {
  protected:
    Words()
    {
        id = upstream.add_conversation(1);
        upstream.edit_title(id, "Title \x1b[2Jof it");
        upstream.add_chat(id, "USER", "the zebrafish \x1b]0;owned\x07 swims\r\nand <b>rests</b>");
        home.use(upstream);
        EXPECT_EQ(home.run({"sync"}).code, 0);
    }

    sandbox::Sandbox upstream{small_sandbox(3)};
    std::string id;
    Home home;
};

TEST_F(Words, AreFoundAndCannotActOnATerminal)
{
    const support::Finished finished = home.run({"search", "zebrafish"});
    EXPECT_EQ(finished.code, 0) << finished.errors;
    EXPECT_THAT(finished.output, HasSubstr("USER: the zebrafish"));
    EXPECT_THAT(finished.output, HasSubstr("<b>rests</b>"));
    EXPECT_THAT(finished.output, HasSubstr("1 of 1"));
    EXPECT_THAT(finished.output, HasSubstr(id));
    for (const auto& said : {finished.output, home.run({"show", id}).output, home.run({"list"}).output,
                             home.run({"show", id, "--format", "markdown"}).output}) {
        EXPECT_THAT(said, Not(HasSubstr("\x1b")));
        EXPECT_THAT(said, Not(HasSubstr("\x07")));
        EXPECT_THAT(said, Not(HasSubstr("owned")));
    }
}

TEST_F(Words, ComeAsJsonInTheAgreedShape)
{
    const json found = json::parse(home.run({"search", "zebrafish", "--json"}).output);
    EXPECT_EQ(found["query"], "zebrafish");
    EXPECT_EQ(found["total"], 1);
    EXPECT_EQ(found["next"], nullptr);
    EXPECT_EQ(found["coverage"]["complete"], true);
    const json& hit = found["results"][0];
    EXPECT_EQ(hit["conversationId"], id);
    EXPECT_EQ(hit["chatId"], upstream.chat_ids(id).back());
    EXPECT_EQ(hit["sender"], "USER");
    EXPECT_THAT(hit["snippet"].get<std::string>(), HasSubstr("<mark>zebrafish</mark>"));
    for (const char* field : {"title", "timestamp", "user", "score"}) EXPECT_TRUE(hit.contains(field)) << field;
}

TEST_F(Words, AreNarrowedByFlags)
{
    const auto total = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"search", "zebrafish", "--json"});
        return json::parse(home.run(more).output)["total"].get<int>();
    };
    EXPECT_EQ(total({"--sender", "USER"}), 1);
    EXPECT_EQ(total({"--sender", "BOT"}), 0);
    EXPECT_EQ(total({"--after", "2001-01-01"}), 1);
    EXPECT_EQ(total({"--before", "2001-01-01"}), 0);
    EXPECT_EQ(total({"--sort", "relevance", "--limit", "1"}), 1);
}

TEST_F(Words, AreOfADayWhereThePersonIs)
{
    home.environment["TZ"] = "Asia/Seoul";
    const auto run = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"search", "zebrafish"});
        return home.run(more);
    };
    const auto day = [](Instant when) { return to_rfc3339(when).substr(0, 10); };
    const json hit = json::parse(run({"--json"}).output)["results"][0];
    const Instant sent = *from_rfc3339(hit["timestamp"].get<std::string>());
    using std::chrono::hours;
    const std::string here = day(sent + hours(9)), there = day(sent - hours(11)); // Seoul, Pago Pago
    EXPECT_THAT(run({"--after", here}).output, HasSubstr("1 of 1"));
    EXPECT_THAT(run({"--before", here}).output, HasSubstr("nothing found"));
    EXPECT_THAT(run({"--after", here}).errors, HasSubstr("days are those of Asia/Seoul"));
    EXPECT_THAT(run({"after:" + here}).errors, HasSubstr("days are those of Asia/Seoul"));
    EXPECT_THAT(run({}).errors, Not(HasSubstr("days")));
    EXPECT_THAT(run({}).output, HasSubstr(" +09:00"));
    EXPECT_THAT(run({"--after", there, "--tz", "Pacific/Pago_Pago"}).output, HasSubstr(" -11:00"));
    const auto wrong = run({"--tz", "Asia/Soul"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.errors, HasSubstr("did you mean Asia/Seoul?"));
}

TEST_F(Words, OfNothingAreNoFailure)
{
    const support::Finished finished = home.run({"search", "xylophone-that-nobody-named"});
    EXPECT_EQ(finished.code, 0);
    EXPECT_THAT(finished.output, HasSubstr("nothing found"));
}

TEST_F(Words, OfOneConversationAreShownWhole)
{
    const json shown = json::parse(home.run({"show", id, "--json"}).output);
    EXPECT_EQ(shown["conversation"]["id"], id);
    EXPECT_EQ(shown["chats"].size(), 2U);
    EXPECT_THAT(home.run({"show", id, "--format", "markdown"}).output, HasSubstr("# Title of it"));

    const support::Finished missed = home.run({"show", "nobody"});
    EXPECT_EQ(missed.code, 1);
    EXPECT_THAT(missed.errors, HasSubstr("holds no conversation nobody\n  hint: "));
}

TEST_F(Words, ListNewestFirst)
{
    const json list = json::parse(home.run({"list", "--json"}).output)["conversations"];
    ASSERT_EQ(list.size(), 4U);
    EXPECT_EQ(list[0]["id"], id);
    EXPECT_EQ(list[0]["chats"], 2);
    EXPECT_EQ(json::parse(home.run({"list", "--json", "--limit", "2"}).output)["conversations"].size(), 2U);
}

TEST(SandboxCommand, RunsUntilASignal)
{
    const Home home;
    support::Process process(Home::words({"sandbox", "--conversations", "3", "--time-unit", "s", "--embedded", "0"}),
                             home.environment);
    const std::string url = process.wait_for_line("http://127.0.0.1:");
    EXPECT_THAT(process.wait_for_line("curl"), HasSubstr(url));
    const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    const auto reply = support::http(port, "GET", "/webapi/v2/conversations");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(json::parse(reply.body)["conversations"].size(), 3U);
    process.send(SIGTERM);
    EXPECT_EQ(process.wait(std::chrono::seconds(10)), 0);
}

TEST_F(Words, SearchShowsWhatStandsAroundAndGroups)
{
    for (const char* text : {"one before", "the quokka", "one after", "the quokka again"})
        upstream.add_chat(id, "USER", text);
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const auto around = home.run({"search", "quokka", "--context", "1", "--limit", "1"});
    EXPECT_EQ(around.code, 0) << around.errors;
    EXPECT_THAT(around.output, HasSubstr("      USER: one after\n    USER: the quokka again\n"));
    EXPECT_THAT(around.output, HasSubstr("1 of 2\nthe next ones: the same with --cursor "));

    const auto at = around.output.find("--cursor ") + 9;
    const std::string cursor = around.output.substr(at, around.output.find('\n', at) - at);
    const auto next = home.run({"search", "quokka", "--limit", "1", "--cursor", cursor});
    EXPECT_THAT(next.output, HasSubstr("USER: the quokka\n1 of 2\n"));
    EXPECT_EQ(home.run({"search", "zebrafish", "--cursor", cursor}).code, 2);

    const auto grouped = home.run({"search", "quokka", "--group"});
    EXPECT_THAT(grouped.output, HasSubstr("    and 1 more in this conversation\n"));
}

} // namespace alli::daemon

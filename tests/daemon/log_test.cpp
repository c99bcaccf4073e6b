// SPDX-License-Identifier: Apache-2.0
// What the daemon logs: words, ids and a key are planted, everything is done with them, and the log is read.
#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const std::string planted_words = "plantedwords about a hotel", planted_user = "planted-user-77";

class Logs : public testing::Test {
  protected:
    void start(const std::string& format, const std::string& level)
    {
        conversation_ = upstream_.add_conversation(2);
        upstream_.add_chat(conversation_, "USER", planted_words);
        home_.use(upstream_);
        home_.environment["ALLI_MIRROR_LOG_FORMAT"] = format;
        home_.environment["ALLI_MIRROR_LOG_LEVEL"] = level;
        daemon_.emplace(home_, std::vector<std::string>{"serve"});
        daemon_->wait_until_complete();
    }

    std::string at(const std::string& rest = {}) const
    {
        std::string path = "/webapi/v2/conversations/";
        for (const char c : conversation_) path += std::isalnum(c) ? std::string(1, c) : fmt::format("%{:02X}", c);
        return path + rest;
    }

    void ask(std::string_view method, const std::string& target, const std::string& id, const std::string& body = {})
    {
        support::http(daemon_->port, method, target,
                      {{"API-KEY", "sandbox"}, {"X-Request-Id", id}, {"OWN-USER-ID", planted_user}}, body);
    }

    void do_something()
    {
        ask("GET", at(), "id-hit");
        ask("GET", at() + "?noise=" + planted_user, "id-query");
        ask("GET", "/mirror/v1/search?q=plantedwords", "id-search");
        ask("PUT", at("/title"), "id-write", R"({"title":"plantedwords again"})");
        ask("GET", at("/running"), "id-relay");
        ask("POST", "/webapi/apps/none/run", "id-passed", R"({"text":"plantedwords","user":"planted-user-77"})");
        upstream_.set_faults({sandbox::parse_fault("server_error:*:2"), sandbox::parse_fault("not_json:*:1")});
        for (int i = 0; i < 3; ++i) ask("GET", at("/running"), "id-fault");
        ask("PUT", "/webapi/v2/conversations/" + planted_user + "/title", "id-404", R"({"title":"plantedwords"})");
    }

    std::string finish()
    {
        EXPECT_EQ(daemon_->stop(), 0);
        return daemon_->process.errors();
    }

    sandbox::Sandbox upstream_{small_sandbox(3)};
    Home home_;
    std::string conversation_;
    std::optional<Daemon> daemon_;
};

std::vector<json> lines_of(const std::string& log)
{
    std::vector<json> lines;
    std::istringstream text(log);
    for (std::string line; std::getline(text, line);) {
        lines.push_back(json::parse(line, nullptr, false));
        EXPECT_TRUE(lines.back().is_object()) << line;
    }
    return lines;
}

std::vector<json> with(const std::vector<json>& lines, const std::string& event, const std::string& request_id)
{
    std::vector<json> found;
    for (const json& line : lines)
        if (line.value("event", "") == event && line.value("request_id", "") == request_id) found.push_back(line);
    return found;
}

TEST_F(Logs, HoldNoWordsAndNoIdsThatWerePlanted)
{
    for (const char* format : {"text", "json"}) {
        start(format, "debug");
        do_something();
        const std::string log = finish();
        for (const std::string& planted : {std::string("plantedwords"), planted_user, conversation_})
            EXPECT_THAT(log, Not(HasSubstr(planted))) << format;
        EXPECT_THAT(log, HasSubstr("id-write")) << "the search would find something";
    }
}

TEST_F(Logs, TieALocalRequestToItsCallUpstream)
{
    start("json", "debug");
    do_something();
    const std::vector<json> lines = lines_of(finish());
    const auto hit = with(lines, "request", "id-hit");
    ASSERT_EQ(hit.size(), 1U);
    EXPECT_EQ(hit[0]["operation"], "getConversation");
    EXPECT_EQ(hit[0]["status"], 200);
    EXPECT_EQ(hit[0]["cache"], "hit");
    EXPECT_EQ(with(lines, "upstream_call", "id-hit").size(), 0U);

    for (const char* id : {"id-write", "id-relay", "id-passed"}) {
        EXPECT_EQ(with(lines, "request", id).size(), 1U) << id;
        EXPECT_EQ(with(lines, "upstream_call", id).size(), 1U) << id;
    }
    const auto write = with(lines, "write_delivered", "id-write");
    ASSERT_EQ(write.size(), 1U);
    EXPECT_EQ(write[0]["conversation"], hit[0]["conversation"]) << "the same id is the same hash";
    EXPECT_EQ(with(lines, "write_failed", "id-404").size(), 1U);
}

TEST_F(Logs, HashAnIdAlikeAfterARestart)
{
    const auto hash = [&] {
        daemon_.emplace(home_, std::vector<std::string>{"serve"});
        daemon_->wait_until_complete();
        ask("GET", at(), "id-again");
        return with(lines_of(finish()), "request", "id-again").at(0)["conversation"].get<std::string>();
    };
    start("json", "info");
    finish();
    const std::string first = hash();
    EXPECT_EQ(first, hash());
}

TEST_F(Logs, SayOnceASecondWhatAFloodRepeats)
{
    start("text", "info");
    for (int i = 0; i < 300; ++i) support::http(daemon_->port, "GET", "/", {{"API-KEY", fmt::format("wrong{}", i)}});
    const std::string log = finish();
    std::size_t lines = 0;
    for (auto at = log.find(" request_refused"); at != log.npos; at = log.find(" request_refused", at + 1)) ++lines;
    EXPECT_GT(lines, 0U);
    EXPECT_LT(lines, 100U);
    EXPECT_THAT(log, HasSubstr("more of request_refused were not written"));
}

TEST_F(Logs, EndWithTheReasonOfABadEnd)
{
    home_.use(upstream_);
    home_.environment["ALLI_MIRROR_LOG_FORMAT"] = "json";
    const sandbox::Sandbox other(small_sandbox());
    home_.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:" + std::to_string(other.port());
    const support::Finished finished = home_.run({"serve"});
    EXPECT_EQ(finished.code, 1);
    const std::vector<json> lines = lines_of(finished.errors);
    EXPECT_EQ(lines.back()["event"], "failed");
    EXPECT_EQ(lines.back()["level"], "error");
    EXPECT_THAT(lines.back()["error"].get<std::string>(), HasSubstr("somebody else listens there"));
    EXPECT_THAT(lines.back()["hint"].get<std::string>(), HasSubstr("proxy.listen"));
}

} // namespace
} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// Each filter finds the same conversations whichever way it is asked for: by search, list and export of the command
// line, by search, export and feed of the daemon, by both tools of an assistant, and in the figures. Of a mirror with
// conversations that lack a user, an app or any message, that are ended, rated or neither.
#include "alli/sync_wait.hpp"
#include "cache/conversations.hpp"
#include "cache/db/sqlite.hpp"
#include "cache/store.hpp"
#include "tests/daemon/daemon.hpp"
#include "tests/support/make.hpp"

#include <gmock/gmock.h>

#include <set>
#include <sstream>

namespace alli::daemon {
namespace {

using nlohmann::json;
using Ids = std::set<std::string>;

constexpr std::int64_t first_day = 1'760'000'000, day = 86'400;

struct Made {
    std::string id;
    json more;
    std::vector<json> chats;
    int day = 0; // of its last message
};

const json user{{"user", {{"userId", "u1"}, {"firstName", "Mina"}}}}, other{{"user", {{"userId", "u2"}}}},
    app{{"llmApp", {{"id", "7"}, {"name", "Help"}}}}, desk{{"llmApp", {{"id", "8"}, {"name", "Desk"}}}};

json all_of(std::vector<json> parts)
{
    json all = json::object();
    for (const json& part : parts) all.update(part);
    return all;
}

const json question = json::object(), answer = json::object(), good{{"rating", true}}, bad{{"rating", false}};

const std::vector<Made>& made_conversations()
{
    static const std::vector<Made> all{
        {"bad", all_of({user, app, {{"state", "no"}, {"channel", "WEB"}, {"assignee", "Jun"}}}), {question, bad}},
        {"bare", {{"state", "no"}}, {}}, // nothing but a title
        {"cited",
         all_of({other, desk, {{"state", "closed"}, {"isEnd", true}}}),
         {question, {{"citations", {{{"title", "Fees"}}}}, {"agentRating", true}}},
         2},
        {"empty",
         all_of({user, app, {{"state", "no"}, {"channel", "WEB"}, {"assignee", "Jun"}, {"categories", {"VIP"}}}}),
         {}},
        {"ended", all_of({other, desk, {{"state", "closed"}, {"isEnd", true}, {"categories", {"VIP"}}}}), {}},
        {"named-alike", all_of({{{"user", {{"userId", "u3"}, {"firstName", "Mina"}}}}, {{"channel", "KAKAO"}}}), {}},
        {"no-app", all_of({user, {{"state", "closed"}, {"channel", "KAKAO"}}}), {question, good}, 1},
        {"no-user",
         all_of({app, {{"state", "no"}, {"categories", {"VIP"}}}}),
         {question, {{"agentRating", false}, {"suggestedAnswer", "Ten"}}},
         3},
        {"stepped", all_of({other, app}), {question, {{"intermediateSteps", {{{"type", "LLM"}}}}}}, 4},
    };
    return all;
}

struct Filter {
    std::string name, value;
    Ids found;
};

std::string day_of(int days)
{
    return to_rfc3339(support::at_second(first_day + days * day)).substr(0, 10);
}

const std::vector<Filter>& filters()
{
    static const std::vector<Filter> all{
        {"user", "u1", {"bad", "empty", "no-app"}},
        {"user", "mina", {"bad", "empty", "named-alike", "no-app"}},
        {"user", "u2", {"cited", "ended", "stepped"}},
        {"user", "nobody", {}},
        {"app", "7", {"bad", "empty", "no-user", "stepped"}},
        {"app", "desk", {"cited", "ended"}},
        {"category", "vip", {"empty", "ended", "no-user"}},
        {"state", "NO", {"bad", "bare", "empty", "no-user"}},
        {"state", "closed", {"cited", "ended", "no-app"}},
        {"assignee", "Jun", {"bad", "empty"}},
        {"channel", "web", {"bad", "empty"}},
        {"channel", "kakao", {"named-alike", "no-app"}},
        {"sender", "bot", {"bad", "cited", "no-app", "no-user", "stepped"}},
        {"rating", "bad", {"bad"}},
        {"rating", "good", {"no-app"}},
        {"rating", "none", {"cited", "no-user", "stepped"}},
        {"agentrating", "bad", {"no-user"}},
        {"agentrating", "good", {"cited"}},
        {"agentrating", "none", {"bad", "no-app", "stepped"}},
        {"has", "feedback", {"no-user"}},
        {"has", "citations", {"cited"}},
        {"has", "steps", {"stepped"}},
        {"after", day_of(2), {"cited", "no-user", "stepped"}},
        {"before", day_of(2), {"bad", "no-app"}},
    };
    return all;
}

bool asks_messages(const Filter& filter)
{
    for (const char* name : {"sender", "rating", "agentrating", "has", "after", "before"})
        if (filter.name == name) return true;
    return false;
}

} // namespace

class FiltersAgree : public testing::Test {
  protected:
    FiltersAgree()
    {
        home.environment["ALLI_MIRROR_UPSTREAM_URL"] = upstream;
        home.environment["ALLI_API_KEY"] = "sandbox";
        home.environment["TZ"] = "UTC";
        const auto directory = std::filesystem::path(home.mirror()).parent_path();
        std::filesystem::create_directories(directory);
        std::filesystem::permissions(directory, std::filesystem::perms(0700));
        cache::Store store({home.mirror(), upstream, false});
        for (const Made& made : made_conversations()) put(store, made);
    }

    static void put(cache::Store& store, const Made& made)
    {
        const std::int64_t last = made.chats.empty() ? 0 : first_day + made.day * day;
        std::vector<Chat> chats;
        TimeUnit unit = TimeUnit::seconds;
        for (const json& more : made.chats) {
            const int n = static_cast<int>(chats.size());
            json chat = support::chat_json(made.id, n, last - std::ssize(made.chats) + 1 + n, "said");
            chat.update(more);
            chats.push_back(read_chat(chat.dump(), unit));
        }
        const Conversation conversation = support::make_conversation(made.id, last, made.more);
        auto job = [&](cache::Writer& db) {
            cache::put_conversation(db, conversation);
            cache::put_chats(db, conversation.id, 0, chats);
        };
        sync_wait(store.write(std::move(job)));
    }

    static std::string query_of(const std::vector<Filter>& all)
    {
        std::string text;
        for (const Filter& one : all) text += (text.empty() ? "" : " ") + one.name + ":" + one.value;
        return text;
    }

    // ---- each way to ask

    std::string run(std::vector<std::string> words, const std::vector<Filter>& all) const
    {
        for (const Filter& one : all) {
            words.push_back(one.name == "agentrating" ? "--agent-rating" : "--" + one.name);
            words.push_back(one.value);
        }
        const auto finished = home.run(words);
        EXPECT_EQ(finished.code, 0) << finished.errors;
        return finished.output;
    }

    static Ids ids_in(const json& list, const char* member)
    {
        Ids ids;
        for (const json& one : list)
            EXPECT_TRUE(ids.insert(one.at(member).get<std::string>()).second) << "twice: " << one;
        return ids;
    }

    static Ids ids_in_lines(const std::string& lines)
    {
        json all = json::array();
        std::istringstream in(lines);
        for (std::string line; std::getline(in, line);) all.push_back(json::parse(line).at("conversation"));
        return ids_in(all, "id");
    }

    Ids listed(const std::vector<Filter>& all) const
    {
        return ids_in(json::parse(run({"list", "--json", "--limit", "100"}, all))["conversations"], "id");
    }

    Ids exported(const std::vector<Filter>& all) const { return ids_in_lines(run({"export"}, all)); }

    Ids exported_to_sqlite(const std::vector<Filter>& all) const
    {
        const std::string file = home.path("out.db");
        run({"export", "--format", "sqlite", "--output", file}, all);
        cache::Connection db(file, cache::Access::read);
        const auto ids = db.all<std::string>("SELECT conversation_id FROM v_conversation");
        return {ids.begin(), ids.end()};
    }

    Ids found_by_command(const std::vector<Filter>& all) const
    {
        const std::string said = home.run({"search", query_of(all), "--group", "--limit", "100", "--json"}).output;
        const json result = json::parse(said);
        const Ids ids = ids_in(result["results"], "conversationId");
        EXPECT_EQ(result["conversations"], ids.size());
        return ids;
    }

    static json get(const Daemon& daemon, const std::string& target, const std::vector<Filter>& all)
    {
        std::string query;
        for (const char c : query_of(all)) query += c == ' ' ? "%20" : std::string(1, c);
        const auto reply = daemon.get(target + query);
        EXPECT_EQ(reply.status, 200) << reply.body;
        return json::parse(reply.body, nullptr, false);
    }

    static Ids found_by_pages(const Daemon& daemon, const std::vector<Filter>& all, const std::string& sort)
    {
        Ids ids;
        std::string cursor;
        do {
            const json page = get(daemon, "/mirror/v1/search?limit=1&sort=" + sort + cursor + "&q=", all);
            for (const json& hit : page["results"]) ids.insert(hit["conversationId"].get<std::string>());
            cursor = page["next"].is_string() ? "&cursor=" + page["next"].get<std::string>() : "";
        } while (!cursor.empty());
        return ids;
    }

    static Ids exported_by_daemon(const Daemon& daemon, const std::vector<Filter>& all)
    {
        std::string query;
        for (const char c : query_of(all)) query += c == ' ' ? "%20" : std::string(1, c);
        return ids_in_lines(daemon.get("/mirror/v1/export?format=jsonl&q=" + query).body);
    }

    static Ids told_by_feed(const Daemon& daemon, const std::vector<Filter>& all)
    {
        Ids ids;
        const json page = get(daemon, "/mirror/v1/changes?since=0&q=", all);
        for (const json& change : page["changes"])
            if (change["conversationId"].is_string()) ids.insert(change["conversationId"].get<std::string>());
        return ids;
    }

    static json call(int id, const std::string& tool, const json& arguments)
    {
        json message{{"jsonrpc", "2.0"}, {"id", id}, {"method", "tools/call"}};
        message["params"] = {{"name", tool}, {"arguments", arguments}};
        return message;
    }

    /// What an assistant has listed, and what it finds.
    std::pair<Ids, Ids> found_for_assistant(const std::vector<Filter>& all) const
    {
        json filters = json::object();
        for (const Filter& one : all) filters[one.name == "agentrating" ? "agentRating" : one.name] = one.value;
        std::string input =
            R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})";
        for (const json& one :
             {call(1, "list_conversations", filters), call(2, "search", {{"query", query_of(all)}, {"limit", 100}})})
            input += '\n' + one.dump();
        const std::string line = std::string(ALLI_MIRROR_BINARY) + " mcp < " + home.write("input", input);
        std::istringstream lines(support::run_process({"/bin/bash", "-c", line}, home.environment).output);
        std::vector<json> said;
        for (std::string one; std::getline(lines, one);) said.push_back(json::parse(one));
        const auto result = [&](std::size_t n) {
            return json::parse(said.at(n)["result"]["content"][0]["text"].get<std::string>());
        };
        Ids found;
        const json hits = result(2)["results"], listed = result(1)["conversations"];
        for (const json& hit : hits) found.insert(hit["conversationId"].get<std::string>());
        return {ids_in(listed, "id"), found};
    }

    /// How many, where figures can be asked so.
    std::size_t counted(const std::vector<Filter>& all) const
    {
        return json::parse(run({"report", "--from", "1970-01-01", "--json"}, all))["totals"]["conversations"];
    }

    /// Of all that `daemon` shows to its caller.
    static void expect_by_daemon(const Daemon& daemon, const std::vector<Filter>& all, const Ids& expected)
    {
        EXPECT_EQ(found_by_pages(daemon, all, "newest"), expected);
        EXPECT_EQ(found_by_pages(daemon, all, "relevance"), expected);
        EXPECT_EQ(exported_by_daemon(daemon, all), expected);
        EXPECT_EQ(told_by_feed(daemon, all), expected);
    }

    void expect(const Daemon& daemon, const std::vector<Filter>& all, const Ids& expected) const
    {
        SCOPED_TRACE(query_of(all));
        EXPECT_EQ(listed(all), expected);
        EXPECT_EQ(exported(all), expected);
        EXPECT_EQ(exported_to_sqlite(all), expected);
        EXPECT_EQ(found_by_command(all), expected);
        EXPECT_EQ(found_for_assistant(all), std::pair(expected, expected));
        expect_by_daemon(daemon, all, expected);
        const bool in_figures = std::all_of(all.begin(), all.end(), [](const Filter& one) {
            return one.name == "user" || one.name == "app" || one.name == "category";
        });
        EXPECT_EQ(in_figures ? counted(all) : expected.size(), expected.size());
    }

    const std::string upstream = "http://127.0.0.1:1";
    Home home;
};

TEST_F(FiltersAgree, EachAlone)
{
    Daemon daemon(home, {"serve"});
    for (const Filter& filter : filters()) expect(daemon, {filter}, filter.found);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(FiltersAgree, TwoTogetherFindWhatBothLeaveAlsoWithinAView)
{
    const json made =
        json::parse(home.run({"token", "new", "narrow", "--scope", "read", "--app", "7", "--json"}).output);
    Daemon daemon(home, {"serve"});
    const auto seen = filters().at(4).found;
    for (std::size_t a = 0; a < filters().size(); ++a)
        for (std::size_t b = a + 1; b < filters().size(); ++b) {
            const Filter &one = filters()[a], &two = filters()[b];
            // A message has all that is asked of it: of one conversation two may have one each. Values of one filter
            // are alternatives.
            if (one.name == two.name || (asks_messages(one) && asks_messages(two))) continue;
            SCOPED_TRACE(query_of({one, two}));
            Ids both, in_view;
            std::set_intersection(one.found.begin(), one.found.end(), two.found.begin(), two.found.end(),
                                  std::inserter(both, both.end()));
            std::set_intersection(both.begin(), both.end(), seen.begin(), seen.end(),
                                  std::inserter(in_view, in_view.end()));
            daemon.key = "sandbox";
            expect_by_daemon(daemon, {one, two}, both);
            daemon.key = made["token"].get<std::string>();
            expect_by_daemon(daemon, {one, two}, in_view);
        }
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::daemon

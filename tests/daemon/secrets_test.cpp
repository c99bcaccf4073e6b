// SPDX-License-Identifier: Apache-2.0
// A key, a token and words of a conversation are planted; the program then does all that it does with them, well and
// badly. Afterwards they are looked for wherever bytes come out of it.
#include "tests/daemon/daemon.hpp"

#include <sys/stat.h>

#include <filesystem>

namespace alli::daemon {
namespace {

const std::string planted_key = "canary-key-5f1c2a9e7b", other_key = "canary-wrong-key-83d0aa";
const std::string token = "canary-token-4be97f013d", next_key = "canary-next-key-19c6e2";
const std::string words = "canarywords about a hotel in the mountains";

std::string slurp(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool holds(const std::string& text, const std::string& part)
{
    return text.find(part) != text.npos;
}

class Secrets : public testing::Test {
  protected:
    Secrets() : upstream_(with_key())
    {
        conversation_ = upstream_.add_conversation(2);
        upstream_.add_chat(conversation_, "USER", words);
        home_.use(upstream_, planted_key);
        tokens_ = home_.write("tokens", token + "\n");
        home_.environment["ALLI_MIRROR_PROXY_TOKENS_FILE"] = tokens_;
        home_.environment["ALLI_MIRROR_LOG_LEVEL"] = "debug";
        home_.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "100ms";
        daemon_.emplace(home_, std::vector<std::string>{"serve"});
        daemon_->key = planted_key;
        daemon_->wait_until_complete();
    }

    static sandbox::Options with_key()
    {
        sandbox::Options options = small_sandbox(3);
        options.api_key = planted_key;
        return options;
    }

    std::string at(const std::string& rest = {}) const
    {
        std::string path = "/webapi/v2/conversations/";
        for (const char c : conversation_) path += std::isalnum(c) ? std::string(1, c) : fmt::format("%{:02X}", c);
        return path + rest;
    }

    // An answer in which nothing planted has any business, but for words where they are asked for.
    void ask(std::string_view method, const std::string& target, support::Headers headers, const std::string& body = {},
             bool tells_words = false)
    {
        const auto reply = support::http(daemon_->port, method, target, headers, body);
        std::string all = reply.body;
        for (const auto& [name, value] : reply.headers) all += name + ": " + value + "\n";
        EXPECT_NE(reply.status, 0) << method << ' ' << target << ": " << reply.error;
        for (const std::string& secret : {planted_key, other_key, token, next_key})
            EXPECT_FALSE(holds(all, secret)) << secret << " in the answer to " << method << ' ' << target;
        EXPECT_TRUE(tells_words || !holds(all, "canarywords")) << "in the answer to " << method << ' ' << target;
    }

    void do_everything()
    {
        const support::Headers key{{"API-KEY", planted_key}}, bearer{{"Authorization", "Bearer " + token}};
        for (const auto& headers : {key, bearer}) ask("GET", at(), headers, {}, true);
        ask("GET", "/mirror/v1/search?q=canarywords", key, {}, true);
        for (const char* path : {"/metrics", "/mirror/v1/status", "/readyz", "/", "/nowhere", "/webapi/%zz"})
            ask("GET", path, key);
        ask("GET", "/webapi/v2/conversations?pageSize=" + other_key, key);
        ask("GET", "/webapi/v2/conversations", {{"API-KEY", other_key}});
        ask("GET", "/webapi/v2/conversations", {{"Authorization", "Basic " + other_key}});
        ask("GET", "/webapi/v2/conversations?api_key=" + other_key, {});
        ask("GET", "/webapi/v2/conversations", {{"API-KEY", planted_key}, {"Host", other_key + ".test"}});
        ask("POST", "/webapi/apps/none/run", key, R"({"text":"canarywords"})");
        ask("GET", "/webapi/none?key=" + other_key, bearer);
        upstream_.set_faults({sandbox::parse_fault("server_error:*:3"), sandbox::parse_fault("not_json:*:3"),
                              sandbox::parse_fault("reset_before:*:3")});
        for (int i = 0; i < 9; ++i) ask("POST", "/webapi/apps/none/run", key, R"({"text":"canarywords"})");
        upstream_.set_faults({});
        ask("PUT", at("/title"), key, R"({"title":"canarywords now"})", true);
        ask("PUT", at("/title"), key, R"({"title":"canarywords" broken)");
    }

    // Upstream takes another key from now on: everything pauses, and a write waits.
    void be_rejected()
    {
        upstream_.set_api_key(next_key);
        daemon_->wait_for([](const nlohmann::json& now) { return now["upstream"]["keyAccepted"] == false; });
        const support::Headers key{{"API-KEY", planted_key}};
        ask("PUT", at("/title"), key, R"({"title":"canarywords later"})", true);
        ask("GET", "/mirror/v1/outbox", key);
        ask("GET", "/mirror/v1/status", key);
        ask("GET", "/metrics", key);
        ask("POST", "/webapi/apps/none/run", key, R"({"text":"canarywords"})");
    }

    void look_into_proc() const
    {
        const std::filesystem::path own = "/proc/" + std::to_string(daemon_->process.pid());
        for (const char* file : {"cmdline", "environ", "comm", "status"}) {
            const std::string text = slurp(own / file);
            for (const std::string& secret : {planted_key, token}) EXPECT_FALSE(holds(text, secret)) << file;
        }
        const std::string limits = slurp(own / "limits");
        EXPECT_TRUE(limits.empty() || holds(limits, "Max core file size        0                    0")) << limits;
        struct stat status {};
        ASSERT_EQ(::stat((own / "environ").c_str(), &status), 0);
        EXPECT_EQ(status.st_uid, 0u) << "a process that can be dumped shows its files to its user";
    }

    // Where each may be: the token in its file, words in the two databases.
    void look_into_files() const
    {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(home_.path(""))) {
            if (!entry.is_regular_file()) continue;
            const std::string name = entry.path().filename(), text = slurp(entry.path());
            for (const std::string& secret : {planted_key, other_key, next_key})
                EXPECT_FALSE(holds(text, secret)) << secret << " in " << entry.path();
            EXPECT_TRUE(entry.path() == tokens_ || !holds(text, token)) << "in " << entry.path();
            const bool database = name.starts_with("mirror.db") || name.starts_with("outbox.db");
            EXPECT_TRUE(database || !holds(text, "canarywords")) << "in " << entry.path();
            const auto mode = entry.status().permissions();
            EXPECT_TRUE((mode & std::filesystem::perms(077)) == std::filesystem::perms::none) << entry.path();
        }
    }

    void look_into_log() const
    {
        const std::string log = daemon_->process.output() + daemon_->process.errors();
        EXPECT_FALSE(log.empty());
        for (const std::string& secret : {planted_key, other_key, token, next_key})
            EXPECT_FALSE(holds(log, secret)) << secret << " in the log:\n" << log;
        EXPECT_FALSE(holds(log, "canarywords")) << log;
    }

    sandbox::Sandbox upstream_;
    Home home_;
    std::string conversation_, tokens_;
    std::optional<Daemon> daemon_;
};

TEST_F(Secrets, AreNowhereButWhereTheyBelong)
{
    do_everything();
    be_rejected();
    look_into_proc();
    look_into_files();
    EXPECT_TRUE(holds(slurp(home_.path(".local/state/alli-mirror/outbox.db-wal")) +
                          slurp(home_.path(".local/state/alli-mirror/outbox.db")),
                      "canarywords"))
        << "the search would find them";
    EXPECT_EQ(daemon_->stop(), 0);
    look_into_files();
    look_into_log();
}

TEST_F(Secrets, AreInNoCoreOfAProcessThatDies)
{
    const std::filesystem::path here = std::filesystem::current_path();
    const auto cores = [&] {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(here))
            count += entry.path().filename().string().starts_with("core");
        return count;
    };
    const std::size_t before = cores();
    daemon_->process.send(SIGABRT);
    EXPECT_EQ(daemon_->process.wait(), 128 + SIGABRT);
    EXPECT_EQ(cores(), before);
    look_into_files();
}

TEST_F(Secrets, AreNotTakenFromAFileThatOthersCanRead)
{
    EXPECT_EQ(daemon_->stop(), 0);
    home_.write("tokens", token, std::filesystem::perms(0644));
    const auto open_tokens = home_.run({"serve"});
    EXPECT_EQ(open_tokens.code, 2);
    EXPECT_FALSE(holds(open_tokens.output + open_tokens.errors, token));
}

} // namespace
} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// docs/cluster.md: its statements are run, in their order, by a PostgreSQL of the test's own, its certificate is made
// and trusted, its files are read by the programs that they are for, and its load balancer sends each request where the
// page says.
#include "cluster/postgres/postgres_truth.hpp"
#include "tests/daemon/cluster_home.hpp"
#include "tests/support/http_client.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <cctype>
#include <sstream>
#include <sys/stat.h>
#include <thread>

namespace alli::daemon {
namespace {

using support::run_process;
using testing::HasSubstr;
using upstream_test::answer;

const support::Process::Environment path{{"PATH", "/usr/sbin:/usr/bin:/bin"}};

std::string read(const std::string& file)
{
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

std::string replaced(std::string text, const std::string& from, const std::string& to)
{
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

/// The blocks of that language, "" for none.
std::vector<std::string> blocks_of(const std::string& language)
{
    std::istringstream page(read(std::string(ALLI_SOURCE) + "/docs/cluster.md"));
    std::vector<std::string> blocks;
    bool inside = false, wanted = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("```")) {
            wanted = !inside && line == "```" + language;
            if (wanted) blocks.emplace_back();
            inside = !inside;
        } else if (wanted) {
            blocks.back() += line + '\n';
        }
    }
    return blocks;
}

std::string block_with(const std::string& language, const std::string& word)
{
    for (const std::string& block : blocks_of(language))
        if (block.find(word) != block.npos) return block;
    ADD_FAILURE() << "no block of " << language << " has " << word;
    return "";
}

std::vector<std::string> statements_of(const std::string& block)
{
    std::vector<std::string> statements;
    std::istringstream lines(block);
    std::string one;
    for (std::string line; std::getline(lines, line);) {
        one += line + '\n';
        if (line.ends_with(';')) statements.push_back(std::exchange(one, ""));
    }
    EXPECT_EQ(one, "") << "a statement without its end";
    return statements;
}

/// The page's cluster: made by its statements and its command.
class ClusterDoc : public ClusterHome {
  protected:
    ClusterDoc() { set("SCHEMA", "alli_mirror"); }

    static void SetUpTestSuite()
    {
        for (const std::string& one : statements_of(block_with("sql", "CREATE ROLE alli_owner")))
            postgres().run_sql(one);
    }

    void make_tables()
    {
        if (postgres().run_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'alli_mirror'", "alli") != "0")
            return;
        std::vector<std::string> words;
        std::istringstream line(replaced(block_with("sh", "cluster init"), "\\\n", ""));
        for (std::string word; line >> word;) words.push_back(word);
        ASSERT_EQ(words.front(), "alli-mirror");
        words.erase(words.begin());
        for (std::string& word : words) {
            if (word.starts_with("'postgresql://alli_owner@")) word = postgres().url("alli_owner", "alli");
            if (word.starts_with("/root/")) word = home.write("owner-password", "secret\n");
        }
        set("URL", postgres().url("alli_mirror", "alli"));
        EXPECT_THAT(run(0, words), HasSubstr("for the role alli_mirror"));
        publish();
    }

    void publish()
    {
        cluster::PostgresOptions options;
        options.url = postgres().url("alli_mirror", "alli");
        options.self = {"one", "1"};
        cluster::PostgresTruth truth(options);
        const cluster::Head head = sync_wait(truth.head());
        const auto epoch = sync_wait(truth.campaign(head.epoch, head.beat));
        ASSERT_TRUE(epoch);
        sync_wait(truth.publish(*epoch, rows()));
        cluster::NodeRow row{{}, "1.0", "", "full", "leader", 1, {}};
        sync_wait(truth.announce(row));
        cache::NewWrite write;
        write.entry.created_at = SystemClock().now();
        sync_wait(truth.outbox().accept(write, {}));
    }

    static cache::PublishedRows rows()
    {
        const Instant now = SystemClock().now();
        cache::PublishedRows rows;
        cache::PublishedConversation conversation;
        conversation.id = "c1";
        conversation.item = R"({"id":"c1","channel":"web"})";
        conversation.created_at = conversation.last_chat_at = now;
        conversation.title = "A hotel";
        conversation.user_id = "u1";
        conversation.app_id = "a1";
        conversation.held = 2;
        rows.conversations.push_back(conversation);
        for (int ordinal = 0; ordinal < 2; ++ordinal) {
            cache::PublishedChat chat;
            chat.conversation = conversation.id;
            chat.ordinal = ordinal;
            chat.id = "m" + std::to_string(ordinal);
            chat.chat = "{}";
            chat.sender = ordinal == 0 ? "USER" : "BOT";
            chat.sent_at = now;
            chat.message = ordinal == 0 ? "Which hotel?" : "None.";
            chat.rating = ordinal == 0 ? "" : "bad";
            rows.chats.push_back(chat);
        }
        return rows;
    }
};

TEST_F(ClusterDoc, EveryStatementOfThePageRuns)
{
    make_tables();
    int run = 0;
    for (const std::string& block : blocks_of("sql")) {
        if (block.find("CREATE ROLE alli_owner") != block.npos) continue; // done
        const bool is_of_analyst = block.find("alli_mirror_read.") != block.npos;
        for (const std::string& one : statements_of(block)) {
            const std::string who = is_of_analyst ? "SET ROLE grafana; " : "";
            const std::string said = postgres().run_sql(who + one, "alli");
            const bool is_query = one.starts_with("SELECT");
            EXPECT_EQ(said.empty(), !is_query) << one << said << "\nwith the rows of this test each query finds some";
            ++run;
        }
    }
    EXPECT_GE(run, 9);
}

TEST_F(ClusterDoc, TheColumnsOfTheViewsAreThoseOfThePage)
{
    make_tables();
    const std::string page = read(std::string(ALLI_SOURCE) + "/docs/cluster.md");
    for (const char* view : {"conversation", "chat", "daily"}) {
        const std::string columns = postgres().run_sql(
            "SELECT string_agg('`' || attname || '`', ', ' ORDER BY attnum) FROM pg_attribute WHERE attnum > 0 AND "
            "attrelid = 'alli_mirror_read." +
                std::string(view) + "'::regclass",
            "alli");
        EXPECT_THAT(page, HasSubstr("| " + columns + " |")) << view;
    }
}

TEST_F(ClusterDoc, TheFilesOfPostgresqlAreThoseThatItReads)
{
    const auto tls = upstream_test::make_certificate();
    support::PostgresServer server(tls.certificate, tls.key);
    server.set_rules(block_with("", "hostssl") + "local all all trust\n");
    EXPECT_EQ(server.run_sql("SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL"), "");
    EXPECT_EQ(server.run_sql("SELECT count(*) FROM pg_hba_file_rules"), "3");
    int names = 0;
    for (const std::string& block : blocks_of("ini")) {
        std::istringstream lines(block);
        for (std::string line; !block.starts_with('[') && std::getline(lines, line); ++names) {
            const std::string name = line.substr(0, line.find(' '));
            const std::string value = line.substr(line.find('\'') == line.npos ? line.find("= ") + 2 : line.find('\''));
            server.run_sql("ALTER SYSTEM SET " + name + " = " + value); // which checks it
            server.run_sql("ALTER SYSTEM RESET " + name);
        }
    }
    EXPECT_EQ(names, 6);
}

TEST_F(ClusterDoc, TheCertificateOfThePageIsTrustedByItsAuthority)
{
    const std::string script = replaced(block_with("sh", "openssl"), "db.example.com", "localhost");
    const auto made = run_process({"/bin/bash", "-euc", "cd '" + home.path("") + "'; " + script}, path);
    ASSERT_EQ(made.code, 0) << made.errors;
    const support::PostgresServer server(read(home.path("server.pem")), read(home.path("server.key")));
    set("URL", server.remote_url("localhost") + "?sslrootcert=" + home.path("ca.pem"));
    EXPECT_THAT(run(0, {"cluster", "init"}), HasSubstr("schema alli_mirror"));
}

TEST_F(ClusterDoc, TheSettingsOfThePageAreRight)
{
    home.write("ca.pem", "");
    std::string text = block_with("toml", "[cluster]");
    text = replaced(text, "/etc/alli-mirror/database-password", home.write("database-password", "secret\n"));
    home.environment.erase("ALLI_MIRROR_CLUSTER_URL");
    home.environment.erase("ALLI_MIRROR_CLUSTER_SCHEMA");
    const std::string said = run(0, {"--config", home.write("config.toml", text), "config", "check"});
    EXPECT_THAT(said, testing::Not(HasSubstr("secret")));
}

/// haproxy by the page's recipe, with a Unix socket in front.
class Balancer {
  public:
    Balancer(std::string recipe, const std::vector<std::string>& servers)
    {
        for (std::size_t at = 0; at < servers.size(); ++at)
            recipe =
                replaced(recipe, "10.0.0.1" + std::to_string(at + 1) + ":8787", replaced(servers[at], "http://", ""));
        recipe = replaced(recipe, "bind :443 ssl crt /etc/haproxy/mirror.pem", "bind unix@" + socket());
        std::ofstream(directory_ / "haproxy.cfg") << recipe;
        auto environment = path;
        environment["MIRROR_TOKEN"] = "token";
        process_ = std::make_unique<support::Process>(
            std::vector<std::string>{"/usr/sbin/haproxy", "-db", "-f", directory_ / "haproxy.cfg"}, environment);
    }
    /// Status, a blank, and the body.
    std::string ask(const std::string& method, const std::string& header = "X-None: 1",
                    const std::string& target = "/x") const
    {
        return run_process({"/usr/bin/curl", "-s", "-m", "10", "-X", method, "-H", header, "--unix-socket", socket(),
                            "-w", " %{http_code} %header{retry-after}", "http://mirror.example.com" + target},
                           path)
            .output;
    }

  private:
    std::string socket() const { return directory_ / "front.sock"; }
    support::TempDir directory_;
    std::unique_ptr<support::Process> process_;
};

upstream_test::ScriptedServer::Script node(const std::string& name, std::atomic<bool>& leads)
{
    return [&leads, name](const upstream_test::Heard& heard) {
        if (heard.target == "/readyz?role=leader")
            return answer(leads && heard.header("API-KEY") == "token" ? 200 : 503, "{}");
        if (heard.target == "/readyz") return answer(200, "{}");
        return answer(200, name);
    };
}

TEST_F(ClusterDoc, TheLoadBalancerSendsWritesAndBrowsersToTheLeaderAndReadsToAll)
{
    std::atomic<bool> first_leads{false}, second_leads{true}, never{false};
    upstream_test::ScriptedServer one(node("one", first_leads)), two(node("two", second_leads)),
        three(node("three", never));
    const Balancer balancer(block_with("haproxy", "frontend mirror"), {one.url(), two.url(), three.url()});
    // So often in turn: one that is not asked any more must have been noticed first.
    const auto until = [&](const std::string& method, const std::string& expected, int often) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        std::string said;
        for (int fitting = 0; fitting < often && std::chrono::steady_clock::now() < deadline;) {
            said = balancer.ask(method);
            fitting = said.find(expected) == said.npos ? 0 : fitting + 1;
        }
        EXPECT_THAT(said, HasSubstr(expected));
    };
    until("POST", "two 200", 9);
    for (const char* method : {"PUT", "PATCH", "DELETE"}) EXPECT_THAT(balancer.ask(method), HasSubstr("two 200"));
    EXPECT_THAT(balancer.ask("GET", "Cookie: session=1"), HasSubstr("two 200"));
    for (const char* name : {"one 200", "two 200", "three 200"}) until("GET", name, 1);
    for (const char* target : {"/mirror/v1/changes?since=1", "/mirror/v1/search?q=x"})
        for (int often = 0; often < 6; ++often)
            EXPECT_THAT(balancer.ask("GET", "X-None: 1", target), HasSubstr("one 200")) << target;
    second_leads = false;
    until("POST", "503 1", 9);
    EXPECT_THAT(balancer.ask("POST"), HasSubstr(R"("code":7000)"));
    EXPECT_THAT(balancer.ask("GET"), HasSubstr(" 200")) << "reads go on";
    first_leads = true;
    until("POST", "one 200", 1);
}

TEST_F(ClusterDoc, TheLoadBalancersFileIsRight)
{
    const auto made = run_process({"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                                   "/CN=x", "-keyout", home.path("key"), "-out", home.path("pem")},
                                  path);
    ASSERT_EQ(made.code, 0) << made.errors;
    home.write("mirror.pem", read(home.path("pem")) + read(home.path("key")));
    const std::string recipe = replaced(block_with("haproxy", "frontend mirror"), "/etc/haproxy/", home.path(""));
    auto environment = path;
    environment["MIRROR_TOKEN"] = "token";
    const auto checked = run_process({"/usr/sbin/haproxy", "-c", "-f", home.write("haproxy.cfg", recipe)}, environment);
    EXPECT_EQ(checked.code, 0) << checked.output << checked.errors;
    EXPECT_THAT(checked.output + checked.errors, testing::Not(HasSubstr("WARNING")));
}

} // namespace
} // namespace alli::daemon

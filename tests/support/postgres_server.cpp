// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres_server.hpp"

#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace support {
namespace {

namespace fs = std::filesystem;

std::string find_programs()
{
    std::vector<int> versions;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", absent))
        if (fs::exists(entry.path() / "bin" / "initdb")) versions.push_back(std::stoi(entry.path().filename()));
    if (versions.empty()) throw std::runtime_error("no /usr/lib/postgresql/*/bin/initdb: scripts/prepare installs it");
    return "/usr/lib/postgresql/" + std::to_string(*std::max_element(versions.begin(), versions.end())) + "/bin/";
}

const Process::Environment environment{{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}};

constexpr const char* unprivileged = "nobody"; // PostgreSQL does not run as root

void give_away(const std::string& path)
{
    if (::geteuid() != 0) return;
    const passwd* const user = ::getpwnam(unprivileged);
    if (!user || ::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
        throw std::runtime_error("the user nobody cannot be used");
}

int find_free_port()
{
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const bool bound = ::bind(socket, any, length) == 0 && ::getsockname(socket, any, &length) == 0;
    ::close(socket);
    if (!bound) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

void signal_session(int leader, int signal)
{
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != name.npos) continue;
        std::ifstream file(entry.path() / "stat");
        std::string line;
        std::getline(file, line);
        const std::size_t end = line.rfind(") ");
        if (end == line.npos) continue;
        const int parent = std::stoi(line.substr(end + 4));
        if (parent == leader || std::stoi(name) == leader) ::kill(std::stoi(name), signal);
    }
}

} // namespace

PostgresServer::PostgresServer() : programs_(find_programs())
{
    make_cluster();
    more_words_ = {"-h", ""};
    start();
}

PostgresServer::PostgresServer(const std::string& certificate, const std::string& key) : programs_(find_programs())
{
    make_cluster();
    more_words_ = {"-h", "localhost",
                   "-c", "ssl=on",
                   "-c", "ssl_cert_file=" + write("server.pem", certificate),
                   "-c", "ssl_key_file=" + write("server.key", key)};
    for (int attempt = 0;; ++attempt) {
        port_ = find_free_port();
        try {
            start();
            return;
        } catch (const std::runtime_error&) {
            if (attempt == 5) throw; // somebody took the port each time
        }
    }
}

void PostgresServer::make_cluster()
{
    give_away(directory_.path());
    auto initdb = words("initdb");
    for (const char* const word :
         {"-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions", "-D"})
        initdb.emplace_back(word);
    initdb.push_back(directory_ / "data");
    if (const Finished done = run_process(initdb, environment); done.code != 0) throw std::runtime_error(done.errors);
}

std::string PostgresServer::write(const std::string& name, const std::string& text) const
{
    const std::string path = directory_ / name;
    std::ofstream(path) << text;
    fs::permissions(path, fs::perms(0600));
    give_away(path);
    return path;
}

PostgresServer::~PostgresServer()
{
    if (!process_) return;
    thaw();
    stop();
}

std::vector<std::string> PostgresServer::words(const std::string& program) const
{
    if (::geteuid() != 0) return {programs_ + program};
    return {"/usr/bin/setpriv", "--reuid", unprivileged, "--regid", "nogroup", "--clear-groups", programs_ + program};
}

void PostgresServer::start()
{
    auto postgres = words("postgres");
    const std::string socket = directory_.path();
    for (const std::string& word :
         {std::string("-D"), directory_ / "data", std::string("-k"), socket, std::string("-p"), std::to_string(port_),
          std::string("-F"), std::string("-c"), std::string("shared_buffers=32MB"), std::string("-c"),
          std::string("log_min_messages=log"), std::string("-c"), std::string("autovacuum=off")})
        postgres.push_back(word);
    postgres.insert(postgres.end(), more_words_.begin(), more_words_.end());
    process_ = std::make_unique<Process>(postgres, environment);
    process_->wait_for_line("ready to accept connections");
}

void PostgresServer::stop()
{
    process_->send(SIGINT); // ends the sessions
    process_->wait();
    process_.reset();
}

void PostgresServer::freeze() const
{
    signal_session(process_->pid(), SIGSTOP);
}

void PostgresServer::thaw() const
{
    signal_session(process_->pid(), SIGCONT);
}

void PostgresServer::set_rules(const std::string& rules)
{
    std::ofstream(directory_ / "data/pg_hba.conf") << rules;
    process_->send(SIGHUP);
}

std::string PostgresServer::url(const std::string& user, const std::string& database) const
{
    std::string host;
    for (const char c : directory_.path()) host += c == '/' ? std::string("%2F") : std::string(1, c);
    return "postgresql://" + user + "@" + host + ":" + std::to_string(port_) + "/" + database;
}

std::string PostgresServer::remote_url(const std::string& host) const
{
    return "postgresql://postgres@" + host + ":" + std::to_string(port_) + "/postgres";
}

std::string PostgresServer::run_sql(const std::string& sql, const std::string& database) const
{
    const Finished done =
        run_process({programs_ + "psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-d", url("postgres", database), "-c", sql},
                    environment);
    if (done.code != 0) throw std::runtime_error(done.errors);
    return done.output.substr(0, done.output.find_last_not_of('\n') + 1);
}

} // namespace support

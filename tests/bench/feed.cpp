// SPDX-License-Identifier: Apache-2.0
// Readers of the change feed at rest, and how soon a change has reached all of them: the daemon's memory for each kind
// of reader, and from the sending of a write until the first, the median and the last reader was told.
//   feed_bench [READERS [ROUNDS]]
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

namespace alli {
namespace {

using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

double milliseconds_since(Steady::time_point start)
{
    return std::chrono::duration<double, std::milli>(Steady::now() - start).count();
}

long resident_kib(int pid)
{
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS")) return std::stol(line.substr(line.find_first_of("0123456789")));
    return 0;
}

/// Many connections that ask for the feed, and one thread that waits for all of them.
class Crowd {
  public:
    Crowd(std::uint16_t port, std::size_t count, bool events) : port_(port), events_(events)
    {
        for (std::size_t i = 0; i < count; ++i) readers_.push_back({join()});
        ask();
    }
    ~Crowd()
    {
        for (const Reader& reader : readers_) ::close(reader.socket);
        ::close(poll_);
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    /// When each was told of this conversation; those who never were are left out.
    std::vector<double> told_of(const std::string& id, Steady::time_point since)
    {
        read_until([&](const Reader& reader) { return reader.text.find(id) != std::string::npos; }, since + 10s);
        std::vector<double> times;
        for (Reader& reader : readers_) {
            if (reader.done) times.push_back(std::chrono::duration<double, std::milli>(reader.told - since).count());
            reader.text.clear();
            reader.done = false;
        }
        std::sort(times.begin(), times.end());
        return times;
    }

    /// A reader of streams goes on by itself; one that polls asks again.
    void ask()
    {
        const std::string more = events_ ? "Accept: text/event-stream\r\n" : "";
        const std::string target = events_ ? "since=now" : "since=now&wait=60";
        const std::string request = "GET /mirror/v1/changes?" + target +
                                    " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) +
                                    "\r\nAPI-KEY: sandbox\r\n" + more + "\r\n";
        for (const Reader& reader : readers_)
            if (::send(reader.socket, request.data(), request.size(), MSG_NOSIGNAL) !=
                static_cast<ssize_t>(request.size()))
                throw std::runtime_error("a reader cannot ask");
    }

  private:
    struct Reader {
        int socket = -1;
        std::string text{};
        bool done = false;
        Steady::time_point told{};
    };

    int join()
    {
        const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = readers_.size();
        if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::epoll_ctl(poll_, EPOLL_CTL_ADD, made, &event) != 0)
            throw std::runtime_error("a reader cannot connect");
        return made;
    }

    template <class Done>
    void read_until(Done done, Steady::time_point deadline)
    {
        std::size_t left = readers_.size();
        std::array<epoll_event, 256> events{};
        while (left > 0 && Steady::now() < deadline) {
            const int count = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 100);
            const auto now = Steady::now();
            for (int i = 0; i < count; ++i) {
                Reader& reader = readers_[events[static_cast<std::size_t>(i)].data.u64];
                std::array<char, 4096> piece{};
                const auto got = ::recv(reader.socket, piece.data(), piece.size(), 0);
                if (got <= 0) throw std::runtime_error("a reader was cut off");
                reader.text.append(piece.data(), static_cast<std::size_t>(got));
                if (reader.done || !done(reader)) continue;
                reader.done = true;
                reader.told = now;
                --left;
            }
        }
    }

    std::uint16_t port_;
    bool events_;
    int poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<Reader> readers_;
};

/// All of them wait, and the daemon has nothing else to do.
void wait_for_readers(const daemon::Daemon& daemon, std::size_t readers)
{
    const std::string wanted = fmt::format("\nalli_mirror_feed_readers {}\n", readers);
    const auto deadline = Steady::now() + 30s;
    while (daemon.get("/metrics").body.find(wanted) == std::string::npos)
        if (Steady::now() > deadline) throw std::runtime_error("the readers never came to rest");
    std::this_thread::sleep_for(200ms);
}

struct Times {
    double answered = 0, first = 0, median = 0, last = 0;
};

Times change(const daemon::Daemon& daemon, Crowd& crowd, std::size_t readers, const std::string& id, int number)
{
    const std::string target = upstream::conversation_target(ConversationId{id}, "/title");
    Times times;
    const auto start = Steady::now();
    std::thread writer([&] { // sent while the crowd is listened to
        const auto reply =
            support::http(daemon.port, "PUT", target, {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}},
                          fmt::format(R"({{"title":"title {}"}})", number));
        if (reply.status != 200) fmt::print("the write got {}\n", reply.status);
        times.answered = milliseconds_since(start);
    });
    const auto told = crowd.told_of(id, start);
    writer.join();
    if (told.size() != readers) fmt::print("only {} of {} were told\n", told.size(), readers);
    if (told.empty()) return times;
    times.first = told.front();
    times.median = told[told.size() / 2];
    times.last = told.back();
    return times;
}

void measure(const daemon::Daemon& daemon, const std::vector<std::string>& ids, std::size_t readers, int rounds,
             bool events)
{
    const char* kind = events ? "events" : "long poll";
    const long before = resident_kib(daemon.process.pid());
    Crowd crowd(daemon.port, readers, events);
    wait_for_readers(daemon, readers);
    const long at_rest = resident_kib(daemon.process.pid());
    fmt::print("{:>5} readers, {:>9}: {:.1f} MB more than {:.1f} MB, {:.1f} kB each\n", readers, kind,
               static_cast<double>(at_rest - before) / 1024, static_cast<double>(before) / 1024,
               static_cast<double>(at_rest - before) / static_cast<double>(readers));
    std::vector<Times> all;
    for (int round = 0; round < rounds; ++round) {
        all.push_back(change(daemon, crowd, readers, ids[static_cast<std::size_t>(round) % ids.size()], round));
        if (!events) crowd.ask();
        wait_for_readers(daemon, readers);
    }
    std::sort(all.begin(), all.end(), [](const Times& one, const Times& other) { return one.last < other.last; });
    for (const auto& [name, times] : {std::pair{"median", all[all.size() / 2]}, {"slowest", all.back()}})
        fmt::print("  {} round: the writer was answered after {:.1f} ms; told: first {:.1f}, median {:.1f}, last "
                   "{:.1f} ms\n",
                   name, times.answered, times.first, times.median, times.last);
}

void run(std::size_t readers, int rounds)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit); // the daemon inherits it
    sandbox::Sandbox upstream(daemon::small_sandbox(100));
    daemon::Home home;
    home.use(upstream);
    home.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "1h";
    const auto ids = upstream.conversation_ids();
    for (const bool events : {true, false}) { // each with memory that nobody used before
        daemon::Daemon daemon(home, {"serve"});
        daemon.wait_until_complete();
        measure(daemon, ids, 1, rounds, events);
        measure(daemon, ids, readers, rounds, events);
        daemon.stop();
    }
}

} // namespace
} // namespace alli

int main(int count, char** words)
{
    const int readers = count > 1 ? std::atoi(words[1]) : 1000;
    const int rounds = count > 2 ? std::atoi(words[2]) : 20;
    alli::run(static_cast<std::size_t>(std::max(readers, 1)), std::max(rounds, 1));
    return 0;
}

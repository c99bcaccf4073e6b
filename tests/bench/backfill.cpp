// SPDX-License-Identifier: Apache-2.0
// A backfill of a local sandbox by the real program, measured from outside: time, requests, peak memory, size on disk.
// Beside it, in the same run, a plain client that fetches the same pages over one connection and throws them away: what
// the requests alone cost here. Once for each place where an upstream puts conversations without a chat; and how soon
// the service answers the first page of the default list from its mirror. backfill_bench [CORPUS [CONVERSATIONS
// [PLACE...]]]; CORPUS may be "", PLACE is behind, oldest, newest, nowhere or none.
#include "sandbox/sandbox.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/temp_dir.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace {

using alli::sandbox::Sandbox;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Plain {
    double seconds = 0;
    std::size_t requests = 0, bytes = 0;
};

std::string cursor_of(const std::string& body)
{
    const auto at = body.rfind("\"cursor\"");
    const auto cursor = nlohmann::json::parse('{' + body.substr(at)).at("cursor");
    return cursor.is_string() ? cursor.get<std::string>() : "";
}

Plain fetch_plainly(const Sandbox& upstream)
{
    Plain plain;
    const auto start = Clock::now();
    support::HttpConnection connection(upstream.port());
    std::string cursor;
    do {
        std::string target = "/webapi/v2/conversations?pageSize=50";
        if (!cursor.empty()) target += "&cursor=" + cursor;
        const auto reply = connection.send("GET", target);
        if (reply.status != 200) throw std::runtime_error(target + ": " + reply.error + reply.body);
        plain.bytes += reply.body.size();
        ++plain.requests;
        cursor = cursor_of(reply.body);
    } while (!cursor.empty());
    plain.seconds = seconds_since(start);
    return plain;
}

struct Run {
    double seconds = 0, cpu = 0;
    long peak_kib = 0;
    int code = 0;
};

double seconds_of(const timeval& time)
{
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

long peak_of(pid_t process) // KiB, so far
{
    std::ifstream status(fmt::format("/proc/{}/status", process));
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) return std::atol(line.c_str() + 6);
    return 0;
}

void set_environment(const Sandbox& upstream, const std::string& home)
{
    ::setenv("HOME", home.c_str(), 1);
    ::setenv("ALLI_API_KEY", "sandbox", 1);
    ::setenv("ALLI_MIRROR_UPSTREAM_URL", upstream.url().c_str(), 1);
    ::setenv("ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND", "0", 1);
    ::setenv("ALLI_MIRROR_MIRROR_PATH", (home + "/mirror.db").c_str(), 1);
}

Run run_sync(const Sandbox& upstream, const std::string& home)
{
    const auto start = Clock::now();
    const pid_t child = ::fork();
    if (child == 0) {
        set_environment(upstream, home);
        ::execl(ALLI_MIRROR_BINARY, ALLI_MIRROR_BINARY, "sync", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    Run run;
    rusage usage{};
    int status = 0;
    pid_t ended = 0;
    // Not ru_maxrss: that counts what this process had when it forked.
    while ((ended = ::wait4(child, &status, WNOHANG, &usage)) == 0) {
        if (const long peak = peak_of(child); peak > 0) run.peak_kib = peak; // of the program, once it is one
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (child < 0 || ended != child) throw std::runtime_error("the program could not be run");
    run.seconds = seconds_since(start);
    run.cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    run.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return run;
}

bool is_hit(std::uint16_t port)
{
    const auto reply = support::http(port, "GET", "/webapi/v2/conversations?pageSize=5");
    return reply.status == 200 && reply.header("Cache-Status").find("hit") != std::string_view::npos;
}

std::uint16_t find_free_port()
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!bound) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

// Seconds from the start of the service with an empty mirror; negative: not within a minute.
double time_to_first_hit(const Sandbox& upstream, const std::string& home)
{
    constexpr double longest = 60;
    const std::uint16_t port = find_free_port();
    const auto start = Clock::now();
    const pid_t child = ::fork();
    if (child == 0) {
        set_environment(upstream, home);
        ::setenv("ALLI_MIRROR_PROXY_LISTEN", fmt::format("127.0.0.1:{}", port).c_str(), 1);
        ::setenv("ALLI_MIRROR_LOG_LEVEL", "error", 1);
        ::execl(ALLI_MIRROR_BINARY, ALLI_MIRROR_BINARY, "serve", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    double found = -1;
    while (found < 0 && seconds_since(start) < longest) {
        if (is_hit(port)) found = seconds_since(start);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ::kill(child, SIGTERM);
    ::waitpid(child, nullptr, 0);
    return found;
}

// Those that any program would need: a page for each fifty conversations, and the pages of chats that no list item
// carries.
std::size_t least_chat_pages(const Sandbox& upstream, int embedded)
{
    std::size_t pages = 0;
    for (const std::string& id : upstream.conversation_ids()) {
        const auto count = upstream.chat_ids(id).size();
        const auto carried = static_cast<std::size_t>(embedded);
        if (count > carried) pages += (count - carried - 1) / 100 + 1;
    }
    return pages;
}

// Everything is counted that was asked: the backfill, the scan for conversations without a chat, the poll behind it.
void print_requests(const Sandbox& upstream, int embedded)
{
    const std::size_t least_lists = (upstream.conversation_ids().size() + 49) / 50;
    const std::size_t lists = upstream.request_count("listConversations"), chats = upstream.request_count("listChats");
    const auto times = [](std::size_t asked, std::size_t least) {
        return static_cast<double>(asked) / static_cast<double>(std::max<std::size_t>(least, 1));
    };
    const std::size_t least_chats = least_chat_pages(upstream, embedded);
    fmt::print("  requests   {} lists, {:.3f} times the least; {} chat pages, {:.3f} times; {} in all, {:.3f} times\n",
               lists, times(lists, least_lists), chats, chats == least_chats ? 1.0 : times(chats, least_chats),
               upstream.request_count("*"), times(upstream.request_count("*"), least_lists + least_chats));
}

struct Place {
    std::string_view name;
    alli::sandbox::Chatless chatless;
};
constexpr auto places = std::to_array<Place>({
    {"oldest", alli::sandbox::Chatless::oldest},
    {"newest", alli::sandbox::Chatless::newest},
    {"behind", alli::sandbox::Chatless::behind},
    {"nowhere", alli::sandbox::Chatless::nowhere},
    {"none", alli::sandbox::Chatless::behind},
});

// One in a hundred, so that every page of them and every end is there.
void set_chatless(Sandbox& upstream, std::string_view place)
{
    std::size_t wanted = upstream.conversation_ids().size() / 100;
    for (const std::string& id : upstream.conversation_ids()) {
        if (!upstream.chat_ids(id).empty()) continue;
        if (place == "none")
            upstream.erase(id);
        else if (wanted > 0)
            --wanted;
    }
    if (place == "none") return;
    while (wanted-- > 0) upstream.add_conversation(0);
}

void measure(const alli::sandbox::Options& options, std::string_view place)
{
    Sandbox upstream(options);
    set_chatless(upstream, place);
    const auto conversations = static_cast<double>(upstream.conversation_ids().size());
    const auto chats = static_cast<double>(upstream.chat_total());
    const Plain plain = fetch_plainly(upstream);
    upstream.clear_log();

    const support::TempDir home, served;
    const Run run = run_sync(upstream, home.path());
    const auto disk = static_cast<double>(std::filesystem::file_size(home / "mirror.db"));
    fmt::print("embedded {:>2}, without a chat {}: {:.0f} conversations, {:.0f} chats\n", options.embedded_chats, place,
               conversations, chats);
    fmt::print("  sync       {:6.2f} s  {:6.0f} chats/s  cpu {:.2f} s  peak {:.0f} MB  exit {}\n", run.seconds,
               chats / run.seconds, run.cpu, static_cast<double>(run.peak_kib) / 1024, run.code);
    print_requests(upstream, options.embedded_chats);
    fmt::print("  plain list {:6.2f} s  {} requests, {:.1f} MB; sync takes {:.1f} times as long\n", plain.seconds,
               plain.requests, static_cast<double>(plain.bytes) / 1e6, run.seconds / plain.seconds);
    fmt::print("  on disk    {:.1f} MB\n", disk / 1e6);
    fmt::print("  first hit  {:6.2f} s after the start of the service, of the default list's first page\n",
               time_to_first_hit(upstream, served.path()));
    std::fflush(stdout);
}

} // namespace

int main(int count, char** words)
{
    std::vector<std::string> wanted(words + std::min(count, 3), words + count);
    if (wanted.empty())
        for (const Place& place : places) wanted.emplace_back(place.name);
    for (const std::string& name : wanted) {
        const auto* const place =
            std::find_if(places.begin(), places.end(), [&](const Place& it) { return it.name == name; });
        if (place == places.end()) throw std::runtime_error("there is no place " + name);
        alli::sandbox::Options options;
        if (count > 1) options.corpus = words[1];
        if (count > 2)
            options.conversations = std::atoi(words[2]);
        else if (options.corpus.empty())
            options.conversations = 5000;
        options.chatless = place->chatless;
        measure(options, name);
        if (name != wanted.front()) continue;
        options.embedded_chats = 0;
        measure(options, name);
    }
}

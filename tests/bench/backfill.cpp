// SPDX-License-Identifier: Apache-2.0
// A backfill of a local sandbox by the real program, measured from outside: time, requests, peak memory, size on disk.
// Beside it, in the same run, a plain client that fetches the same pages over one connection and throws them away: what
// the requests alone cost here. backfill_bench [CORPUS [CONVERSATIONS]]
#include "sandbox/sandbox.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/temp_dir.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

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

Run run_sync(const Sandbox& upstream, const std::string& home)
{
    const auto start = Clock::now();
    const pid_t child = ::fork();
    if (child == 0) {
        ::setenv("HOME", home.c_str(), 1);
        ::setenv("ALLI_API_KEY", "sandbox", 1);
        ::setenv("ALLI_MIRROR_UPSTREAM_URL", upstream.url().c_str(), 1);
        ::setenv("ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND", "0", 1);
        ::setenv("ALLI_MIRROR_MIRROR_PATH", (home + "/mirror.db").c_str(), 1);
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

// Those that any program would need: a page for each fifty conversations, and the pages of chats that no list item
// carries. The search for conversations without a chat, as many lists again, and one poll are not the backfill's.
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

void print_requests(const Sandbox& upstream, int embedded)
{
    const auto page = [&](std::size_t count) { return (count + 49) / 50; };
    const std::size_t census = page(upstream.conversation_ids().size()), polls = 1;
    const std::size_t lists = upstream.request_count("listConversations"), chats = upstream.request_count("listChats");
    const std::size_t least = page(upstream.conversation_ids().size()) + least_chat_pages(upstream, embedded);
    fmt::print("  requests   {} lists, {} chat pages, {} in all; the backfill's {} are {:.3f} times the least\n", lists,
               chats, upstream.request_count("*"), lists - census - polls + chats,
               static_cast<double>(lists - census - polls + chats) / static_cast<double>(least));
}

void measure(const alli::sandbox::Options& options)
{
    Sandbox upstream(options);
    const auto conversations = static_cast<double>(upstream.conversation_ids().size());
    const auto chats = static_cast<double>(upstream.chat_total());
    const Plain plain = fetch_plainly(upstream);
    upstream.clear_log();

    const support::TempDir home;
    const Run run = run_sync(upstream, home.path());
    const auto disk = static_cast<double>(std::filesystem::file_size(home / "mirror.db"));
    fmt::print("embedded {:>2}: {:.0f} conversations, {:.0f} chats\n", options.embedded_chats, conversations, chats);
    fmt::print("  sync       {:6.2f} s  {:6.0f} chats/s  cpu {:.2f} s  peak {:.0f} MB  exit {}\n", run.seconds,
               chats / run.seconds, run.cpu, static_cast<double>(run.peak_kib) / 1024, run.code);
    print_requests(upstream, options.embedded_chats);
    fmt::print("  plain list {:6.2f} s  {} requests, {:.1f} MB; sync takes {:.1f} times as long\n", plain.seconds,
               plain.requests, static_cast<double>(plain.bytes) / 1e6, run.seconds / plain.seconds);
    fmt::print("  on disk    {:.1f} MB\n", disk / 1e6);
}

} // namespace

int main(int count, char** words)
{
    for (const int embedded : {20, 0}) {
        alli::sandbox::Options options;
        if (count > 1) options.corpus = words[1];
        if (count > 2)
            options.conversations = std::atoi(words[2]);
        else if (count < 2)
            options.conversations = 5000;
        options.embedded_chats = embedded;
        measure(options);
    }
}

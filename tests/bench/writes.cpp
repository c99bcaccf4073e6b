// SPDX-License-Identifier: Apache-2.0
// Writes while upstream is away: durable ones a second from 64 connections, and how many share one sync to disk; then
// how long a daemon with 100,000 waiting takes to be ready, and its memory; then what a write that fails for ever costs
// the writes to other conversations. writes_bench [WRITES [QUEUED]]
#include "alli/error.hpp"
#include "alli/random.hpp"
#include "cache/conversations.hpp"
#include "cache/outbox/outbox.hpp"
#include "proxy/server.hpp"
#include "sync/delivery/deliverer.hpp"
#include "tests/daemon/daemon.hpp"
#include "tests/proxy/fake_backend.hpp"
#include "tests/support/make.hpp"
#include "upstream/target.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <fstream>
#include <mutex>

namespace alli {
namespace {

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point start)
{
    return std::chrono::duration<double>(Steady::now() - start).count();
}

double milliseconds_of_a_sync(const std::string& directory)
{
    const int file = ::open((directory + "/sync").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::string page(4096, 'x');
    constexpr int times = 200;
    const auto start = Steady::now();
    for (int i = 0; i < times; ++i)
        if (::write(file, page.data(), page.size()) < 0 || ::fdatasync(file) != 0) return -1;
    const double spent = seconds_since(start);
    ::close(file);
    return spent * 1000 / times;
}

class Away final : public upstream::Transport {
    Task<upstream::Reply> send(upstream::Request) override
    {
        throw Error(Fault::unreachable, "", "upstream is away");
        co_return upstream::Reply{};
    }
};

/// Takes every write but those to one conversation, which it cannot answer, for ever.
class Ill final : public upstream::Transport {
  public:
    std::atomic<int> refused{0};

  private:
    Task<upstream::Reply> send(upstream::Request request) override
    {
        upstream::Reply reply;
        if (request.target.find("/c0/") != std::string::npos) {
            ++refused;
            reply.status = 500;
            reply.body = R"({"message":"Internal Server Error"})";
        } else {
            const auto from = std::string_view("/webapi/v2/conversations/").size();
            const std::string id = request.target.substr(from, request.target.find('/', from) - from);
            reply.status = 200;
            reply.headers.add("Content-Type", "application/json");
            reply.body = support::make_conversation(id, 2000).raw;
        }
        co_return reply;
    }
};

void mirror(cache::Store& store, asio::io_context& loop, int conversations)
{
    const auto job = [&](cache::Writer& db) {
        for (int i = 0; i < conversations; ++i)
            cache::put_conversation(db, support::make_conversation("c" + std::to_string(i), 1000 + i));
    };
    asio::co_spawn(loop, store.write(job), [](std::exception_ptr) {});
    loop.run();
    loop.restart();
}

/// Upstream is away, and writes go to a deliverer on its loop.
class OverDeliverer final : public proxy::FakeBackend {
  public:
    OverDeliverer(proxy::FakeUpstream& upstream, proxy::FakeDelivery& delivery, asio::io_context& loop,
                  sync::Deliverer& deliverer)
        : FakeBackend(upstream, delivery), loop_(loop), deliverer_(deliverer)
    {
        upstream.state = {};
    }
    Task<std::optional<upstream::Reply>> deliver(cache::AcceptedWrite write,
                                                 std::chrono::milliseconds patience) override
    {
        return on_loop(&loop_, deliverer_.offer(std::move(write), patience));
    }

  private:
    template <class T>
    static Task<T> on_loop(asio::io_context* loop, Task<T> work)
    {
        co_return co_await asio::co_spawn(*loop, std::move(work), asio::use_awaitable);
    }

    asio::io_context& loop_;
    sync::Deliverer& deliverer_;
};

/// The proxy and the deliverer over one store, as the daemon joins them.
class Mirror {
  public:
    Mirror(const std::string& path, upstream::Transport& transport)
        : store_({path, "http://away.test", true}), transport_(transport)
    {
        mirror(store_, loop_, 1000);
        work_.emplace(loop_.get_executor());
        asio::co_spawn(loop_, deliverer_.run(), [](std::exception_ptr) {});
        thread_ = std::thread([this] { loop_.run(); });
        proxy::Options options;
        options.listen = {"127.0.0.1:0"};
        options.api_key = "sandbox";
        server_.emplace(options, backend_.over(store_, clock_));
        const std::string host = server_->addresses().front();
        std::from_chars(host.data() + host.rfind(':') + 1, host.data() + host.size(), port);
    }
    ~Mirror()
    {
        server_.reset();
        loop_.stop();
        thread_.join();
    }

    std::uint64_t syncs() const { return store_.outbox_commits(); }
    std::uint16_t port = 0;

  private:
    asio::io_context loop_{1};
    SystemClock clock_;
    SystemRandom random_;
    cache::Store store_;
    upstream::Transport& transport_;
    upstream::RateLimiter pace_{clock_, {0, 4}};
    upstream::Client client_{transport_, pace_, clock_, {"sandbox", TimeUnit::seconds, "/count"}};
    sync::Deliverer deliverer_{client_, store_, clock_, random_, {}, {[](const ConversationId&) {}, [] {}}};
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
    std::thread thread_;
    proxy::FakeUpstream fake_upstream_;
    proxy::FakeDelivery fake_delivery_;
    OverDeliverer backend_{fake_upstream_, fake_delivery_, loop_, deliverer_};
    std::optional<proxy::Server> server_;
};

void measure_writes(int writes)
{
    const support::TempDir directory;
    Away away;
    Mirror mirror(directory / "mirror.db", away);
    std::atomic<int> next{0}, accepted{0};
    const auto syncs = mirror.syncs();
    const auto start = Steady::now();
    std::vector<std::thread> threads;
    for (int i = 0; i < 64; ++i)
        threads.emplace_back([&] {
            support::HttpConnection connection(mirror.port);
            for (int n = next++; n < writes; n = next++) {
                const std::string path = "/webapi/v2/conversations/c" + std::to_string(n % 1000) + "/title";
                const auto reply = connection.send("PUT", path, support::sandbox_key(), R"({"title":"a title"})");
                if (reply.status == 202) ++accepted;
            }
        });
    for (std::thread& thread : threads) thread.join();
    const double spent = seconds_since(start);
    const auto shared = static_cast<double>(accepted) / static_cast<double>(mirror.syncs() - syncs);
    fmt::print(
        "{} of {} writes queued in {:.2f} s: {:.0f} a second; one sync takes {:.2f} ms here, {:.1f} writes share one\n",
        accepted.load(), writes, spent, accepted / spent, milliseconds_of_a_sync(directory.path()), shared);
}

void queue_up(const std::string& path, int count)
{
    cache::Store store({path, "http://127.0.0.1:1", false});
    asio::io_context loop;
    const auto job = [&](cache::Writer& db) {
        for (int i = 0; i < count; ++i) {
            cache::NewEntry entry;
            entry.kind = cache::EditKind::title;
            entry.conversation = ConversationId{fmt::format("Q29udmVyc2F0aW9uOjYwMDZiNTM3MmRh{:024}", i / 2)};
            entry.method = "PUT";
            entry.path = upstream::conversation_target(*entry.conversation, "/title");
            entry.headers = R"({"Content-Type":"application/json"})";
            entry.body = R"({"title":"a title of some length, as people write them"})";
            entry.upstream_key = fmt::format("00000000-0000-4000-8000-{:012}", i);
            entry.request_hash = std::string(32, 'h');
            entry.created_at = SystemClock().now();
            cache::accept(db, entry);
        }
    };
    asio::co_spawn(loop, store.write_outbox(job), [](std::exception_ptr) {});
    loop.run();
}

// What eight apps wait for the answer to a write, which upstream gives at once: [median, 95th of a hundred], in ms.
std::pair<double, double> measure_others(bool with_an_ill_one)
{
    const support::TempDir directory;
    Ill ill;
    Mirror mirror(directory / "mirror.db", ill);
    if (with_an_ill_one)
        support::HttpConnection(mirror.port)
            .send("PUT", "/webapi/v2/conversations/c0/title", support::sandbox_key(), R"({"title":"never"})");
    std::mutex mutex;
    std::vector<double> all;
    std::vector<std::thread> threads;
    for (int app = 1; app <= 8; ++app)
        threads.emplace_back([&, app] {
            support::HttpConnection connection(mirror.port);
            for (int n = 0; n < 400; ++n) {
                const std::string path = fmt::format("/webapi/v2/conversations/c{}/title", app * 50 + n % 50);
                const auto start = Steady::now();
                const auto reply = connection.send("PUT", path, support::sandbox_key(), R"({"title":"a title"})");
                const std::lock_guard lock(mutex);
                if (reply.status == 200) all.push_back(seconds_since(start) * 1000);
            }
        });
    for (std::thread& thread : threads) thread.join();
    std::sort(all.begin(), all.end());
    if (all.size() != 3200) fmt::print("only {} of 3200 were delivered\n", all.size());
    if (with_an_ill_one) fmt::print("  (upstream refused the ill one {} times meanwhile)\n", ill.refused.load());
    return {all.at(all.size() / 2), all.at(all.size() * 95 / 100)};
}

void measure_an_ill_one()
{
    for (int round = 0; round < 3; ++round) {
        const auto [healthy, healthy_most] = measure_others(false);
        const auto [ill, ill_most] = measure_others(true);
        fmt::print("deliveries: median {:.2f} ms, p95 {:.2f} ms; beside a write that fails for ever median {:.2f} ms, "
                   "p95 {:.2f} ms: {:.2f} and {:.2f} of that\n",
                   healthy, healthy_most, ill, ill_most, ill / healthy, ill_most / healthy_most);
    }
}

std::string memory_of(int pid)
{
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    std::string peak;
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM")) peak = line.substr(line.find_first_of("0123456789"));
    return peak;
}

void measure_start(int queued)
{
    daemon::Home home;
    home.environment["ALLI_MIRROR_UPSTREAM_URL"] = "http://127.0.0.1:1"; // nobody listens there
    home.environment["ALLI_API_KEY"] = "sandbox";
    std::filesystem::create_directories(std::filesystem::path(home.mirror()).parent_path());
    queue_up(home.mirror(), queued);
    const auto start = Steady::now();
    daemon::Daemon daemon(home, {"serve"});
    while (daemon.get("/readyz").status != 200) std::this_thread::yield();
    const double ready = seconds_since(start);
    const auto status = daemon.status();
    const auto again = Steady::now();
    while (seconds_since(again) < 10) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    fmt::print("ready after {:.3f} s with {} waiting; peak memory in its first 10 s: {}\n", ready,
               status["outbox"]["pending"].get<int>(), memory_of(daemon.process.pid()));
    daemon.stop();
}

} // namespace
} // namespace alli

int main(int count, char** words)
{
    alli::measure_writes(count > 1 ? std::atoi(words[1]) : 30000);
    alli::measure_start(count > 2 ? std::atoi(words[2]) : 100000);
    alli::measure_an_ill_one();
    return 0;
}

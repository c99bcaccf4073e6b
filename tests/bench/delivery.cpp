// SPDX-License-Identifier: Apache-2.0
// How fast a long queue goes to an upstream that takes 10 ms for each answer, beside what its latency and the permits
// allow, and how many requests a write takes.   delivery_bench [WRITES [MILLISECONDS]]
#include "alli/random.hpp"
#include "cache/conversations.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/progress.hpp"
#include "sync/delivery/deliverer.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"
#include "upstream/target.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <charconv>
#include <unordered_map>

namespace alli {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::int64_t first_second = 1000;

std::string id_of(int number)
{
    return "c" + std::to_string(number);
}

/// Conversations a second apart, the last number the newest; every answer takes its time.
class Slow final : public upstream::Transport {
  public:
    Slow(Clock& clock, milliseconds latency, int conversations)
        : clock_(clock), latency_(latency), conversations_(conversations)
    {}

    int requests = 0, lists = 0, writes = 0;

    Task<upstream::Reply> send(upstream::Request request) override
    {
        ++requests;
        co_await clock_.sleep(latency_);
        upstream::Reply reply;
        reply.status = 200;
        reply.headers.add("Content-Type", "application/json");
        const std::string_view target(request.target);
        const std::string_view root = upstream::conversations_path;
        if (target.size() > root.size() && target[root.size()] == '/') {
            std::string_view id = target.substr(root.size() + 1);
            id = id.substr(0, id.find('/'));
            const int number = number_in(id.substr(1));
            if (request.method == "PUT") titles_[number] = nlohmann::json::parse(request.body)["title"];
            reply.body = item(number);
        } else {
            reply.body = list(target);
            ++lists;
        }
        if (request.method != "GET") ++writes;
        co_return reply;
    }

  private:
    static int number_in(std::string_view text)
    {
        int number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number;
    }
    static std::optional<int> parameter(std::string_view target, std::string_view name)
    {
        const auto at = target.find(name);
        if (at == target.npos) return std::nullopt;
        return number_in(target.substr(at + name.size()));
    }
    std::string item(int number) const
    {
        nlohmann::json changed = nlohmann::json::object();
        if (const auto title = titles_.find(number); title != titles_.end()) changed["title"] = title->second;
        return support::make_conversation(id_of(number), first_second + number, changed).raw;
    }
    std::string list(std::string_view target) const
    {
        const int end = parameter(target, "endAt=").value_or(first_second + conversations_ + 1);
        const int most = parameter(target, "pageSize=").value_or(50);
        std::string body = "{\"conversations\":[";
        for (int n = 0, number = end - static_cast<int>(first_second) - 1; n < most && number >= 0; ++n, --number)
            body += (n > 0 ? "," : "") + item(number);
        return body + "],\"cursor\":null}";
    }

    Clock& clock_;
    const milliseconds latency_;
    const int conversations_;
    std::unordered_map<int, std::string> titles_; // that were written
};

struct Queue {
    const char* what;
    int conversations, a_conversation, in_flight;
};

cache::NewEntry write_to(int number, int n)
{
    cache::NewEntry entry;
    entry.kind = cache::EditKind::title;
    entry.conversation = ConversationId{id_of(number)};
    entry.method = "PUT";
    entry.path = upstream::conversation_target(*entry.conversation, "/title");
    entry.headers = R"({"Content-Type":"application/json"})";
    entry.body = fmt::format(R"({{"title":"title {}"}})", n);
    entry.upstream_key = entry.request_hash = fmt::format("{} {}", number, n);
    entry.created_at = SystemClock().now();
    return entry;
}

void fill(cache::Store& store, asio::io_context& loop, const Queue& queue, int writes)
{
    std::vector<cache::Entry> entries;
    const auto mirror = [&](cache::Writer& db) {
        cache::Progress progress = cache::load_progress(db);
        progress.unit = TimeUnit::seconds;
        cache::save_progress(db, progress);
        for (int n = 0; n < queue.conversations; ++n)
            cache::put_conversation(db, support::make_conversation(id_of(n), first_second + n));
    };
    const auto accept = [&](cache::Writer& db) {
        const int heads = writes / queue.a_conversation;
        for (int n = 0; n < writes; ++n) {
            // As people come by: no order of time, and from all over.
            const auto head = static_cast<std::int64_t>(n % heads) * 7919 % heads;
            cache::NewEntry entry = write_to(static_cast<int>(head * queue.conversations / heads), n);
            entry.base = store.read([&](cache::Reader& reader) {
                return cache::find_base(reader, *entry.conversation, cache::patch_of(entry.kind, entry.body));
            });
            const cache::Acceptance accepted = cache::accept(db, entry);
            entries.push_back(cache::accepted_write(entry, accepted).entry);
        }
    };
    const auto show = [&](cache::Writer& db) {
        for (const cache::Entry& entry : entries) cache::show_edit(db, entry);
    };
    asio::co_spawn(loop, store.write(mirror), [](std::exception_ptr) {});
    loop.run();
    loop.restart();
    asio::co_spawn(loop, store.write_outbox(accept), [](std::exception_ptr) {});
    loop.run();
    loop.restart();
    asio::co_spawn(loop, store.write(show), [](std::exception_ptr) {});
    loop.run();
    loop.restart();
}

void measure(const Queue& queue, int writes, milliseconds latency)
{
    const support::TempDir directory;
    cache::Store store({directory / "mirror.db", "http://slow.test", true});
    asio::io_context loop{1};
    SystemClock clock;
    SystemRandom random;
    fill(store, loop, queue, writes);
    Slow upstream(clock, latency, queue.conversations);
    upstream::RateLimiter pace(clock, {0, queue.in_flight});
    upstream::Client client(upstream, pace, clock, {"key", TimeUnit::seconds, "/count"});
    sync::DeliveryOptions options;
    options.max_parallel = queue.in_flight + queue.in_flight / 2; // as the daemon does
    sync::Deliverer deliverer(client, store, clock, random, options, {[](const ConversationId&) {}, [] {}});
    asio::cancellation_signal cancel;
    const auto start = Steady::now();
    asio::co_spawn(loop, deliverer.run(), asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
    const auto pending = [&] {
        return store.read_outbox([](cache::Reader& db) { return cache::count_entries(db).pending; });
    };
    while (upstream.writes < writes) loop.run_one();
    while (pending() > 0) loop.run_one();
    const double spent = std::chrono::duration<double>(Steady::now() - start).count();
    cancel.emit(asio::cancellation_type::terminal);
    loop.run();
    const double allowed = std::max(1, queue.in_flight - 1) * 1000.0 / static_cast<double>(latency.count());
    fmt::print("{:<42} {:>2} at once: {:>5.0f} writes/s, {:.2f} of the {:.0f} requests/s that are allowed; "
               "{:.2f} requests a write, {} lists\n",
               queue.what, queue.in_flight, writes / spent, upstream.requests / spent / allowed, allowed,
               static_cast<double>(upstream.requests) / writes, upstream.lists);
}

} // namespace
} // namespace alli

int main(int count, char** words)
{
    const int writes = count > 1 ? std::atoi(words[1]) : 1000;
    const alli::milliseconds latency(count > 2 ? std::atoi(words[2]) : 10);
    for (const int in_flight : {4, 16}) {
        alli::measure({"one write each to neighbours", writes, 1, in_flight}, writes, latency);
        alli::measure({"one write each to one in twenty", writes * 20, 1, in_flight}, writes, latency);
        alli::measure({"four writes each, one in twenty", writes * 5, 4, in_flight}, writes, latency);
    }
    return 0;
}

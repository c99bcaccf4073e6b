// SPDX-License-Identifier: Apache-2.0
// How fast three nodes accept writes into the outbox that they share, over a PostgreSQL of its own that does not sync
// to disk, or over the one at URL, an empty database: alone, with several requests at once, and the whole way of a
// write (accepted, begun, settled, heard of). Prints the time an acceptance takes, the rate of all nodes, the processor
// time a write costs the nodes, and what became of the row that all of them lock. accept_bench [SECONDS [URL]]
#include "alli/sync_wait.hpp"
#include "cluster/postgres/postgres_truth.hpp"
#include "cluster/postgres/schema.hpp"
#include "tests/support/postgres_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <thread>

using namespace alli;
using namespace alli::cluster;

namespace {

using Steady = std::chrono::steady_clock;

struct Figures {
    std::vector<double> ms; // of each acceptance
};

cache::NewWrite make_write(const std::string& node, int number)
{
    cache::NewWrite write;
    write.entry.kind = cache::EditKind::title;
    write.entry.conversation = ConversationId{fmt::format("{}-{:06d}", node, number % 200)};
    write.entry.method = "PUT";
    write.entry.path = "/webapi/v2/conversations/" + write.entry.conversation->value + "/title";
    write.entry.headers = R"({"Content-Type":"application/json","OWN-USER-ID":"user-1"})";
    write.entry.body = fmt::format(R"({{"title":"Where to go in {}"}})", number);
    write.entry.upstream_key = fmt::format("{}-{}-0000-4000-8000", node, number);
    write.entry.client_key = fmt::format("key {}", number);
    write.entry.request_hash.assign(32, 'h');
    write.principal = node;
    return write;
}

Task<> accept_until(Truth& truth, std::string node, Steady::time_point end, int& made, Figures& figures)
{
    while (Steady::now() < end) {
        const auto since = Steady::now();
        co_await truth.outbox().accept(make_write(node, made++), {});
        figures.ms.push_back(std::chrono::duration<double, std::milli>(Steady::now() - since).count());
    }
}

void run_node(Truth& truth, const std::string& node, int at_once, Steady::time_point end, int& made, Figures& figures)
{
    asio::io_context loop(1);
    for (int n = 0; n < at_once; ++n)
        asio::co_spawn(loop, accept_until(truth, node, end, made, figures), [](const std::exception_ptr& failed) {
            if (failed) std::rethrow_exception(failed);
        });
    loop.run();
}

double processor_ms()
{
    return 1'000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void measure(std::vector<std::unique_ptr<PostgresTruth>>& nodes, int at_once, double seconds)
{
    static std::vector<int> made(nodes.size(), 0);
    std::vector<Figures> figures(nodes.size());
    std::vector<std::thread> threads;
    const auto began = Steady::now();
    const double processor = processor_ms();
    const auto end = began + std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(seconds));
    for (std::size_t n = 0; n < nodes.size(); ++n)
        threads.emplace_back(
            [&, n] { run_node(*nodes[n], "node" + std::to_string(n), at_once, end, made[n], figures[n]); });
    for (std::thread& thread : threads) thread.join();
    std::vector<double> all;
    for (const Figures& one : figures) all.insert(all.end(), one.ms.begin(), one.ms.end());
    std::sort(all.begin(), all.end());
    const auto part = [&](double of) {
        return all[static_cast<std::size_t>(of * static_cast<double>(all.size() - 1))];
    };
    fmt::print(
        "{} at once at each of {} nodes: {:.0f} accepted/s, p50 {:.2f} ms, p99 {:.2f} ms, {:.3f} ms of processor "
        "each\n",
        at_once, nodes.size(), static_cast<double>(all.size()) / seconds, part(0.5), part(0.99),
        (processor_ms() - processor) / static_cast<double>(all.size()));
}

// As a leader does with what waits, one after the other.
void deliver(PostgresTruth& leader, PostgresTruth& follower, double seconds)
{
    const Head head = sync_wait(leader.head());
    const std::int64_t epoch = sync_wait(leader.campaign(head.epoch, head.beat)).value();
    Position heard = sync_wait(follower.head()).last;
    int done = 0;
    const auto began = Steady::now();
    cache::WriteOutcome delivered;
    delivered.outcome.state = cache::EntryState::delivered;
    delivered.outcome.response = std::string(600, 'r');
    double spent[4] = {};
    auto since = Steady::now();
    const auto note = [&](int step) {
        const auto now = Steady::now();
        spent[step] += std::chrono::duration<double, std::milli>(now - since).count();
        since = now;
    };
    for (; std::chrono::duration<double>(Steady::now() - began).count() < seconds; ++done) {
        const Accepted taken = sync_wait(follower.outbox().accept(make_write("whole", done), {}));
        note(0);
        const std::string& key = taken.write.entry.upstream_key;
        const auto begun = sync_wait(leader.outbox().begin(epoch, {taken.write.entry.id, taken.write.number, key}, {}));
        note(1);
        sync_wait(leader.outbox().settle(epoch, {begun->entry.id, begun->number, key}, delivered));
        note(2);
        heard = sync_wait(follower.outbox().changes(heard, 1'000)).upto;
        note(3);
    }
    fmt::print("one after the other: {:.0f} writes/s; accepted in {:.2f} ms, begun in {:.2f}, settled in {:.2f}, heard "
               "of in {:.2f}\n",
               done / seconds, spent[0] / done, spent[1] / done, spent[2] / done, spent[3] / done);
}

} // namespace

int main(int count, char** words)
{
    const double seconds = count > 1 ? std::atof(words[1]) : 5;
    std::optional<support::PostgresServer> own;
    const std::string url = count > 2 ? words[2] : own.emplace().url();
    SessionOptions session_options;
    session_options.targets = read_url(url, "");
    session_options.schema = "alli_mirror";
    session_options.needs_tables = false;
    asio::io_context loop(1);
    Session session(loop, session_options);
    sync_wait(loop, init_cluster(session, {}));

    std::vector<std::unique_ptr<PostgresTruth>> nodes;
    for (int n = 0; n < 3; ++n) {
        PostgresOptions options;
        options.url = url;
        options.self = {"node" + std::to_string(n), "holder" + std::to_string(n)};
        nodes.push_back(std::make_unique<PostgresTruth>(options));
        sync_wait(nodes.back()->head());
    }
    for (const int at_once : {1, 8}) measure(nodes, at_once, seconds);
    deliver(*nodes[0], *nodes[1], seconds);
    if (own)
        fmt::print("the row that numbers them: {} bytes\n",
                   own->run_sql("SELECT pg_relation_size('alli_mirror.head')"));
}

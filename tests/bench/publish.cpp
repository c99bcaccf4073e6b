// SPDX-License-Identifier: Apache-2.0
// How fast the publisher alone writes to a PostgreSQL of its own, and a follower reads it again: chats a second, in
// batches of 1,000 rows. publish_bench [CHATS]
#include "alli/sync_wait.hpp"
#include "cluster/postgres/postgres_truth.hpp"
#include "cluster/postgres/schema.hpp"
#include "tests/support/postgres_server.hpp"

#include <cstdlib>

using namespace alli;
using namespace alli::cluster;

namespace {

constexpr int chats_each = 19, conversations_each = 50; // 1,000 rows

cache::PublishedChat make_chat(const std::string& conversation, int ordinal)
{
    cache::PublishedChat row;
    row.conversation = conversation;
    row.ordinal = ordinal;
    row.id = conversation + "-" + std::to_string(ordinal);
    row.message = "Could you tell me whether the room has a view of the sea, and until when breakfast is served? ";
    row.message += row.message;
    row.chat =
        fmt::format(R"({{"id":"{}","sender":"USER","timestamp":1769851800123.456,"message":"{}","state":"DONE",)"
                    R"("citations":[],"rating":null,"agentRating":null,"options":{{"llm":"default","stream":true}}}})",
                    row.id, row.message);
    row.sender = "USER";
    row.sent_at = Instant(std::chrono::seconds(1'769'851'800 + ordinal));
    return row;
}

cache::PublishedRows make_batch(int number)
{
    cache::PublishedRows rows;
    for (int at = 0; at < conversations_each; ++at) {
        cache::PublishedConversation row;
        row.id = fmt::format("{:08x}-{:04d}", static_cast<unsigned>(number) * 2'654'435'761U, at);
        row.item = R"({"id":")" + row.id + R"(","title":"Hotel","state":"OPEN","chats":[]})";
        row.held = chats_each;
        for (int ordinal = 0; ordinal < chats_each; ++ordinal) rows.chats.push_back(make_chat(row.id, ordinal));
        rows.conversations.push_back(std::move(row));
    }
    return rows;
}

using Steady = std::chrono::steady_clock;

double rate(int chats, Steady::time_point since)
{
    return chats / std::chrono::duration<double>(Steady::now() - since).count();
}

SessionOptions session_options(const support::PostgresServer& server)
{
    SessionOptions options;
    options.targets = read_url(server.url(), "");
    options.schema = "alli_mirror";
    options.needs_tables = false;
    return options;
}

} // namespace

int main(int count, char** words)
{
    const int batches = (count > 1 ? std::atoi(words[1]) : 190'000) / (chats_each * conversations_each);
    const support::PostgresServer server;
    asio::io_context loop(1);
    Session session(loop, session_options(server));
    sync_wait(loop, init_cluster(session, {}));

    PostgresOptions options;
    options.url = server.url();
    options.self = {"bench", "bench"};
    PostgresTruth truth(options);
    const std::int64_t epoch = sync_wait(truth.campaign(0, 0)).value();
    Position position = sync_wait(truth.head()).last;
    const Position start = position;
    for (const char* const round : {"first", "again"}) {
        std::vector<cache::PublishedRows> made;
        for (int batch = 0; batch < batches; ++batch) made.push_back(make_batch(batch));
        const auto since = Steady::now();
        for (cache::PublishedRows& rows : made) position = sync_wait(truth.publish(epoch, std::move(rows)));
        fmt::print("published {}: {:.0f} chats/s\n", round, rate(batches * chats_each * conversations_each, since));
    }
    auto since = Steady::now();
    const Round round = sync_wait(truth.read(start, 100'000'000));
    fmt::print("read as one round: {:.0f} chats/s\n", rate(static_cast<int>(round.rows.chats.size()), since));
    since = Steady::now();
    int chats = 0;
    std::string after;
    for (bool at_end = false; !at_end;) {
        const Chunk chunk = sync_wait(truth.read_all(after, 5'000));
        chats += static_cast<int>(chunk.rows.chats.size());
        if (!chunk.rows.conversations.empty()) after = chunk.rows.conversations.back().id;
        at_end = chunk.at_end;
    }
    fmt::print("read to join: {:.0f} chats/s\n", rate(chats, since));
}

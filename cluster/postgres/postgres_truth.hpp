// SPDX-License-Identifier: Apache-2.0
// The truth in PostgreSQL. Has a thread and a loop of its own, on which libpq and everything else runs but for the
// look-up of names, and four connections: the lease's calls and writes never wait for rows. Connects at the first call,
// and anew at the next one after a failure.
#pragma once

#include "cluster/postgres/postgres_options.hpp"
#include "cluster/truth.hpp"

#include <memory>

namespace alli::cluster {

class TruthLoop;

class PostgresTruth final : public Truth {
  public:
    explicit PostgresTruth(PostgresOptions options);
    /// Calls that are on their way end with an exception.
    ~PostgresTruth() override;

    SharedOutbox& outbox() noexcept override;
    Task<Head> head() override;
    Task<std::optional<std::int64_t>> campaign(std::int64_t epoch, std::int64_t beat) override;
    Task<> lift(std::int64_t above) override;
    Task<Beat> beat(std::int64_t epoch, Position mine) override;
    Task<> resign(std::int64_t epoch) override;
    Task<Position> publish(std::int64_t epoch, cache::PublishedRows rows) override;
    Task<Position> publish_after(Position mine, std::int64_t epoch, cache::PublishedRows rows) override;
    Task<Round> read(Position after, std::size_t limit) override;
    Task<Chunk> read_all(std::string after, std::size_t limit) override;
    Task<cache::PublishedRows> find(std::vector<ConversationId> ids) override;
    Task<std::vector<cache::PublishedState>> state(std::vector<std::string> names) override;
    Task<std::vector<Suppressed>> suppressions() override;
    Task<> suppress(std::vector<Suppressed> added) override;
    Task<Round> hear(Position after) override;
    Task<Position> note_run(std::string conversation, RunState state) override;
    Task<> ask_refresh(std::vector<std::string> conversations) override;
    Task<> settle(std::int64_t epoch, std::vector<Run> runs, std::vector<Refresh> refreshes) override;
    Task<> announce(NodeRow row) override;
    Task<std::vector<NodeRow>> nodes() override;
    Task<bool> wait_news(std::chrono::milliseconds longest) override;

  private:
    Member self_;
    std::unique_ptr<SharedOutbox> outbox_; // used by the thread of
    std::unique_ptr<TruthLoop> loop_;
};

} // namespace alli::cluster

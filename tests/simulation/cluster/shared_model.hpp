// SPDX-License-Identifier: Apache-2.0
// What is shared, in memory: rows by key, each with the number of the transaction that wrote it last, and the lease.
// Connections to it are slow, break, and lose the answer to what was done.
#pragma once

#include "alli/random.hpp"
#include "cluster/truth.hpp"
#include "tests/support/fake_clock.hpp"

#include <map>
#include <set>

namespace simulation {

using alli::Task;

/// The database. It can be copied, and put back.
struct SharedModel {
    struct Row {
        alli::cache::PublishedConversation conversation;
        std::int64_t seq = 0;
        std::map<std::int64_t, std::pair<alli::cache::PublishedChat, std::int64_t>> chats; // with their numbers
    };
    std::string store = "shared", holder, leader;
    std::int64_t epoch = 0, beat = 0, last = 1'000;
    std::map<std::int64_t, std::string> trail;
    std::map<std::string, Row> rows;
    std::map<std::string, std::pair<std::string, std::int64_t>> state;
    std::map<std::string, alli::cluster::NodeRow> nodes;
};

class ModelTruth : public alli::cluster::Truth {
  public:
    ModelTruth(SharedModel& shared, alli::Clock& clock, alli::cluster::Member me, std::uint64_t seed)
        : shared_(shared), clock_(clock), me_(std::move(me)), random_(seed)
    {}

    // How bad the way to it is.
    bool away = false;
    double unknown = 0; // of calls: it is done, and the answer is lost
    std::int64_t latency = 20;

    Task<alli::cluster::Head> head() override;
    Task<std::optional<std::int64_t>> campaign(std::int64_t epoch, std::int64_t beat) override;
    Task<alli::cluster::Beat> beat(std::int64_t epoch, alli::cluster::Position mine) override;
    Task<> resign(std::int64_t epoch) override;
    Task<alli::cluster::Position> publish(std::int64_t epoch, alli::cache::PublishedRows rows) override;
    Task<alli::cluster::Position> publish_after(alli::cluster::Position mine, std::int64_t epoch,
                                                alli::cache::PublishedRows rows) override;
    Task<alli::cluster::Round> read(alli::cluster::Position after, std::size_t limit) override;
    Task<alli::cluster::Chunk> read_all(std::string after, std::size_t limit) override;
    Task<alli::cache::PublishedRows> find(std::vector<alli::ConversationId> ids) override;
    Task<std::vector<alli::cache::PublishedState>> state(std::vector<std::string> names) override;
    Task<std::vector<alli::cluster::Suppressed>> suppressions() override;
    Task<> suppress(std::vector<alli::cluster::Suppressed> added) override;
    Task<> announce(alli::cluster::NodeRow row) override;
    Task<std::vector<alli::cluster::NodeRow>> nodes() override;
    Task<bool> wait_news(std::chrono::milliseconds longest) override;

  private:
    Task<> arrive(); // throws where it is away
    Task<> answer(); // throws where the answer is lost
    bool is_mine(std::int64_t epoch) const { return shared_.epoch == epoch && shared_.holder == me_.holder; }
    alli::cluster::Head read_head() const;
    alli::cluster::Position position() const;
    alli::cluster::Continuity continuity_of(const alli::cluster::Position& position) const;
    alli::cluster::Position put(alli::cache::PublishedRows rows);
    void put(alli::cache::PublishedConversation conversation);
    void put(alli::cache::PublishedChat chat);

    SharedModel& shared_;
    alli::Clock& clock_;
    alli::cluster::Member me_;
    alli::SeededRandom random_;
};

} // namespace simulation

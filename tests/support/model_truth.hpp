// SPDX-License-Identifier: Apache-2.0
// The truth of a cluster as a model in memory, with the faults of a network between each node and it: the contract
// suite and the simulation run on it. One ModelDatabase is shared by the nodes, each with a ModelTruth; all on one
// loop, each waiting through the clock that it is given.
#pragma once

#include "alli/clock.hpp"
#include "alli/random.hpp"
#include "cluster/truth.hpp"
#include "tests/support/model_outbox.hpp"

#include <boost/asio/experimental/channel.hpp>

#include <map>
#include <set>

namespace support {

class ModelTruth;

class ModelDatabase {
  public:
    template <class Row>
    struct Numbered {
        Row row;
        std::int64_t seq = 0;
    };

    struct Seen {
        alli::cluster::NodeRow row;
        alli::Clock::Steady at;
    };

    struct Write {
        alli::cache::SharedWrite row;
        alli::Instant changed_at;
    };

    /// All that a backup would hold: copied, and assigned to be put back.
    struct Contents {
        std::string store;
        std::int64_t epoch = 0, beat = 0, last = 0;
        std::string holder, leader, led_by;
        std::int64_t led_from = 0;
        std::chrono::milliseconds lease{};
        std::map<std::int64_t, std::string> trail;
        std::map<std::string, Numbered<alli::cache::PublishedConversation>> conversations;
        std::map<std::pair<std::string, std::int64_t>, Numbered<alli::cache::PublishedChat>> chats;
        std::map<std::string, Numbered<alli::cache::PublishedState>> state;
        std::map<std::pair<std::string, std::string>, std::int64_t> suppressed;
        std::map<std::string, alli::cluster::Run> runs;
        std::map<std::string, alli::Instant> runs_changed; // by the same key
        std::map<std::string, alli::cluster::Refresh> refreshes;
        std::map<std::string, Seen> nodes;
        std::map<std::int64_t, Write> writes;
    };

    ModelDatabase(const alli::Clock& clock, std::uint64_t seed);

    Contents contents;
    bool away = false;                // for all nodes
    std::size_t trail_most = 100'000; // the newest commits that are known

    /// As a transaction does: the number before those that it takes.
    std::int64_t number(std::size_t count);

  private:
    friend class ModelTruth;
    friend class ModelOutbox;

    void tell();
    void lift(std::int64_t above);
    alli::cluster::Position last() const;

    const alli::Clock& clock_;
    alli::SeededRandom random_;
    std::set<ModelTruth*> listeners_;
};

/// What lies between a node and the database. Changed while calls are on their way, it counts for their rest.
struct ModelLink {
    bool cut = false;   // requests do not arrive, which takes a while to be noticed
    double unknown = 0; // of calls: what was asked for is done, and the node does not hear of it
    bool loses_news = false;
    std::chrono::milliseconds delay{0}; // each way takes up to so long
};

class ModelTruth : public alli::cluster::Truth {
  public:
    ModelTruth(alli::asio::any_io_executor executor, ModelDatabase& database, alli::Clock& clock,
               alli::cluster::Member self, std::uint64_t seed);
    ~ModelTruth() override;

    ModelLink link;

    alli::cluster::SharedOutbox& outbox() noexcept override { return outbox_; }
    alli::Task<alli::cluster::Head> head() override;
    alli::Task<std::optional<std::int64_t>> campaign(std::int64_t epoch, std::int64_t beat) override;
    alli::Task<> lift(std::int64_t above) override;
    alli::Task<alli::cluster::Beat> beat(std::int64_t epoch, alli::cluster::Position mine) override;
    alli::Task<> resign(std::int64_t epoch) override;
    alli::Task<alli::cluster::Position> publish(std::int64_t epoch, alli::cache::PublishedRows rows) override;
    alli::Task<alli::cluster::Position> publish_after(alli::cluster::Position mine, std::int64_t epoch,
                                                      alli::cache::PublishedRows rows) override;
    alli::Task<alli::cluster::Round> read(alli::cluster::Position after, std::size_t limit) override;
    alli::Task<alli::cluster::Chunk> read_all(std::string after, std::size_t limit) override;
    alli::Task<alli::cache::PublishedRows> find(std::vector<alli::ConversationId> ids) override;
    alli::Task<std::vector<alli::cache::PublishedState>> state(std::vector<std::string> names) override;
    alli::Task<std::vector<alli::cluster::Suppressed>> suppressions() override;
    alli::Task<> suppress(std::vector<alli::cluster::Suppressed> added) override;
    alli::Task<alli::cluster::Round> hear(alli::cluster::Position after) override;
    alli::Task<alli::cluster::Position> note_run(std::string conversation, alli::cluster::RunState state) override;
    alli::Task<> ask_refresh(std::vector<std::string> conversations) override;
    alli::Task<> settle(std::int64_t epoch, std::vector<alli::cluster::Run> runs,
                        std::vector<alli::cluster::Refresh> refreshes) override;
    alli::Task<> announce(alli::cluster::NodeRow row) override;
    alli::Task<std::vector<alli::cluster::NodeRow>> nodes() override;
    alli::Task<bool> wait_news(std::chrono::milliseconds longest) override;

  private:
    friend class ModelDatabase;
    friend class ModelOutbox;
    alli::Task<> arrive(); // throws where it is away
    alli::Task<> answer(); // throws where the answer is lost
    alli::Task<> travel();
    bool is_away() const noexcept { return link.cut || database_.away; }
    alli::cluster::Head read_head() const;
    alli::cluster::Round read_asked(const alli::cluster::Position& after) const;
    void put(alli::cache::PublishedRows rows);
    alli::Task<bool> hear_news(std::chrono::milliseconds longest);
    bool leads(std::int64_t epoch) const;
    alli::cluster::Continuity continuity_of(const alli::cluster::Position& position) const;

    ModelDatabase& database_;
    alli::Clock& clock_;
    alli::cluster::Member self_;
    alli::SeededRandom random_;
    // Boost 1.81 has no room for a message after a wait that was canceled: then it is noted beside.
    alli::asio::experimental::channel<void(boost::system::error_code)> news_;
    bool has_news_ = false;
    ModelOutbox outbox_{*this};
};

} // namespace support

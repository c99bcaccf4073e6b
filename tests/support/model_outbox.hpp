// SPDX-License-Identifier: Apache-2.0
// The shared outbox of a ModelTruth: the rules of the table `entry` as a map, behind the same faults.
#pragma once

#include "cluster/shared_outbox.hpp"

#include <functional>

namespace support {

class ModelTruth;

class ModelOutbox final : public alli::cluster::SharedOutbox {
  public:
    explicit ModelOutbox(ModelTruth& truth) : truth_(truth) {}

    alli::Task<alli::cluster::Accepted> accept(alli::cache::NewWrite write, alli::cache::OutboxLimits limits) override;
    alli::Task<std::optional<alli::cache::SharedWrite>> begin(std::int64_t epoch, alli::cluster::KnownWrite known,
                                                              std::optional<std::string> over) override;
    alli::Task<std::optional<alli::cache::SharedWrite>> settle(std::int64_t epoch, alli::cluster::KnownWrite known,
                                                               alli::cache::WriteOutcome outcome) override;
    alli::Task<std::vector<alli::cache::SharedWrite>> recover(std::int64_t epoch) override;
    alli::Task<> release(std::int64_t epoch) override;
    alli::Task<std::int64_t> forget(std::int64_t epoch, std::chrono::seconds age) override;
    alli::Task<alli::cluster::WriteAction> retry(std::int64_t id) override;
    alli::Task<alli::cluster::WriteAction> discard(std::int64_t id) override;
    alli::Task<> note_told(std::int64_t id, std::int64_t number) override;
    alli::Task<> purge(std::vector<alli::cache::ErasedWrite> writes) override;
    alli::Task<alli::cluster::WriteChanges> changes(alli::cluster::Position after, std::size_t limit) override;
    alli::Task<alli::cluster::WriteChunk> read_all(std::int64_t after_id, std::size_t limit) override;
    alli::Task<std::optional<alli::cache::SharedWrite>> find(std::int64_t id) override;
    alli::Task<alli::cluster::WriteCounts> count() override;
    alli::Task<std::vector<alli::cache::SharedWrite>> hand_over(std::vector<alli::cache::SharedWrite> held,
                                                                std::string why) override;

  private:
    /// Changes a row where it is as `is_so` wants it; returns the row as it is then.
    using Test = std::function<bool(const alli::cache::SharedWrite&)>;
    using Change = std::function<void(alli::cache::SharedWrite&)>;
    std::optional<alli::cache::SharedWrite> change(std::int64_t id, const Test& is_so, const Change& change);
    std::optional<alli::cache::SharedWrite> change(const alli::cluster::KnownWrite& known, const Test& is_so,
                                                   const Change& change);
    const alli::cache::SharedWrite* find_accepted(const alli::cache::NewWrite& write) const;
    alli::cache::SharedWrite* find_key(const std::string& upstream_key) const;
    bool has_client_key(const alli::cache::SharedWrite& write) const;
    void put(alli::cache::SharedWrite write);
    void note_delivered(alli::cache::SharedWrite& there, const alli::cache::SharedWrite& held);
    void put_handed_over(alli::cache::SharedWrite write, std::int64_t fresh, const std::string& why);
    void require_leader(std::int64_t epoch) const;

    ModelTruth& truth_;
};

} // namespace support

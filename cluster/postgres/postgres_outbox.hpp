// SPDX-License-Identifier: Apache-2.0
// The shared outbox of a PostgresTruth, over a connection of its own.
#pragma once

#include "cluster/postgres/commit_queue.hpp"
#include "cluster/postgres/outbox.hpp"
#include "cluster/postgres/truth_loop.hpp"

namespace alli::cluster {

class PostgresOutbox final : public SharedOutbox {
  public:
    /// `loop` outlives it, and its thread this: no call is on its way any more.
    PostgresOutbox(TruthLoop& loop, Member self);

    Task<Accepted> accept(cache::NewWrite write, cache::OutboxLimits limits) override;
    Task<std::optional<cache::SharedWrite>> begin(std::int64_t epoch, KnownWrite known,
                                                  std::optional<std::string> over) override;
    Task<std::optional<cache::SharedWrite>> settle(std::int64_t epoch, KnownWrite known,
                                                   cache::WriteOutcome outcome) override;
    Task<std::vector<cache::SharedWrite>> recover(std::int64_t epoch) override;
    Task<> release(std::int64_t epoch) override;
    Task<std::int64_t> forget(std::int64_t epoch, std::chrono::seconds age) override;
    Task<WriteAction> retry(std::int64_t id) override;
    Task<WriteAction> discard(std::int64_t id) override;
    Task<> note_told(std::int64_t id, std::int64_t number) override;
    Task<> purge(std::vector<cache::ErasedWrite> writes) override;
    Task<WriteChanges> changes(Position after, std::size_t limit) override;
    Task<WriteChunk> read_all(std::int64_t after_id, std::size_t limit) override;
    Task<std::optional<cache::SharedWrite>> find(std::int64_t id) override;
    Task<WriteCounts> count() override;
    Task<std::vector<cache::SharedWrite>> hand_over(std::vector<cache::SharedWrite> held, std::string why) override;

  private:
    template <class T, class... Given, class... Args>
    Task<T> change(Task<T> (*function)(Session&, Given...), Args... args);

    TruthLoop& loop_;
    Member self_;
    struct EpochBeginning {
        std::int64_t epoch = 0;
        WantedBeginning wanted;
    };
    using AcceptQueue = CommitQueue<WantedWrite, AcceptResult>;
    using BeginQueue = CommitQueue<EpochBeginning, std::optional<cache::SharedWrite>>;
    static bool fit_together(const std::vector<WantedWrite>& taken, const WantedWrite& next);
    static bool begin_together(const std::vector<EpochBeginning>& taken, const EpochBeginning& next);
    static Task<std::vector<AcceptResult>> accept_all(TruthLoop& loop, std::string node,
                                                      std::vector<WantedWrite> wanted);
    static Task<std::vector<std::optional<cache::SharedWrite>>> begin_all(TruthLoop& loop, Member self,
                                                                          std::vector<EpochBeginning> wanted);
    static Task<Accepted> accept_in(AcceptQueue& queue, WantedWrite wanted);

    AcceptQueue accepting_; // on the loop, as
    BeginQueue beginning_;  // whose session nothing else uses: the right to send is worth little after a moment
};

} // namespace alli::cluster

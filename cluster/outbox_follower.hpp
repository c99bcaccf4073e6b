// SPDX-License-Identifier: Apache-2.0
// Brings a node's outbox to the one that is shared: what changed since its position, or all of it where it joins; what
// it has and the database lacks is handed over. At a leader nothing of a number is here before all of the lower ones
// are: what is delivered next is decided by what is here. Runs on the node's loop.
#pragma once

#include "cache/replica/shared_writes.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/store.hpp"
#include "cluster/node_options.hpp"
#include "cluster/truth.hpp"

#include <map>
#include <set>

namespace alli::cluster {

class OutboxFollower {
  public:
    OutboxFollower(SharedOutbox& outbox, cache::Store& store, Clock& clock, const NodeOptions& options,
                   const NodeHooks& hooks);

    /// As far as `head` at least. While it delivers it never joins: false where that would be needed, for what it
    /// delivers by is not what is shared any more.
    Task<bool> follow(const Head& head);

    /// From now on, until end_leading(): only follow() and recover() bring rows here.
    void begin_leading(std::int64_t epoch) { epoch_ = epoch; }
    /// What was begun or settled there last may be missing here: it is read again.
    void end_leading();
    std::optional<std::int64_t> epoch() const noexcept { return epoch_; }
    /// At a takeover, when it has followed once more, and before anything is delivered.
    Task<> recover();
    /// Has emptied there what this node's list names: once through all of it where the list has moved on, and what was
    /// heard since. To be repeated after a failure.
    Task<> purge();
    /// At the leader, now and then: what is settled for long goes from the database.
    Task<> forget();

    /// A row that the database gave for what this node asked. True: it is in this node's file, so that it is handed
    /// over should the database lose it, or needs nobody any more. False: not within `patience`, or the database, which
    /// is another one since, has not got it; it may not be acknowledged, and may be asked for again.
    Task<bool> take(cache::SharedWrite row, std::chrono::milliseconds patience);
    /// The number of an entry as it is known here, asked for where it is not; none: there is no such entry.
    Task<std::optional<std::int64_t>> find_number(std::int64_t id);
    /// This row is written here by whoever delivers.
    void note_delivering(std::int64_t id, std::int64_t number);
    /// What is here is not what is there, as somebody found: it joins anew, or ends delivering first.
    void join_anew() { joins_anew_ = true; }

    std::int64_t position() const noexcept { return position_ ? position_->number : 0; }
    /// Called where a leader waits for what others, or itself, added.
    std::function<void()> hear_soon = [] {};

  private:
    using Applied = std::vector<cache::AppliedWrite>;
    Task<bool> follow_changes(const Head& head, Applied* applied);
    Task<bool> join_unless_delivering(const Head& head);
    Task<> join(Head head);
    Task<> put_in_order(std::map<std::string, std::int64_t> there);
    Task<> hand_over(std::vector<cache::SharedWrite> strays);
    Task<> move(const std::vector<cache::SharedWrite>& held, const std::vector<cache::SharedWrite>& there);
    Task<> read_again();
    Task<> read_again(std::int64_t id);
    bool note(std::int64_t id, std::int64_t number);
    void note_ahead(std::int64_t id, std::int64_t number);
    void note_heard(const std::vector<cache::SharedWrite>& rows, std::int64_t upto);
    bool has_to_join(const Head& head) const;
    bool has_lost_one(const std::map<std::int64_t, std::int64_t>& before) const;
    bool is_here(std::int64_t id, const std::string& upstream_key) const;
    Task<> forget_position(std::int64_t from);
    Task<> remove(std::vector<cache::SharedWrite> strays);
    Task<> look_through();
    Task<> empty_erased();
    void note_erased(const std::vector<cache::SharedWrite>& rows, const cache::SuppressedNames& names);
    Task<> apply(std::vector<cache::SharedWrite> rows, std::optional<cache::WritesPosition> reached);
    Task<> put(std::vector<cache::SharedWrite> rows, std::optional<cache::WritesPosition> reached, Applied* all);
    Task<> write(std::vector<cache::SharedWrite> rows, std::optional<cache::WritesPosition> reached, Applied* all);
    Task<> show(std::vector<cache::AppliedWrite> applied);
    void set_by_own_clock(std::vector<cache::SharedWrite>& rows) const;
    void forget_numbers();
    void purge_old(cache::Writer& outbox);

    SharedOutbox& outbox_;
    cache::Store& store_;
    Clock& clock_;
    const NodeOptions& options_;
    const NodeHooks& hooks_;
    std::optional<cache::WritesPosition> position_;    // none: it has to join
    std::int64_t stored_ = 0;                          // the number of the one that is in the file
    std::optional<std::int64_t> epoch_;                // in which it leads
    bool delivers_ = false;                            // since it recovered in that
    bool joins_anew_ = false, forgotten_ = false;      // forgotten: the database knows less of what was than this node
    std::map<std::int64_t, std::int64_t> numbers_;     // by id, of rows that are here
    std::set<std::int64_t> refused_;                   // ids of rows that are not here, for another write has theirs
    std::set<std::int64_t> read_again_;                // ids of rows that may not be here as they are there
    std::map<std::int64_t, Clock::Steady> delivering_; // ids of what was begun or settled there, and when last
    std::int64_t heard_ = 0;                           // up to this number all that changed has come here
    std::set<std::int64_t> handed_over_;               // of those ahead_: until they come no position is written down
    std::map<std::int64_t, std::int64_t> ahead_;       // by id, of what was known here before that: it is still to come
    Clock::Steady purged_at_{}, forgot_at_{};
    std::map<std::int64_t, cache::ErasedWrite> erased_; // by id, to be emptied there
    std::int64_t looked_through_ = 0;                   // up to this version of the list, what is there
    std::optional<Clock::Steady> asked_at_;             // the changes before those that are applied
};

} // namespace alli::cluster

// SPDX-License-Identifier: Apache-2.0
// Which FIFO of the outbox may be sent from next: the heads alone, in memory. A bulk update waits for whatever was
// accepted before it, and whatever was accepted after it waits for it; a FIFO in conflict blocks no other.
// Belongs to the engine's loop.
#pragma once

#include "alli/clock.hpp"
#include "cache/outbox/fifos.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace alli::sync {

class ConversationFifos {
  public:
    using Id = std::optional<ConversationId>; // none: the FIFO of bulk updates
    using Steady = Clock::Steady;

    /// The head of a FIFO as the outbox has it now; not to be sent before `due`. Ends that FIFO's turn.
    void put(const cache::LineHead& head, Steady due);
    void remove(const Id& id);

    /// The oldest head that is due and behind no barrier; its FIFO has its turn until put() or remove().
    std::optional<Id> take(Steady now);
    /// The same of that FIFO alone: false where it has no head that may go now.
    bool take(const Id& id, Steady now);
    /// Whether its head waits for its turn alone.
    bool is_due(const Id& id, Steady now) const;
    /// To find out whether upstream is back: one that is due, else the one that would be next.
    std::optional<Id> take_probe(Steady now);
    /// It is back: all are due.
    void make_all_due() { make_all_due(Steady::max()); }
    /// When the next one comes due; none: nothing waits for time alone.
    std::optional<Steady> next_due() const;

    bool contains(const Id& id) const;
    bool has_turn(const Id& id) const;
    std::int64_t head(const Id& id) const { return fifos_.at(key_of(id)).head; } // its entry; of a FIFO that is there
    bool empty() const { return fifos_.empty(); }
    std::size_t size() const { return fifos_.size(); }
    /// Whether something accepted at `place` would have to wait for others than its own FIFO.
    bool behind_barrier(const Id& id, std::int64_t place) const;

    int& failures(const Id& id) { return fifos_[key_of(id)].failures; } // in a row; of a FIFO that is there

  private:
    struct Fifo {
        std::int64_t head = 0, place = 0;
        Steady due{};
        int failures = 0;
        bool busy = false, blocked = false;
    };
    static std::string key_of(const Id& id) { return id ? "c" + id->value : ""; }
    static Id id_of(const std::string& key);
    void unlist(const std::string& key, const Fifo& fifo);
    void make_all_due(Steady until);

    std::unordered_map<std::string, Fifo> fifos_;
    std::map<std::int64_t, std::string> ready_;       // by place
    std::set<std::pair<Steady, std::int64_t>> later_; // by due time
    std::map<std::int64_t, std::string> later_keys_;  // by place
    std::set<std::int64_t> active_;                   // places of conversations' heads that are not blocked
};

} // namespace alli::sync

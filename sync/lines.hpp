// SPDX-License-Identifier: Apache-2.0
// Which line of the outbox may be sent from next: the heads alone, in memory. A bulk update waits for whatever was
// accepted before it, and whatever was accepted after it waits for it; a line in conflict is waited for by nobody.
// Belongs to the engine's loop.
#pragma once

#include "alli/clock.hpp"
#include "cache/outbox_line.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace alli::sync {

class Lines {
  public:
    using Id = std::optional<ConversationId>; // none: the line of bulk updates
    using Steady = Clock::Steady;

    /// The head of a line as the outbox has it now; not to be sent before `due`. Ends that line's turn.
    void put(const cache::LineHead& head, Steady due);
    void remove(const Id& id);

    /// The oldest head that is due and behind no barrier; its line has its turn until put() or remove().
    std::optional<Id> take(Steady now);
    /// To find out whether upstream is back: one that is due, else the one that would be next.
    std::optional<Id> take_probe(Steady now);
    /// It is back: all are due.
    void hurry() { hurry(Steady::max()); }
    /// When the next one comes due; none: nothing waits for time alone.
    std::optional<Steady> next_due() const;

    bool contains(const Id& id) const;
    bool has_turn(const Id& id) const;
    std::int64_t head(const Id& id) const { return lines_.at(key_of(id)).head; } // its entry; of a line that is there
    bool empty() const { return lines_.empty(); }
    std::size_t size() const { return lines_.size(); }
    /// Whether something accepted at `place` would have to wait for others than its own line.
    bool behind_barrier(const Id& id, std::int64_t place) const;

    int& failures(const Id& id) { return lines_[key_of(id)].failures; } // in a row; of a line that is there

  private:
    struct Line {
        std::int64_t head = 0, place = 0;
        Steady due{};
        int failures = 0;
        bool busy = false, blocked = false;
    };
    static std::string key_of(const Id& id) { return id ? "c" + id->value : ""; }
    static Id id_of(const std::string& key);
    void unlist(const std::string& key, const Line& line);
    void hurry(Steady until);

    std::unordered_map<std::string, Line> lines_;
    std::map<std::int64_t, std::string> ready_;       // by place
    std::set<std::pair<Steady, std::int64_t>> later_; // by due time
    std::map<std::int64_t, std::string> later_keys_;  // by place
    std::set<std::int64_t> active_;                   // places of conversations' heads that are not blocked
};

} // namespace alli::sync

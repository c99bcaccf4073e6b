// SPDX-License-Identifier: Apache-2.0
// Apps that write through the proxy and remember what they were told. What was acknowledged is in the outbox or was
// applied, in the order in which it was accepted, and twice only where the answer to the first was lost.
#pragma once

#include "tests/simulation/program/program.hpp"

#include <set>

namespace simulation {

class Writers {
  public:
    /// `wide`: single and bulk updates too.
    Writers(World& world, std::uint64_t seed, bool wide) : world_(world), random_(seed), wide_(wide) {}

    /// An app writes, or repeats what it does not know the outcome of.
    void act(Program& program);
    /// Somebody decides about what is in conflict.
    std::string settle_conflicts(Program& program);
    /// What was wrong, in a sentence; empty: nothing.
    std::string check(Program& program);
    /// The outbox was damaged, and said so: nothing that it does not hold any more counts. How many are lost that were
    /// acknowledged and never applied.
    int forget_lost(Program& program);
    /// Nothing that is about it counts any more.
    void forget(const std::string& id) { forgotten_.insert(id); }

    /// What its waiting writes make, by name as in Talk::written; of what nothing waits for there is nothing. `open`:
    /// one is in conflict, or on its way for the first time, so that which value shows is not said here.
    struct Waiting {
        std::map<std::string, json> values;
        bool deleted = false, open = false;
    };
    Waiting waiting(Program& program, const std::string& id) const;
    /// The conversations with feedback that waits.
    std::set<std::string> rated(Program& program) const;
    int waiting_in_all(Program& program) const;

    /// What apps want deleted.
    const std::set<std::string>& deletions() const { return deletions_; }

    int acknowledged() const { return acknowledged_; }

  private:
    struct Write {
        std::vector<std::string> ids; // one, but for a bulk update
        std::string what, value, method, target, body;
        Answer asked;
        bool acknowledged = false, over = false;
        std::int64_t entry = 0; // in the outbox; 0: was not seen there yet
    };
    using Entries = std::map<std::int64_t, alli::cache::Entry>;

    void ask(Program& program, Write& write);
    std::optional<Write> think_of_one(Program& program);
    void think_of_update(Program& program, Write& write);
    void think_of_rating(Program& program, Write& write, Talk& talk);
    std::string pick();
    void note_base(Program& program, const Write& write, const std::string& id, const std::string& name);
    Entries load(Program& program) const;
    void find_entries(Program& program, const Entries& entries);
    std::string check_one(Write& write, const Entries& entries);
    std::string check_order() const;
    std::string check_doubles() const;
    bool is_unprovable(const std::string& assignee) const;
    bool is_on_its_way(const alli::cache::Entry& entry) const;
    bool was_applied(const Write& write) const;
    bool was_refused(const Write& write) const;
    bool is_forgotten(const Write& write) const;

    World& world_;
    alli::SeededRandom random_;
    std::vector<Write> writes_;
    std::set<std::string> forgotten_, deletions_, lost_; // lost_: by what they set
    std::map<std::string, std::int64_t> entries_by_value_;
    std::set<std::string>
        held_up_; // conversations in which something was in conflict, which a barrier does not wait for
    const bool wide_;
    int acknowledged_ = 0;
};

} // namespace simulation

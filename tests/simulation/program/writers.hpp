// SPDX-License-Identifier: Apache-2.0
// Apps that write through the proxy and remember what they were told. What was acknowledged is in the outbox or was
// applied, in the order in which it was accepted, and twice only where the answer to the first was lost.
#pragma once

#include "tests/simulation/program/program.hpp"

#include <set>

namespace simulation {

class Writers {
  public:
    Writers(World& world, std::uint64_t seed) : world_(world), random_(seed) {}

    /// An app writes, or repeats what it does not know the outcome of.
    void act(Program& program);
    /// Somebody decides about what is in conflict.
    std::string settle_conflicts(Program& program);
    /// What was wrong, in a sentence; empty: nothing.
    std::string check(Program& program);
    /// Nothing that is about it counts any more.
    void forget(const std::string& id) { forgotten_.insert(id); }

    /// The title that its waiting writes make; none: nothing waits. `open`: one is in conflict, or on its way for the
    /// first time, so that which title shows is not said here.
    struct Waiting {
        std::optional<std::string> title;
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
        std::string id, what, value, method, target, body;
        Answer asked;
        bool acknowledged = false, over = false;
        std::int64_t entry = 0; // in the outbox; 0: was not seen there yet
    };
    using Entries = std::map<std::int64_t, alli::cache::Entry>;

    void ask(Program& program, Write& write);
    std::optional<Write> think_of_one(Program& program);
    Entries load(Program& program) const;
    void find_entries(Program& program, const Entries& entries);
    std::string check_one(Write& write, const Entries& entries);
    std::string check_order() const;
    std::string check_doubles() const;
    bool is_on_its_way(const alli::cache::Entry& entry) const;
    bool was_applied(const Write& write) const;
    bool was_refused(const Write& write) const;

    World& world_;
    alli::SeededRandom random_;
    std::vector<Write> writes_;
    std::set<std::string> forgotten_, deletions_;
    std::map<std::string, std::int64_t> entries_by_value_;
    int acknowledged_ = 0;
};

} // namespace simulation

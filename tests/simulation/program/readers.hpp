// SPDX-License-Identifier: Apache-2.0
// Apps that read through the proxy: items, lists page by page, and search. An answer shows what upstream had when it
// says, or since, with what waits on top; no value goes back to an older one; a walk through a list meets everything
// that stays where it is once.
#pragma once

#include "tests/simulation/program/writers.hpp"

namespace simulation {

class Readers {
  public:
    /// `wide`: what is set besides titles too.
    Readers(World& world, Writers& writers, std::uint64_t seed, bool wide)
        : world_(world), writers_(writers), random_(seed), wide_(wide)
    {}

    /// Something is read. What was wrong, in a sentence; empty: nothing.
    std::string act(Program& program);
    /// The mirror may hold less than it did.
    void lost_commits()
    {
        shown_.clear();
        walk_.reset();
    }
    void restarted() { walk_.reset(); } // a cursor is good for as long as its mirror; a walk need not be
    /// It is about to be purged: whether it is there does not matter.
    void leave_alone(const std::string& id) { left_alone_.insert(id); }
    /// It is purged: nothing shows it any more.
    void forget(const std::string& id) { forgotten_.insert(id); }

    /// How often each check looked at something.
    struct Looks {
        int items = 0, ratings = 0, lists = 0, walks = 0, hits = 0, purged = 0;
    };
    const Looks& looks() const { return looks_; }

  private:
    struct Walk {
        std::map<std::string, Ms> beginning; // what stood where when it began
        std::set<std::string> seen;
        std::string cursor;
    };

    std::string read_item(Program& program);
    std::string read_list(Program& program);
    std::string read_next_page(Program& program);
    bool sank(Program& program, const std::string& id) const;
    std::string search(Program& program);
    std::string look_for_purged(Program& program);
    std::string read_ratings(Program& program);
    std::string check_item(Program& program, const std::string& id, const json& item);
    std::string check_value(const Writers::Waiting& waiting, const std::string& id, const std::string& name,
                            const json& shown);
    std::string check_freshness(const Asked& first, const std::set<std::string>& listed);
    std::optional<std::string> pick(Program& program);

    World& world_;
    Writers& writers_;
    alli::SeededRandom random_;
    std::map<std::string, std::size_t>
        shown_; // by the keys of World::values: the youngest of upstream's that was shown
    std::set<std::string> left_alone_, forgotten_;
    std::optional<Walk> walk_;
    Looks looks_;
    const bool wide_;
};

} // namespace simulation

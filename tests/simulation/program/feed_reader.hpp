// SPDX-License-Identifier: Apache-2.0
// An app that follows the change feed and reads again what it names: in the end it has what the mirror has.
#pragma once

#include "tests/simulation/program/program.hpp"

namespace simulation {

class FeedReader {
  public:
    explicit FeedReader(std::uint64_t seed) : random_(seed) {}

    /// Reads some pages of the feed. What was wrong, in a sentence; empty: nothing.
    std::string act(Program& program);
    /// After all of the feed: its copy is the mirror's.
    std::string check(Program& program);

    int changes() const { return changes_; }
    int resets() const { return resets_; }

  private:
    std::string read(Program& program, bool* more);
    bool take(Program& program, const std::string& id);
    static std::optional<json> ask(Program& program, const std::string& id, bool* asks_upstream);

    alli::SeededRandom random_;
    std::int64_t since_ = 0;
    std::map<std::string, json> copy_;
    std::set<std::string> again_; // of which only upstream could say anything
    int changes_ = 0, resets_ = 0;
};

} // namespace simulation

// SPDX-License-Identifier: Apache-2.0
// What a mirror claims, held against the world: a sentence that says what is wrong; empty: nothing.
#pragma once

#include "cache/db/sqlite.hpp"
#include "tests/simulation/world.hpp"

#include <string>

namespace simulation {

/// A conversation that upstream has: its item and the number of its chats, and where `chats` is set their texts.
std::string compare(const World& world, alli::cache::Reader& db, const std::string& id, bool chats);

/// What a mirror need not have as upstream has it.
struct Exempt {
    std::set<std::string> whole;      // conversations that somebody here wants deleted
    std::set<std::string> chats;      // conversations with a message that a waiting write shows otherwise
    std::chrono::milliseconds skew{}; // by so much its clock may be ahead
};

/// Whether all that is covered is as upstream had it when it was verified.
std::string find_wrong_coverage(const World& world, alli::cache::Reader& db, const Exempt& exempt = {});

} // namespace simulation

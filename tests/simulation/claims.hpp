// SPDX-License-Identifier: Apache-2.0
// What a mirror claims, held against the world: a sentence that says what is wrong; empty: nothing.
#pragma once

#include "cache/rows/problems.hpp"
#include "cache/store.hpp"
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

/// Whether nothing but the nature of this world is a problem.
bool are_of_the_world(const std::vector<alli::cache::Problem>& problems);

/// Problems, coverage and writes, a line each, for whoever looks into a history that went wrong.
std::string list_state(alli::cache::Store& store);

} // namespace simulation

// SPDX-License-Identifier: Apache-2.0
// Where a node is in what the nodes of a cluster share, and what the database says of it.
#pragma once

#include "alli/task.hpp"

#include <cstdint>
#include <string>

namespace alli::cluster {

/// The number of a commit and its nonce: by the nonce a node finds out whether the database is the one it read from.
struct Position {
    std::int64_t number = 0; // 0: nothing was read yet
    std::string nonce;

    friend bool operator==(const Position&, const Position&) = default;
};

/// What the database says of a position that a node has.
enum class Continuity {
    same,      // it had this commit
    forgotten, // so old that it does not know: join anew
    other,     // it never had it: an old backup was put back, commits were lost, or it is a copy
};

} // namespace alli::cluster

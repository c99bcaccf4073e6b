// SPDX-License-Identifier: Apache-2.0
// How a node reaches the truth in PostgreSQL, and as whom.
#pragma once

#include "cluster/libpq/resolver.hpp"
#include "cluster/truth.hpp"

#include <chrono>
#include <string>

namespace alli::cluster {

struct PostgresOptions {
    std::string url, password; // url.hpp says what is right
    std::string schema = "alli_mirror";
    Member self;
    std::chrono::milliseconds patience{5'000}; // for a call, and for connecting to a host
    LookUp look_up = &look_up_addresses;       // called on threads of its own, one a connection
};

} // namespace alli::cluster

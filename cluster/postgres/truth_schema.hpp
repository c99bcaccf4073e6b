// SPDX-License-Identifier: Apache-2.0
// The steps of the tables of a cluster, embedded: a file of schema/truth each, whose {read} is the schema of the views.
#pragma once

#include <span>

namespace alli::cluster {

struct Schema {
    const char* name;
    std::span<const char* const> steps; // step N brings version N to N + 1
};

extern const Schema truth_schema;

} // namespace alli::cluster

// SPDX-License-Identifier: Apache-2.0
// What the program does to its two files, in small: each workload a few hundred calls of the disk.
#pragma once

#include "tests/powercut/stage.hpp"

#include <span>

namespace alli::powercut {

struct Workload {
    const char* name;
    void (*prepare)(Stage& stage); // before the disk is looked at
    void (*run)(Stage& stage);     // opens the store
    bool tells = false;            // the opening may say what befell a file
    bool reads_all = false;        // a page that cannot be read then counts as damaged
    bool erases = false;           // the opening may finish what was being erased
};
std::span<const Workload> workloads();

} // namespace alli::powercut

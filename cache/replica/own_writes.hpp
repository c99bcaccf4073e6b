// SPDX-License-Identifier: Apache-2.0
// What a node's own writes show in its mirror while another node leads. What is published holds there: the leader reads
// upstream, and sees through its lag; a write that was delivered here is in that, or nobody can know it here.
#pragma once

#include "alli/task.hpp"
#include "cache/store.hpp"

namespace alli::cache {

/// When a node begins to follow, and nothing delivers here: writes that were delivered show no longer by themselves, so
/// that rows of other nodes are not taken for their lag; those that wait show, and no others. Makes no notes.
Task<> follow_own_writes(Store& store);

/// The lease that a node got: of which store, and since which epoch no other node led.
struct Lead {
    std::string store;
    std::int64_t epoch = 0, led_from = 0;
};

/// Before anything is delivered. Where another node led since this one did last, writes that wait here since then are
/// put into conflict: of what was written there meanwhile nothing is known here, and it may be newer. Returns how many.
Task<std::int64_t> begin_lead(Store& store, Lead lead);

} // namespace alli::cache

// SPDX-License-Identifier: Apache-2.0
// What the committing threads look at with each commit, looked at while nobody writes.
#pragma once

#include "cache/store.hpp"

namespace alli::cache {

/// Whether the files are still in their places; writes something small to one that had no room, and what mirror.db has
/// not heard of outbox.db. Throws what made the store give up, and Error{disk_full}.
Task<> check_files(Store& store);

} // namespace alli::cache

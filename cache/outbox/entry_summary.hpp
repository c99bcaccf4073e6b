// SPDX-License-Identifier: Apache-2.0
// What a write would change, in words for a person: rename "X" to "Y". Pure. The words hold what people wrote: they are
// for who may read the conversation, never for the log.
#pragma once

#include "cache/outbox/entry.hpp"

#include <string>

namespace alli::cache {

/// Of an entry with its body: where that cannot be read, the operation alone.
std::string say_change(const Entry& entry);

} // namespace alli::cache

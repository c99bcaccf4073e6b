// SPDX-License-Identifier: Apache-2.0
// Answers compressed for who accepts it, as services behind a balancer do. Pure.
#pragma once

#include "sandbox/call.hpp"

namespace alli::sandbox {

/// gzip, with a flush after each line of a stream, so that its lines can be read as they come. Leaves short bodies.
void compress(Answer& answer, const Call& call);

} // namespace alli::sandbox

// SPDX-License-Identifier: Apache-2.0
// What a fault does to a request: an answer in place of the true one, or a true one spoiled on its way back.
#pragma once

#include "sandbox/call.hpp"
#include "sandbox/faults.hpp"

#include <optional>

namespace alli::sandbox {

/// The answer of a fault that keeps the request from being worked on; none for the other faults. `now` is what the
/// Date header says.
std::optional<Answer> answer_instead(const FaultRule& fault, Instant now);

/// Spoils the answer to a request that was worked on.
void spoil(Answer& answer, const Call& call, const Strike& strike);

} // namespace alli::sandbox

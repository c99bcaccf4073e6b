// SPDX-License-Identifier: Apache-2.0
// In what envelope upstream's answers come, as far as seen: what is served from the mirror comes in the same.
#pragma once

#include "alli/envelope.hpp"
#include "cache/db/writer.hpp"

namespace alli::cache {

/// None: no such answer was seen yet; then it is served as the contract shows it.
std::optional<Envelope> find_envelope(Connection& db, Content content);
/// Kept where there was none before, or now is none; what else it says may be another each time. Whether it was put.
bool note_envelope(Writer& db, Content content, const Envelope& envelope);

/// The body as upstream would send it.
std::string in_envelope(Connection& db, Content content, std::string body);

} // namespace alli::cache

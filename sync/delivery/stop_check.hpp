// SPDX-License-Identifier: Apache-2.0
// Whether a stop that had to wait still has something to stop: it is for the run that was under way when it was made,
// and must not end a later one. Asks upstream; writes nothing down.
#pragma once

#include "cache/outbox/outbox.hpp"
#include "upstream/client.hpp"

namespace alli::sync {

/// Whether that run is over: nothing runs in the conversation, or a question that came after the stop is being
/// answered. Throws what the client throws where upstream cannot be asked; false where it does not say.
Task<bool> is_run_over(upstream::Client& client, const cache::Entry& stop);

} // namespace alli::sync

// SPDX-License-Identifier: Apache-2.0
// `sync` where a daemon owns the mirror: it is asked to look upstream now, and its progress is shown until its mirror
// is complete as of then.
#pragma once

#include "daemon/commands.hpp"

namespace alli::daemon {

/// Throws Error: key_rejected or unreachable, as the daemon has it; refused where it cannot be asked; io when it ends.
void sync_in_daemon(const Context& context, bool accept_deletions, bool json);

} // namespace alli::daemon

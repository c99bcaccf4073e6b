// SPDX-License-Identifier: Apache-2.0
// `sync` where a daemon owns the mirror: it is asked to look upstream now, and its progress is shown until its mirror
// is complete as of then.
#pragma once

#include "daemon/load_settings.hpp"

namespace alli::daemon {

/// What a person has said: what upstream lacks is gone; the key may open another project than before.
struct Accepted {
    bool deletions = false, key = false;
};

/// Throws Error: key_rejected or unreachable, as the daemon has it; refused where it cannot be asked; io when it ends.
void sync_in_daemon(const Context& context, Accepted accepted, bool json);

} // namespace alli::daemon

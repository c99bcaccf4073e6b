// SPDX-License-Identifier: Apache-2.0
// `sync` while a daemon owns the mirror: asks it to poll upstream and shows its progress until the mirror is complete
// as of the request.
#pragma once

#include "daemon/settings/load_settings.hpp"

namespace alli::daemon {

/// Confirmations by the user: accept deletions; accept a key of another project.
struct Accepted {
    bool deletions = false, key = false;
};

/// Throws Error: key_rejected or unreachable as the daemon reports it, refused if it cannot be called, io if it ends.
void sync_in_daemon(const Context& context, Accepted accepted, bool json);

} // namespace alli::daemon

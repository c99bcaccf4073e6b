// SPDX-License-Identifier: Apache-2.0
// Runs a maintenance task for a command: in the daemon if one owns the mirror, else in this process, under the lock.
#pragma once

#include "daemon/service/maintenance_tasks.hpp"
#include "daemon/settings/load_settings.hpp"
#include "daemon/settings/paths.hpp"

namespace alli::daemon {

/// Throws Error{io} that says what to do where there is no mirror yet.
void require_mirror(const MirrorLocation& place);

/// Begins a task in the daemon and returns its first state. Waits, and says so, while another one is under way: some
/// minutes, then throws as for any other refusal.
Json start_task(const Context& context, const Json& request);

/// Returns the task's result; shows progress on a terminal. Throws what the task or call_daemon() throws.
Json maintain(const Context& context, const MirrorLocation& place, const Json& request);

} // namespace alli::daemon

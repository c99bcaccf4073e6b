// SPDX-License-Identifier: Apache-2.0
// The log: spdlog to stderr, as text or JSON lines; under the journal with its priorities and without a time of its
// own. Never message text, never a key.
#pragma once

#include "daemon/settings.hpp"

namespace alli::daemon {

/// Sets the process's default logger from log.level and log.format.
void start_log(const Config& config, const Environment& environment);

} // namespace alli::daemon

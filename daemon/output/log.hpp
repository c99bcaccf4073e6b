// SPDX-License-Identifier: Apache-2.0
// Configures the log: spdlog to stderr, as text or JSON lines; under the journal with priorities, and text without time
// and level. alli/event.hpp defines the content.
#pragma once

#include "daemon/settings/settings.hpp"

namespace alli::daemon {

/// Applies log.level and log.format. Also called at a reload, while other threads log.
void start_log(const Config& config, const Environment& environment);

/// Logs the number of dropped lines once the log is readable again. Called periodically by one thread.
void tell_lost_lines();

/// Reports the failure of a command: as an event if the log is machine-readable (journal, JSON), else as two lines on
/// stderr.
void tell_failure(const std::string& sentence, const std::string& hint);

} // namespace alli::daemon

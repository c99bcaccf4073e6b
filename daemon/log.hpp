// SPDX-License-Identifier: Apache-2.0
// Where the log goes (what it says: alli/event.hpp): spdlog to stderr, as text or JSON lines; under the journal with
// its priorities, and as text without a time and a level of its own.
#pragma once

#include "daemon/settings.hpp"

namespace alli::daemon {

/// From log.level and log.format. Again at a reload, while other threads log.
void start_log(const Config& config, const Environment& environment);

/// Says how many lines were lost because nobody read the log, once somebody does. From time to time, by one thread.
void tell_lost_lines();

/// How a command ends badly: as an event where machines read the log (the journal, JSON), else in two lines for a
/// person.
void tell_failure(const std::string& sentence, const std::string& hint);

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// The answer to whether a conversation is running: {"isRunning": true}, in an envelope or without. Pure.
#pragma once

#include <string>

namespace alli::upstream {

/// Throws Error{bad_reply} for anything else.
bool read_running(const std::string& body);

} // namespace alli::upstream

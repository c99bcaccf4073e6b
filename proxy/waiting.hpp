// SPDX-License-Identifier: Apache-2.0
// Waiting writes show in what upstream answers too: what they set is set in it, what they delete is taken out. Any
// thread.
#pragma once

#include "alli/clock.hpp"
#include "proxy/server.hpp"

#include <string_view>

namespace alli::proxy {

/// `asked_at`: when upstream was asked. Answers to anything but the contract's reads stay as they are, and so does
/// every answer while nothing waits.
void show_waiting(const Needs& needs, std::string_view target, Clock::Steady asked_at, upstream::Reply& reply);

} // namespace alli::proxy

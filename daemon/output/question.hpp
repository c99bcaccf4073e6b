// SPDX-License-Identifier: Apache-2.0
// What a person is asked before something is done that cannot be taken back.
#pragma once

#include <string_view>

namespace alli::daemon {

/// Asks on stderr, for stdout may be a file or another program's; true for "y" or "yes". No answer is none.
bool confirm(std::string_view question);

} // namespace alli::daemon

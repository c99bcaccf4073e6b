// SPDX-License-Identifier: Apache-2.0
// Whether a daemon runs that holds the mirror. Never gets in its way.
#pragma once

#include <optional>
#include <string>

namespace alli::daemon {

/// The process that owns the mirror in that directory; none when nobody does, or where it cannot be seen.
std::optional<int> find_owner(const std::string& mirror_path);

} // namespace alli::daemon

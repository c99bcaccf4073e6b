// SPDX-License-Identifier: Apache-2.0
// Checks paths in settings: whether they are absolute, and whether what exists there can be used. Read-only; what this
// user may not see is not a fault.
#pragma once

#include "daemon/settings/settings.hpp"

namespace alli::daemon {

/// Throws Error{settings} for a path that begins with ~, has surrounding white space, or is relative in a settings file
/// (`origin`: where it was set). An empty path is valid. The message does not repeat the path: it may be a key in the
/// wrong place.
void check_path(std::string_view key, const std::string& path, const std::string& origin,
                const Environment& environment);

/// Throws Error{settings} if mirror.path cannot be the mirror's file: a directory, a device, a dangling link, below a
/// file, or named like a file beside it.
void check_mirror_path(const std::string& path);

/// The same for a Unix socket: not an existing file of another kind, and not below a file.
void check_socket_path(const std::string& path);

} // namespace alli::daemon

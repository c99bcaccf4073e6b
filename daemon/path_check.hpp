// SPDX-License-Identifier: Apache-2.0
// Paths as people write them into settings: what could not mean one place for everybody, and what lies there that
// cannot be used. Looks, and changes nothing; what this user may not see is no fault.
#pragma once

#include "daemon/settings.hpp"

namespace alli::daemon {

/// Throws Error{settings} for one that begins with ~, has white space around it, or is relative in a settings file
/// (`origin`: where it was set). Empty is none. The message does not repeat it: it may be a key in the wrong place.
void check_path(std::string_view key, const std::string& path, const std::string& origin,
                const Environment& environment);

/// Throws Error{settings} where mirror.path can be no file of ours: a directory, a device, a link to nowhere, below a
/// file, or a name that is taken by the files beside it.
void check_mirror_path(const std::string& path);

/// The same of a socket's path: a file of another kind, or below a file.
void check_socket_path(const std::string& path);

} // namespace alli::daemon

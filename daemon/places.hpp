// SPDX-License-Identifier: Apache-2.0
// Where files lie: settings, mirror, socket, the sandbox's mirror. Directories of the service manager first, then
// XDG's.
#pragma once

#include "daemon/settings.hpp"

namespace alli::daemon {

inline constexpr std::string_view default_address = "127.0.0.1:8787";

/// The settings file to read: `explicit_file`, else $ALLI_MIRROR_CONFIG, else the first that exists of the user's XDG
/// directory and /etc/alli-mirror. Empty: none. The first two are returned whether they exist or not.
std::string find_settings_file(const std::string& explicit_file, const Environment& environment);

/// mirror.path, else $STATE_DIRECTORY, else the XDG state directory. Throws Error{settings} when there is no home at
/// all.
std::string mirror_path(const Settings& settings, const Environment& environment);

/// Where `serve --sandbox` keeps its mirror.
std::string sandbox_mirror_path(const Environment& environment);

/// The mirror that a command reads: the configured one; where none is configured and none was made, the sandbox's.
/// Throws Error{settings} where mirror.path can be no mirror (path_check.hpp).
struct ReadPlace {
    std::string mirror_path;
    bool sandbox = false;
};
ReadPlace find_read_place(const Settings& settings, const Environment& environment);

struct Listen {
    std::vector<std::string> addresses;
    std::string note; // for the log; empty: none
};
/// proxy.listen; by default port 8787 and a socket in $RUNTIME_DIRECTORY or $XDG_RUNTIME_DIR: the first that is this
/// user's own directory and closed to others. Where none is, the note says why.
Listen listen_addresses(const Settings& settings, const Environment& environment);
Listen sandbox_listen_addresses(const Settings& settings, const std::string& directory);

/// Where a daemon that owns that mirror can be asked; it may be another user's. Sockets of a service of that name count
/// where they are there: in its runtime directory, and beside that its socket unit's.
std::vector<std::string> socket_addresses(const Settings& settings, const ReadPlace& place,
                                          const Environment& environment);

/// "jane", or "number 1001" where it has no name.
std::string user_name(unsigned user);

/// Makes the directory of that file, mode 0700, where it is missing. Throws Error{io}; `setting` may name another.
void make_directory_of(const std::string& file, std::string_view setting = "mirror.path");
/// Likewise for the mirror's file; one that is there and that others can read or write is not taken over. Throws
/// Error{settings} too.
void claim_directory_of(const std::string& file);

} // namespace alli::daemon

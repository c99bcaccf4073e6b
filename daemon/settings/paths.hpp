// SPDX-License-Identifier: Apache-2.0
// Default paths of settings, mirror and sockets: directories of the service manager first, then XDG's.
#pragma once

#include "daemon/settings/settings.hpp"

namespace alli::daemon {

inline constexpr std::string_view default_address = "127.0.0.1:8787";

/// The settings file: `explicit_file`, else $ALLI_MIRROR_CONFIG, else the first existing one of the user's XDG
/// directory and /etc/alli-mirror. Empty if there is none. The first two are returned even if they do not exist.
std::string find_settings_file(const std::string& explicit_file, const Environment& environment);

/// mirror.path, else in $STATE_DIRECTORY, else in the XDG state directory. Throws Error{settings} without a home
/// directory.
std::string mirror_path(const Settings& settings, const Environment& environment);

/// The mirror of `serve --sandbox`.
std::string sandbox_mirror_path(const Environment& environment);

/// The mirror that a command reads: the configured one, else the default one if it exists, else the sandbox's. Throws
/// Error{settings} if mirror.path is unusable (path_check.hpp).
struct MirrorLocation {
    std::string mirror_path;
    bool sandbox = false;
};
MirrorLocation find_mirror_location(const Settings& settings, const Environment& environment);

struct Listen {
    std::vector<std::string> addresses;
    std::string note; // for the log; empty: none
};
/// proxy.listen; by default port 8787 and a socket in the first of $RUNTIME_DIRECTORY and $XDG_RUNTIME_DIR that belongs
/// to this user and is closed to others. The note says why there is no socket.
Listen listen_addresses(const Settings& settings, const Environment& environment);
Listen sandbox_listen_addresses(const Settings& settings, const std::string& directory);

/// Addresses of a daemon that owns that mirror, possibly another user's. Includes existing sockets of a service: in its
/// runtime directory, and the socket unit's beside it.
std::vector<std::string> socket_addresses(const Settings& settings, const MirrorLocation& place,
                                          const Environment& environment);

/// The group whose members may use the service, if this process runs in it: the package makes it. None otherwise: the
/// group of a person's own process is nobody's business.
std::optional<std::uint32_t> find_service_group();

/// The user's name, or "number 1001" without one.
std::string user_name(unsigned user);

/// Creates the directory of that file with mode 0700 if it is missing. Throws Error{io}; `setting` is the one that the
/// hint names.
void make_directory_of(const std::string& file, std::string_view setting = "mirror.path");
/// The same for the mirror's file. Throws Error{settings} for an existing directory that other users can access.
void claim_directory_of(const std::string& file);

} // namespace alli::daemon

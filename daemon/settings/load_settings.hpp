// SPDX-License-Identifier: Apache-2.0
// Settings from the file, the environment and the command line. Read once at the start of a command, and at a reload.
#pragma once

#include "daemon/settings/settings.hpp"

namespace alli::daemon {

/// The settings file (`explicit_file`: --config, empty: looked for), the environment over it, flags over both. Throws
/// Error{settings} that names file, line and key, or the variable or flag, and what is expected there, or a variable
/// of ours that there is not; with `faults` it puts those there instead and goes on.
Settings load_settings(const std::string& explicit_file, const Environment& environment, const Flags& flags = {},
                       std::vector<Error>* faults = nullptr);

/// The global options, common to all commands.
struct Context {
    std::string settings_file;          // --config; empty: looked for
    Flags flags;                        // --sync-interval and its like
    std::optional<std::string> service; // --service [NAME]: "alli-mirror", "alli-mirror@NAME" or NAME (service.hpp)
    bool own = false;                   // --user: one's own mirror, rather than a service's
    Environment environment;

    Settings settings() const { return load_settings(settings_file, environment, flags); }
};

} // namespace alli::daemon

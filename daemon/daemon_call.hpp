// SPDX-License-Identifier: Apache-2.0
// A request of a command to the running daemon: over its Unix socket, else over TCP with the key. Never waits long;
// nothing is sent where another user than the daemon's or root listens (listener_owner.hpp).
#pragma once

#include "alli/error.hpp"
#include "daemon/load_settings.hpp"
#include "daemon/places.hpp"

#include <optional>
#include <string>

namespace alli::daemon {

struct DaemonRequest {
    std::string method, target, body; // body: JSON, or nothing
};
struct DaemonAnswer {
    int status = 0;
    std::string body;
};

/// For several calls: a key that is read from the environment is wiped there, and is needed for each.
Context remembering(Context context);

/// Of the mirror that commands read, or of the sandbox's where that is the one that runs. Throws Error{refused}
/// where no daemon runs, or none that listens where we know; Error{settings} where it wants a key that is not here.
DaemonAnswer call_daemon(const Context& context, const DaemonRequest& request);

/// GET of the daemon that runs there as process `owner`, with the key where there is one.
struct DaemonReading {
    std::optional<std::string> body; // of a 200
    std::string why;                 // where there is none: what was tried, and what came of it
};
DaemonReading read_from_daemon(const Settings& settings, const ReadPlace& place, const Environment& environment,
                               int owner, const std::string& target);

/// What such an answer means to a person: the daemon's own words, with its hint.
Error refused_by_daemon(const DaemonAnswer& answer);

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// A command's request to the running daemon, over its Unix socket, else over TCP with the key. Waits briefly. Sends
// nothing to a socket that a user other than the daemon's or root listens on (listener_owner.hpp).
#pragma once

#include "alli/error.hpp"
#include "daemon/settings/load_settings.hpp"
#include "daemon/settings/paths.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace alli::daemon {

struct DaemonRequest {
    std::string method, target, body;                // body: JSON, or nothing
    std::chrono::seconds patience{15};               // a write may be waited for as long as upstream is
    std::function<void(std::string_view)> sink = {}; // as of upstream::LocalCall
    std::string cache_control = {};                  // header; empty: none
};
struct DaemonAnswer {
    int status = 0;
    std::string body;
};

/// Keeps the key for several calls, because reading it from the environment wipes it there.
Context remembering(Context context);

/// Calls the daemon of the mirror that commands read, or the sandbox's daemon if only that one runs. Throws
/// Error{refused} if no daemon runs or none listens on a known address, Error{settings} if it requires a key that is
/// not available here.
DaemonAnswer call_daemon(const Context& context, const DaemonRequest& request);

/// Sends a GET to the daemon with process id `owner`, with the key if there is one.
struct DaemonReading {
    std::optional<std::string> body; // of a 200
    std::string why;                 // where there is none: what was tried, and what came of it
};
DaemonReading read_from_daemon(const Settings& settings, const MirrorLocation& place, const Environment& environment,
                               int owner, const std::string& target);

/// The daemon's error and hint, from a response that is not a success.
Error refused_by_daemon(const DaemonAnswer& answer);

} // namespace alli::daemon

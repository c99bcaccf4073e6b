// SPDX-License-Identifier: Apache-2.0
// What a command can learn of a running daemon: that it holds the mirror, and its own status over its Unix socket.
// Never waits long, never gets in its way.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace alli::daemon {

/// The process that owns the mirror in that directory; none when nobody does, or where it cannot be seen.
std::optional<int> find_owner(const std::string& mirror_path);

/// GET over the first of `addresses` ("unix:/path"; others are passed by) that answers 200: the body. None otherwise.
std::optional<std::string> ask_daemon(const std::vector<std::string>& addresses, const std::string& target);

/// A request without a body, over the first of them that answers at all: the status. None when none does.
std::optional<int> tell_daemon(const std::vector<std::string>& addresses, const std::string& method,
                               const std::string& target);

} // namespace alli::daemon

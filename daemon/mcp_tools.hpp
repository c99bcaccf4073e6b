// SPDX-License-Identifier: Apache-2.0
// What an assistant may do with the mirror: THE table of tools. Each call opens the mirror anew, beside a running
// daemon or without one; writes go through the daemon. What people wrote comes back as data alone.
#pragma once

#include "daemon/load_settings.hpp"
#include "daemon/mcp.hpp"

namespace alli::daemon {

/// `context` must outlive them.
std::vector<McpTool> make_mcp_tools(const Context& context, bool allow_writes);

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// THE table of tools for assistants. Each call opens the mirror read-only, with or without a running daemon; writes go
// through the daemon. Users' text is returned as data only.
#pragma once

#include "daemon/mcp/mcp.hpp"
#include "daemon/settings/load_settings.hpp"

namespace alli::daemon {

/// `context` must outlive them.
std::vector<McpTool> make_mcp_tools(const Context& context, bool allow_writes);

} // namespace alli::daemon

// SPDX-License-Identifier: Apache-2.0
// Reads a tool's arguments; null counts as absent. Pure. All throw Error{usage} for a value of a wrong type; the
// message does not repeat the value.
#pragma once

#include "alli/zone.hpp"
#include "daemon/mcp/mcp.hpp"

namespace alli::daemon {

/// Throws for an argument that the tool's input schema does not declare; the hint names the most similar one.
void require_known(const Json& arguments, const Json& input_schema);

std::string read_text(const Json& arguments, const char* name); // empty where it is absent
std::optional<std::string> read_optional(const Json& arguments, const char* name);
std::string require_text(const Json& arguments, const char* name);
bool require_flag(const Json& arguments, const char* name);
int read_number(const Json& arguments, const char* name, int fallback, int low, int high);
Zone read_zone(const Json& arguments); // "tz"; by default the machine's

/// A time bound, parsed by `read` (alli/zone.hpp).
using ReadBound = std::optional<Instant> (*)(std::string_view, const Zone&);
std::optional<Instant> read_bound(const Json& arguments, const char* name, const Zone& zone, ReadBound read);

} // namespace alli::daemon

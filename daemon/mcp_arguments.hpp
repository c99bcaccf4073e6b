// SPDX-License-Identifier: Apache-2.0
// The arguments of a tool, as a model wrote them: null is as if it were not there. Pure; all throw Error{usage} for a
// value of another kind, which the sentence does not repeat.
#pragma once

#include "alli/zone.hpp"
#include "daemon/mcp.hpp"

namespace alli::daemon {

/// Throws for one that the tool's input schema does not name, with the nearest one as its hint.
void require_known(const Json& arguments, const Json& input_schema);

std::string read_text(const Json& arguments, const char* name); // empty where it is absent
std::optional<std::string> read_optional(const Json& arguments, const char* name);
std::string require_text(const Json& arguments, const char* name);
bool require_flag(const Json& arguments, const char* name);
int read_number(const Json& arguments, const char* name, int fallback, int low, int high);
Zone read_zone(const Json& arguments); // "tz"; by default the machine's

/// A bound in time, as alli/zone.hpp reads it with `read`.
using ReadBound = std::optional<Instant> (*)(std::string_view, const Zone&);
std::optional<Instant> read_bound(const Json& arguments, const char* name, const Zone& zone, ReadBound read);

} // namespace alli::daemon

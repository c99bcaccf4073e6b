// SPDX-License-Identifier: Apache-2.0
// What the parameters of several of our own endpoints say. Pure. Throws Error{usage}, which never names a value.
#pragma once

#include "alli/zone.hpp"
#include "proxy/request/list_query.hpp"

#include <string_view>

namespace alli::proxy {

/// "tz"; by default `usual`.
Zone read_zone(const Parameters& parameters, const Zone& usual);

/// Each time that a parameter is given, but for empty ones.
std::vector<std::string> read_all(const Parameters& parameters, std::string_view name);

} // namespace alli::proxy

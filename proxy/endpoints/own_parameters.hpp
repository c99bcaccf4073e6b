// SPDX-License-Identifier: Apache-2.0
// What the parameters of our own endpoints have in common. Pure. Throws Error{usage}, which never names a value.
#pragma once

#include "alli/zone.hpp"
#include "proxy/request/list_query.hpp"

#include <span>
#include <string_view>

namespace alli::proxy {

/// A parameter that is none of `names` is an error; `what` takes them ("a search").
void require_known(const Parameters& parameters, std::span<const std::string_view> names, std::string_view what);

/// "tz"; by default `usual`.
Zone read_zone(const Parameters& parameters, const Zone& usual);

/// Each time that a parameter is given, but for empty ones.
std::vector<std::string> read_all(const Parameters& parameters, std::string_view name);

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
// The parameters that our own endpoints take: a misspelt one must not be as if it were not there. Search has its own
// list (proxy/endpoints/search.cpp), probes and the page take what anybody adds. Pure.
#pragma once

#include "proxy/request/operation_id.hpp"

#include <span>
#include <string>
#include <string_view>

namespace alli::proxy {

/// Throws Error{usage}, a 400, that names the nearest one that there is. `ignored`: names that only
/// break caches.
void require_own_parameters(OperationId operation, std::string_view query, std::span<const std::string> ignored);

} // namespace alli::proxy

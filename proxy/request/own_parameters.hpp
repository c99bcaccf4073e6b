// SPDX-License-Identifier: Apache-2.0
// The parameters that our own endpoints take: a misspelt one must not be as if it were not there. Probes and the page
// take what anybody adds. Pure.
#pragma once

#include "http/target.hpp"
#include "proxy/request/operation_id.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alli::proxy {

/// Throws Error{usage}, a 400, that names the nearest one that there is, or one that has two values and takes one.
/// `ignored`: names that only break caches.
void require_own_parameters(OperationId operation, std::string_view query, std::span<const std::string> ignored);
/// Those of a body that takes the place of a query.
void require_own_parameters(OperationId operation, const std::vector<http::Parameter>& parameters,
                            std::span<const std::string> ignored = {});

} // namespace alli::proxy

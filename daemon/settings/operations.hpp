// SPDX-License-Identifier: Apache-2.0
// Settings that move operations of upstream: parsed, checked against each other and against the documented ones, and
// reported in the status. Pure.
#pragma once

#include "alli/operation.hpp"
#include "daemon/settings/settings.hpp"

#include <nlohmann/json.hpp>

namespace alli::daemon {

using Json = nlohmann::ordered_json;

/// Throws Error{settings} if one cannot be parsed.
Operations read_operations(const Config& config);

/// Throws Error{settings} if the setting `key` cannot be parsed or equals another operation.
void check_operation(const Config& config, std::string_view key);

/// Restores the documented operations: a sandbox does not follow the settings of a service.
void reset_operations(Config& config);

/// {"update": "PUT /webapi/v2/conversations/{id}", ...}, by the names of the settings.
Json operations_json(const Config& config);
/// The operation under that name in a status. None if an older daemon wrote the status or it is invalid.
std::optional<Operation> find_operation(const Json& status, std::string_view key);

} // namespace alli::daemon

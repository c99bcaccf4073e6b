// SPDX-License-Identifier: Apache-2.0
// The settings that say where upstream has an operation, read, checked against each other and against what is
// documented; and as `status` tells them. Pure.
#pragma once

#include "alli/operation.hpp"
#include "daemon/settings.hpp"

#include <nlohmann/json.hpp>

namespace alli::daemon {

using Json = nlohmann::ordered_json;

/// Throws Error{settings} for one that cannot be read.
Operations read_operations(const Config& config);

/// Throws Error{settings} where the setting `key` cannot be read or says the same as another operation.
void check_operation(const Config& config, std::string_view key);

/// The contract's own: what is configured for a service is not for a sandbox.
void reset_operations(Config& config);

/// {"update": "PUT /webapi/v2/conversations/{id}", ...}, by the names of the settings.
Json operations_json(const Config& config);
/// The operation that a status names so; none: it is an older program's, or unreadable.
std::optional<Operation> find_operation(const Json& status, std::string_view key);

} // namespace alli::daemon

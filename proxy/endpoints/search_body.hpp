// SPDX-License-Identifier: Apache-2.0
// The JSON object of a search by POST as parameters. Pure. Throws Error{usage}, which never names a value.
#pragma once

#include "proxy/request/list_query.hpp"

#include <string>
#include <string_view>

namespace alli::proxy {

/// application/json, whatever its parameters.
bool is_json_type(std::string_view content_type);

/// Members that are null are left out; of a name given twice the last counts. Half surrogate pairs are replaced.
Parameters read_search_body(std::string body);

} // namespace alli::proxy

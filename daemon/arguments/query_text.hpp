// SPDX-License-Identifier: Apache-2.0
// The arguments of a search as the API takes them.
#pragma once

#include "daemon/arguments/search_arguments.hpp"

namespace alli::daemon {

/// Query and filters in one text. Throws Error{usage} for a value that cannot stand in it.
std::string query_text(const SearchArguments& arguments);

} // namespace alli::daemon

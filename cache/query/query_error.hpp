// SPDX-License-Identifier: Apache-2.0
// What is wrong with a statement, in words that help somebody who knows SQL from elsewhere. Pure.
#pragma once

#include "alli/error.hpp"

#include <string>
#include <string_view>

namespace alli::cache {

/// `message` is SQLite's, `offset` where in the statement it is meant (below 0: unknown), `refused` what the rules did
/// not let through, if that was it.
Error query_error(std::string_view message, std::string_view sql, int offset, std::string_view refused);

inline constexpr std::string_view example_statement = "SELECT * FROM v_daily";

/// "v_conversation, v_chat, ..."
std::string names_of_views();

} // namespace alli::cache

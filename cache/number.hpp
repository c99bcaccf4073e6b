// SPDX-License-Identifier: Apache-2.0
// One number out of a file: a count, a pragma.
#pragma once

#include "cache/sqlite.hpp"

#include <cstdint>
#include <string_view>

namespace alli::cache {

/// The first column of the first row; 0 where there is no row, or null stands there.
inline std::int64_t number_of(Connection& db, std::string_view sql)
{
    Rows rows = db.query(sql);
    return rows.step() ? rows.row().integer(0) : 0;
}

} // namespace alli::cache

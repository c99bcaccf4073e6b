// SPDX-License-Identifier: Apache-2.0
// `query`: one SELECT over the documented views, beside a running daemon. It runs on a connection of its own that holds
// nothing but the views (cache/query/view_tables.hpp) and may do nothing but read them, bounded in time and memory.
#pragma once

#include "alli/zone.hpp"
#include "cache/db/sqlite.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <variant>

namespace alli::cache {

struct Blob {
    std::string bytes;
};
using Cell = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

struct QueryBounds {
    std::chrono::milliseconds timeout{60'000}; // 0: none
    std::int64_t rows = 0;                     // 0: all
    std::int64_t bytes = 1LL << 30;            // of memory, beside what the process has; 0: all
};

/// The first call of either is the head's. Throw to end the query.
struct QueryOutput {
    std::function<void(const std::vector<std::string>& columns)> head;
    std::function<void(std::span<const Cell> row)> row;
};

struct QueryEnd {
    std::int64_t rows = 0;
    bool cut = false; // there are more
};

/// Throws Error: usage, with a hint, for a statement that is wrong or more than a SELECT; canceled, where it takes too
/// long; and what reading the mirror throws. No read of the mirror is open when it returns.
QueryEnd run_query(std::unique_ptr<Reader> mirror, const std::string& sql, const Zone& zone, const QueryBounds& bounds,
                   const QueryOutput& output);

} // namespace alli::cache

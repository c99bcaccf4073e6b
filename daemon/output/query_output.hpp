// SPDX-License-Identifier: Apache-2.0
// The rows of `query` as an aligned table for a person, as CSV, or as JSON. What people wrote is made harmless for a
// terminal in a table; CSV and JSON keep it. Text is taken in and given on as it comes, a table at its end.
#pragma once

#include "cache/query/query.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace alli::daemon {

class QueryFormat {
  public:
    using Sink = std::function<void(std::string_view)>;

    virtual ~QueryFormat() = default;
    virtual void head(const std::vector<std::string>& columns) = 0;
    virtual void row(std::span<const cache::Cell> row) = 0;
    virtual void finish() = 0;
};

/// A field of a table is cut after 60 columns of the terminal.
std::unique_ptr<QueryFormat> table_format(QueryFormat::Sink sink);
/// Null is nothing, an empty text "", a blob x'0a'. Texts as in `export --format csv`.
std::unique_ptr<QueryFormat> csv_format(QueryFormat::Sink sink);
/// An array of objects, one a line. A column of a name that another has too is "name:1".
std::unique_ptr<QueryFormat> json_format(QueryFormat::Sink sink);

} // namespace alli::daemon

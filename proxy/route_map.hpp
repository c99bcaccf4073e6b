// SPDX-License-Identifier: Apache-2.0
// Which row of the table a request is for. The operations whose method or path the contract only infers are found
// where the settings have them, by PUT, PATCH and POST alike. Made once; any thread reads it.
#pragma once

#include "alli/operation.hpp"
#include "proxy/request/route.hpp"

#include <span>

namespace alli::proxy {

class RouteMap {
  public:
    RouteMap(std::span<const Route> routes, const Operations& operations);

    /// Matches on the raw path and decodes afterwards. Throws Error{usage} for a path that must not be
    /// (decode_segment). HEAD finds what GET finds.
    Match find(std::string_view method, std::string_view path) const;

  private:
    struct Row {
        const Route* route;
        std::string method;
        std::vector<std::string> pattern;
        bool exact; // false: another operation at this path may have that method for its own
    };
    void add(const Route& route, std::string method, std::string_view pattern, bool exact);

    std::vector<Row> rows_;
};

/// The row of a documented operation that has this method and pattern: no setting may take it.
const Route* find_documented(std::span<const Route> routes, std::string_view method, std::string_view pattern);

} // namespace alli::proxy

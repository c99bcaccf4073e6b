// SPDX-License-Identifier: Apache-2.0
// Which operation a request is for.
#pragma once

#include "sandbox/operations.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace alli::sandbox {

struct Route {
    std::string_view operation; // its operationId in the contract
    std::string_view methods;   // separated by spaces
    std::string_view path;      // {} stands for an id
    Answer (*answer)(Desk&, const Call&);
    bool about_one_thing = false; // where answers come wrapped, this does
    bool lags = true;             // where reads lag, this does; of GET alone
};

struct Match {
    enum class Kind { found, wrong_method, no_path };

    Kind kind = Kind::no_path;
    const Route* route = nullptr;
    std::vector<std::string> ids; // decoded

    std::string_view operation() const { return route == nullptr ? "unknown" : route->operation; }
};

Match match_route(std::string_view method, std::string_view path);
bool is_operation(std::string_view name);

} // namespace alli::sandbox

// SPDX-License-Identifier: Apache-2.0
// How the service says that something does not exist: the contract leaves the shape of a 404 open, and gateways say 404
// too. It is learned from the answer to a request for an id that nobody has. Pure; the client asks and remembers.
#pragma once

#include "upstream/http.hpp"

#include <string>

namespace alli::upstream {

/// 404, or 410: the contract does not tell them apart.
bool says_absent(const Reply& reply) noexcept;

/// What two such answers of one sender have in common: media type, and the names of the members, or, where it is no
/// JSON object, the words.
std::string shape_of_absence(const Reply& reply);

/// Of conversations that nobody has, in the form of the service's ids. `n`: from 0 to below made_up_ids.
constexpr int made_up_ids = 3;
std::string made_up_id(int n);

} // namespace alli::upstream

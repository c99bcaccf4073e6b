// SPDX-License-Identifier: Apache-2.0
// Authorization: the scope that a request needs, against the principal's (docs/operations.md, Who may do what). Pure.
#pragma once

#include "proxy/request/route.hpp"

#include <optional>
#include <string_view>

namespace alli::proxy {

/// The scope of its row; where there is none, that of a relay (`relayed`: the path is one of upstream's). None:
/// nothing, as for what is in no table and goes nowhere.
std::optional<Scope> find_needed_scope(const Match& match, std::string_view method, bool relayed) noexcept;

/// A member of the service's group that asks for maintenance, which its scope does not hold: the handler decides by the
/// task (proxy/endpoints/mirror.cpp).
bool is_group_maintenance(const Request& rq) noexcept;

bool may(const Request& rq, Scope needed) noexcept;

/// Throws Error{key_rejected}, a 403, that names the scope that `what` needs and the one that is held.
void require_scope(const Request& rq, Scope needed, std::string_view what = "this");

} // namespace alli::proxy

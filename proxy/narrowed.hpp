// SPDX-License-Identifier: Apache-2.0
// Whether a principal that sees a part of the mirror gets to a route (Route::narrowed), before its handler runs. Runs
// on a proxy loop.
#pragma once

#include "proxy/request/context.hpp"
#include "proxy/request/route.hpp"

#include <optional>

namespace alli::proxy {

/// Why a narrowed principal does not get there: 404 for what is not in its view, 403 for what concerns all of the
/// mirror or would be relayed. None: the handler answers, of its view alone. `match`: what the request was found to be.
std::optional<Response> refuse_narrowed(const Context& cx, const Request& rq, const Match& match);

} // namespace alli::proxy

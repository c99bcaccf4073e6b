// SPDX-License-Identifier: Apache-2.0
// Goes on upstream where the mirror stops to be whole: the page behind a cursor of ours, newest chat first. Upstream is
// asked for the same list from the last row that was shown on, what was shown already is left out, and the cursor that
// comes with it leads on here or there. Runs on a proxy loop.
#pragma once

#include "proxy/context.hpp"
#include "proxy/flights.hpp"
#include "proxy/keep.hpp"
#include "proxy/list_query.hpp"

namespace alli::proxy {

/// The page, in the place of upstream's own; or its answer as it is, where that is no page. It may have fewer rows than
/// were asked for. None: upstream cannot go on from there, or the page lacks nothing but variables
/// (docs/decisions/0017). Throws Error{usage} for a cursor of another list.
Task<std::optional<SharedReply>> continue_upstream(const Context& cx, const Request& rq, const Parameters& parameters,
                                                   FillTarget fill);

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
// Continues a list upstream where the mirror's coverage ends: the page behind a cursor of ours, newest chat first. Asks
// upstream for the same list from the last row shown, leaves out rows that were shown already, and issues a cursor that
// leads on in the mirror or upstream. Runs on a proxy loop.
#pragma once

#include "proxy/relay/cache_fill.hpp"
#include "proxy/relay/coalescing.hpp"
#include "proxy/request/context.hpp"
#include "proxy/request/list_query.hpp"

namespace alli::proxy {

/// The page, which may have fewer rows than were asked for; or upstream's reply as it is, if that is not a page. None:
/// upstream cannot continue from there, or the page lacks only variables (docs/decisions/0017). Throws Error{usage} for
/// a cursor of another list.
Task<std::optional<SharedReply>> continue_upstream(const Context& cx, const Request& rq, const Parameters& parameters,
                                                   FillTarget fill);

} // namespace alli::proxy

// SPDX-License-Identifier: Apache-2.0
// GET /mirror/v1/export?q=&format=: the mirror, or the conversations in which a search finds something, as JSON lines,
// CSV or Markdown. Streamed: a piece is read once the one before was taken, in a read of its own, so that neither
// memory nor the database's log grows with what is exported.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

Task<Response> export_found(const Context& cx, const Request& rq);

} // namespace alli::proxy

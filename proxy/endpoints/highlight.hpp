// SPDX-License-Identifier: Apache-2.0
// Where in given texts the words of a query stand: what the page marks is what was found. A JSON object
// {"q", "texts": [...]} in, {"ranges": [[[from, to], ...], ...]} out. Looks at no conversation.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

Task<Response> highlight_texts(const Context& cx, const Request& rq);

} // namespace alli::proxy

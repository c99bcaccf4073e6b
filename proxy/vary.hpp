// SPDX-License-Identifier: Apache-2.0
// What upstream says its answer depends on (Vary, RFC 9110 12.5.5), so that nobody is given one that was made for
// another. Accept-Encoding and Origin never go upstream, and say nothing here. Pure.
#pragma once

#include "upstream/http.hpp"

namespace alli::proxy {

/// Whether requests of the same target that differ in their headers may get different answers.
bool may_vary(const upstream::Reply& reply);

/// Whether this request bears a header that its answer depends on: a plain one might have got another.
bool is_special(const upstream::Reply& reply, const Headers& asked_with);

} // namespace alli::proxy
